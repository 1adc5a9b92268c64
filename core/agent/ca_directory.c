/* What a CA's directory says; see ca_directory.h. */
#include "agent/ca_directory.h"

#include <stdlib.h>

#define DIRECTORY_MS 10000
#define KNOWN_S      86400
#define UNKNOWN_S    300 /* a directory that could not be read is read again after this */

static void on_read(void *arg, struct hc_directory *read, const struct hc_error *err HC_UNUSED)
{
    struct hc_ca_directory *directory = arg;

    directory->read_at = hc_env_now(directory->env);
    if (read != NULL) {
        hc_list_dispose(&directory->caa);
        directory->caa = read->caa;
        read->caa = (struct hc_list){NULL, 0, 0};
        free(directory->renewal_info);
        directory->renewal_info = read->renewal_info;
        read->renewal_info = NULL;
    } else {
        directory->read_at -= KNOWN_S - UNKNOWN_S;
    }
    hc_events_tell(directory->env->events, HC_EVENT_CA_CHANGED);
}

bool hc_ca_directory_ensure(struct hc_ca_directory *directory)
{
    return directory->issuer->caa_domains.count > 0 || hc_ca_directory_ensure_read(directory);
}

bool hc_ca_directory_ensure_read(struct hc_ca_directory *directory)
{
    int64_t now = hc_env_now(directory->env);
    struct hc_error err;

    hc_error_init(&err);
    if (directory->http == NULL || (directory->read_at > 0 && directory->read_at <= now &&
                                    now - directory->read_at < KNOWN_S)) {
        return true;
    }
    if (directory->fetch.id != 0) {
        return false;
    }
    directory->fetch = (struct hc_directory_fetch){
        .http = directory->http,
        .url = directory->issuer->directory_url,
        .ca_bundle = directory->issuer->ca_bundle,
        .timeout_ms = DIRECTORY_MS,
        .done = on_read,
        .arg = directory,
    };
    return hc_directory_fetch_start(&directory->fetch, &err) != 0;
}

const struct hc_list *hc_ca_directory_names(const struct hc_ca_directory *directory)
{
    /* caa_domain is the operator's word; the directory may be read for other reasons */
    return directory->issuer->caa_domains.count > 0 ? &directory->issuer->caa_domains
                                                    : &directory->caa;
}

void hc_ca_directory_dispose(struct hc_ca_directory *directory)
{
    hc_list_dispose(&directory->caa);
    free(directory->renewal_info);
    hc_directory_fetch_cancel(&directory->fetch);
}
