/*
 * Memory that runs out on demand: malloc(), calloc() and realloc() of the program's own code (not
 * of the libraries') fail from the n-th call on, or only at the n-th. Works by the caller's
 * address, so that no build option is needed; not under a sanitizer, which has its own malloc().
 */
#ifndef HC_T_FAILING_ALLOC_H
#define HC_T_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) ||                           \
    __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define FAILING_ALLOC 0
#else
#define FAILING_ALLOC 1
#endif

static long alloc_countdown; /* 0: nothing fails */
static bool alloc_failed;

static inline bool alloc_fails(void)
{
    if (alloc_countdown > 0 && --alloc_countdown == 0) {
        alloc_failed = true;
        return true;
    }
    return false;
}

#if FAILING_ALLOC
extern char __executable_start, etext;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static inline bool is_ours(const void *caller)
{
    return (uintptr_t)caller >= (uintptr_t)&__executable_start &&
           (uintptr_t)caller < (uintptr_t)&etext;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return is_ours(__builtin_return_address(0)) && alloc_fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return is_ours(__builtin_return_address(0)) && alloc_fails() ? NULL
                                                                 : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
    return is_ours(__builtin_return_address(0)) && alloc_fails() ? NULL : __libc_realloc(old, size);
}

__attribute__((visibility("default"))) char *strdup(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = is_ours(__builtin_return_address(0)) && alloc_fails() ? NULL : __libc_malloc(len);

    return copy != NULL ? memcpy(copy, text, len) : NULL;
}
#endif

#endif
