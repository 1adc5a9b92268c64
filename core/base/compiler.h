/*
 * What the compiler is told about functions: which results must be looked at,
 * which take a format. Everything else of the language is used as it is.
 */
#ifndef HC_BASE_COMPILER_H
#define HC_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HC_MUST_USE     __attribute__((warn_unused_result))
#define HC_FORMAT(m, n) __attribute__((format(printf, m, n)))
#define HC_UNUSED       __attribute__((unused))
#define HC_PUBLIC       __attribute__((visibility("default")))
#define HC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
