/* One issuer; see acme.h and client.h. */
#include "acme/acme.h"

#include <stdlib.h>
#include <string.h>

#include "acme/client.h"
#include "acme/network.h"
#include "acme/request.h"

#define PUMP_MOST 10000 /* turns: a backstop against a loop of our own making */

static void on_due(void *self)
{
    hc_acme_pump(self);
}

int hc_acme_new(const struct hc_acme_options *options, const struct hc_acme_account *account,
                struct hc_acme **out, struct hc_error *err)
{
    struct hc_acme *acme = NULL;

    if (hc_http_check_url(options->issuer->directory_url, err) != 0) {
        hc_acme_network_error(err);
        return hc_error_during(err, "checking the directory_url of %s", options->issuer->name);
    }
    acme = calloc(1, sizeof(*acme));
    if (acme == NULL) {
        return hc_error_nomem(err);
    }
    acme->options = *options;
    if (options->loop != NULL) {
        hc_timer_init(&acme->due, options->loop, "authorities", on_due, acme);
    }
    if (account != NULL && account->key != NULL) {
        if (account->url != NULL && hc_strdup(account->url, &acme->account.url, err) != 0) {
            free(acme);
            return -1;
        }
        EVP_PKEY_up_ref(account->key);
        acme->account.key = account->key;
        acme->account_ready = account->url != NULL;
        if (hc_jws_thumbprint(account->key, acme->thumbprint, err) != 0) {
            hc_acme_free(acme);
            return -1;
        }
        hc_acme_hide(acme, acme->thumbprint);
    }
    *out = acme;
    return 0;
}

/* Without memory the general rule of problem.c still leaves out what looks like a token. */
void hc_acme_hide(struct hc_acme *acme, const char *text)
{
    (void)!hc_redaction_add(acme->options.redaction, text, NULL);
}

void hc_acme_free(struct hc_acme *acme)
{
    const struct hc_http_port *http = NULL;

    if (acme == NULL) {
        return;
    }
    http = acme->options.http;
    while (acme->orders != NULL) {
        hc_order_free(acme->orders);
    }
    while (acme->requests != NULL) {
        hc_acme_request_cancel(acme->requests);
    }
    hc_account_leave(acme);
    hc_directory_fetch_cancel(&acme->directory_fetch);
    for (unsigned i = 0; i < HC_NONCE_FETCHES; i++) {
        if (acme->nonce_fetch[i].id != 0) {
            http->cancel(http->self, acme->nonce_fetch[i].id);
        }
    }
    hc_timer_stop(&acme->due);
    hc_directory_dispose(&acme->directory);
    hc_list_dispose(&acme->profiles_told);
    hc_redaction_remove(acme->options.redaction, acme->thumbprint);
    EVP_PKEY_free(acme->account.key);
    free(acme->account.url);
    free(acme);
}

const char *hc_acme_account_url(const struct hc_acme *acme)
{
    return acme->account_ready ? acme->account.url : NULL;
}

const char *hc_acme_issuer(const struct hc_acme *acme)
{
    return acme->options.issuer->name;
}

static bool run_one_order(struct hc_acme *acme, int64_t now_ms)
{
    for (struct hc_order *order = acme->orders; order != NULL; order = hc_order_next(order)) {
        if (hc_order_run(order, now_ms)) {
            return true; /* the list may have changed */
        }
    }
    return false;
}

/* When something runs by time, -1: nothing does. */
static int64_t next_due(const struct hc_acme *acme)
{
    int64_t due = hc_acme_requests_due(acme);

    for (const struct hc_order *order = acme->orders; order != NULL; order = hc_order_next(order)) {
        int64_t at = hc_order_due(order);

        if (at >= 0 && (due < 0 || at < due)) {
            due = at;
        }
    }
    return due;
}

static void set_timer(struct hc_acme *acme)
{
    int64_t due = next_due(acme);

    if (acme->options.loop == NULL) {
        return;
    }
    if (due < 0) {
        hc_timer_stop(&acme->due);
    } else {
        hc_timer_at(&acme->due, due);
    }
}

static void pump(struct hc_acme *acme, int64_t now_ms)
{
    if (acme->pumping) {
        return;
    }
    acme->pumping = true;
    for (unsigned turn = 0; turn < PUMP_MOST; turn++) {
        if (!hc_acme_requests_run(acme, now_ms) && !run_one_order(acme, now_ms)) {
            break;
        }
    }
    acme->pumping = false;
    set_timer(acme);
}

void hc_acme_pump(struct hc_acme *acme)
{
    pump(acme, hc_now_ms(acme->options.clock));
}

void hc_acme_soon(struct hc_acme *acme)
{
    if (acme->options.loop != NULL) {
        hc_timer_in(&acme->due, 0);
    }
}

int64_t hc_acme_run_timers(struct hc_acme *acme, int64_t now_ms)
{
    int64_t due = -1;

    pump(acme, now_ms);
    due = next_due(acme);
    return due < 0 ? -1 : due > now_ms ? due - now_ms : 0;
}
