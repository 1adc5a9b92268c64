/* The writer httpreq against a service in lego's form: both forms, logins, answers. */
#include "dnsapi.h"

#define LOGIN "lego:secret-of-httpreq"

static struct dnsapi api;

static struct hc_http *open_world(struct writer_world *w, const char *form, const char *login)
{
    char endpoint[128], credentials[256], kind[64];
    const char *lines[] = {"type httpreq", endpoint, kind, credentials, NULL};
    struct hc_http *http = NULL;

    (void)snprintf(endpoint, sizeof(endpoint), "endpoint %s/", api.url);
    (void)snprintf(kind, sizeof(kind), "form %s", form);
    (void)snprintf(credentials, sizeof(credentials), "credentials %s", login != NULL ? login : "");
    if (login == NULL) {
        lines[3] = NULL;
    }
    http = dnsapi_world(&api, w, lines);
    w->secret = "secret-of-httpreq";
    writer_world_open(w);
    return http;
}

/* What the raw form writes is the digest of the key authorization, whatever the value. */
static void the_raw_form_has_the_key_authorization(const char *login)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "raw", login);

    ok(WRITER_ADD(&w, w.name, "digest"), "present");
    ok(strstr(dnsapi_get(&api, "/_log"),
              "\"domain\":\"a.test\",\"token\":\"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ\","
              "\"keyAuth\":\"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ.thumbprintthumbprint\"") != NULL,
       "domain, token and key authorization are sent");
    ok(WRITER_REMOVE(&w, w.name, "digest"), "cleanup");
    dnsapi_world_end(&w, http);
}

static void what_the_service_says_is_told(const char *login)
{
    struct writer_world w;
    struct hc_http *http = open_world(&w, "default", login);

    (void)dnsapi_get(&api, "/_set?status=500");
    ok(!WRITER_ADD(&w, w.name, "v"), "a service that is out of order");
    ok(w.error.problem == HC_P_DNS_WRITE && strstr(w.error.detail, "status 500") != NULL &&
           strstr(w.error.detail, "out of order") != NULL,
       "its status and words are told");
    is_str(w.error.subject, w.name, "about the record");
    (void)dnsapi_get(&api, "/_set?status=0");
    dnsapi_world_end(&w, http);

    http = open_world(&w, "default", dnsapi_file(&api, "wrong", "lego:another-one\n"));
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_REFUSED &&
           strstr(w.error.detail, "status 403: \"who are you?\"") != NULL,
       "a login that it does not know");
    ok(strstr(w.error.detail, "another-one") == NULL, "which is not told");
    dnsapi_world_end(&w, http);

    http = open_world(&w, "default", dnsapi_file(&api, "odd", "no colon\n"));
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_BAD_VALUE &&
           strstr(w.error.subject, "/odd") != NULL && strstr(w.error.detail, "no colon") == NULL,
       "a file that has none, by its name alone");
    dnsapi_world_end(&w, http);
}

int main(void)
{
    static const char *const more[3] = {"--login", LOGIN, NULL};
    struct writer_world w;
    struct hc_http *http = NULL;
    const char *login = NULL;

    dnsapi_start(&api, more);
    login = dnsapi_file(&api, "login", LOGIN "\n");
    http = open_world(&w, "default", login);
    writer_contract(&w);
    ok(strstr(dnsapi_get(&api, "/_log"), "POST /present? {\"fqdn\":\"_acme-challenge.a.test.\",") !=
           NULL,
       "the record's name has its dot");
    dnsapi_world_end(&w, http);
    the_raw_form_has_the_key_authorization(login);
    what_the_service_says_is_told(login);
    dnsapi_end(&api);

    http = open_world(&w, "default", NULL);
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_WRITE, "nobody is there");
    dnsapi_world_end(&w, http);
    return done();
}
