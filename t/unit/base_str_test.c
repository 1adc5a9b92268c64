#include "base/str.h"

#include <stdlib.h>

#include "tap.h"

static void foreign_text_is_escaped_and_capped(void)
{
    char dst[32];
    char big[100];

    is_str(hc_escape(dst, sizeof(dst), "a\nb\x1b[31m\\\xff", 10), "a\\x0ab\\x1b[31m\\\\\\xff",
           "control characters, backslash and high bytes are escaped");
    memset(big, 'x', sizeof(big));
    hc_escape(dst, sizeof(dst), big, sizeof(big));
    is_int(strlen(dst), sizeof(dst) - 1, "a long text fills the room");
    is_str(dst + strlen(dst) - 3, "x..", "a cut is marked");
    for (size_t cap = 4; cap < sizeof(dst); cap++) {
        hc_escape(dst, cap, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
        if (strlen(dst) >= cap) {
            ok(false, "never writes beyond cap");
        }
    }
    is_str(hc_escape(dst, sizeof(dst), "", 0), "", "nothing stays nothing");
    memset(big, '\n', sizeof(big));
    hc_escape(dst, 9, big, 2);
    is_str(dst, "\\x0a\\x0a", "what fits exactly is not marked as cut");
}

static void base64url_follows_rfc_4648(void)
{
    static const struct {
        const char *plain, *coded;
    } vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};
    static const char *const refused[] = {"Zg==", "Z", "Zh", "Zm9=", "Zm 8", "Zm+v", "Zm9vYm"};
    struct hc_buf out = HC_BUF_INIT(100);

    for (size_t i = 0; i < HC_COUNT(vectors); i++) {
        const char *plain = vectors[i].plain;

        hc_buf_reset(&out);
        ok(hc_base64url((const unsigned char *)plain, strlen(plain), &out, NULL) == 0, "encodes");
        is_str(hc_buf_text(&out), vectors[i].coded, "to the vector");
        hc_buf_reset(&out);
        ok(hc_base64url_decode(vectors[i].coded, strlen(vectors[i].coded), &out, NULL) == 0,
           "decodes");
        is_str(hc_buf_text(&out), plain, "back to the text");
    }
    for (size_t i = 0; i < HC_COUNT(refused); i++) {
        hc_buf_reset(&out);
        ok(hc_base64url_decode(refused[i], strlen(refused[i]), &out, NULL) != 0, refused[i]);
        is_int(out.len, 0, "and nothing is left of it");
    }
    hc_buf_dispose(&out);
}

static void hex_reads_only_whole_digits(void)
{
    unsigned char bytes[2];
    char text[5];

    ok(hc_unhex(bytes, 2, "0aFf") == 0 && bytes[0] == 0x0a && bytes[1] == 0xff, "two bytes");
    hc_hex(text, bytes, 2);
    is_str(text, "0aff", "and back");
    ok(hc_unhex(bytes, 2, "0aF") != 0, "a digit short");
    ok(hc_unhex(bytes, 2, "0aFg") != 0, "not a digit");
    ok(hc_unhex(bytes, 2, "0aFff") != 0, "a digit long");
}

static void a_list_sorts_and_drops_doubles(void)
{
    struct hc_list list = {0};
    struct hc_list same = {0};
    char text[64];
    static const char *const words[] = {"b", "a", "c", "a", "b", "a"};

    for (size_t i = 0; i < HC_COUNT(words); i++) {
        ok(hc_list_add(&list, words[i], NULL) == 0, "added");
    }
    hc_list_sort_unique(&list);
    is_str(hc_list_format(&list, text, sizeof(text)), "a, b, c", "sorted, each once");
    is_str(hc_list_format_led(&list, "b", text, sizeof(text)), "b, a, c", "one leads");
    is_str(hc_list_format_led(&list, "c", text, 27), "c and 2 more", "the rest is counted");
    ok(hc_list_copy(&same, &list, NULL) == 0 && hc_list_equal(&list, &same), "a copy is equal");
    ok(hc_list_has(&list, "b") && !hc_list_has(&list, "B"), "membership is exact");
    ok(hc_list_has_sorted(&list, "a") && hc_list_has_sorted(&list, "c") &&
           !hc_list_has_sorted(&list, "B") &&
           !hc_list_has_sorted(&(struct hc_list){NULL, 0, 0}, "a"),
       "the same where the order helps");
    ok(hc_list_has_all(&list, &list) && hc_list_has_all(&list, &(struct hc_list){NULL, 0, 0}) &&
           !hc_list_has_all(&(struct hc_list){NULL, 0, 0}, &list),
       "so is that of several");
    for (int i = 0; i < 20; i++) {
        ok(hc_list_add(&same, "a-name-of-some-length.example", NULL) == 0, "added");
    }
    hc_list_format(&same, text, sizeof(text));
    ok(strlen(text) < sizeof(text) && strstr(text, " more") != NULL, "a long list is summed up");
    hc_list_dispose(&list);
    hc_list_dispose(&list);
    hc_list_dispose(&same);
}

static void a_buffer_keeps_its_maximum(void)
{
    struct hc_buf b = HC_BUF_INIT(10);
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_buf_append(&b, "0123456789", 10, &err) == 0, "up to the maximum");
    ok(hc_buf_append(&b, "x", 1, &err) != 0, "not beyond");
    is_int(err.problem, HC_P_TOO_LARGE, "and says so");
    is_str(hc_buf_text(&b), "0123456789", "what was there stays");
    ok(hc_buf_printf(&b, &err, "%d", 1) != 0, "nor by printf");
    is_int(b.len, 10, "and no byte was added");
    hc_buf_dispose(&b);
    hc_buf_dispose(&b);
    is_str(hc_buf_text(&b), "", "an empty buffer reads as nothing");
}

int main(void)
{
    foreign_text_is_escaped_and_capped();
    base64url_follows_rfc_4648();
    hex_reads_only_whole_digits();
    a_list_sorts_and_drops_doubles();
    a_buffer_keeps_its_maximum();
    return done();
}
