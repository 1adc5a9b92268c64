/*
 * Work on many things side by side, on as many threads as there are processors: for a start, which
 * others wait for. Whatever the work touches is the caller's to guard.
 */
#ifndef HC_BASE_CREW_H
#define HC_BASE_CREW_H

#include <stddef.h>

#include "base/error.h"

/* One thing. Called on any of the threads; err is its own. */
typedef int hc_crew_work(void *arg, size_t index, struct hc_error *err);

/*
 * Does work(arg, 0 .. count - 1), beginning in that order. 0: all returned 0. Else -1 with the
 * error of the first of them that failed; those behind it may not have been begun. hands: at most
 * so many threads, 0: as many as this process has processors. The caller's thread is one of them;
 * where no other can be made it does all.
 */
int hc_crew_run(size_t count, unsigned hands, hc_crew_work *work, void *arg,
                struct hc_error *err) HC_MUST_USE;

#endif
