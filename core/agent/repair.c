/* Missing issuers; see repair.h. */
#include "agent/repair.h"

#include <stdlib.h>
#include <string.h>

#include "conf/name.h"

struct hc_repairs {
    struct hc_repairs_options o;
    struct hc_repair_issuer *issuers;
    size_t count;
};

/* ---- the shelf ---- */

static struct hc_repair_issuer *find(struct hc_repairs *repairs, const char *url)
{
    for (struct hc_repair_issuer *i = repairs->issuers; i != NULL; i = i->next) {
        if (strcmp(i->url, url) == 0) {
            return i;
        }
    }
    return NULL;
}

static struct hc_repair_issuer *add(struct hc_repairs *repairs, const char *url)
{
    struct hc_repair_issuer *i = repairs->count < HC_REPAIR_ISSUERS ? calloc(1, sizeof(*i)) : NULL;

    if (i == NULL) {
        return NULL;
    }
    i->o = &repairs->o;
    i->bytes.max = HC_REPAIR_BYTES;
    i->state = HC_REPAIR_FAILED;
    (void)hc_copy(i->url, sizeof(i->url), url);
    i->next = repairs->issuers;
    repairs->issuers = i;
    repairs->count++;
    if (repairs->o.load(repairs->o.self, url, &i->bytes) && i->bytes.len > 0) {
        i->state = HC_REPAIR_KEPT;
    }
    return i;
}

/* The pair with its next issuer, or NULL if that is not at hand. */
static struct hc_pair *complete_once(struct hc_repairs *repairs, struct hc_pair *pair)
{
    int64_t now_ms = hc_now_ms(repairs->o.clock);
    char url[HC_AIA_URL_MAX];
    struct hc_pair *better = NULL;
    struct hc_repair_issuer *i = NULL;

    if (!hc_repair_url(pair, url)) {
        return NULL;
    }
    i = find(repairs, url);
    if (i == NULL) {
        i = add(repairs, url);
    }
    if (i == NULL) {
        return NULL;
    }
    if (i->state == HC_REPAIR_KEPT || i->state == HC_REPAIR_CAME) {
        if (hc_repair_take(pair, hc_bytes_of(&i->bytes), url, &better, NULL) == 0) {
            return better;
        }
        /* the issuer's certificate at this URL is another by now, or was kept damaged */
        if (i->state == HC_REPAIR_KEPT) {
            i->state = HC_REPAIR_FAILED;
        }
    }
    hc_repair_issuer_want(i, pair, now_ms);
    return NULL;
}

struct hc_pair *hc_repairs_complete(struct hc_repairs *repairs, struct hc_pair *pair,
                                    bool (*incomplete)(void *arg, const struct hc_pair *pair),
                                    void *arg)
{
    struct hc_pair *best = hc_pair_ref(pair);

    for (int step = 0; step < HC_REPAIR_STEPS && incomplete(arg, best); step++) {
        struct hc_pair *better = complete_once(repairs, best);

        if (better == NULL) {
            break;
        }
        hc_pair_free(best);
        best = better;
    }
    return best;
}

int64_t hc_repairs_run(struct hc_repairs *repairs)
{
    int64_t now_ms = hc_now_ms(repairs->o.clock);
    int64_t next = -1;

    for (struct hc_repair_issuer *i = repairs->issuers; i != NULL; i = i->next) {
        /* arrived() may add issuers, at the head; none is taken away */
        while (hc_repair_issuer_step(i, now_ms)) {
        }
        if ((i->state == HC_REPAIR_LOOKUP || i->state == HC_REPAIR_FETCH) &&
            (next < 0 || i->deadline_ms - now_ms < next)) {
            next = i->deadline_ms - now_ms;
        }
    }
    for (struct hc_repair_issuer *i = repairs->issuers; i != NULL; i = i->next) {
        if (i->state == HC_REPAIR_BEGIN || i->state == HC_REPAIR_CONNECT ||
            i->state == HC_REPAIR_CAME) {
            next = 0;
        }
    }
    return next;
}

int hc_repairs_new(const struct hc_repairs_options *options, struct hc_repairs **out,
                   struct hc_error *err)
{
    struct hc_repairs *repairs = calloc(1, sizeof(*repairs));

    if (repairs == NULL) {
        return hc_error_nomem(err);
    }
    repairs->o = *options;
    *out = repairs;
    return 0;
}

void hc_repairs_free(struct hc_repairs *repairs)
{
    if (repairs == NULL) {
        return;
    }
    while (repairs->issuers != NULL) {
        struct hc_repair_issuer *i = repairs->issuers;

        repairs->issuers = i->next;
        hc_repair_issuer_free(i);
    }
    free(repairs);
}
