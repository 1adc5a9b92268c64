/* The directory; see directory.h. */
#include "acme/directory.h"

#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "net/http.h"

#define CAA_MAX 32

static int endpoint(const json_t *object, const char *member, const char *url, char **out,
                    struct hc_error *err)
{
    const char *text = NULL;

    if (hc_json_need_text(object, member, url, &text, err) != 0 ||
        hc_http_check_handed_out(url, text, err) != 0) {
        return hc_error_during(err, "reading the directory");
    }
    return hc_strdup(text, out, err);
}

static int read_meta(const json_t *meta, struct hc_directory *out, struct hc_error *err)
{
    const char *terms = hc_json_text(meta, "termsOfService");
    const json_t *caa = hc_json_array(meta, "caaIdentities");

    out->external_account = json_is_true(json_object_get(meta, "externalAccountRequired"));
    if (terms != NULL && terms[0] != '\0') {
        char shown[HC_FOREIGN_MAX];

        hc_escape(shown, sizeof(shown), terms, strlen(terms));
        if (hc_strdup(shown, &out->terms, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < json_array_size(caa) && i < CAA_MAX; i++) {
        const json_t *item = json_array_get(caa, i);

        if (json_is_string(item) && json_string_length(item) < 256 &&
            hc_list_add(&out->caa, json_string_value(item), err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_directory_parse(struct hc_bytes text, const char *url, struct hc_directory *out,
                       struct hc_error *err)
{
    json_t *object = NULL;
    int rc = -1;

    if (hc_json_object(text, url, &object, err) != 0) {
        return hc_error_during(err, "reading the directory");
    }
    if (endpoint(object, "newNonce", url, &out->new_nonce, err) == 0 &&
        endpoint(object, "newAccount", url, &out->new_account, err) == 0 &&
        endpoint(object, "newOrder", url, &out->new_order, err) == 0 &&
        read_meta(json_object_get(object, "meta"), out, err) == 0) {
        rc = 0;
    } else {
        hc_directory_dispose(out);
    }
    json_decref(object);
    return rc;
}

void hc_directory_dispose(struct hc_directory *directory)
{
    free(directory->new_nonce);
    free(directory->new_account);
    free(directory->new_order);
    free(directory->terms);
    hc_list_dispose(&directory->caa);
    *directory = (struct hc_directory){0};
}
