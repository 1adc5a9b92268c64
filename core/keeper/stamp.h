/* What a file looked like. */
#ifndef HC_KEEPER_STAMP_H
#define HC_KEEPER_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* What identifies a file's state; two equal stamps mean "unchanged". */
struct hc_file_stamp {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
    uint32_t mode, uid, gid; /* st_mode, owner */
    uint32_t links; /* 0: replaced outside of the mount that shows it; no part of a state */
};

static inline bool hc_file_stamp_equal(const struct hc_file_stamp *a, const struct hc_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->mode == b->mode &&
           a->uid == b->uid && a->gid == b->gid;
}

#endif
