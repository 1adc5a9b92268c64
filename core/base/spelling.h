/*
 * Directives in the spelling of the server whose operator reads a message.
 *
 * All texts of the core name directives as nginx writes them: `hotcert_files`, `hotcert on`,
 * `ssl_certificate`. Where a text leaves the core (hc_error_format, hc_logf, findings) it is put
 * into the spelling that the process has chosen; the commands, which may be asked about either
 * server, show both. A process belongs to one server, so the choice is the process's.
 */
#ifndef HC_BASE_SPELLING_H
#define HC_BASE_SPELLING_H

#include <stddef.h>

enum hc_spelling { HC_SPELLING_BOTH, HC_SPELLING_NGINX, HC_SPELLING_HTTPD };

/* Chooses for this process, before it has a second thread. HC_SPELLING_BOTH until then. */
void hc_spelling_use(enum hc_spelling spelling);

/*
 * Copies text to dst with its directives in the chosen spelling; at most cap bytes with the NUL.
 * A name is one only if it stands alone: paths that contain it stay as they are. Doing it twice
 * changes nothing more. Returns dst. Any thread.
 */
char *hc_spell(const char *text, char *dst, size_t cap);

/* Length with NUL of the longest httpd name. */
#define HC_DIRECTIVE_NAME 48
/* "hotcert_check_interval" -> "HotCertCheckInterval", "directory_url" -> "HotCertDirectoryUrl". */
char *hc_spelling_httpd(const char *name, char dst[HC_DIRECTIVE_NAME]);

#endif
