/* The preflight's requests over net/fetch.h; see web.h. */
#include "net/web.h"

#include <stdlib.h>

#include "net/fetch.h"

struct item {
    struct item *next;
    struct hc_web *web;
    uint64_t id;
    hc_web_done *done;
    void *arg;
};

struct hc_web {
    struct hc_web_port port;
    struct hc_http *http;
    struct item *items;
};

static void item_free(struct item *item)
{
    struct item **at = &item->web->items;

    while (*at != item) {
        at = &(*at)->next;
    }
    *at = item->next;
    free(item);
}

static void fetched(void *arg, const struct hc_fetch_reply *reply, const struct hc_error *err)
{
    struct item *item = arg;
    hc_web_done *done = item->done;
    void *whom = item->arg;
    struct hc_web_reply mine = {0};

    item_free(item);
    if (reply == NULL) {
        done(whom, NULL, err);
        return;
    }
    mine = (struct hc_web_reply){reply->status, reply->redirect, reply->server,
                                 reply->www_authenticate, reply->body};
    done(whom, &mine, NULL);
}

static int ask(void *self, const struct hc_web_ask *ask, hc_web_done *done, void *arg, uint64_t *id,
               struct hc_error *err)
{
    struct hc_web *web = self;
    const uint16_t ports[] = {(uint16_t)ask->port, 0};
    char address[HC_ADDRESS_TEXT];
    struct hc_fetch_options options = {
        .url = ask->url,
        .address = hc_address_format(ask->address, address),
        .ports = ports,
        .max_body = ask->max_body,
        .timeout_ms = (long)ask->timeout_ms,
        .wait_ms = (long)ask->wait_ms,
        .any_certificate = true,
    };
    struct item *item = calloc(1, sizeof(*item));

    if (item == NULL) {
        return hc_error_nomem(err);
    }
    item->web = web;
    item->done = done;
    item->arg = arg;
    item->next = web->items;
    web->items = item;
    if (hc_fetch_start(web->http, &options, fetched, item, &item->id, err) != 0) {
        item_free(item);
        return -1;
    }
    *id = item->id;
    return 0;
}

static void cancel(void *self, uint64_t id)
{
    struct hc_web *web = self;
    struct item *item = NULL;

    for (item = web->items; item != NULL; item = item->next) {
        if (item->id == id) {
            hc_fetch_cancel(web->http, id);
            item_free(item);
            return;
        }
    }
}

int hc_web_new(struct hc_http *http, struct hc_web **out, struct hc_error *err)
{
    struct hc_web *web = calloc(1, sizeof(*web));

    *out = web;
    if (web == NULL) {
        return hc_error_nomem(err);
    }
    web->port = (struct hc_web_port){.self = web, .ask = ask, .cancel = cancel};
    web->http = http;
    return 0;
}

void hc_web_free(struct hc_web *web)
{
    struct item *item = NULL;

    if (web == NULL) {
        return;
    }
    while ((item = web->items) != NULL) {
        hc_fetch_cancel(web->http, item->id);
        web->items = item->next;
        free(item);
    }
    free(web);
}

const struct hc_web_port *hc_web_port(struct hc_web *web)
{
    return &web->port;
}
