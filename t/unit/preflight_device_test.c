/* Routers are told by what they say of themselves, sites of people are not. */
#include "preflight/device.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
    const char *what;
    long status;
    const char *server, *realm, *location, *body;
    const char *says; /* NULL: no device */
} cases[] = {
    {"micro_httpd", 401, "micro_httpd", "Basic realm=\"Home\"", "", "<title>401</title>",
     "Server: micro_httpd, WWW-Authenticate: Basic realm=\"Home\", title: 401"},
    {"a realm alone", 401, "", "Basic realm=\"NETGEAR R7000\"", "", "",
     "WWW-Authenticate: Basic realm=\"NETGEAR R7000\""},
    {"a title alone", 200, "", "", "", "<html><HEAD><TITLE lang=de>\n FRITZ!Box 7590 \n</TITLE>",
     "title: FRITZ!Box 7590"},
    {"a redirect to itself inside", 302, "", "", "http://192.168.1.1/login.htm", "",
     "Location: http://192.168.1.1/login.htm"},
    {"a redirect to its name", 302, "", "", "http://fritz.box/", "", "Location: http://fritz.box/"},
    {"control characters", 200, "RomPager/4.07 \x1b[31m", "", "", "",
     "Server: RomPager/4.07 \\x1b[31m"},
    {"nginx", 404, "nginx/1.22.1", "", "", "<title>404 Not Found</title>", NULL},
    {"httpd with a password", 401, "Apache/2.4.62", "Basic realm=\"Members\"", "", "", NULL},
    {"a site about gateways", 200, "nginx", "", "", "<title>Payment gateway</title> router", NULL},
    {"a redirect elsewhere", 301, "", "", "https://www.example.org/", "", NULL},
    {"a redirect that is none", 301, "", "", "http://user:pw@192.168.1.1/", "", NULL},
    {"a title without an end", 200, "", "", "", "<title", NULL},
    {"nothing", 200, NULL, NULL, NULL, "", NULL},
};

int main(void)
{
    char shown[HC_DEVICE_TEXT];

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        size_t len = strlen(cases[i].body);
        unsigned char *body = malloc(len + 1); /* without its NUL: nothing may be read behind it */
        struct hc_web_reply reply = {.status = cases[i].status,
                                     .location = cases[i].location,
                                     .server = cases[i].server,
                                     .www_authenticate = cases[i].realm};

        if (body == NULL) {
            return 99;
        }
        memcpy(body, cases[i].body, len);
        reply.body = (struct hc_bytes){len > 0 ? body : NULL, len};
        is_int(hc_device_looks_so(&reply, shown), cases[i].says != NULL, cases[i].what);
        if (cases[i].says != NULL) {
            is_str(shown, cases[i].says, "it is told by");
        }
        free(body);
    }
    return done();
}
