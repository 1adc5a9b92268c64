/* What a file looked like. */
#ifndef HC_KEEPER_STAMP_H
#define HC_KEEPER_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What identifies a file's state; two equal stamps mean "unchanged". */
struct hc_file_stamp {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
    uint32_t mode, uid, gid; /* st_mode, owner */
    uint32_t links; /* 0: replaced outside of the mount that shows it; no part of a state */
};

static inline int64_t hc_file_stamp_ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline struct hc_file_stamp hc_file_stamp_of(const struct stat *st)
{
    return (struct hc_file_stamp){
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = hc_file_stamp_ns(st->st_mtim),
        .ctime_ns = hc_file_stamp_ns(st->st_ctim),
        .mode = (uint32_t)st->st_mode,
        .uid = (uint32_t)st->st_uid,
        .gid = (uint32_t)st->st_gid,
        .links = (uint32_t)st->st_nlink,
    };
}

static inline bool hc_file_stamp_equal(const struct hc_file_stamp *a, const struct hc_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->mode == b->mode &&
           a->uid == b->uid && a->gid == b->gid;
}

#endif
