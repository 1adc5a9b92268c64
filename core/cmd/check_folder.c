/*
 * Folders of `hotcert check`: how well-known tools lay out certificate, chain and key, in one
 * table. What the table does not know has to be named file by file.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check.h"
#include "cmd/input.h"
#include "pki/pair.h"

#define PAIRS_MAX 10000 /* of one folder */
#define DEPTH_MAX 4     /* the folder of a tool, of its CA, of a name */

/*
 * "*" stands for the same text in all names of a row (a host's name, mostly) where the certificate
 * has one; a "*" that only the key has stands for any. "@" is the folder's own name.
 */
struct layout {
    const char *tool;
    const char *certificate;
    const char *chain; /* NULL: in the certificate's file */
    const char *key;   /* NULL: there as well */
    bool beside;       /* looked for also where a row before this one was found */
};

static const struct layout layouts[] = {
    {"certbot, dehydrated or Synology DSM", "fullchain.pem", NULL, "privkey.pem", false},
    {"mod_md", "pubcert.pem", NULL, "privkey.pem", false},
    {"mod_md", "pubcert.*.pem", NULL, "privkey.*.pem", true},
    {"acme.sh", "fullchain.cer", NULL, "*.key", false},
    {"simp_le", "fullchain.pem", NULL, "key.pem", false},
    {"acmetool", "fullchain", NULL, "privkey", false},
    {"getssl", "fullchain.crt", NULL, "*.key", false},
    {"uacme", "cert.pem", NULL, "../private/@/key.pem", false},
    {"certbot", "cert.pem", "chain.pem", "privkey.pem", false},
    {"a tool that uses these names", "cert.pem", NULL, "privkey.pem", false},
    {"a tool that uses these names", "cert.pem", NULL, "key.pem", false},
    {"Kubernetes or cert-manager", "tls.crt", NULL, "tls.key", false},
    {"Virtualmin", "ssl.cert", "ssl.ca", "ssl.key", false},
    {"Virtualmin", "ssl.combined", NULL, "ssl.key", false},
    {"cPanel", "combined", NULL, NULL, false},
    {"Proxmox VE", "pveproxy-ssl.pem", NULL, "pveproxy-ssl.key", false},
    {"win-acme", "*-chain.pem", NULL, "*-key.pem", false},
    {"OpenBSD's acme-client", "*.fullchain.pem", NULL, "private/*.key", false},
    {"ISPConfig", "*-le.crt", "*-le.bundle", "*-le.key", false},
    {"lego or Caddy", "*.crt", NULL, "*.key", false},
    {"HAProxy or lighttpd (all in one file)", "*.pem", NULL, NULL, false},
};

/* Folders in which tools keep one folder for each name, or for each CA. */
static const char *const containers[] = {"live", "certs", "certificates", "domains", "*-directory"};

struct folder {
    const char *path;
    struct dirent **entries;
    int count;
};

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

/* The folder's own name, with symlinks and "." resolved. */
static void own_name(const char *folder, char name[NAME_MAX + 1])
{
    char real[PATH_MAX];
    const char *slash = realpath(folder, real) != NULL ? strrchr(real, '/') : NULL;

    (void)hc_copy(name, NAME_MAX + 1, slash != NULL ? slash + 1 : "");
}

/* pattern with "*" and "@" filled in, below the folder; "" if that is too long. */
static void fill_in(const struct folder *f, const char *pattern, const char *stem,
                    char path[PATH_MAX])
{
    char own[NAME_MAX + 1];
    size_t used = 0;

    own_name(f->path, own);
    used = (size_t)snprintf(path, PATH_MAX, "%s/", f->path);
    for (; *pattern != '\0' && used + 1 < PATH_MAX; pattern++) {
        const char one[2] = {*pattern, '\0'};
        const char *piece = *pattern == '*' ? stem : *pattern == '@' ? own : one;

        used += (size_t)snprintf(path + used, PATH_MAX - used, "%s", piece);
    }
    if (*pattern != '\0' || used >= PATH_MAX) {
        path[0] = '\0';
    }
}

/* What "*" stands for in a name that fits the pattern; false: it does not fit. */
static bool stem_of(const char *pattern, const char *name, char stem[NAME_MAX + 1])
{
    size_t before = strcspn(pattern, "*");
    size_t fixed = strlen(pattern) - 1;
    size_t len = strlen(name);

    if (pattern[before] == '\0') {
        stem[0] = '\0';
        return strcmp(pattern, name) == 0;
    }
    if (len <= fixed || fnmatch(pattern, name, 0) != 0) {
        return false;
    }
    memcpy(stem, name + before, len - fixed);
    stem[len - fixed] = '\0';
    return true;
}

/* The stem of the only kind of file that fits: of the key beside a certificate of a fixed name. */
static bool find_stem(const struct folder *f, const char *pattern, char stem[NAME_MAX + 1])
{
    for (int i = 0; i < f->count; i++) {
        if (stem_of(pattern, f->entries[i]->d_name, stem)) {
            return true;
        }
    }
    return false;
}

/* A file with all in it has a key, or is somebody's chain. */
static bool holds_key(const char *path)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    static const char word[] = "PRIVATE KEY-----";
    bool found = hc_input_read(path, &text, NULL, NULL) == 0 && text.len > 0 &&
                 memmem(text.data, text.len, word, sizeof(word) - 1) != NULL;

    hc_buf_dispose(&text);
    return found;
}

/* Judges the pair to which this file is the certificate; false: it is none of this layout. */
static bool judge_entry(struct hc_check_run_state *run, const struct folder *f,
                        const struct layout *layout, const char *name)
{
    char stem[NAME_MAX + 1];
    char certificate[PATH_MAX];
    char chain[PATH_MAX] = "";
    char key[PATH_MAX] = "";
    struct hc_check_tool_files paths = {.tool = layout->tool, .certificate = certificate};
    struct hc_error err;

    hc_error_init(&err);
    if (!stem_of(layout->certificate, name, stem) || !join(certificate, f->path, name)) {
        return false;
    }
    if (layout->key != NULL && strchr(layout->certificate, '*') == NULL &&
        strchr(layout->key, '*') != NULL && !find_stem(f, layout->key, stem)) {
        return false;
    }
    if (layout->chain != NULL) {
        fill_in(f, layout->chain, stem, chain);
        paths.chain = chain;
    }
    if (layout->key != NULL) {
        fill_in(f, layout->key, stem, key);
        paths.key = key;
    }
    if ((paths.chain != NULL && !exists(chain)) || (paths.key != NULL && !exists(key)) ||
        (paths.key == NULL && !holds_key(certificate))) {
        return false;
    }
    if (hc_check_tool_files(run, &paths, &err) != 0) {
        hc_check_unreached(run, &err);
    }
    return true;
}

/* How many pairs lie in this very folder. */
static size_t judge_here(struct hc_check_run_state *run, const struct folder *f)
{
    size_t found = 0;

    for (size_t l = 0; l < HC_COUNT(layouts); l++) {
        if (found > 0 && !layouts[l].beside) {
            continue;
        }
        for (int i = 0; i < f->count && found < PAIRS_MAX; i++) {
            found += judge_entry(run, f, &layouts[l], f->entries[i]->d_name);
        }
    }
    return found;
}

static bool is_container(const char *name)
{
    for (size_t i = 0; i < HC_COUNT(containers); i++) {
        if (fnmatch(containers[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int open_folder(const char *path, struct folder *f, struct hc_error *err)
{
    f->path = path;
    f->entries = NULL;
    f->count = scandir(path, &f->entries, visible, alphasort);
    return f->count >= 0
               ? 0
               : hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "reading the folder");
}

static void close_folder(struct folder *f)
{
    for (int i = 0; i < f->count; i++) {
        free(f->entries[i]);
    }
    free(f->entries);
}

/*
 * The pairs of a folder, or else of its subfolders; what lies deeper only below folders that tools
 * are known to have. A subfolder that cannot be read holds none.
 */
static size_t judge_tree(struct hc_check_run_state *run, const struct folder *f, bool deeper,
                         unsigned depth)
{
    size_t found = judge_here(run, f);

    for (int i = 0; found < PAIRS_MAX && deeper && depth < DEPTH_MAX && i < f->count; i++) {
        const char *name = f->entries[i]->d_name;
        char path[PATH_MAX];
        struct folder sub;

        if (f->entries[i]->d_type == DT_REG || !join(path, f->path, name) ||
            open_folder(path, &sub, NULL) != 0) {
            continue;
        }
        found += judge_tree(run, &sub, is_container(name), depth + 1);
        close_folder(&sub);
    }
    return found;
}

int hc_check_folder(struct hc_check_run_state *run, const char *folder, struct hc_error *err)
{
    struct folder f;
    size_t found = 0;

    if (hc_check_is_store(folder)) {
        return hc_check_store(run, folder, err);
    }
    if (open_folder(folder, &f, err) != 0) {
        return -1;
    }
    found = judge_tree(run, &f, true, 0);
    close_folder(&f);
    return found > 0 ? 0
                     : hc_error_set(err, HC_P_NO_PAIR, folder,
                                    "it holds no files as certbot, dehydrated, acme.sh, mod_md, "
                                    "lego, Caddy or another well-known tool names them");
}
