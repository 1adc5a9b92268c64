/*
 * hc_answer: what proves control of a name, as it is laid out for a CA to find. A kind says who
 * gives it out (the web server over HTTP, the TLS listener, DNS), not by which method: several
 * methods may share a kind. Plain data with rules; where it stands is the table's and the store's.
 */
#ifndef HC_LIVE_ANSWER_H
#define HC_LIVE_ANSWER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "conf/conf.h"

#define HC_TOKEN_MAX        128 /* RFC 8555 section 8.3: base64url; CAs use 43 */
#define HC_KEYAUTH_MAX      256
#define HC_ANSWER_KEY_MAX   256  /* with its NUL */
#define HC_ANSWER_VALUE_MAX 8192 /* with its NUL */
#define HC_ANSWER_LIFE_S    3600 /* one whose agent died is dropped after this */
#define HC_ANSWER_LEFT_S    30   /* and removed after this, where others see that it died */
#define HC_ANSWER_TURN_S    60   /* so long one stands before others of its place, where one can */

enum hc_answer_kind {
    HC_ANSWER_HTTP, /* key: a token of base64url; value: the token, a full stop, base64url */
    HC_ANSWER_TLS,  /* key: a server name; value: certificate and key in PEM */
    HC_ANSWER_TXT,  /* key: the owner's name of a record; value: its text */
};
#define HC_ANSWER_KINDS (HC_ANSWER_TXT + 1)

/*
 * Kind and key say where it is looked for, the value what is found there. name: whom it proves;
 * may be "" (nobody in particular). Strings are borrowed unless hc_answer_copy() made them.
 */
struct hc_answer {
    enum hc_answer_kind kind;
    const char *name;
    const char *key;
    const char *value;
    int64_t expires; /* UTC seconds: not given out from then on */
    char *memory;    /* of a copy's strings; else NULL */
};

/* "http" and so on: as the store and logs have it. */
const char *hc_answer_kind_word(enum hc_answer_kind kind);
/* False: no kind has this word. */
bool hc_answer_kind_find(const char *word, enum hc_answer_kind *kind);
/* True if no log may show its key and value. */
bool hc_answer_kind_is_secret(enum hc_answer_kind kind);
/* True if the servers' workers give it out, from the live table. */
bool hc_answer_kind_is_served(enum hc_answer_kind kind);

/*
 * 0 if key and value are what may be given out under this kind; else HC_P_CA_REPLY, since what is
 * wrong came from there, without repeating it. Whoever reads an answer from memory or disk that
 * another process writes asks too: nothing else is ever sent to a visitor.
 */
int hc_answer_check(const struct hc_answer *answer, struct hc_error *err) HC_MUST_USE;

/* True if they are laid out at the same place; with the same value as well. */
bool hc_answer_same_place(const struct hc_answer *a, const struct hc_answer *b);
bool hc_answer_equal(const struct hc_answer *a, const struct hc_answer *b);

/*
 * Of two values at one place, which has room for one: true if a is the one that is shown. Every
 * agent on the store comes to the same, whatever it heard of first: the one that was made first as
 * long as its turn lasts (HC_ANSWER_TURN_S), then the newest. What is made for less than
 * HC_ANSWER_LIFE_S has no turn, and gives way at once.
 */
bool hc_answer_goes_first(const struct hc_answer *a, const struct hc_answer *b, int64_t now);

/* SHA-256 of kind and key: the place. len: of the key. */
void hc_answer_place(enum hc_answer_kind kind, const char *key, size_t len,
                     unsigned char place[HC_ID_SIZE]);

/* Copies its strings, into one piece of memory; *out is the caller's to dispose. */
int hc_answer_copy(struct hc_answer *out, const struct hc_answer *from,
                   struct hc_error *err) HC_MUST_USE;
/* Frees and wipes the strings of a copy; safe on zeroed memory and twice. */
void hc_answer_dispose(struct hc_answer *answer);

#endif
