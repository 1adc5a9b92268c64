/* What is told of the agent, as JSON; see status.h. */
#include "agent/status.h"

#include <string.h>

#include "agent/window.h"
#include "base/idn.h"
#include "conf/name.h"

static void set_time(json_t *object, const char *key, int64_t t)
{
    char text[HC_TIME_TEXT];

    json_object_set_new(object, key, t > 0 ? json_string(hc_time_format(t, text)) : json_null());
}

static json_t *json_of_list(const struct hc_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(array, json_string(list->items[i]));
    }
    return array;
}

/* The names, the lead first, if it is one of them. */
static json_t *json_of_names(const char *lead, const struct hc_list *names)
{
    json_t *array = json_array();

    if (lead != NULL && hc_list_has(names, lead)) {
        json_array_append_new(array, json_string(lead));
    } else {
        lead = NULL;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (lead == NULL || strcmp(names->items[i], lead) != 0) {
            json_array_append_new(array, json_string(names->items[i]));
        }
    }
    return array;
}

/* The same names as people write them. */
static json_t *json_of_unicode(const json_t *names)
{
    json_t *array = json_array();

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        char text[HC_NAME_SIZE * 4];

        json_array_append_new(
            array, json_string(hc_idn_to_unicode(name, text, sizeof(text)) ? text : name));
    }
    return array;
}

static void set_names(json_t *object, json_t *take)
{
    json_object_set_new(object, "names", take);
    json_object_set_new(object, "unicode_names", json_of_unicode(take));
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text != NULL ? json_string(text) : json_null());
}

static void set_error(json_t *object, const struct hc_last_error *last)
{
    char text[HC_LOG_LINE];
    struct hc_error_text shown;
    struct hc_error err;
    json_t *error = NULL;

    if (last->error.problem != HC_P_NONE) {
        hc_kept_error_get(&last->error, &err);
        hc_error_render(&err, &shown);
        error = json_pack("{s:s, s:s, s:s}", "problem", hc_problem_row(last->error.problem)->slug,
                          "subject", shown.subject, "message",
                          hc_error_format(&err, text, sizeof(text)));
        set_time(error, "at", last->at);
    }
    json_object_set_new(object, "error", error != NULL ? error : json_null());
}

static void set_flaws(json_t *object, const struct hc_model_certificate *c)
{
    json_t *flaws = json_array();

    for (size_t i = 0; i < c->flaw_count; i++) {
        json_array_append_new(flaws, json_string(hc_problem_row(c->flaws[i])->slug));
    }
    json_object_set_new(object, "flawed", json_boolean(c->flaw_count > 0));
    json_object_set_new(object, "flaws", flaws);
}

static json_t *json_of_window(const struct hc_window *window, const char *explanation)
{
    json_t *object = json_object();

    set_time(object, "start", window->start);
    set_time(object, "end", window->start + window->span);
    set_text(object, "explanation", explanation);
    return object;
}

/* What only orders have. */
static void set_order(json_t *object, const struct hc_model_certificate *c)
{
    set_text(object, "activity", c->activity);
    set_time(object, "lines_until", c->lines_until);
    set_text(object, "stand_in", c->stand_in);
    json_object_set_new(object, "left_out", json_of_list(c->left_out));
    set_time(object, "renew_at", c->renew_at);
    json_object_set_new(object, "renewal_window",
                        c->window != NULL ? json_of_window(c->window, c->explanation)
                                          : json_null());
}

static json_t *json_of_files(const struct hc_model_certificate *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < HC_MODEL_FILES && c->files[i] != NULL; i++) {
        json_array_append_new(array, json_string(c->files[i]));
    }
    return array;
}

json_t *hc_status_certificate(const struct hc_model_certificate *c)
{
    json_t *object = json_object();

    set_names(object, json_of_names(c->lead, c->names));
    set_text(object, "mode", c->mode);
    set_text(object, "key_type", c->key_type);
    set_text(object, "serial", c->serial);
    set_time(object, "not_before", c->not_before);
    set_time(object, "not_after", c->not_after);
    set_text(object, "issuer", c->issuer);
    set_text(object, "state", c->state);
    json_object_set_new(object, "served", json_boolean(c->served));
    if (c->left_out != NULL) {
        set_order(object, c);
    }
    if (c->has_flaws) {
        set_flaws(object, c);
    }
    set_time(object, "next_try", c->next_try);
    json_object_set_new(object, "failures", json_integer((json_int_t)c->failures));
    set_error(object, c->last);
    if (c->files[0] != NULL) {
        json_object_set_new(object, "files", json_of_files(c));
    }
    json_object_set_new(object, "where", json_of_list(c->where));
    return object;
}

static json_t *json_of_issuer(const struct hc_model_issuer *issuer)
{
    json_t *object = json_object();

    set_text(object, "name", issuer->name);
    set_text(object, "directory", issuer->directory_url);
    json_object_set_new(object, "up", json_boolean(issuer->up));
    json_object_set_new(object, "failures", json_integer((json_int_t)issuer->failures));
    set_time(object, "failing_since", issuer->failing_since);
    set_time(object, "next_try", issuer->next_try);
    set_text(object, "account", issuer->account);
    set_error(object, issuer->last);
    return object;
}

static json_t *json_of_orders(const struct hc_model *model)
{
    json_t *array = json_array();

    for (size_t i = 0; i < model->issuer_count; i++) {
        const struct hc_counted_orders *orders = model->issuers[i].orders;

        json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I}", "issuer", orders->issuer,
                                               "obtained", (json_int_t)orders->obtained, "renewed",
                                               (json_int_t)orders->renewed, "failed",
                                               (json_int_t)orders->failed));
    }
    return array;
}

/* Null where no server of ours answers. */
static json_t *json_of_responder(const struct hc_dns_counts *counts)
{
    return counts == NULL
               ? json_null()
               : json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "questions",
                           (json_int_t)counts->questions, "refused", (json_int_t)counts->refused,
                           "malformed", (json_int_t)counts->malformed, "truncated",
                           (json_int_t)counts->truncated, "rate_limited",
                           (json_int_t)counts->limited, "dropped", (json_int_t)counts->dropped);
}

static json_t *json_of_counters(const struct hc_model *model)
{
    const struct hc_counters *counters = model->counters;
    json_t *object = json_object();
    json_t *failures = json_array();

    for (size_t i = 0; i < counters->failure_count; i++) {
        const struct hc_counted_failures *f = &counters->failures[i];

        json_array_append_new(failures, json_pack("{s:s?, s:s, s:I}", "issuer", f->issuer,
                                                  "problem", hc_problem_row(f->problem)->slug,
                                                  "count", (json_int_t)f->count));
    }
    set_time(object, "since", counters->since);
    json_object_set_new(object, "swaps", json_integer((json_int_t)counters->swaps));
    json_object_set_new(object, "orders", json_of_orders(model));
    json_object_set_new(object, "failures", failures);
    json_object_set_new(object, "responder", json_of_responder(model->responder));
    return object;
}

json_t *hc_status_of(const struct hc_model *model)
{
    json_t *certificates = json_array();
    json_t *issuers = json_array();
    json_t *object = json_object();

    for (size_t i = 0; i < model->certificate_count; i++) {
        json_array_append_new(certificates, hc_status_certificate(&model->certificates[i]));
    }
    for (size_t i = 0; i < model->issuer_count; i++) {
        json_array_append_new(issuers, json_of_issuer(&model->issuers[i]));
    }
    json_object_set_new(object, "schema", json_integer(HC_MODEL_SCHEMA));
    set_time(object, "at", model->at);
    set_text(object, "server", model->server);
    json_object_set_new(object, "pid", json_integer(model->pid));
    set_text(object, "store", model->store);
    json_object_set_new(object, "store_ready", json_boolean(model->store_ready));
    json_object_set_new(object, "clock_wrong", json_boolean(model->clock_wrong));
    json_object_set_new(object, "certificates", certificates);
    json_object_set_new(object, "issuers", issuers);
    json_object_set_new(object, "counters", json_of_counters(model));
    return object;
}

void hc_status_describe(const char *state, int64_t next, int64_t now, char *dst, size_t cap)
{
    char text[HC_TIME_TEXT];
    const char *when = hc_time_format(next, text);

    if (next <= now) {
        snprintf(dst, cap, "%s", state);
        return;
    }
    /* the time of the day says enough if that comes but once until then */
    snprintf(dst, cap, "%s, next try %s", state,
             next - now < 86400 ? when + sizeof("2026-03-04T") - 1 : when);
}

static void set_info(json_t *object, const struct hc_line_info *info)
{
    json_object_set_new(object, "serial",
                        info != NULL && info->serial != NULL ? json_string(info->serial)
                                                             : json_null());
    set_time(object, "not_before", info != NULL ? info->not_before : 0);
    set_time(object, "not_after", info != NULL ? info->not_after : 0);
    json_object_set_new(object, "issuer",
                        info != NULL && info->issuer_name != NULL ? json_string(info->issuer_name)
                                                                  : json_string(""));
}

/* ---- without an agent ---- */

json_t *hc_status_of_info(const struct hc_line_info *info, int64_t now)
{
    json_t *object = json_object();

    set_names(object, json_of_list(&info->names));
    json_object_set_new(object, "mode", json_string(info->mode == HC_MODE_WATCH ? "watch" : "on"));
    json_object_set_new(object, "key_type", json_string(hc_key_type_name(info->key_type)));
    set_info(object, info);
    json_object_set_new(object, "state",
                        json_string(info->not_after <= now ? "expired" : "stored"));
    json_object_set_new(object, "served", json_null());
    json_object_set_new(object, "next_try", json_null());
    json_object_set_new(object, "failures", json_integer(0));
    json_object_set_new(object, "error", json_null());
    return object;
}
