/* The writer mydns against a small DirectEdit: the contract, and answers that are no OK. */
#include "dnsapi.h"

static struct dnsapi api;

static struct hc_http *open_world(struct writer_world *w, const char *login)
{
    char endpoint[128], credentials[256];
    const char *lines[] = {"type mydns", endpoint, credentials, NULL};
    struct hc_http *http = NULL;

    (void)snprintf(endpoint, sizeof(endpoint), "endpoint %s/directedit.html", api.url);
    (void)snprintf(credentials, sizeof(credentials), "credentials %s", login);
    http = dnsapi_world(&api, w, lines);
    w->secret = "secret-of-mydns";
    writer_world_open(w);
    return http;
}

int main(void)
{
    static const char *const more[3] = {NULL, NULL, NULL};
    struct writer_world w;
    struct hc_http *http = NULL;
    const char *login = NULL;

    dnsapi_start(&api, more);
    login = dnsapi_file(&api, "login", "master:secret-of-mydns\r\n");
    http = open_world(&w, login);
    writer_contract(&w);
    ok(strstr(dnsapi_get(&api, "/_log"),
              "POST /directedit.html? CERTBOT_DOMAIN=a.test&CERTBOT_VALIDATION="
              "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0&EDIT_CMD=REGIST") != NULL,
       "the form is DirectEdit's");
    (void)dnsapi_get(&api, "/_set?odd=1");
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_WRITE &&
           strstr(w.error.detail, "its answer is not OK: \"<html>NOT YOUR DOMAIN, BROKEN") != NULL,
       "200 without an OK is a failure, and the letters in a word are none");
    (void)dnsapi_get(&api, "/_set?odd=0");
    ok(!WRITER_ADD(&w, "challenge.a.test", "v") &&
           strstr(w.error.detail, "_acme-challenge") != NULL,
       "a name that it cannot write");
    dnsapi_world_end(&w, http);
    http = open_world(&w, dnsapi_file(&api, "wrong", "master:another-one"));
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_DNS_REFUSED &&
           strstr(w.error.detail, "status 401") != NULL,
       "another password is refused");
    dnsapi_world_end(&w, http);
    dnsapi_end(&api);
    return done();
}
