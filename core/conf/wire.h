/*
 * The wire form of a configuration, from the server's master to the agent and the loader: lines of
 * a key and a value, the value percent-escaped.
 *
 *   hotcert-conf 2               the form
 *   from 0.2.0                   who wrote it
 *   store /var/lib/hotcert/..    fields of hc_conf, and what the glue knows
 *   begin issuer letsencrypt     a block, until its "end": of a kind in hc_block_kinds, a "set"
 *   contact mailto:a@example.net   (what directives say for hosts) or an "identity"
 *   end
 *   end                          the last line
 *
 * Module and program may be of different versions: a module stays in the server's memory until that
 * is restarted. So a reader passes over keys, blocks and words that it does not know, and gives
 * what it misses its preset. The number of the form rises only where this does not do; then the
 * program asks for a restart (HC_P_SERVER_OTHER), and the server serves on without it.
 */
#ifndef HC_CONF_WIRE_H
#define HC_CONF_WIRE_H

#include "conf/field.h"

#define HC_WIRE_FORM "hotcert-conf 2"

/* Fields that are no directive's; the last has no type. Their base is the conf or an identity. */
extern const struct hc_field hc_wire_conf[];
extern const struct hc_field hc_wire_identity[];

/* The parts of a watched pair, each an int of struct hc_watched; the first begins a pair. */
struct hc_wire_part {
    const char *key;
    size_t offset;
    bool needed;
};
#define HC_WIRE_PARTS 6
extern const struct hc_wire_part hc_wire_parts[HC_WIRE_PARTS];

/* As enum hc_server. */
extern const char *const hc_wire_servers[];

#endif
