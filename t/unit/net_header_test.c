/* Reply headers, as hostile servers write them. */
#include "net/header.h"

#include "tap.h"

#define NOW 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */

static void retry_after_has_two_forms(void)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"120", 120},
        {"99999999999999999999", HC_RETRY_AFTER_MAX},
        {"Tue, 14 Nov 2023 22:13:50 GMT", 30},
        {"Tuesday, 14-Nov-23 22:13:50 GMT", 30},
        {"Tue Nov 14 22:13:50 2023", 30},
        {"Tue, 14 Nov 2023 22:13:20 GMT", 0},
        {"Mon, 13 Nov 2023 22:13:20 GMT", 0},
        {"Tue, 14 Nov 2093 22:13:20 GMT", HC_RETRY_AFTER_MAX},
        {"", -1},
        {"-5", -1},
        {"+5", -1},
        {"5s", -1},
        {"1.5", -1},
        {"soon", -1},
        {"20231114", 20231114},
        {"Tue, 99 Nov 2023 99:99:99 GMT", -1},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        is_int(hc_http_retry_after(rows[i].text, NOW), rows[i].want, rows[i].text);
    }
}

static void feed(struct hc_http_headers *h, const char *line)
{
    if (hc_http_headers_line(h, line, strlen(line), NOW, NULL) != 0) {
        printf("Bail out! no memory\n");
    }
}

static void the_headers_of_a_reply(void)
{
    struct hc_http_headers h = {0};

    hc_http_headers_reset(&h);
    feed(&h, "HTTP/1.1 200 OK\r\n");
    feed(&h, "Content-Type: application/json\r\n");
    feed(&h, "replay-nonce:abc  \r\n");
    feed(&h, "LOCATION:\t https://ca.test/1\r\n");
    feed(&h, "Retry-After: 7\r\n");
    feed(&h, "Link: <https://ca.test/2>;rel=\"alternate\"\r\n");
    feed(&h, "Link: <https://ca.test/3>;rel=\"alternate\"\r\n");
    feed(&h, "Content-Type-Other: x\r\n");
    feed(&h, "\r\n");
    is_str(h.content_type, "application/json", "Content-Type");
    is_str(h.replay_nonce, "abc", "Replay-Nonce in any case, trimmed");
    is_str(h.location, "https://ca.test/1", "Location");
    is_int(h.retry_after, 7, "Retry-After");
    is_int(h.links.count, 2, "both Links");
    feed(&h, "Replay-Nonce: second\r\n");
    feed(&h, "Retry-After: 9\r\n");
    is_str(h.replay_nonce, "abc", "the first of a repeated header counts");
    is_int(h.retry_after, 7, "of Retry-After too");
    feed(&h, "HTTP/1.1 200 OK\r\n");
    ok(h.content_type[0] == '\0' && h.links.count == 0 && h.retry_after == -1,
       "an interim reply leaves nothing behind");
    hc_http_headers_dispose(&h);
}

static void hostile_headers_are_dropped(void)
{
    struct hc_http_headers h = {0};
    char big[HC_HEADER_VALUE_MAX + 64];

    hc_http_headers_reset(&h);
    feed(&h, "Location: https://ca.test/\x01\r\n");
    feed(&h, "Replay-Nonce: caf\xc3\xa9\r\n");
    feed(&h, "no colon\r\n");
    feed(&h, ":\r\n");
    feed(&h, "");
    is_str(h.location, "", "a control character makes a header absent");
    is_str(h.replay_nonce, "", "so do bytes beyond ASCII");
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    memcpy(big, "Location: ", 10);
    feed(&h, big);
    is_str(h.location, "", "and so does length");
    ok(hc_http_headers_line(&h, "Location: a\0b", 13, NOW, NULL) == 0 && h.location[0] == '\0',
       "and a NUL within");
    for (int i = 0; i < 1000; i++) {
        feed(&h, "Link: <x>");
    }
    is_int(h.links.count, HC_HEADER_LINKS_MAX, "Links are bounded in number");
    hc_http_headers_dispose(&h);
    hc_http_headers_dispose(&h);
}

int main(void)
{
    retry_after_has_two_forms();
    the_headers_of_a_reply();
    hostile_headers_are_dropped();
    return done();
}
