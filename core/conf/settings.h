/*
 * What holds for a host when levels and presets are counted together, and its place: sets that say
 * the same are one (hc_conf.sets). One thread.
 */
#ifndef HC_CONF_SETTINGS_H
#define HC_CONF_SETTINGS_H

#include "conf/conf.h"

/* The set that holds for a host of this scope (NULL: it says nothing of its own) under this mode.
 */
int hc_settings_resolve(struct hc_conf *conf, const struct hc_scope *scope, enum hc_mode mode,
                        const struct hc_scope **out, struct hc_error *err) HC_MUST_USE;
/* The one that equals set itself, which stays the caller's. */
int hc_settings_share(struct hc_conf *conf, const struct hc_scope *set, const struct hc_scope **out,
                      struct hc_error *err) HC_MUST_USE;

/* An empty one at the end of the conf's; NULL: no memory. */
struct hc_scope *hc_settings_add(struct hc_conf *conf, struct hc_error *err);

/*
 * Fills what is not set in base with its preset: the main level's own fields (base is the conf);
 * or, base being a scope, all that hosts say, what is handed down of it, or what of that is not of
 * orders alone.
 */
enum hc_preset { HC_PRESET_MAIN, HC_PRESET_HOSTS, HC_PRESET_KEPT, HC_PRESET_WATCH };
int hc_settings_preset(struct hc_conf *conf, enum hc_preset which, void *base,
                       struct hc_error *err) HC_MUST_USE;

struct hc_scope *hc_scope_new(struct hc_error *err);
/* Frees what it holds, not itself. */
void hc_scope_dispose(struct hc_scope *scope);
void hc_scope_free(struct hc_scope *scope);

/*
 * The methods that hold for a host: its own hotcert_challenge, else the main level's, else the
 * standard ones, with those that a hotcert_dns writes ahead if one is named for it.
 */
const struct hc_list *hc_settings_methods(const struct hc_conf *conf, const struct hc_scope *scope);

#endif
