/* The DNS responder; see responder.h. */
#include "agent/responder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dns/resolver.h"
#include "dns/tcp.h"
#include "dns/udp.h"

#define UNKNOWN_MS 5000 /* so long what is asked waits for the store; then it is SERVFAIL */
#define RETRY_MS   50

struct hc_responder {
    struct hc_responder_options o;
    struct hc_dns_domain domain;
    struct hc_dns_texts texts;
    struct hc_dns_service service;
    struct hc_dns_udp *udp; /* one a socket; of the other kind they are empty */
    struct hc_dns_tcp *tcp;
    bool answers; /* a server of ours, this or another one on the store, is to answer */
    bool open;
    int64_t started_ms;
    struct hc_timer due; /* until it is open */
};

/* ---- the texts ---- */

static bool ready(void *self)
{
    return hc_answers_are_known(((const struct hc_responder *)self)->o.answers);
}

static void each(void *self, const char *owner, hc_dns_text_found *found, void *arg)
{
    hc_answers_texts(((const struct hc_responder *)self)->o.answers, owner, found, arg);
}

static bool below(void *self, const char *owner)
{
    return hc_answers_texts_below(((const struct hc_responder *)self)->o.answers, owner);
}

/* ---- sockets ---- */

/* "127.0.0.1:9953 (UDP)". */
static void describe(int fd, bool tcp, char *dst, size_t cap)
{
    struct hc_dns_server server = {.len = sizeof(server.addr)};
    char text[HC_DNS_SERVER_TEXT] = "a socket";

    if (getsockname(fd, (struct sockaddr *)&server.addr, &server.len) == 0) {
        hc_dns_server_format(&server, text);
    }
    (void)snprintf(dst, cap, "%s (%s)", text, tcp ? "TCP" : "UDP");
}

static int open_one(struct hc_responder *r, size_t i, struct hc_error *err)
{
    int fd = r->o.sockets[i];
    int type = 0;
    socklen_t len = sizeof(type);
    char text[HC_DNS_SERVER_TEXT + 8];

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a socket for DNS");
    }
    describe(fd, type == SOCK_STREAM, text, sizeof(text));
    if (type == SOCK_STREAM ? hc_dns_tcp_open(&r->tcp[i], &r->service, fd, err) != 0
                            : hc_dns_udp_open(&r->udp[i], &r->service, fd, err) != 0) {
        return -1;
    }
    hc_logf(r->o.env->log, HC_LOG_INFO, "answering DNS queries at %s", text);
    return 0;
}

static void open_all(struct hc_responder *r)
{
    for (size_t i = 0; i < r->o.count; i++) {
        struct hc_error err;

        hc_error_init(&err);
        if (open_one(r, i, &err) != 0) {
            hc_log_error(r->o.env->log, HC_LOG_ERROR, "answering DNS queries", &err);
        }
    }
    r->open = true;
}

int64_t hc_responder_run(struct hc_responder *r)
{
    if (r->open || r->o.count == 0) {
        return -1;
    }
    if (!hc_answers_are_known(r->o.answers) && hc_env_ms(r->o.env) - r->started_ms < UNKNOWN_MS) {
        return RETRY_MS;
    }
    open_all(r);
    return -1;
}

static void on_due(void *self)
{
    struct hc_responder *r = self;

    hc_timer_in(&r->due, hc_responder_run(r));
}

const struct hc_dns_domain *hc_responder_domain(const struct hc_responder *r)
{
    return r->answers ? &r->domain : NULL;
}

const struct hc_dns_counts *hc_responder_counts(const struct hc_responder *r)
{
    return r->o.count > 0 ? &r->service.counts : NULL;
}

/* ---- life ---- */

int hc_responder_new(const struct hc_responder_options *options, struct hc_responder **out,
                     struct hc_error *err)
{
    struct hc_responder *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return hc_error_nomem(err);
    }
    r->o = *options;
    r->texts = (struct hc_dns_texts){r, ready, each, below};
    r->service.domain = &r->domain;
    r->service.texts = &r->texts;
    r->service.loop = options->env->loop;
    r->started_ms = hc_env_ms(options->env);
    hc_timer_init(&r->due, options->env->loop, "responder", on_due, r);
    hc_timer_in(&r->due, 0);
    r->udp = calloc(options->count + 1, sizeof(*r->udp));
    r->tcp = calloc(options->count + 1, sizeof(*r->tcp));
    if (r->udp == NULL || r->tcp == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    r->answers = options->env->conf->dns_listen.count > 0 || options->env->conf->dns_zone != NULL;
    if ((r->answers || options->count > 0) &&
        hc_dns_domain_of_conf(options->env->conf, &r->domain, err) != 0) {
        goto failed;
    }
    if (options->env->random->bytes(options->env->random->self,
                                    (unsigned char *)&r->service.limit.seed,
                                    sizeof(r->service.limit.seed)) != 0) {
        hc_error_set(err, HC_P_INTERNAL, NULL, "the system provides no random bytes");
        goto failed;
    }
    *out = r;
    return 0;
failed:
    hc_responder_free(r);
    return -1;
}

void hc_responder_free(struct hc_responder *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; r->udp != NULL && r->tcp != NULL && i < r->o.count; i++) {
        hc_dns_udp_close(&r->udp[i]);
        hc_dns_tcp_close(&r->tcp[i]);
    }
    hc_timer_stop(&r->due);
    hc_dns_domain_dispose(&r->domain);
    free(r->udp);
    free(r->tcp);
    free(r);
}
