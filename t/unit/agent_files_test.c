/* Watched files: what is an error of which of them, and what tells two states apart. */
#include "agent/files.h"

#include <string.h>

#include "tap.h"

static char certificate[] = "/etc/tls/a.pem";
static char key[] = "/etc/tls/a.key";
static char *paths[] = {certificate, key};
static const struct hc_watched watched = {
    .certificate = 0, .key = 1, .passphrase = -1, .chain = -1, .store = -1, .folder = -1};

static void fault(struct hc_conf *conf, const struct hc_subject *subject, const char *hint,
                  struct hc_error *err)
{
    struct hc_findings list = {0};

    hc_error_init(err);
    if (hc_findings_add_of(&list, HC_P_PEM_DAMAGED, subject, NULL, "its END line is broken") != 0 ||
        (hint != NULL && hc_findings_hint(&list, NULL, "%s", hint) != 0)) {
        ok(false, "memory");
        return;
    }
    is_int(hc_files_fault(conf, &watched, &list.items[0], err), -1, "it is an error");
    is_int(err->problem, HC_P_PEM_DAMAGED, "of the finding's kind");
    hc_findings_dispose(&list);
}

static void a_fault_names_the_file(void)
{
    struct hc_conf conf = {.files = {paths, HC_COUNT(paths), HC_COUNT(paths)}};
    struct hc_subject subject = hc_subject_of(HC_SUBJECT_ITSELF, "/etc/tls/a.key:3");
    struct hc_error err;

    fault(&conf, &subject, NULL, &err);
    is_str(err.subject, "/etc/tls/a.key:3", "the file and line that the finding names");
    is_str(err.detail, "its END line is broken", "and what it says of them");
    is_str(err.hint, "", "the hint of its kind is the table's");
    subject = hc_subject_of(HC_SUBJECT_CERTIFICATE, "certificate 1 (leaf)");
    fault(&conf, &subject, "write it anew", &err);
    is_str(err.subject, "/etc/tls/a.pem", "else the certificate's file");
    is_str(err.detail, "certificate 1 (leaf): its END line is broken",
           "with the certificate in it that is meant");
    is_str(err.hint, "write it anew", "and the finding's own hint");
    subject = hc_subject_of(HC_SUBJECT_PAIR, "certificate and key");
    fault(&conf, &subject, NULL, &err);
    is_str(err.subject, "/etc/tls/a.pem", "as for what both files are together");
}

static void states_are_told_apart(void)
{
    struct hc_file_stamp a[HC_FILES_PARTS];
    struct hc_file_stamp b[HC_FILES_PARTS];

    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    ok(hc_files_same(a, b) && hc_files_mark(a) == hc_files_mark(b), "the same is the same");
    ok(hc_files_mark(a) != 0, "and has a number, also where there is nothing");
    b[HC_FILES_KEY].size = 1;
    ok(!hc_files_same(a, b) && hc_files_mark(a) != hc_files_mark(b), "one part differs");
}

static void parts_have_their_place(void)
{
    is_int(hc_files_index(&watched, HC_FILES_KEY), 1, "the key's file");
    is_int(hc_files_index(&watched, HC_FILES_CHAIN), -1, "there is no file of issuers");
    ok(hc_files_is_optional(HC_FILES_STORE) && hc_files_is_optional(HC_FILES_FOLDER),
       "a pair does not depend on CA certificates");
    ok(!hc_files_is_optional(HC_FILES_CERTIFICATE) && !hc_files_is_optional(HC_FILES_KEY),
       "but on its own two");
}

int main(void)
{
    a_fault_names_the_file();
    states_are_told_apart();
    parts_have_their_place();
    return done();
}
