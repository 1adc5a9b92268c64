/*
 * The files of one watched pair, read without waiting for them: through the keeper, or, where there
 * is none, with our own rights (files.h says what is read).
 */
#ifndef HC_AGENT_READING_H
#define HC_AGENT_READING_H

#include "agent/files.h"
#include "keeper/asker.h"

struct hc_reading;

/*
 * rc as of hc_files_read(): 1: read; 0: something changed meanwhile; -1: err names the file. files
 * is borrowed for the call, whoever wants it moves it out. The reading may be freed in the call.
 */
typedef void hc_reading_done(void *self, int rc, struct hc_files *files,
                             const struct hc_error *err);

struct hc_reading_options {
    struct hc_loop *loop; /* borrowed, as all below */
    struct hc_asker *asker;
    const struct hc_conf *conf;
    const struct hc_watched *watched;
    const char *name; /* of the activity; static */
    bool content;     /* else the stamps alone */
    void *self;
    hc_reading_done *done; /* once, never from within hc_reading_start() */
};

int hc_reading_start(const struct hc_reading_options *options, struct hc_reading **out,
                     struct hc_error *err) HC_MUST_USE;
/* Also while it is under way: then nobody is told. NULL is fine. */
void hc_reading_free(struct hc_reading *reading);

#endif
