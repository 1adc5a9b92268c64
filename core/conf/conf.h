/*
 * hc_conf: the validated configuration of one server process, made from directives by the glue,
 * and read by everything else.
 *
 * Life: hc_conf_new() -> hc_directive_apply() for each directive (conf/directive.h) ->
 * hc_conf_add_host() for each virtual host -> hc_conf_finish() -> read only. hc_conf_encode() makes
 * the wire form that the agent, the loader and the keeper are given; hc_conf_decode() reads it.
 * One thread. The conf owns all that hangs below it.
 */
#ifndef HC_CONF_CONF_H
#define HC_CONF_CONF_H

#include "base/buf.h"
#include "base/error.h"
#include "base/finding.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/index.h"

#define HC_ID_SIZE            32  /* an identity: SHA-256 */
#define HC_KEY_TYPES_MAX      2   /* key types that `on` obtains for one host */
#define HC_WATCHED_MAX        4   /* watched pairs of one host */
#define HC_NAMES_MAX          100 /* names in one certificate; what public CAs allow */
#define HC_DNS_LISTEN_MAX     8   /* addresses of the DNS responder */
#define HC_DNS_LISTEN_TEXT    64  /* one of them, with NUL */
#define HC_DNS_NS_WORDS       36  /* its name servers with their addresses: */
#define HC_DNS_NS_MAX         4   /* so many names .. */
#define HC_DNS_NS_ADDRESS_MAX 8   /* .. each with so many addresses */
#define HC_KEPT_FILE          "SSLPassPhraseDialog" /* among the files: no path, httpd's passphrases */
#define HC_CONF_WIRE_MAX      ((size_t)64 << 20)

/* Enums of directives: zero is "unset", the others are in the order of the words in rows*.c. */
enum hc_server { HC_SERVER_NGINX, HC_SERVER_HTTPD, HC_SERVER_NONE };
enum hc_mode { HC_MODE_UNSET, HC_MODE_OFF, HC_MODE_ON, HC_MODE_WATCH };
enum hc_bootstrap { HC_BOOTSTRAP_UNSET, HC_BOOTSTRAP_SELF_SIGNED, HC_BOOTSTRAP_REJECT };
enum hc_preflight_mode {
    HC_PREFLIGHT_UNSET,
    HC_PREFLIGHT_ON,     /* names are checked before an order, bad ones are left out or held */
    HC_PREFLIGHT_ADVISE, /* checked, only logged */
    HC_PREFLIGHT_OFF,
};
enum hc_bad_names { HC_BAD_NAMES_UNSET, HC_BAD_NAMES_LEAVE_OUT, HC_BAD_NAMES_HOLD };
enum hc_repair { HC_REPAIR_UNSET, HC_REPAIR_OFF, HC_REPAIR_AIA };
enum hc_switch { HC_SWITCH_UNSET, HC_SWITCH_ON, HC_SWITCH_OFF };
enum hc_network { HC_NETWORK_AUTO, HC_NETWORK_PUBLIC, HC_NETWORK_PRIVATE };
enum hc_key_type {
    HC_KEY_NONE,
    HC_KEY_ECDSA_256,
    HC_KEY_ECDSA_384,
    HC_KEY_RSA_2048,
    HC_KEY_RSA_3072,
    HC_KEY_RSA_4096,
    HC_KEY_OTHER, /* of a watched file: P-521, Ed25519, other RSA sizes */
};

/* "ecdsa:256" and so on; never NULL. */
const char *hc_key_type_name(enum hc_key_type type);
/* HC_KEY_NONE if it is none that `on` can order. */
enum hc_key_type hc_key_type_parse(const char *name);
bool hc_key_type_is_rsa(enum hc_key_type type);

enum hc_eab_algorithm { HC_EAB_UNSET, HC_EAB_HS256, HC_EAB_HS384, HC_EAB_HS512 };

/* An ACME certificate authority, RFC 8555. */
struct hc_issuer {
    char *name;
    char *directory_url;
    struct hc_list contacts; /* "mailto:.." */
    enum hc_switch terms_agreed;
    char *eab_kid; /* external account binding, RFC 8555 section 7.3.4; or NULL */
    char *eab_key; /* the file that holds its key */
    enum hc_eab_algorithm eab_algorithm;
    char *ca_bundle;            /* PEM file of roots for the CA's own TLS, or NULL: the system's */
    enum hc_network network;    /* who may ask us: see directives */
    int64_t http_port;          /* where a private CA asks for http-01; 80 */
    int64_t tls_port;           /* where it asks for tls-alpn-01; 443 */
    struct hc_list challenges;  /* in place of the hosts'; empty: those */
    struct hc_list profile;     /* name, then "required" or nothing; empty: the CA's default */
    char *preferred_chain;      /* the common name at its end; NULL: the CA's default */
    char *address_profile;      /* of orders with an IP address; NULL: none is asked for */
    struct hc_list caa_domains; /* for CAA, where the directory names no caaIdentities */
    char *where;                /* "file:line", or "built in" */
};

enum hc_style {
    HC_STYLE_UNSET,
    HC_STYLE_DEHYDRATED,
    HC_STYLE_CERTBOT,
    HC_STYLE_LEGO,
    HC_STYLE_ACME_SH,
    HC_STYLE_MOD_MD,
};

enum hc_http_form { HC_FORM_UNSET, HC_FORM_DEFAULT, HC_FORM_RAW };

/* How TXT records are written: hotcert_dns NAME { }. Which options a type has: writer.h. */
struct hc_dns_block {
    char *name;
    char *type;                  /* a word of writer.c */
    int64_t propagation_timeout; /* seconds */
    char *server;
    char *key_file;
    int64_t ttl; /* seconds; 0: the writer's own */
    char *program;
    char *cleanup; /* HC_STYLE_CERTBOT: what removes */
    enum hc_style style;
    struct hc_list env; /* name, value, name, value .. */
    int64_t time_limit; /* seconds; 0: the writer's own */
    char *endpoint;     /* a URL */
    char *credentials;  /* a file */
    enum hc_http_form form;
    char *role_arn;
    char *hosted_zone; /* its id */
    char *where;
};

/* Key types to obtain, ECDSA first; count 0: unset. */
struct hc_key_types {
    size_t count;
    enum hc_key_type items[HC_KEY_TYPES_MAX];
};

/*
 * What directives said at one level: http{} / the main server, or one virtual host. A field that
 * has a key on the wire is handed down: host, main level, preset.
 */
struct hc_scope {
    enum hc_mode mode;
    bool has_names;
    struct hc_list names;
    struct hc_list use;        /* issuer names; empty: unset */
    struct hc_list challenges; /* empty: unset */
    char *dns_use;             /* the name of a hotcert_dns, or NULL */
    struct hc_list profile;    /* in place of the issuer's; empty: unset */
    struct hc_key_types key_types;
    struct hc_list files; /* hotcert_files: certificate, key, certificate, key .. */
    char *trusted_certificate;
    enum hc_bootstrap bootstrap;
    bool has_accept;
    struct hc_list accept; /* slugs */
    enum hc_preflight_mode preflight;
    enum hc_bad_names bad_names;
    enum hc_repair repair;
    size_t number; /* of one of hc_conf.sets: its place there */
};

/* One watched pair: indices into hc_conf.files; -1 where there is none. */
struct hc_watched {
    int certificate;
    int key;
    int passphrase;
    int chain;  /* a file with issuers, as httpd's SSLCertificateChainFile */
    int store;  /* CA certificates that OpenSSL would complete the chain from: a file .. */
    int folder; /* .. and a folder; the keeper opens no folder */
};

/* What is to be served together: hosts with the same identity share it. */
struct hc_identity {
    unsigned char id[HC_ID_SIZE]; /* SHA-256 of source, names and key types; of paths for watch */
    enum hc_mode mode;            /* HC_MODE_ON or HC_MODE_WATCH */
    struct hc_list names;         /* normalised, sorted, unique */
    char *lead; /* the one of them that stands first at the first host: what people know it by;
                   NULL: there are none, or the first of them (hc_identity_label()) */
    /*
     * What directives say for its hosts, with what is inherited and the presets: what is handed
     * down, nothing else. Of the first host, but accept, which each adds to; under watch nothing
     * about orders. Identities that say the same share one; it is the conf's.
     */
    const struct hc_scope *set;
    struct hc_watched
        *watched; /* under `on` the lines of the first certificate: see agent/first.h */
    size_t watched_count;
    int security_level;   /* OpenSSL's, the strictest of the hosts'; 0: not known */
    bool is_default;      /* one of the hosts is: see hc_host; not on the wire */
    struct hc_list where; /* "file:line" of each host */
};

struct hc_conf {
    enum hc_server server;
    struct hc_scope main;
    struct hc_issuer *issuers;
    size_t issuer_count;
    struct hc_dns_block *dns;
    size_t dns_count;
    struct hc_identity *identities;
    size_t identity_count;
    struct hc_scope **sets; /* each hc_identity.set once */
    size_t set_count;
    struct hc_list files; /* watched paths, each once: the keeper opens these by index */
    /*
     * What the keeper gives out under the name HC_KEPT_FILE, as if it were a watched file: set by
     * the glue for the keeper's start alone, never on the wire.
     */
    struct hc_buf kept;
    char *store;            /* folder */
    char *secret;           /* file */
    char *agent;            /* the program */
    char *control;          /* socket */
    char *agent_user;       /* hotcert_user; NULL: the user hotcert where there is one */
    char *user;             /* the worker user's name, set by the glue; NULL: not started as root */
    int64_t check_interval; /* seconds; 0 unset before hc_conf_finish() */
    int64_t parallel;       /* orders side by side */
    int64_t table_size;     /* bytes */
    struct hc_list contacts;
    struct hc_list resolvers;  /* ADDR, ADDR:PORT, [ADDR]:PORT; empty: the system's */
    struct hc_list cdn_ranges; /* files of address ranges, and whose they are */
    char *dnssec_anchor;       /* a file, "off", or NULL: the usual files */
    struct hc_list dns_listen; /* ADDR:PORT, [ADDR]:PORT: where the DNS responder answers */
    char *dns_zone;            /* the zone that it has; NULL: _acme-challenge of each name */
    struct hc_list dns_ns;     /* its name servers: each name with its addresses behind it */
    enum hc_switch terms_agreed;
    bool joins_running; /* set by the glue: the server ran before it had hotcert */

    /* Of a decoded one: the version of who encoded it, and what it said that is not known here. */
    char *from;
    struct hc_list unknown;

    /* While it is built: */
    struct hc_scope presets;
    struct hc_list dns_methods; /* what holds for a host that names a hotcert_dns instead */
    struct hc_index file_index, identity_index, set_index;
};

/* What the glue knows of a virtual host when its directives are complete. */
struct hc_host {
    const struct hc_scope *scope; /* the host's own; the main scope's values are inherited */
    const char *where;            /* "file:line" */
    const struct hc_list *names;  /* as the server has them: raw, with regexes, "_", wildcards */
    bool rejects;                 /* left out, it refuses handshakes: it needs no certificate */
    bool tls;                     /* it has a TLS (or QUIC) listener */
    bool is_default;              /* .. and is served there where a client sends no name */
    bool has_certificate;         /* directives that hold for it name a certificate */
    bool own_certificate;         /* directives of the host itself do */
    const char *not_inherited; /* a certificate of the level above that is passed over, or NULL */
    int security_level;        /* SSL_CTX_get_security_level(); 0: not known yet */
    const char *chain_file;    /* issuers of all its certificates, or NULL */
    const char *store_file, *store_folder; /* CA certificates to complete chains from, or NULL */
    const struct hc_list
        *files; /* certificate, key, passphrase file or "" .. : triples; may be NULL */
};

/* Messages of this process name directives as this server writes them; base/spelling.h. */
void hc_server_speak(enum hc_server server);

/* What people know the identity by: its lead, else the place of its first host. */
const char *hc_identity_label(const struct hc_identity *identity);

/* Room for one more identity at the end. */
int hc_conf_make_room(struct hc_conf *conf, struct hc_error *err) HC_MUST_USE;

/* Frees what the identity holds, not itself; safe on zeroed memory and twice. */
void hc_identity_dispose(struct hc_identity *identity);

/* True if certificates are ordered: not where all hosts are `watch`. */
bool hc_conf_orders(const struct hc_conf *conf);

/* The mode that holds for a host: its own, else the main scope's, else off. */
enum hc_mode hc_scope_mode(const struct hc_conf *conf, const struct hc_scope *scope);
enum hc_bootstrap hc_scope_bootstrap(const struct hc_conf *conf, const struct hc_scope *scope);

/*
 * True if a host with these names (as hc_host's) only inherits `on` and has none to order: a
 * catch-all, which is left out, or which mode is then no word of the operator's for it.
 */
bool hc_conf_orders_nothing(const struct hc_conf *conf, const struct hc_scope *scope,
                            const struct hc_list *names);

/*
 * True if a mode that the host only inherits leaves it to the server: `watch` where no files hold
 * for it (name-based hosts without a certificate, certificates of other modules), `on` where the
 * host itself names a certificate (own_certificate). What it says itself is always done, or
 * refused. The glue asks before it takes a host's certificates over; hc_conf_add_host() asks too.
 */
bool hc_conf_leaves_host(const struct hc_conf *conf, const struct hc_scope *scope,
                         bool own_certificate, bool has_files);

/*
 * Adds a host. *index is its identity's, or -1 when hotcert is off there, leaves it as it is,
 * or it has no TLS listener. What is left out or odd goes to notes as remarks. -1 when the start
 * must be refused.
 */
int hc_conf_add_host(struct hc_conf *conf, const struct hc_host *host, int *index,
                     struct hc_findings *notes, struct hc_error *err) HC_MUST_USE;

/* How loud a remark of hc_conf_add_host() is said. */
enum hc_level hc_note_level(const struct hc_finding *note);

/* A host's security level that became known later; the strictest counts. */
void hc_identity_note_level(struct hc_identity *identity, int security_level);

/*
 * The wire form (conf/wire.h): text. Decoding refuses what is malformed and passes over what it
 * does not know; a form that is not this one's is HC_P_SERVER_OTHER.
 */
int hc_conf_encode(const struct hc_conf *conf, struct hc_buf *out,
                   struct hc_error *err) HC_MUST_USE;
struct hc_conf *hc_conf_decode(const char *text, size_t len, struct hc_error *err);

#endif
