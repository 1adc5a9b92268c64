/* The left-out names as the store keeps them; see leaveout.h. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "conf/name.h"
#include "preflight/leaveout.h"

#define VERSION 1

static json_t *name_to_json(const struct hc_leaveout_name *n)
{
    return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s:i, s:b}", "name",
                     n->name, "seen", (int)n->seen, "why", hc_problem_row(n->why)->slug, "since",
                     (json_int_t)n->since, "looked", (json_int_t)n->checked, "tried",
                     (json_int_t)n->tried, "well", (int)n->well, "out", n->out, "back", n->back,
                     "refused", n->refused, "refusals", (int)n->refusals, "dropped", n->dropped);
}

int hc_leaveout_encode(const struct hc_leaveout *state, struct hc_buf *out, struct hc_error *err)
{
    json_t *names = json_array();
    json_t *again = json_array();
    json_t *root = NULL;
    char *text = NULL;
    int rc = -1;

    for (size_t i = 0; i < state->count; i++) {
        if (json_array_append_new(names, name_to_json(&state->names[i])) != 0) {
            hc_error_nomem(err);
            goto out;
        }
    }
    for (size_t i = 0; i < HC_COUNT(state->again); i++) {
        if (json_array_append_new(again, json_integer(state->again[i])) != 0) {
            hc_error_nomem(err);
            goto out;
        }
    }
    root = json_pack("{s:i, s:I, s:O, s:O}", "version", VERSION, "trial", (json_int_t)state->trial,
                     "again", again, "names", names);
    text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    rc = text != NULL ? hc_buf_puts(out, text, err) : hc_error_nomem(err);

out:
    free(text);
    json_decref(root);
    json_decref(names);
    json_decref(again);
    return rc;
}

static int malformed(struct hc_error *err)
{
    return hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "the record of left-out names is malformed");
}

/* A time of ours: not negative, and not beyond what can be printed. */
static bool is_time(json_int_t t)
{
    return t >= 0 && t < 253402300800; /* the year 10000 */
}

static int name_from_json(json_t *in, struct hc_leaveout_name *n, struct hc_error *err)
{
    const char *name = NULL;
    const char *why = NULL;
    int seen = 0;
    int well = 0;
    int out = 0;
    int back = 0;
    int refused = 0;
    int refusals = 0;
    int dropped = 0;
    json_int_t since = 0;
    json_int_t checked = 0;
    json_int_t tried = 0;

    if (json_unpack(in, "{s:s, s:i, s:s, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s?i, s?b !}", "name",
                    &name, "seen", &seen, "why", &why, "since", &since, "looked", &checked, "tried",
                    &tried, "well", &well, "out", &out, "back", &back, "refused", &refused,
                    "refusals", &refusals, "dropped", &dropped) != 0 ||
        refusals < 0 || refusals > HC_LEAVEOUT_REFUSALS || seen < HC_LEAVEOUT_SEEN_WELL ||
        seen > HC_LEAVEOUT_SEEN_BAD || well < 0 || well > HC_LEAVEOUT_WELL || !is_time(since) ||
        !is_time(checked) || !is_time(tried) || strlen(name) >= HC_NAME_SIZE) {
        return malformed(err);
    }
    *n = (struct hc_leaveout_name){
        .seen = (enum hc_leaveout_seen)seen,
        .why = hc_problem_by_slug(why),
        .since = since,
        .checked = checked,
        .tried = tried,
        .well = (unsigned)well,
        .out = out != 0,
        .back = back != 0,
        .refused = refused != 0,
        .refusals = (unsigned)refusals,
        .dropped = dropped != 0,
    };
    return hc_strdup(name, &n->name, err);
}

static int names_from_json(const json_t *names, struct hc_leaveout *out, struct hc_error *err)
{
    size_t count = json_array_size(names);

    if (!json_is_array(names) || count > HC_NAMES_MAX) {
        return malformed(err);
    }
    out->names = calloc(count + 1, sizeof(*out->names));
    if (out->names == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (name_from_json(json_array_get(names, i), &out->names[i], err) != 0) {
            return -1;
        }
        out->count++;
    }
    return 0;
}

static int state_from_json(json_t *root, struct hc_leaveout *out, struct hc_error *err)
{
    int version = 0;
    json_int_t trial = 0;
    json_t *again = NULL;
    json_t *names = NULL;

    if (json_unpack(root, "{s:i, s:I, s:o, s:o !}", "version", &version, "trial", &trial, "again",
                    &again, "names", &names) != 0 ||
        version != VERSION || !is_time(trial) || json_array_size(again) != HC_COUNT(out->again)) {
        return malformed(err);
    }
    out->trial = trial;
    for (size_t i = 0; i < HC_COUNT(out->again); i++) {
        const json_t *at = json_array_get(again, i);

        if (!json_is_integer(at) || !is_time(json_integer_value(at))) {
            return malformed(err);
        }
        out->again[i] = json_integer_value(at);
    }
    return names_from_json(names, out, err);
}

int hc_leaveout_decode(const char *text, size_t len, struct hc_leaveout *out, struct hc_error *err)
{
    json_t *root = NULL;
    int rc = -1;

    memset(out, 0, sizeof(*out));
    if (len > HC_LEAVEOUT_MAX) {
        return malformed(err);
    }
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    rc = root != NULL ? state_from_json(root, out, err) : malformed(err);
    json_decref(root);
    if (rc != 0) {
        hc_leaveout_dispose(out);
    }
    return rc;
}
