/*
 * What differs between C libraries (glibc, musl), in one place: calls that one of them has not, or
 * has with another result.
 */
#ifndef HC_BASE_LIBC_H
#define HC_BASE_LIBC_H

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"

#ifdef __GLIBC__

/* The error's text, in room or elsewhere. */
static inline const char *hc_libc_strerror(int errnum, char *room, size_t size)
{
    return strerror_r(errnum, room, size);
}

#else

/* POSIX's strerror_r() returns a number. */
static inline const char *hc_libc_strerror(int errnum, char *room, size_t size)
{
    return strerror_r(errnum, room, size) == 0 ? room : "unknown error";
}

#endif

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* renameat2(2) with RENAME_NOREPLACE: 0, or -1 with errno (EINVAL, ENOSYS: not on this system). */
static inline int hc_libc_rename_new(int from_folder, const char *from, int to_folder,
                                     const char *to)
{
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, RENAME_NOREPLACE);
}

/* close_range(2) from first on: 0, or -1 with errno. */
static inline int hc_libc_close_from(int first)
{
    return (int)syscall(SYS_close_range, (unsigned)first, ~0u, 0u);
}

/* pidfd_open(2): -1 with errno (ENOSYS before Linux 5.3). It is closed on exec. */
static inline int hc_libc_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0u);
}

#endif
