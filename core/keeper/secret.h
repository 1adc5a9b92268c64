/*
 * The secret file: what the store is sealed under. Three forms are taken, so that what container
 * platforms and systemd hand over works as it is:
 *   32 bytes               they are the secret
 *   64 hex digits          decoded; a newline behind them is ignored (what hotcert itself writes)
 *   33 .. 4096 other bytes SHA-256 over all of them, a newline at the end included
 *
 * It must be a regular file of root's (not started as root: of the server's user, or of root's)
 * that others cannot read, that its group cannot write, and that the worker user cannot read
 * through a group; in folders that the worker user cannot write. A file of one repeated byte, as
 * a crashed disk leaves it, is refused.
 */
#ifndef HC_KEEPER_SECRET_H
#define HC_KEEPER_SECRET_H

#include "base/secret.h"
#include "keeper/path.h"

#define HC_SECRET_FILE_MAX 4096

/* From the bytes of a secret file. HC_P_SECRET_UNSAFE when they are no secret. */
int hc_secret_parse(const unsigned char *data, size_t len, const char *subject,
                    unsigned char secret[HC_SECRET_SIZE], struct hc_error *err) HC_MUST_USE;

/*
 * Reads the secret at path. There is none: HC_P_SECRET_MISSING, or with create one is made (64 hex
 * digits; temporary name, fsync, rename without replacing: of two that make one, one wins and both
 * have the same). The caller wipes secret.
 */
int hc_secret_load(const char *path, const struct hc_guard *guard, bool create,
                   unsigned char secret[HC_SECRET_SIZE], struct hc_error *err) HC_MUST_USE;

#endif
