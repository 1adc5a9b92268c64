/* The answer to `list`; see listing.h. */
#include "agent/listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/model.h"
#include "agent/status.h"
#include "agent/status_loop.h"
#include "base/io.h"

#define AT_ONCE  200   /* certificates that are listed without a child: some milliseconds */
#define LIMIT_MS 60000 /* for a slow machine under load */

/* NULL: no memory. The caller's to free(). */
static char *text_of(const struct hc_listing *listing)
{
    struct hc_model *model = NULL;
    json_t *object = NULL;
    char *text = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_model_new(listing->parts, &model, &err) == 0) {
        model->pid = listing->pid; /* not the child's */
        object = hc_status_of(model);
        json_object_set_new(object, "ok", json_true());
        json_object_set_new(object, "loop",
                            hc_status_loop(hc_loop_activities(listing->parts->env.loop)));
    }
    hc_model_free(model);
    text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(object);
    return text;
}

/* In the child, which ends: nothing is left to free. */
static int write_text(void *arg)
{
    const char *text = text_of(arg);

    return text != NULL && hc_io_write_all(STDOUT_FILENO, text, strlen(text)) == 0 &&
                   hc_io_write_all(STDOUT_FILENO, "\n", 1) == 0
               ? 0
               : 1;
}

static void on_child(void *self, const struct hc_child_result *result)
{
    struct hc_listing *listing = self;
    bool whole = result->end == HC_CHILD_EXITED && result->code == 0 && !result->cut;

    listing->done(listing->self, whole ? result->output : (struct hc_bytes){NULL, 0});
}

static void make_here(struct hc_listing *listing)
{
    struct hc_buf line = HC_BUF_INIT(HC_LISTING_MAX);
    char *text = text_of(listing);

    if (text == NULL || hc_buf_puts(&line, text, NULL) != 0 ||
        hc_buf_puts(&line, "\n", NULL) != 0) {
        hc_buf_reset(&line);
    }
    free(text);
    listing->done(listing->self, hc_bytes_of(&line));
    hc_buf_dispose(&line);
}

void hc_listing_start(struct hc_listing *listing, const struct hc_parts *parts,
                      hc_listing_done *done, void *self)
{
    struct hc_child_options options = {
        .name = "list",
        .work = write_text,
        .arg = listing,
        .output_max = HC_LISTING_MAX,
        .limit_ms = LIMIT_MS,
    };

    listing->parts = parts;
    listing->pid = (int)getpid();
    listing->done = done;
    listing->self = self;
    if (parts->env.conf->identity_count <= AT_ONCE ||
        hc_child_start(parts->env.loop, &listing->child, &options, on_child, listing, NULL) != 0) {
        make_here(listing); /* also where no process can be had */
    }
}

bool hc_listing_is_running(const struct hc_listing *listing)
{
    return listing->child.running;
}

void hc_listing_stop(struct hc_listing *listing)
{
    hc_child_stop(&listing->child);
}
