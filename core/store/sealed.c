/* Named sealed files; see sealed.h. */
#include "store/sealed.h"

#include <string.h>

#include "store/envelope.h"
#include "store/seal.h"

int hc_name_digest(const char *name, char hex[65], struct hc_error *err)
{
    return hc_seal_checksum((struct hc_bytes){(const unsigned char *)name, strlen(name)}, hex, err);
}

int hc_sealed_write(struct hc_store *store, const struct hc_file_place *place,
                    struct hc_bytes value, bool durable, struct hc_error *err)
{
    struct hc_buf out = HC_BUF_INIT(HC_STORE_FILE_MAX);
    int rc = hc_envelope_seal(store->secret, place->subject, value, &out, err);

    if (rc == 0) {
        rc = hc_file_write(store, place->folder, place->name, hc_bytes_of(&out),
                           HC_FILE_REPLACE | (durable ? HC_FILE_DURABLE : 0), err);
    }
    hc_buf_dispose(&out);
    return rc;
}

int hc_sealed_read(struct hc_store *store, struct hc_bytes file, const char *bound,
                   struct hc_buf *out, struct hc_error *err)
{
    return hc_envelope_open(store->secret, bound, file, out, err);
}
