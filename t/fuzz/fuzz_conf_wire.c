/*
 * The configuration's wire form: whatever the bytes, read or refused with a reason. What is read is
 * whole: it can be written, and what was written is read back as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct hc_conf *conf)
{
    struct hc_buf first = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_buf second = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_conf *back = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_conf_encode(conf, &first, &err) != 0 ||
        (back = hc_conf_decode(hc_buf_text(&first), first.len, &err)) == NULL ||
        hc_conf_encode(back, &second, &err) != 0 || back->unknown.count > 0 ||
        strcmp(hc_buf_text(&first), hc_buf_text(&second)) != 0) {
        abort();
    }
    hc_conf_free(back);
    hc_buf_dispose(&first);
    hc_buf_dispose(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_error err;
    struct hc_conf *conf = NULL;

    hc_error_init(&err);
    conf = hc_conf_decode((const char *)data, size, &err);
    if (conf != NULL) {
        check_again(conf);
    } else if (!hc_error_is_set(&err)) {
        abort();
    }
    hc_conf_free(conf);
    return 0;
}
