/* Questions that come to our responder. */
#include "dns/query.h"

#include <stdlib.h>

#include "tap.h"

#define HEAD(flags, arcount) "\x12\x34" flags "\0\1\0\0\0\0\0" arcount
#define WWW                  "\3wWw\7example\3net\0\0\20\0\1"
#define OPT(version, flags)  "\0\0\x29\x04\xd0\0" version flags "\0\0"
#define COOKIE               "\0\0\x29\x04\xd0\0\0\0\0\0\14\0\12\0\10abcdefgh"

static const struct {
    const char *bytes;
    size_t len;
    enum hc_dns_query_state state;
    bool has_question, edns, dnssec_ok;
    const char *what;
} rows[] = {
#define ROW(bytes, ...)                                                                            \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, __VA_ARGS__                                                      \
    }
    ROW(HEAD("\1\0", "\0") WWW, HC_DNS_QUERY_GOOD, true, false, false, "a plain question"),
    ROW(HEAD("\1\0", "\1") WWW OPT("\0", "\0\0"), HC_DNS_QUERY_GOOD, true, true, false, "EDNS"),
    ROW(HEAD("\1\0", "\1") WWW OPT("\0", "\x80\0"), HC_DNS_QUERY_GOOD, true, true, true, "DO"),
    ROW(HEAD("\1\0", "\1") WWW OPT("\1", "\0\0"), HC_DNS_QUERY_VERSION, true, true, false,
        "EDNS of a later version"),
    ROW(HEAD("\1\0", "\1") WWW COOKIE, HC_DNS_QUERY_GOOD, true, true, false, "a cookie"),
    ROW(HEAD("\1\0", "\2") WWW OPT("\0", "\0\0") OPT("\0", "\0\0"), HC_DNS_QUERY_MALFORMED, true,
        true, false, "EDNS twice"),
    ROW(HEAD("\1\0", "\1") WWW "\1a\0\0\x29\x04\xd0\0\0\0\0\0\0", HC_DNS_QUERY_MALFORMED, true,
        false, false, "EDNS that is not the root's"),
    ROW(HEAD("\1\0", "\1") WWW "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd", HC_DNS_QUERY_GOOD, true, false,
        false, "another record behind it"),
    ROW(HEAD("\1\0", "\1") WWW, HC_DNS_QUERY_MALFORMED, true, false, false, "a record is missing"),
    ROW(HEAD("\1\0", "\1") WWW "\0\0\x29\x04\xd0\0\0\0\0\0\5abcd", HC_DNS_QUERY_MALFORMED, true,
        false, false, "an option is cut off"),
    ROW(HEAD("\1\0", "\0") "\3www\xc0\x0c\0\20\0\1", HC_DNS_QUERY_MALFORMED, false, false, false,
        "a pointer in the question"),
    ROW(HEAD("\1\0", "\0") "\x40www\0\0\20\0\1", HC_DNS_QUERY_MALFORMED, false, false, false,
        "a label of another kind"),
    ROW(HEAD("\1\0", "\0") "\3www\0\0\20\0", HC_DNS_QUERY_MALFORMED, false, false, false,
        "a class that is cut off"),
    ROW(HEAD("\1\0", "\0") "\3www", HC_DNS_QUERY_MALFORMED, false, false, false, "half a name"),
    ROW(HEAD("\1\0", "\0"), HC_DNS_QUERY_MALFORMED, false, false, false, "no question"),
    ROW("\0\0\1\0\0\0\0\0\0\0\0\0", HC_DNS_QUERY_MALFORMED, false, false, false, "none counted"),
    ROW("\0\0\1\0\0\2\0\0\0\0\0\0" WWW WWW, HC_DNS_QUERY_MALFORMED, false, false, false,
        "two questions"),
    ROW("\0\0\1\0\0\1\0\1\0\0\0\0" WWW, HC_DNS_QUERY_MALFORMED, true, false, false,
        "a question with an answer"),
    ROW(HEAD("\x81\0", "\0") WWW, HC_DNS_QUERY_DROPPED, false, false, false, "a reply"),
    ROW(HEAD("\x28\0", "\0") WWW, HC_DNS_QUERY_UNKNOWN, false, false, false, "an update"),
    ROW("\0\0\1\0\0\1\0\0\0\0\0", HC_DNS_QUERY_DROPPED, false, false, false, "half a header"),
    ROW("", HC_DNS_QUERY_DROPPED, false, false, false, "nothing"),
};

static enum hc_dns_query_state read_exact(const char *bytes, size_t len, struct hc_dns_query *out)
{
    uint8_t *exact = malloc(len > 0 ? len : 1); /* sanitizers see what is read behind it */
    enum hc_dns_query_state state = HC_DNS_QUERY_DROPPED;

    if (exact != NULL) {
        memcpy(exact, bytes, len);
        state = hc_dns_query_read(exact, len, out);
        free(exact);
    }
    return state;
}

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_dns_query q;

        is_int(read_exact(rows[i].bytes, rows[i].len, &q), rows[i].state, rows[i].what);
        ok((q.question != NULL) == rows[i].has_question, "its question");
        ok(q.edns == rows[i].edns && q.dnssec_ok == rows[i].dnssec_ok, "its EDNS");
        if (rows[i].has_question) {
            is_int(q.question_len, sizeof(WWW) - 1, "the question's length");
            is_int(q.type, 16, "its type");
            is_int(q.name.wire[1], 'w', "and its name, in small letters");
        }
    }
    return done();
}
