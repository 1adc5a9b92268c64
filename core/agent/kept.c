/* What DNS writers keep; see kept.h. */
#include "agent/kept.h"

#include "store/record.h"

#define KIND "writer"

static struct hc_store *store_of(void *self, struct hc_error *err)
{
    struct hc_store *store = hc_storage_store(self);

    if (store == NULL) {
        hc_error_set(err, HC_P_STORE_WRITE, NULL, "the store is not open");
    }
    return store;
}

static int get(void *self, const char *name, struct hc_buf *out, struct hc_error *err)
{
    struct hc_store *store = store_of(self, err);

    return store != NULL ? hc_store_get(store, KIND, name, out, err) : -1;
}

static int put(void *self, const char *name, struct hc_bytes value, struct hc_error *err)
{
    struct hc_store *store = store_of(self, err);

    return store != NULL ? hc_store_put(store, KIND, name, value, err) : -1;
}

void hc_kept_port_init(struct hc_storage *storage, struct hc_keep_port *out)
{
    *out = (struct hc_keep_port){storage, get, put};
}

static int get_of_store(void *self, const char *name, struct hc_buf *out, struct hc_error *err)
{
    return hc_store_get(self, KIND, name, out, err);
}

static int put_nowhere(void *self HC_UNUSED, const char *name, struct hc_bytes value HC_UNUSED,
                       struct hc_error *err)
{
    return hc_error_set(err, HC_P_STORE_WRITE, name, "the store is opened for reading alone");
}

void hc_kept_port_of_store(struct hc_store *store, struct hc_keep_port *out)
{
    *out = (struct hc_keep_port){store, get_of_store, put_nowhere};
}
