#include "conf/url.h"

#include "tap.h"

static const struct {
    const char *url;
    bool good;
} urls[] = {
    {"https://ca.example/dir", true},
    {"https://ca.example:14000/dir?x=1", true},
    {"http://127.0.0.1:14000/dir", true},
    {"http://127.9.9.9/dir", true},
    {"http://localhost/dir", true},
    {"http://[::1]:14000/dir", true},
    {"http://ca.example/dir", false},
    {"http://10.0.0.1/dir", false},
    {"http://localhost.example/dir", false},
    {"http://127.0.0.1.example/dir", false},
    {"http://128.0.0.1/dir", false},
    {"http://user@127.0.0.1/dir", false},
    {"https://user:pw@ca.example/dir", false},
    {"ftp://ca.example/dir", false},
    {"file:///etc/passwd", false},
    {"HTTPS//", false},
    {"https://", false},
    {"https:///dir", false},
    {"https://ca.example/a b", false},
    {"https://ca.example\\@evil/", false},
    {"https://ca.example/\r\nHost: x", false},
    {"", false},
};

int main(void)
{
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(urls); i++) {
        hc_error_init(&err);
        ok((hc_url_check(urls[i].url, &err) == 0) == urls[i].good, urls[i].url);
        ok(urls[i].good || err.problem == HC_P_BAD_VALUE, "and says why not");
    }
    return done();
}
