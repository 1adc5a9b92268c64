/* Reading and writing descriptors whole. */
#ifndef HC_BASE_IO_H
#define HC_BASE_IO_H

#include <stddef.h>

#include "base/compiler.h"

/* Writes all of it, however many calls that takes. -1 with errno: some of it may have been written.
 */
int hc_io_write_all(int fd, const void *data, size_t len) HC_MUST_USE;

#endif
