/* The writer acme-dns against a small server of that kind: registered once, told, updated. */
#include "dnsapi.h"

static struct dnsapi api;

/* What is kept, as the store would. */
static struct {
    char name[4][700];
    char text[4][1024];
    size_t count;
    bool broken;
} kept;

static int keep_get(void *self HC_UNUSED, const char *name, struct hc_buf *out,
                    struct hc_error *err)
{
    for (size_t i = 0; i < kept.count && !kept.broken; i++) {
        if (strcmp(kept.name[i], name) == 0) {
            return hc_buf_puts(out, kept.text[i], err);
        }
    }
    return hc_error_set(err, kept.broken ? HC_P_STORE_WRITE : HC_P_STORE_EMPTY, NULL, "nothing");
}

static int keep_put(void *self HC_UNUSED, const char *name, struct hc_bytes value,
                    struct hc_error *err HC_UNUSED)
{
    (void)snprintf(kept.name[kept.count], sizeof(kept.name[0]), "%s", name);
    (void)snprintf(kept.text[kept.count++], sizeof(kept.text[0]), "%.*s", (int)value.len,
                   (const char *)value.data);
    return 0;
}

static struct hc_http *open_world(struct writer_world *w)
{
    static const struct hc_keep_port keep = {NULL, keep_get, keep_put};
    char endpoint[128];
    const char *const lines[] = {"type acme-dns", endpoint, NULL};
    struct hc_http *http = NULL;

    (void)snprintf(endpoint, sizeof(endpoint), "endpoint %s", api.url);
    http = dnsapi_world(&api, w, lines);
    w->env.keep = &keep;
    w->keeps = true;
    w->secret = "secret-of-acme-dns";
    writer_world_open(w);
    return http;
}

static bool add(struct writer_world *w, const char *name, const char *alias, const char *value)
{
    struct hc_txt_value v = writer_value(w, name, value);
    int failed = w->failed;

    v.alias = alias;
    hc_error_init(&w->error);
    w->writer.change(w->writer.self, HC_WRITER_ADD, &v, writer_done, w);
    writer_wait(w, 1);
    w->done = 0;
    return w->failed == failed;
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

#define ALIAS "_acme-challenge.a.test"
#define OTHER "_acme-challenge.b.test"
#define FULL  "00000001-0000-4000-8000-000000000000.acme.a.test"
#define V1    "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
#define V2    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

int main(void)
{
    static const char *const more[3] = {NULL, NULL, NULL};
    struct writer_world w;
    struct hc_http *http = NULL;

    dnsapi_start(&api, more);
    http = open_world(&w);
    ok(!add(&w, ALIAS, ALIAS, V1) && w.error.problem == HC_P_DNS_ALIAS,
       "a name that is not there yet");
    is_str(w.error.detail, "add this record: " ALIAS ". CNAME " FULL ".", "what to add is said");
    ok(strstr(w.log, ALIAS ". CNAME " FULL ".") != NULL, "the log says it, at the registration");
    ok(!add(&w, ALIAS, ALIAS, V1) && strstr(w.error.detail, FULL) != NULL, "it is said again");
    dnsapi_world_end(&w, http);

    http = open_world(&w);
    ok(add(&w, FULL, ALIAS, V1) && dnsapi_stands(&w, FULL, V1), "once it is there: updated");
    ok(add(&w, FULL, ALIAS, V2) && dnsapi_stands(&w, FULL, V1) && dnsapi_stands(&w, FULL, V2),
       "two values stand there");
    is_int((long)count_of(dnsapi_get(&api, "/_log"), "POST /register"), 1, "registered once");
    ok(!add(&w, OTHER, OTHER, V1) && strstr(w.error.detail, "00000002-") != NULL,
       "another name has a registration of its own");
    is_int((long)count_of(dnsapi_get(&api, "/_log"), "POST /register"), 2, "registered too");
    ok(WRITER_REMOVE(&w, FULL, V1), "there is nothing to remove");
    w.done = 0;
    (void)dnsapi_get(&api, "/_set?odd=1");
    ok(!add(&w, FULL, ALIAS, V1) && strstr(w.error.detail, "does not have the value") != NULL,
       "an answer without the value");
    (void)dnsapi_get(&api, "/_set?odd=0");
    (void)snprintf(kept.text[0], sizeof(kept.text[0]),
                   "{\"username\":\"user-1\",\"password\":\"wrong\",\"subdomain\":"
                   "\"00000001-0000-4000-8000-000000000000\",\"fulldomain\":\"" FULL "\"}");
    ok(!add(&w, FULL, ALIAS, V1) && w.error.problem == HC_P_DNS_REFUSED &&
           strstr(w.error.detail, "status 401") != NULL,
       "a registration that the server forgot");
    (void)snprintf(kept.text[0], sizeof(kept.text[0]), "{}");
    ok(!add(&w, FULL, ALIAS, V1) && w.error.problem == HC_P_STORE_DAMAGED,
       "one that cannot be read");
    ok(writer_foreign_stand(&w), "what others have in the zone stays");
    kept.broken = true;
    ok(!add(&w, FULL, ALIAS, V1) && w.error.problem == HC_P_STORE_WRITE, "a store that is closed");
    is_int((long)count_of(dnsapi_get(&api, "/_log"), "POST /register"), 2,
           "is no reason for another");
    ok(strstr(w.log, "secret-of-acme-dns") == NULL, "no log has a password");
    dnsapi_world_end(&w, http);
    dnsapi_end(&api);
    return done();
}
