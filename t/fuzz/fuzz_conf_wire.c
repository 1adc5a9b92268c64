/* The configuration's wire form: whatever the bytes, read or refused. */
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_error err;
    struct hc_conf *conf = NULL;

    hc_error_init(&err);
    conf = hc_conf_decode((const char *)data, size, &err);
    hc_conf_free(conf);
    return 0;
}
