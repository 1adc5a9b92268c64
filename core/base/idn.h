/*
 * International host names (IDNA2008, RFC 5890): servers, CAs and DNS know A-labels
 * (xn--bcher-kva), people write and read U-labels. Names are compared, ordered and stored as
 * A-labels; both forms are shown. Any thread.
 */
#ifndef HC_BASE_IDN_H
#define HC_BASE_IDN_H

#include <stdbool.h>
#include <stddef.h>

bool hc_idn_is_ascii(const char *text);

/*
 * A name in UTF-8 with U-labels, without "*." and the root's dot, to A-labels in lower case, as
 * registries do: UTS 46, non-transitional (sharp s and final sigma are letters of their own).
 * Returns what stands against it, or NULL. Characters of ASCII that no host name has are kept.
 */
const char *hc_idn_to_ascii(const char *name, char *dst, size_t cap);

/*
 * A name with A-labels (maybe a wildcard) in the form that people write. False, and dst "": it has
 * no A-label, or what it stands for is not written with these A-labels again (letters that IDNA2008
 * forbids, which may be controls or reverse what stands around them). So what is written can go to
 * a log or a terminal.
 */
bool hc_idn_to_unicode(const char *name, char *dst, size_t cap);

/*
 * Chooses for this process, before it has a second thread, whether hc_idn_show() adds anything: a
 * terminal or a log may have no such letters. It does until then.
 */
void hc_idn_show_use(bool unicode);
bool hc_idn_shows(void);

/*
 * Copies text to dst, at most cap bytes with the NUL, with the other form behind the first mention
 * of each name that has one, in parentheses. Not in what is there to be copied: addresses of pages,
 * paths, records, commands between backticks. Doing it twice changes nothing more. Returns dst.
 */
char *hc_idn_show(const char *text, char *dst, size_t cap);

#endif
