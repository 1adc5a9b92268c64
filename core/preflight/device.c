/* The looks of routers; see device.h. */
#include "preflight/device.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/escape.h"
#include "net/url.h"

#define SHOWN_MAX 60
#define TITLE_MAX 200 /* a title that is longer is cut */

/* Web servers that are built into devices, and none that anybody would run a site by. */
static const char *const servers[] = {
    "micro_httpd",  "mini_httpd", "RomPager",    "GoAhead",   "Boa/",    "AVM FRITZ",
    "FRITZ!Box",    "RouterOS",   "mikrotik",    "TP-LINK",   "NETGEAR", "Linksys",
    "DrayTek",      "ZyXEL",      "D-Link",      "Router",    "UPnP/",   "Mini web server",
    "Virata-EmWeb", "Sagemcom",   "Technicolor", "Speedport",
};
/* What they ask a password for. */
static const char *const realms[] = {
    "router",          "gateway",   "modem",   "NETGEAR", "TP-LINK",  "DD-WRT",
    "FRITZ!",          "D-Link",    "Linksys", "DrayTek", "ZyXEL",    "Vigor",
    "level_15_access", "Speedport", "Tomato",  "OpenWrt", "RouterOS", "mikrotik",
};
static const char *const titles[] = {
    "FRITZ!Box",       "RouterOS",
    "OpenWrt",         "LuCI",
    "DD-WRT",          "NETGEAR",
    "TP-LINK",         "ZyXEL",
    "DrayTek",         "Speedport",
    "EdgeOS",          "pfSense",
    "OPNsense",        "D-Link",
    "Home Gateway",    "Router Login",
    "Modem Login",     "Router Configuration",
    "Wireless Router",
};
/* Where they send who asks them. */
static const char *const hosts[] = {
    "fritz.box",       "routerlogin.net", "routerlogin.com",   "tplinkwifi.net",
    "tplinklogin.net", "speedport.ip",    "easy.box",          "router.asus.com",
    "myrouter.local",  "mwlogin.net",     "dlinkrouter.local",
};

static bool has_one(const char *text, const char *const *signs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasestr(text, signs[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* The place behind the ASCII text, whatever its case; NULL: it is not there. */
static const char *behind(struct hc_bytes body, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= body.len; i++) {
        if (strncasecmp((const char *)body.data + i, text, len) == 0) {
            return (const char *)body.data + i + len;
        }
    }
    return NULL;
}

/* What stands in <title>, without blanks around it; "" if there is none. */
static void take_title(struct hc_bytes body, char dst[TITLE_MAX])
{
    const char *at = behind(body, "<title");
    const char *end = at != NULL ? (const char *)body.data + body.len : NULL;
    size_t len = 0;

    dst[0] = '\0';
    at = at != NULL ? memchr(at, '>', (size_t)(end - at)) : NULL;
    if (at == NULL) {
        return;
    }
    for (at++; at < end && isspace((unsigned char)*at); at++) {
    }
    while (at + len < end && at[len] != '<' && at[len] != '\0' && len + 1 < TITLE_MAX) {
        len++;
    }
    while (len > 0 && isspace((unsigned char)at[len - 1])) {
        len--;
    }
    memcpy(dst, at, len);
    dst[len] = '\0';
}

static void append(char dst[HC_DEVICE_TEXT], const char *what, const char *text)
{
    char shown[SHOWN_MAX * 4 + 4];
    size_t used = strlen(dst);

    if (text[0] != '\0') {
        hc_escape(shown, sizeof(shown), text, strnlen(text, SHOWN_MAX));
        (void)snprintf(dst + used, HC_DEVICE_TEXT - used, "%s%s %s", used > 0 ? ", " : "", what,
                       shown);
    }
}

/* A redirect to an address that no visitor from outside can reach, or to a name of such. */
static bool leads_to_device(const char *location)
{
    struct hc_url_parts to;
    struct hc_address address;

    if (location[0] == '\0' || hc_url_take(location, &to) != NULL) {
        return false;
    }
    if (hc_address_parse(to.host, &address) == 0) {
        /* 10/8 and 172.16/12 are more often the inside of somebody's cluster */
        return !address.ipv6 && address.octets[0] == 192 && address.octets[1] == 168;
    }
    for (size_t i = 0; i < HC_COUNT(hosts); i++) {
        if (strcmp(to.host, hosts[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool hc_device_looks_so(const struct hc_web_reply *reply, char dst[HC_DEVICE_TEXT])
{
    const char *server = or_empty(reply->server);
    const char *realm = or_empty(reply->www_authenticate);
    const char *location = or_empty(reply->location);
    char title[TITLE_MAX];
    bool leads = leads_to_device(location);

    take_title(reply->body, title);
    dst[0] = '\0';
    if (!leads && !has_one(server, servers, HC_COUNT(servers)) &&
        !has_one(realm, realms, HC_COUNT(realms)) && !has_one(title, titles, HC_COUNT(titles))) {
        return false;
    }
    append(dst, "Server:", server);
    append(dst, "WWW-Authenticate:", realm);
    append(dst, "title:", title);
    append(dst, "Location:", leads ? location : "");
    return true;
}
