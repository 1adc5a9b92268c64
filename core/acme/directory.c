/* The directory; see directory.h. */
#include "acme/directory.h"

#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "acme/network.h"
#include "acme/problem.h"
#include "net/url.h"

#define CAA_MAX      32
#define PROFILES_MAX 32
#define HOPS_MOST    5

static int endpoint(const json_t *object, const char *member, const char *url, char **out,
                    struct hc_error *err)
{
    const char *text = NULL;

    if (hc_json_need_text(object, member, url, &text, err) != 0 ||
        hc_acme_check_url(url, text, err) != 0) {
        return hc_error_during(err, "reading the directory");
    }
    return hc_strdup(text, out, err);
}

static int read_profiles(json_t *profiles, struct hc_list *out, struct hc_error *err)
{
    const char *name = NULL;
    json_t *unused = NULL;

    json_object_foreach(profiles, name, unused)
    {
        if (out->count < PROFILES_MAX && strlen(name) < 256 && hc_list_add(out, name, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_meta(const json_t *meta, struct hc_directory *out, struct hc_error *err)
{
    const char *terms = hc_json_text(meta, "termsOfService");
    const json_t *caa = hc_json_array(meta, "caaIdentities");

    out->external_account = json_is_true(json_object_get(meta, "externalAccountRequired"));
    if (terms != NULL && terms[0] != '\0') {
        char shown[HC_FOREIGN_MAX];

        hc_escape(shown, sizeof(shown), terms, strlen(terms));
        if (hc_strdup(shown, &out->terms, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < json_array_size(caa) && i < CAA_MAX; i++) {
        const json_t *item = json_array_get(caa, i);

        if (json_is_string(item) && json_string_length(item) < 256 &&
            hc_list_add(&out->caa, json_string_value(item), err) != 0) {
            return -1;
        }
    }
    return read_profiles(json_object_get(meta, "profiles"), &out->profiles, err);
}

int hc_directory_parse(struct hc_bytes text, const char *url, struct hc_directory *out,
                       struct hc_error *err)
{
    json_t *object = NULL;
    int rc = -1;

    if (hc_json_object(text, url, &object, err) != 0) {
        return hc_error_during(err, "reading the directory");
    }
    if (endpoint(object, "newNonce", url, &out->new_nonce, err) == 0 &&
        endpoint(object, "newAccount", url, &out->new_account, err) == 0 &&
        endpoint(object, "newOrder", url, &out->new_order, err) == 0 &&
        read_meta(json_object_get(object, "meta"), out, err) == 0) {
        /* one that cannot be used is none: no order needs it */
        (void)!endpoint(object, "renewalInfo", url, &out->renewal_info, NULL);
        rc = 0;
    } else {
        hc_directory_dispose(out);
    }
    json_decref(object);
    return rc;
}

void hc_directory_dispose(struct hc_directory *directory)
{
    free(directory->new_nonce);
    free(directory->new_account);
    free(directory->new_order);
    free(directory->renewal_info);
    free(directory->terms);
    hc_list_dispose(&directory->caa);
    hc_list_dispose(&directory->profiles);
    *directory = (struct hc_directory){0};
}

/* ---- on its way ---- */

static bool is_same_server(const char *one, const char *other)
{
    struct hc_url_parts a;
    struct hc_url_parts b;

    return hc_url_take(one, &a) == NULL && hc_url_take(other, &b) == NULL && a.tls == b.tls &&
           a.port == b.port && strcmp(a.host, b.host) == 0;
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause);

static int ask(struct hc_directory_fetch *fetch, struct hc_error *err)
{
    struct hc_http_request request = {
        .method = HC_HTTP_GET,
        .url = fetch->asked,
        .ca_bundle = fetch->ca_bundle,
        .timeout_ms = fetch->timeout_ms,
    };

    return hc_acme_send(fetch->http, &request, on_reply, fetch, &fetch->id, err);
}

/* 0: the next request is under way. */
static int follow(struct hc_directory_fetch *fetch, const struct hc_http_reply *reply,
                  struct hc_error *err)
{
    char target[HC_HTTP_URL_MAX + 1];

    if (!hc_url_resolve(fetch->asked, reply->location, target, sizeof(target))) {
        return hc_error_set(err, HC_P_CA_REPLY, fetch->asked, "HTTP %ld without a usable Location",
                            reply->status);
    }
    if (!is_same_server(fetch->url, target)) {
        return hc_error_set(err, HC_P_CA_MOVED, fetch->url, "HTTP %ld redirects to %s",
                            reply->status, target);
    }
    if (++fetch->hops > HOPS_MOST) {
        return hc_error_set(err, HC_P_CA_MOVED, fetch->url, "%d redirects, the last one to %s",
                            HOPS_MOST + 1, target);
    }
    if (fetch->log != NULL) {
        hc_logf(fetch->log, HC_LOG_INFO, "the directory %s redirects to %s (HTTP %ld)",
                fetch->asked, target, reply->status);
    }
    (void)hc_copy(fetch->asked, sizeof(fetch->asked), target);
    return ask(fetch, err);
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_directory_fetch *fetch = arg;
    struct hc_directory directory = {0};
    struct hc_error err;

    hc_error_init(&err);
    fetch->id = 0;
    if (cause != NULL) {
        err = *cause;
        hc_acme_network_error(&err);
    } else if (hc_http_is_redirect(reply->status)) {
        if (follow(fetch, reply, &err) == 0) {
            return;
        }
    } else if (reply->status >= 400) {
        hc_acme_problem_reply(reply, fetch->asked, NULL, &err);
    } else if (reply->status != 200) {
        hc_error_set(&err, HC_P_CA_REPLY, fetch->asked, "HTTP %ld instead of a directory",
                     reply->status);
    } else if (hc_directory_parse(reply->body, fetch->asked, &directory, &err) == 0) {
        fetch->done(fetch->arg, &directory, NULL);
        hc_directory_dispose(&directory);
        return;
    }
    hc_error_during(&err, "reading the directory");
    fetch->done(fetch->arg, NULL, &err);
}

int hc_directory_fetch_start(struct hc_directory_fetch *fetch, struct hc_error *err)
{
    fetch->hops = 0;
    fetch->id = 0;
    if (!hc_copy(fetch->asked, sizeof(fetch->asked), fetch->url)) {
        return hc_error_set(err, HC_P_CA_URL, fetch->url, "it is too long");
    }
    if (ask(fetch, err) != 0) {
        fetch->id = 0;
        return hc_error_during(err, "reading the directory");
    }
    return 0;
}

void hc_directory_fetch_cancel(struct hc_directory_fetch *fetch)
{
    if (fetch->id != 0) {
        fetch->http->cancel(fetch->http->self, fetch->id);
        fetch->id = 0;
    }
}
