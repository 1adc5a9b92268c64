/* The table of `hotcert list`; see list_table.h. */
#include "cmd/list_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "cmd/report.h"

#define WIDTH 80
#define GAP   2
#define CELL  304
#define DAY_S 86400

enum column { NAMES, KEY, ISSUER, EXPIRES, STATE, NEXT, COLUMNS };

struct row {
    char cells[COLUMNS][CELL];
};

static const struct row heading = {.cells = {[NAMES] = "NAMES",
                                             [KEY] = "KEY",
                                             [ISSUER] = "ISSUER",
                                             [EXPIRES] = "EXPIRES",
                                             [STATE] = "STATE",
                                             [NEXT] = "NEXT"}};

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && text[0] != '\0' ? text : otherwise;
}

static void put(char dst[CELL], const char *text)
{
    hc_escape(dst, CELL, text, strlen(text));
}

/* The first name, and how many more. */
static void put_names(char dst[CELL], const json_t *names)
{
    const char *first = json_string_value(json_array_get(names, 0));
    size_t more = json_array_size(names);
    char text[CELL];

    snprintf(text, sizeof(text), more > 1 ? "%.260s +%zu" : "%.260s", first != NULL ? first : "-",
             more > 1 ? more - 1 : 0);
    put(dst, text);
}

/* "10:10:00Z" if it is within a day from now, else "2026-03-04". */
static void put_time(char dst[CELL], const char *text, int64_t now)
{
    int64_t t = 0;
    char full[HC_TIME_TEXT];

    if (hc_time_parse(text, &t, NULL) != 0) {
        put(dst, text);
        return;
    }
    hc_time_format(t, full);
    if (t >= now && t - now < DAY_S) {
        put(dst, full + sizeof("2026-03-04T") - 1);
    } else {
        full[sizeof("2026-03-04") - 1] = '\0';
        put(dst, full);
    }
}

/* What is served while something is wrong with it is not "ok". */
static const char *state_of(const json_t *object)
{
    const char *state = text_of(object, "state", "-");

    return strcmp(state, "ok") == 0 && json_is_true(json_object_get(object, "flawed")) ? "flawed"
                                                                                       : state;
}

static void fill(struct row *row, const json_t *object, int64_t now)
{
    put_names(row->cells[NAMES], json_object_get(object, "names"));
    put(row->cells[KEY], text_of(object, "key_type", "-"));
    put(row->cells[ISSUER], text_of(object, "issuer", text_of(object, "mode", "-")));
    put_time(row->cells[EXPIRES], text_of(object, "not_after", "-"), now);
    put(row->cells[STATE], state_of(object));
    put_time(row->cells[NEXT], text_of(object, "next_try", "-"), now);
}

/* As wide as the widest cell; names that find no room beside the rest have lines of their own. */
static void measure(const struct row *rows, size_t count, size_t width[COLUMNS])
{
    size_t room = WIDTH;

    for (int c = COLUMNS - 1; c >= 0; c--) {
        width[c] = strlen(heading.cells[c]);
        for (size_t i = 0; i < count; i++) {
            size_t len = strlen(rows[i].cells[c]);

            if (len > width[c] && (c != NAMES || len <= room)) {
                width[c] = len;
            }
        }
        room -= room > width[c] + GAP ? width[c] + GAP : room;
    }
}

static void print_row(const struct row *row, const size_t width[COLUMNS], FILE *out)
{
    bool alone = strlen(row->cells[NAMES]) > width[NAMES];

    if (alone) {
        (void)fprintf(out, "%s\n", row->cells[NAMES]);
    }
    for (int c = 0; c < COLUMNS - 1; c++) {
        (void)fprintf(out, "%-*s", (int)width[c] + GAP, alone && c == NAMES ? "" : row->cells[c]);
    }
    (void)fprintf(out, "%s\n", row->cells[NEXT]);
}

/* "    2026-01-05T10:00:00Z: the CA could not .." */
static void print_error(struct hc_report *r, const json_t *error)
{
    char text[HC_LOG_LINE + 40];
    char at[40];
    char message[HC_LOG_LINE]; /* whole: it may hold an address that has to be opened */
    const char *raw = text_of(error, "message", "-");

    hc_escape_rest(message, sizeof(message), raw, strlen(raw));
    raw = text_of(error, "at", "-");
    snprintf(text, sizeof(text), "%s: %s", hc_escape(at, sizeof(at), raw, strlen(raw)), message);
    hc_report_wrapped(r, HC_TINT_NONE, "    ", text);
}

/* "    flawed: chain-incomplete, expired" */
static void print_flaws(struct hc_report *r, const json_t *flaws)
{
    char text[HC_FOREIGN_MAX] = "";
    size_t used = 0;

    for (size_t i = 0; i < json_array_size(flaws); i++) {
        const char *slug = json_string_value(json_array_get(flaws, i));
        char escaped[64];

        if (slug != NULL) {
            snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "",
                     hc_escape(escaped, sizeof(escaped), slug, strlen(slug)));
            used += strlen(text + used);
        }
    }
    hc_report_wrapped(r, HC_TINT_NONE, "    flawed: ", text);
}

/* "    xn--bcher-kva.example (..), .." of those names that have another form. */
static void print_other_forms(struct hc_report *r, const json_t *names)
{
    char text[HC_LOG_LINE] = "";
    char form[CELL];
    size_t used = 0;

    for (size_t i = 0; hc_idn_shows() && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (name != NULL && hc_idn_to_unicode(name, form, sizeof(form))) {
            snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "", name);
            used += strlen(text + used);
        }
    }
    hc_report_wrapped(r, HC_TINT_NONE, "    ", text);
}

/* "    the CA wants it renewed from .. to ..: https://..", where it says why or the time is here.
 */
static void print_window(struct hc_report *r, const json_t *window, int64_t now)
{
    const char *why = text_of(window, "explanation", "");
    const char *from = text_of(window, "start", "?");
    const char *to = text_of(window, "end", "?");
    char text[HC_LOG_LINE];
    char shown[3][600];
    int64_t start = 0;

    if (!json_is_object(window) ||
        (why[0] == '\0' && (hc_time_parse(from, &start, NULL) != 0 || start > now))) {
        return;
    }
    snprintf(text, sizeof(text), "the CA wants it renewed from %s to %s%s%s",
             hc_escape(shown[0], sizeof(shown[0]), from, strlen(from)),
             hc_escape(shown[1], sizeof(shown[1]), to, strlen(to)), why[0] != '\0' ? ": " : "",
             hc_escape(shown[2], sizeof(shown[2]), why, strlen(why)));
    hc_report_wrapped(r, HC_TINT_NONE, "    ", text);
}

int hc_list_table(const json_t *certificates, int64_t now, FILE *out, struct hc_error *err)
{
    size_t count = json_array_size(certificates);
    struct row *rows = calloc(count + 1, sizeof(*rows));
    size_t width[COLUMNS];
    struct hc_report r;

    if (rows == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        fill(&rows[i], json_array_get(certificates, i), now);
    }
    hc_report_init(&r, out);
    measure(rows, count, width);
    print_row(&heading, width, out);
    for (size_t i = 0; i < count; i++) {
        const json_t *object = json_array_get(certificates, i);

        print_row(&rows[i], width, out);
        print_other_forms(&r, json_object_get(object, "names"));
        print_flaws(&r, json_object_get(object, "flaws"));
        print_window(&r, json_object_get(object, "renewal_window"), now);
        if (json_is_object(json_object_get(object, "error"))) {
            print_error(&r, json_object_get(object, "error"));
        }
    }
    free(rows);
    return 0;
}
