/* The table of solvers; see solve.h. */
#include "solve/solve.h"

#include <stdlib.h>

#include "solve/dns01.h"
#include "solve/dns_persist01.h"
#include "solve/http01.h"
#include "solve/tls_alpn01.h"

static int (*const openers[])(const struct hc_solver_env *env, struct hc_solver *out,
                              struct hc_error *err) = {
    hc_http01_open, hc_tls_alpn01_open, hc_dns01_open, hc_dns_account01_open, hc_dns_persist01_open,
};

int hc_solvers_open(const struct hc_solver_env *env, struct hc_solver_set *out,
                    struct hc_error *err)
{
    out->count = 0;
    out->items = calloc(HC_COUNT(openers), sizeof(*out->items));
    if (out->items == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < HC_COUNT(openers); i++) {
        if (openers[i](env, &out->items[i], err) != 0) {
            hc_solvers_close(out);
            return -1;
        }
        out->count++;
    }
    return 0;
}

void hc_solvers_close(struct hc_solver_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        set->items[i].close(set->items[i].self);
    }
    free(set->items);
    *set = (struct hc_solver_set){NULL, 0};
}
