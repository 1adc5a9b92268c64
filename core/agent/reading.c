/* The files of one watched pair, read without waiting; see reading.h. */
#include "agent/reading.h"

#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

struct hc_reading {
    struct hc_reading_options o;
    struct hc_timer start;
    struct hc_asked asked;
    struct hc_files files;
    struct hc_file_stamp after[HC_FILES_PARTS]; /* taken afterwards */
    bool stamping;                              /* stamps are taken, not the content */
    size_t part;                                /* the one whose turn it is */
    struct hc_error err;
};

static struct hc_file_stamp *stamp_of(struct hc_reading *reading)
{
    return reading->o.content && reading->stamping ? &reading->after[reading->part]
                                                   : &reading->files.stamps[reading->part];
}

static void end(struct hc_reading *reading, int rc)
{
    if (rc > 0 && reading->o.content) {
        rc = hc_files_same(reading->files.stamps, reading->after) ? 1 : 0;
    }
    reading->o.done(reading->o.self, rc, &reading->files, rc < 0 ? &reading->err : NULL);
}

/* A part that cannot be had and need not be there: as if it were not. */
static void leave_out(struct hc_reading *reading)
{
    memset(stamp_of(reading), 0, sizeof(struct hc_file_stamp));
    if (!reading->stamping) {
        hc_buf_reset(&reading->files.parts[reading->part]);
    }
}

/* With our own rights. */
static int take_own(struct hc_reading *reading, int file)
{
    const char *path = reading->o.conf->files.items[file];
    struct hc_buf *out = reading->stamping ? NULL : &reading->files.parts[reading->part];
    struct hc_error unsaid = {0};
    struct hc_error *err = hc_files_is_optional(reading->part) ? &unsaid : &reading->err;

    if (hc_files_own(path, reading->part, out, stamp_of(reading), err) == 0) {
        return 0;
    }
    if (!hc_files_is_optional(reading->part)) {
        return -1;
    }
    leave_out(reading);
    return 0;
}

/* Goes on with the parts until the keeper is to be asked, or all are there. */
static void go_on(struct hc_reading *reading)
{
    for (;; reading->part++) {
        int file = 0;

        if (reading->part == HC_FILES_PARTS) {
            if (reading->stamping) {
                end(reading, 1);
                return;
            }
            reading->stamping = true;
            reading->part = 0;
        }
        file = hc_files_index(reading->o.watched, reading->part);
        if (file < 0) {
            continue;
        }
        if (hc_asker_has_keeper(reading->o.asker) && reading->part != HC_FILES_FOLDER) {
            reading->asked.op = reading->stamping ? HC_KEEPER_STAMP : HC_KEEPER_READ;
            reading->asked.file = file;
            hc_ask(reading->o.asker, &reading->asked);
            return;
        }
        if (take_own(reading, file) != 0) {
            end(reading, -1);
            return;
        }
    }
}

static void on_answer(void *self, const struct hc_asker_answer *answer)
{
    struct hc_reading *reading = self;
    int rc = 0;

    if (answer->err != NULL) {
        rc = hc_error_chain(&reading->err, answer->err);
    } else {
        *stamp_of(reading) = answer->stamp;
        if (!reading->stamping) {
            rc = hc_buf_append(&reading->files.parts[reading->part], answer->content.data,
                               answer->content.len, &reading->err);
        }
    }
    if (rc != 0 && (!hc_files_is_optional(reading->part) ||
                    reading->err.problem == HC_P_KEEPER_GONE)) { /* who knows what is there? */
        end(reading, -1);
        return;
    }
    if (rc != 0) {
        leave_out(reading);
        hc_error_init(&reading->err);
    }
    reading->part++;
    go_on(reading);
}

static void on_start(void *self)
{
    go_on(self);
}

int hc_reading_start(const struct hc_reading_options *options, struct hc_reading **out,
                     struct hc_error *err)
{
    struct hc_reading *reading = calloc(1, sizeof(*reading));

    if (reading == NULL) {
        return hc_error_nomem(err);
    }
    reading->o = *options;
    reading->stamping = !options->content;
    hc_error_init(&reading->err);
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        reading->files.parts[i] = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    }
    reading->asked.name = options->name;
    reading->asked.done = on_answer;
    reading->asked.self = reading;
    hc_timer_init(&reading->start, options->loop, options->name, on_start, reading);
    hc_timer_in(&reading->start, 0);
    *out = reading;
    return 0;
}

void hc_reading_free(struct hc_reading *reading)
{
    if (reading == NULL) {
        return;
    }
    hc_timer_stop(&reading->start);
    hc_ask_stop(&reading->asked);
    hc_files_dispose(&reading->files);
    free(reading);
}
