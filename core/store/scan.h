/*
 * Telling which lines changed without reading them: what the file system says of a line's folder
 * and of the version that was read. Followers keep a mark of it beside what they know of a line.
 */
#ifndef HC_STORE_SCAN_H
#define HC_STORE_SCAN_H

#include "base/str.h"
#include "store/info.h"
#include "store/store.h"

/* Zeroed memory: not known. */
struct hc_line_stamp {
    uint64_t folder, file;            /* inodes */
    int64_t folder_ctime, file_ctime; /* ns */
    bool settled;                     /* long enough ago that one more change would show */
};

/* The lines that there are, each in hex digits, sorted. Appended to lines. */
int hc_store_lines(struct hc_store *store, struct hc_list *lines, struct hc_error *err) HC_MUST_USE;

/*
 * Takes the stamp of a line and of one of its versions; zeroed if there is none of them. To be
 * taken before the line is read: what changes in between shows at the next comparison.
 */
void hc_line_stamp_take(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                        uint64_t version, struct hc_line_stamp *stamp);
/* The same for the folder of all lines: it changes when one comes or goes. */
void hc_lines_stamp_take(struct hc_store *store, struct hc_line_stamp *stamp);

/* One number that tells the stamp from others, to be kept; 0: it is not settled. */
uint64_t hc_line_stamp_mark(const struct hc_line_stamp *stamp);
/* True if nothing can have changed since the stamp that made the mark. */
bool hc_line_stamp_holds(uint64_t mark, const struct hc_line_stamp *now);

#endif
