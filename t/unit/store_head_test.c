/* core/store/head.c: what a version says of itself, in text that is written and read one way. */
#include "store/head.h"

#include "store_lib.h"

static void fill(struct hc_line_info *info)
{
    fill_info(info, 1);
    info->version = 12345678901234;
    info->not_before = NOW;
    info->not_after = NOW + 7776000;
    info->committed = NOW + 1;
    info->serial = strdup("0a1b");
}

static bool same(const struct hc_line_info *a, const struct hc_line_info *b)
{
    return memcmp(a->line, b->line, HC_ID_SIZE) == 0 && a->version == b->version &&
           a->mode == b->mode && strcmp(a->issuer, b->issuer) == 0 &&
           strcmp(a->issuer_name, b->issuer_name) == 0 &&
           strcmp(a->profile != NULL ? a->profile : "", b->profile != NULL ? b->profile : "") ==
               0 &&
           hc_list_equal(&a->names, &b->names) && a->key_type == b->key_type &&
           a->not_before == b->not_before && a->not_after == b->not_after &&
           a->committed == b->committed && strcmp(a->serial, b->serial) == 0;
}

static void what_is_written_is_read(void)
{
    static const enum hc_key_type types[] = {HC_KEY_ECDSA_256, HC_KEY_ECDSA_384, HC_KEY_RSA_2048,
                                             HC_KEY_RSA_3072,  HC_KEY_RSA_4096,  HC_KEY_OTHER};

    for (size_t i = 0; i < HC_COUNT(types); i++) {
        struct hc_buf text = HC_BUF_INIT(HC_HEAD_MAX);
        struct hc_line_info info;
        struct hc_line_info got = {.version = 0};
        struct hc_error err = {0};
        size_t used = 0;

        fill(&info);
        info.key_type = types[i];
        info.mode = i % 2 == 0 ? HC_MODE_ON : HC_MODE_WATCH;
        info.profile = i % 3 == 0 ? strdup("tlsserver") : NULL;
        ok(hc_head_write(&info, &text, &err) == 0 && hc_buf_puts(&text, "the body", &err) == 0,
           hc_key_type_name(types[i]));
        ok(hc_head_read(hc_bytes_of(&text), &got, &used, &err) == 0 && same(&info, &got) &&
               strcmp((const char *)text.data + used, "the body") == 0,
           "comes back as it was, and the body is where it ends");
        hc_line_info_dispose(&got);
        hc_line_info_dispose(&info);
        hc_line_info_dispose(&info);
        hc_buf_dispose(&text);
    }
}

static void foreign_text_cannot_add_lines(void)
{
    struct hc_buf text = HC_BUF_INIT(HC_HEAD_MAX);
    struct hc_line_info info;
    struct hc_line_info got = {.version = 0};
    struct hc_error err = {0};
    size_t used = 0;

    fill(&info);
    free(info.issuer);
    info.issuer = strdup("x\nname: evil.example\ncheck: 0\n\xff\\x0a");
    ok(hc_head_write(&info, &text, &err) == 0 &&
           hc_head_read(hc_bytes_of(&text), &got, &used, &err) == 0 && same(&info, &got),
       "newlines and other bytes stay inside their value");
    hc_line_info_dispose(&got);
    free(info.issuer);
    info.issuer = malloc(5000);
    memset(info.issuer, 'x', 4999);
    info.issuer[4999] = '\0';
    hc_buf_reset(&text);
    ok(hc_head_write(&info, &text, &err) == -1 && err.problem == HC_P_TOO_LARGE,
       "a value that is too long is refused, not cut");
    hc_line_info_dispose(&info);
    hc_buf_dispose(&text);
}

static void lines_differ_by_identity_and_key_type(void)
{
    unsigned char id[HC_ID_SIZE] = {1};
    unsigned char a[HC_ID_SIZE];
    unsigned char b[HC_ID_SIZE];

    hc_line_of(id, HC_KEY_ECDSA_256, a);
    hc_line_of(id, HC_KEY_RSA_2048, b);
    ok(memcmp(a, b, sizeof(a)) != 0, "another key type is another line");
    hc_line_of(id, HC_KEY_ECDSA_256, b);
    ok(memcmp(a, b, sizeof(a)) == 0, "the same is the same");
    id[0] = 2;
    hc_line_of(id, HC_KEY_ECDSA_256, b);
    ok(memcmp(a, b, sizeof(a)) != 0, "another identity is another line");
}

int main(void)
{
    what_is_written_is_read();
    foreign_text_cannot_add_lines();
    lines_differ_by_identity_and_key_type();
    return done();
}
