/* Trust anchors: the forms of the file, what is refused, and how a file is followed. */
#include "dns/anchors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define HASH "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
#define DS   ". IN DS 20326 8 2 " HASH "\n"
#define KEY                                                                                        \
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN"

static const struct {
    const char *name;
    const char *text;
    size_t count;      /* 0: it is refused */
    const char *words; /* .. with these */
} rows[] = {
    {"a DS record", DS, 1, NULL},
    {"without a newline at its end",
     ". IN DS 1 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D", 1, NULL},
    {"two, with comments", "; keys\n" DS "\n" DS " ; again\n", 2, NULL},
    {"a DNSKEY record with a TTL", ". 86400 IN DNSKEY 257 3 8 " KEY "\n", 1, NULL},
    {"in brackets", ". IN DNSKEY 257 3 8 (\n " KEY "\n ) ;{id = 1} ;;state=2\n", 1, NULL},
    {"of another zone",
     "$ORIGIN test.\ncorp IN DS 1 13 2 "
     "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n",
     1, NULL},
    {"trust-anchors", "trust-anchors { . initial-key 257 3 8 \"" KEY "\"; };", 1, NULL},
    {"several blocks, all comments",
     "// a\n# b\n/* c */ trust-anchors { . static-ds 1 13 2 \"E06D44B8 0B8F1D39 A95C0B0D 7C65D084 "
     "58E88040 9BBC6834 57104237 C7F8EC8D\"; };\n"
     "managed-keys { test. initial-key 257 3 8 \"" KEY "\"; };",
     2, NULL},
    {"trusted-keys", "trusted-keys { \".\" 257 3 8 \"" KEY "\"; };", 1, NULL},
    {"with a byte order mark", "\xef\xbb\xbf" DS, 1, NULL},
    {"unbound's, with a key that it has only seen and one that is gone",
     "; autotrust trust anchor file\n;;id: . 1\n"
     ".\t86400\tIN\tDNSKEY\t257 3 8 " KEY " ;{id = 1 (ksk)} ;;state=2 [  VALID  ] ;;count=0\n"
     ".\t86400\tIN\tDNSKEY\t257 3 8 " KEY " ;{id = 2 (ksk)} ;;state=1 [ ADDPEND ] ;;count=3\n"
     ".\t86400\tIN\tDNSKEY\t257 3 8 " KEY " ;{id = 3 (ksk)} ;;state=3 [ MISSING ] ;;count=0\n"
     ".\t86400\tIN\tDNSKEY\t257 3 8 " KEY " ;{id = 4 (ksk)} ;;state=4 [ REVOKED ] ;;count=0\n",
     2, NULL},
    {"a revoked key beside another one", ". IN DNSKEY 385 3 8 " KEY "\n" DS, 1, NULL},
    {"an unknown algorithm beside a known one", ". IN DS 1 253 2 " HASH "\n" DS, 2, NULL},
    {"unknown algorithms alone", ". IN DS 1 253 2 " HASH "\n. IN DNSKEY 257 3 253 " KEY "\n", 0,
     "it has no key of an algorithm that hotcert knows"},
    {"a digest of an unknown kind alone", ". IN DS 1 8 3 " HASH "\n", 0, "no key of an algorithm"},
    {"a digest that is too short", DS ". IN DS 1 8 2 E06D44\n", 0,
     "it has a DS record whose digest has a wrong length"},
    {"no key of a zone", DS ". IN DNSKEY 0 3 8 " KEY "\n", 0,
     "it has a DNSKEY record that is no key of a zone"},
    {"another protocol", ". IN DNSKEY 257 2 8 " KEY "\n", 0, "that is no key of a zone"},
    {"another class", ". CH DS 1 8 2 " HASH "\n", 0, "of another class than IN"},
    {"nothing", "", 0, "it has no DS or DNSKEY record"},
    {"comments alone", "; nothing\n", 0, "it has no DS or DNSKEY record"},
    {"an empty block", "trust-anchors { };", 0, "it has no DS or DNSKEY record"},
    {"another record", DS ". IN NS a.test.\n", 0, "neither DS nor DNSKEY"},
    {"no record", DS "\n. IN DS 1 2\n", 0, "line 3 is neither a DS or DNSKEY record"},
    {"a block that does not end", "trust-anchors { . static-key 257 3 8 \"" KEY "\";", 0,
     "malformed"},
    {"a block without a brace", "trust-anchors . static-key;", 0, "malformed"},
    {"a statement without its words", "trust-anchors { . static-key 257; };", 0, "has 3 words"},
    {"no key", "trust-anchors { . static-key 257 3 8 \"%%%\"; };", 0, "is not a trust anchor"},
    {"something else behind it",
     "trust-anchors { . static-key 257 3 8 \"" KEY "\"; }; options { };", 0,
     "is not one of trust-anchors"},
    {"a PEM file", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0, "neither"},
};

static void each_form_is_read(void)
{
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_dns_reply out;
        struct hc_error err = {0};
        int rc = hc_anchors_parse(rows[i].text, strlen(rows[i].text), "FILE", &out, &err);

        is_int(rc, rows[i].count > 0 ? 0 : -1, rows[i].name);
        if (rc == 0) {
            is_int((long long)out.answers, (long long)rows[i].count, "so many");
            hc_dns_reply_dispose(&out);
        } else {
            ok(rows[i].words != NULL && strstr(err.detail, rows[i].words) != NULL, "it says why");
            is_str(err.subject, "FILE", "of which file");
        }
    }
}

static void what_is_too_much_is_refused(void)
{
    struct hc_dns_reply out;
    struct hc_error err = {0};
    char text[8000] = "";

    for (int i = 0; i < 33; i++) {
        strcat(text, DS);
    }
    is_int(hc_anchors_parse(text, strlen(text), "FILE", &out, &err), -1, "more than 32 anchors");
    ok(strstr(err.detail, "more than 32") != NULL, "are too many");
    hc_error_init(&err);
    is_int(hc_anchors_parse("a\0b", 3, "FILE", &out, &err), -1, "no text");
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0) {
        printf("Bail out! %s cannot be written\n", path);
        exit(1);
    }
}

static void a_file_is_followed(void)
{
    char folder[] = "/tmp/hotcert-anchors-XXXXXX";
    char path[64];
    struct hc_anchors *anchors = NULL;
    struct hc_error err = {0};

    if (mkdtemp(folder) == NULL) {
        printf("Bail out! no folder\n");
        exit(1);
    }
    snprintf(path, sizeof(path), "%s/key", folder);
    is_int(hc_anchors_check(path, &err), -1, "a file that is not there is refused");
    is_str(err.subject, path, "and named");
    put(path, DS);
    is_int(hc_anchors_new(path, &anchors, &err), 0, "it is there");
    ok(anchors->named && !anchors->off && anchors->records.answers == 1, "and has one anchor");
    put(path, DS DS);
    hc_anchors_follow(anchors, 5000);
    is_int((long long)anchors->records.answers, 2, "another one is added");
    put(path, DS DS DS);
    hc_anchors_follow(anchors, 5001);
    is_int((long long)anchors->records.answers, 2, "which is not looked for all the time");
    put(path, "no anchor at all\n");
    hc_anchors_follow(anchors, 20000);
    is_int((long long)anchors->records.answers, 2, "a file that is none changes nothing");
    unlink(path);
    hc_anchors_follow(anchors, 30000);
    is_int((long long)anchors->records.answers, 2, "nor does one that is gone");
    hc_anchors_free(anchors);
    rmdir(folder);
}

static void off_is_off(void)
{
    struct hc_anchors *anchors = NULL;
    struct hc_error err = {0};

    is_int(hc_anchors_check("off", &err), 0, "off is no file");
    is_int(hc_anchors_check(NULL, &err), 0, "nor is nothing");
    is_int(hc_anchors_new("off", &anchors, &err), 0, "off");
    ok(anchors->off && !anchors->named && anchors->records.answers == 0, "has no anchors");
    hc_anchors_follow(anchors, 5000);
    hc_anchors_free(anchors);
    hc_anchors_free(NULL);
}

int main(void)
{
    each_form_is_read();
    what_is_too_much_is_refused();
    a_file_is_followed();
    off_is_off();
    return done();
}
