/*
 * hotcert_repair aia: chains that lack an issuer. What is read or obtained with such a chain is
 * completed before it is judged, with issuers that are at hand (repair.h). When one arrives, and
 * every hour, stored chains are tried again, and ISSUER_ARRIVED tells those who hold files.
 * Issuers are kept in the store.
 *
 * Hears STORE_READY; raises ISSUER_ARRIVED.
 */
#ifndef HC_AGENT_CHAINS_H
#define HC_AGENT_CHAINS_H

#include "agent/judge.h"
#include "agent/repair.h"
#include "agent/storage.h"

struct hc_chains;

struct hc_chains_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
    const struct hc_dns_port *dns; /* NULL, or web NULL: nothing is fetched or completed */
    const struct hc_web_port *web;
};

int hc_chains_new(const struct hc_chains_options *options, struct hc_chains **out,
                  struct hc_error *err) HC_MUST_USE;
void hc_chains_free(struct hc_chains *chains); /* NULL is fine */

/* By its own timer, or when a fetch begins or ends; milliseconds until the next try, -1: none. */
int64_t hc_chains_run(struct hc_chains *chains);

/* Under hotcert_repair aia: *pair gets the issuers that it lacks, as far as they are at hand. */
void hc_chains_complete(struct hc_chains *chains, const struct hc_identity *identity,
                        struct hc_pair **pair);

#endif
