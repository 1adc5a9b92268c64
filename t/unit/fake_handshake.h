/* A handshake port of a test's own: what an address gives is said beforehand, by its text. */
#ifndef HC_T_FAKE_HANDSHAKE_H
#define HC_T_FAKE_HANDSHAKE_H

#include "net/handshake.h"

struct fake_gives {
    const char *address;
    struct hc_handshake_reply reply;
    const char *error; /* in place of a reply: HC_P_FETCH_FAILED with these words */
};

struct fake_asked {
    const struct fake_gives *gives;
    hc_handshake_done *done;
    void *arg;
    uint64_t id;
    unsigned port;
    int64_t timeout_ms;
    char server_name[256];
    char protocol[32];
};

struct fake_handshakes {
    struct hc_handshake_port port;
    const struct fake_gives *gives;
    size_t gives_count;
    struct fake_asked asked[32];
    size_t count;
    bool refuses; /* ask() itself fails */
    uint64_t last_id;
};

static inline int fake_handshake_ask(void *self, const struct hc_handshake_ask *ask,
                                     hc_handshake_done *done, void *arg, uint64_t *id,
                                     struct hc_error *err)
{
    struct fake_handshakes *f = self;
    struct fake_asked *a = &f->asked[f->count];
    char text[HC_ADDRESS_TEXT];

    if (f->refuses) {
        return hc_error_set(err, HC_P_FETCH_FAILED, NULL, "no more sockets");
    }
    hc_address_format(ask->address, text);
    memset(a, 0, sizeof(*a));
    for (size_t i = 0; i < f->gives_count; i++) {
        a->gives = strcmp(f->gives[i].address, text) == 0 ? &f->gives[i] : a->gives;
    }
    a->done = done;
    a->arg = arg;
    a->id = *id = ++f->last_id;
    a->port = ask->port;
    a->timeout_ms = ask->timeout_ms;
    (void)hc_copy(a->server_name, sizeof(a->server_name), ask->server_name);
    (void)hc_copy(a->protocol, sizeof(a->protocol), ask->protocol);
    f->count++;
    return 0;
}

static inline void fake_handshake_cancel(void *self, uint64_t id)
{
    struct fake_handshakes *f = self;

    for (size_t i = 0; i < f->count; i++) {
        if (f->asked[i].id == id) {
            f->asked[i] = f->asked[--f->count];
            return;
        }
    }
}

static inline void fake_handshakes_init(struct fake_handshakes *f, const struct fake_gives *gives,
                                        size_t count)
{
    memset(f, 0, sizeof(*f));
    f->port = (struct hc_handshake_port){f, fake_handshake_ask, fake_handshake_cancel};
    f->gives = gives;
    f->gives_count = count;
}

/* Answers all that is asked. */
static inline void fake_handshakes_answer(struct fake_handshakes *f)
{
    while (f->count > 0) {
        struct fake_asked a = f->asked[--f->count];
        struct hc_error err;

        hc_error_init(&err);
        hc_error_set(&err, HC_P_FETCH_FAILED, NULL, "%s",
                     a.gives != NULL && a.gives->error != NULL ? a.gives->error : "no route");
        if (a.gives != NULL && a.gives->error == NULL) {
            a.done(a.arg, &a.gives->reply, NULL);
        } else {
            a.done(a.arg, NULL, &err);
        }
    }
}

#endif
