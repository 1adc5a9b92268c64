/* core/base/reader.c: what was written is read, and nothing beyond the end of the bytes. */
#include "base/reader.h"

#include <stdlib.h>
#include <string.h>

#include "failing_alloc.h"
#include "tap.h"

static const unsigned char magic[4] = {'t', 's', 't', '1'};

static int write_form(struct hc_buf *out, struct hc_error *err)
{
    if (hc_buf_append(out, magic, sizeof(magic), err) != 0 ||
        hc_put_number(out, 0xbeef, 2, err) != 0 ||
        hc_put_number(out, UINT64_C(0x0123456789abcdef), 8, err) != 0 ||
        hc_put_chunk(out, (const unsigned char *)"piece", 5, err) != 0) {
        return -1;
    }
    return hc_buf_puts(out, "key: value\n", err);
}

/* Takes all of it; false as soon as something is not there. */
static bool read_form(struct hc_reader *in)
{
    struct hc_bytes piece;
    struct hc_bytes line;
    uint64_t two = 0;
    uint64_t eight = 0;

    return hc_get_magic(in, magic, NULL) == 0 && hc_get_number(in, 2, &two, NULL) == 0 &&
           two == 0xbeef && hc_get_number(in, 8, &eight, NULL) == 0 &&
           eight == UINT64_C(0x0123456789abcdef) && hc_get_chunk(in, 5, &piece, NULL) == 0 &&
           piece.len == 5 && memcmp(piece.data, "piece", 5) == 0 && hc_skip_text(in, "key: ") &&
           hc_get_line(in, &line) && line.len == 5 && memcmp(line.data, "value", 5) == 0 &&
           in->left == 0;
}

static void whole_and_cut(void)
{
    struct hc_buf form = HC_BUF_INIT(100);
    struct hc_reader in;
    bool any = false;

    ok(write_form(&form, NULL) == 0, "it is written");
    in = hc_reader_of(hc_bytes_of(&form));
    ok(read_form(&in), "it is read");
    for (size_t len = 0; len < form.len; len++) {
        unsigned char *exact = malloc(len + 1); /* the sanitizer tells what is read behind it */

        if (exact == NULL) {
            break;
        }
        memcpy(exact + 1, form.data, len);
        in = (struct hc_reader){exact + 1, len};
        any = any || read_form(&in);
        free(exact);
    }
    ok(!any, "cut anywhere, it is not");
    hc_buf_dispose(&form);
}

static void wrong_lengths(void)
{
    static const unsigned char long_one[] = {0xff, 0xff, 0xff, 0xff, 'a'};
    static const unsigned char empty[] = {0, 0, 0, 0, 'a'};
    static const unsigned char good[] = {0, 0, 0, 1, 'a'};
    struct hc_bytes chunk = {NULL, 0};
    struct hc_error err = {0};
    struct hc_reader in = {long_one, sizeof(long_one)};
    uint64_t number = 0;

    ok(hc_get_chunk(&in, SIZE_MAX, &chunk, &err) == -1 && err.problem == HC_P_PROTOCOL,
       "a length beyond the end");
    ok(in.data == long_one && in.left == sizeof(long_one), "the reader stays where it was");
    in = (struct hc_reader){empty, sizeof(empty)};
    ok(hc_get_chunk(&in, 10, &chunk, NULL) == -1, "an empty chunk");
    in = (struct hc_reader){good, sizeof(good)};
    ok(hc_get_chunk(&in, 0, &chunk, NULL) == -1, "a chunk larger than allowed");
    ok(hc_get_number(&in, 9, &number, NULL) == -1, "a number of nine bytes");
    ok(hc_get_bytes(&in, 6, &chunk, NULL) == -1 && in.left == 5, "more bytes than there are");
    in = (struct hc_reader){NULL, 0};
    ok(hc_get_bytes(&in, 0, &chunk, NULL) == 0 && chunk.len == 0, "nothing of nothing");
    ok(!hc_get_line(&in, &chunk) && !hc_skip_text(&in, "a"), "no line, no text in nothing");
}

static void writing_fails(void)
{
    struct hc_buf out = HC_BUF_INIT(8);
    struct hc_error err = {0};

    ok(hc_put_number(&out, 256, 1, &err) == -1 && err.problem == HC_P_TOO_LARGE && out.len == 0,
       "a number that finds no room in its bytes");
    ok(hc_put_number(&out, UINT64_MAX, 8, NULL) == 0 && out.len == 8, "the largest");
    ok(hc_put_number(&out, 1, 1, NULL) == -1, "a full buffer");
    hc_buf_dispose(&out);
    for (long n = 1; FAILING_ALLOC; n++) {
        struct hc_buf form = HC_BUF_INIT(100);
        int rc = 0;

        err = (struct hc_error){0};
        alloc_failed = false;
        alloc_countdown = n;
        rc = write_form(&form, &err);
        alloc_countdown = 0;
        hc_buf_dispose(&form);
        if (!alloc_failed) {
            ok(rc == 0, "with memory it is written");
            break;
        }
        ok(rc == -1 && err.problem == HC_P_OUT_OF_MEMORY, "without memory it is told");
    }
}

int main(void)
{
    whole_and_cut();
    wrong_lengths();
    writing_fails();
    return done();
}
