/*
 * What of Landlock and seccomp differs between kernels' headers, machines and builds.
 *
 * Landlock's numbers are the kernel's and never change; headers of 2022 lack the later ones.
 */
#ifndef HC_AGENT_CONFINE_COMPAT_H
#define HC_AGENT_CONFINE_COMPAT_H

#include <linux/audit.h>
#include <stdint.h>
#include <sys/syscall.h>

/* The machine, as a filter is told it; 0: no list of calls was made for it. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define HC_CONFINE_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define HC_CONFINE_MACHINE AUDIT_ARCH_AARCH64
#else
#define HC_CONFINE_MACHINE 0
#endif

/* Sanitizers inspect the process from outside, and run a program to name what they find. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define HC_CONFINE_SANITIZED 1
#endif
#endif
#if !defined(HC_CONFINE_SANITIZED) &&                                                              \
    (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define HC_CONFINE_SANITIZED 1
#endif
#if !defined(HC_CONFINE_SANITIZED)
#define HC_CONFINE_SANITIZED 0
#endif

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define HC_LANDLOCK_VERSION    1u /* flag: which edition is there? */
#define HC_LANDLOCK_PATH_BELOW 1

#define HC_LANDLOCK_EXECUTE     (UINT64_C(1) << 0)
#define HC_LANDLOCK_WRITE_FILE  (UINT64_C(1) << 1)
#define HC_LANDLOCK_READ_FILE   (UINT64_C(1) << 2)
#define HC_LANDLOCK_READ_DIR    (UINT64_C(1) << 3)
#define HC_LANDLOCK_REMOVE_DIR  (UINT64_C(1) << 4)
#define HC_LANDLOCK_REMOVE_FILE (UINT64_C(1) << 5)
#define HC_LANDLOCK_MAKE_CHAR   (UINT64_C(1) << 6)
#define HC_LANDLOCK_MAKE_DIR    (UINT64_C(1) << 7)
#define HC_LANDLOCK_MAKE_REG    (UINT64_C(1) << 8)
#define HC_LANDLOCK_MAKE_SOCK   (UINT64_C(1) << 9)
#define HC_LANDLOCK_MAKE_FIFO   (UINT64_C(1) << 10)
#define HC_LANDLOCK_MAKE_BLOCK  (UINT64_C(1) << 11)
#define HC_LANDLOCK_MAKE_SYM    (UINT64_C(1) << 12)
#define HC_LANDLOCK_REFER       (UINT64_C(1) << 13) /* since edition 2 */
#define HC_LANDLOCK_TRUNCATE    (UINT64_C(1) << 14) /* since edition 3 */

#define HC_LANDLOCK_BIND_TCP (UINT64_C(1) << 0) /* since edition 4 */

#define HC_LANDLOCK_ABSTRACT (UINT64_C(1) << 0) /* since edition 6 */
#define HC_LANDLOCK_SIGNAL   (UINT64_C(1) << 1)

/* The kernel takes a longer struct than it knows, if what it does not know is zero. */
struct hc_landlock_ruleset {
    uint64_t files, net, scoped;
};

struct hc_landlock_path {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

#endif
