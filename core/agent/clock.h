/*
 * This machine's clock: is it behind? No single sign may stop all orders, since one CA may be in
 * error; schedule.h weighs them. Signs are the date of the build, what this clock has judged good
 * before (kept in the store), certificates of the lines in use, by issuer, and the Date of CAs'
 * replies, which the port of this part notes on their way through.
 *
 * Hears STORE_OPENED; raises CLOCK_SET when the clock was set back, and CLOCK_NEWS when what a CA
 * said may end that it seems wrong.
 */
#ifndef HC_AGENT_CLOCK_H
#define HC_AGENT_CLOCK_H

#include "agent/storage.h"
#include "net/http.h"

struct hc_clock_watch;

struct hc_clock_options {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    const struct hc_http_port *http; /* NULL: no CA is asked */
    int64_t built;                   /* when the program was built, UTC; 0: not known */
};

int hc_clock_watch_new(const struct hc_clock_options *options, struct hc_clock_watch **out,
                       struct hc_error *err) HC_MUST_USE;
/* Requests under way end without a word. NULL is fine. */
void hc_clock_watch_free(struct hc_clock_watch *clock);

/* The port by which CAs are to be asked: the same, and the Date of replies is noted. May be NULL.
 */
const struct hc_http_port *hc_clock_watch_http(const struct hc_clock_watch *clock);
/* Notes what an issuer's clock says now (UTC). */
void hc_clock_watch_note(struct hc_clock_watch *clock, size_t issuer, int64_t date);

/*
 * One round, by those who have the lines in use: begin, see each of them, judge. Says once if the
 * clock is wrong, or right again.
 */
void hc_clock_watch_begin(struct hc_clock_watch *clock, int64_t now);
void hc_clock_watch_see(struct hc_clock_watch *clock, const struct hc_line_info *info);
void hc_clock_watch_judge(struct hc_clock_watch *clock);

/* True if it is behind: no order is placed, and no verdict on time is given. */
bool hc_clock_watch_is_wrong(const struct hc_clock_watch *clock);
/* What it said in the latest round; 0: there was none. */
int64_t hc_clock_watch_seen(const struct hc_clock_watch *clock);

#endif
