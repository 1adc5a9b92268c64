/* Reading and writing descriptors whole. */
#ifndef HC_BASE_IO_H
#define HC_BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"

/* Writes all of it, however many calls that takes. -1 with errno: some of it may have been written.
 */
int hc_io_write_all(int fd, const void *data, size_t len) HC_MUST_USE;

/* Another way to write, such as a port of a test's; as write(2). */
typedef ssize_t hc_io_write(void *self, int fd, const void *data, size_t len);
int hc_io_write_all_by(hc_io_write *write, void *self, int fd, const void *data,
                       size_t len) HC_MUST_USE;

/*
 * Appends all that fd gives until its end. HC_P_FILE_UNREADABLE, or HC_P_TOO_LARGE where it finds
 * no room in out, both about path.
 */
int hc_io_read_all(int fd, const char *path, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;
/* The same; what finds no room in out is left. */
int hc_io_read_start(int fd, const char *path, struct hc_buf *out,
                     struct hc_error *err) HC_MUST_USE;

/* Closes it unless it is -1; errno stays. */
void hc_io_close(int fd);
void hc_io_close_all(const int *fds, size_t count);

#endif
