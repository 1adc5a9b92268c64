/* Proofs that something is not there, by NSEC and NSEC3: what they show, and what they do not. */
#include "dns/denial.h"

#include "signed_reply.h"
#include "tap.h"

static struct pen pen, parent_pen;

static struct hc_keys keys_of(void)
{
    struct hc_keys keys = {.zone = dname("z.test"), .count = 1};

    keys.items[0].rr = pen.dnskey;
    keys.items[0].tag = ldns_calc_keytag(pen.dnskey);
    keys.items[0].algorithm = 13;
    return keys;
}

static void take(const struct hc_dns_reply *reply, struct hc_denials *out)
{
    struct hc_keys keys = keys_of();
    struct hc_dnssec_work work = {.now = PEN_NOW, .left = HC_DNSSEC_TRIES};

    hc_denials_take(reply, &keys, &work, out);
}

enum what { NAME, TYPE, CLOSER, CUT };

static int judge(struct hc_denials *d, enum what what, const char *text, unsigned number)
{
    struct hc_dname name = dname(text);

    switch (what) {
    case NAME:
        return (int)hc_denial_of_name(d, &name);
    case TYPE:
        return (int)hc_denial_of_type(d, &name, number);
    case CLOSER:
        return (int)hc_denial_of_closer(d, &name, number);
    case CUT:
        break;
    }
    return (int)hc_denial_of_cut(d, &name);
}

#define SHOWN  HC_DENIAL_PROVED
#define LACKS  HC_DENIAL_MISSING
#define OPEN   HC_DENIAL_UNSIGNED
#define WITHIN HC_CUT_NONE
#define PLAIN  HC_CUT_UNSIGNED
#define NOBODY HC_CUT_UNPROVED

/* The zone, in order: z.test (SOA), a, *.b, c (delegated), e.d (d has no records), m.test.. z */
static const struct {
    const char *name;
    const char *records; /* NSEC, one a line */
    enum what what;
    const char *question;
    unsigned number;
    int wants;
} by_nsec[] = {
    {"a name between two others, and no wildcard",
     "a.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC\nz.test. 300 IN NSEC a.z.test. NS SOA RRSIG "
     "NSEC",
     NAME, "bb.z.test", 0, SHOWN},
    {"the wildcard is not denied", "a.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", NAME,
     "bb.z.test", 0, LACKS},
    {"the last one of the zone",
     "m.z.test. 300 IN NSEC z.test. A RRSIG NSEC\nz.test. 300 IN NSEC a.z.test. NS SOA RRSIG NSEC",
     NAME, "zz.z.test", 0, SHOWN},
    {"the name has a record of its own", "bb.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", NAME,
     "bb.z.test", 0, LACKS},
    {"names below it exist, so it does", "a.z.test. 300 IN NSEC e.d.z.test. A RRSIG NSEC", NAME,
     "d.z.test", 0, LACKS},
    {"it has no such records", "d.z.test. 300 IN NSEC m.z.test. A RRSIG NSEC", TYPE, "d.z.test",
     HC_DNS_CAA, SHOWN},
    {"it has", "d.z.test. 300 IN NSEC m.z.test. CAA RRSIG NSEC", TYPE, "d.z.test", HC_DNS_CAA,
     LACKS},
    {"it is an alias", "d.z.test. 300 IN NSEC m.z.test. CNAME RRSIG NSEC", TYPE, "d.z.test",
     HC_DNS_CAA, LACKS},
    {"a name with nothing but names below it", "a.z.test. 300 IN NSEC e.d.z.test. A RRSIG NSEC",
     TYPE, "d.z.test", HC_DNS_A, SHOWN},
    {"the parent's record at a delegation denies nothing of the child",
     "c.z.test. 300 IN NSEC d.z.test. NS RRSIG NSEC", TYPE, "c.z.test", HC_DNS_A, LACKS},
    {"nor a name below it",
     "c.z.test. 300 IN NSEC d.z.test. NS RRSIG NSEC\nz.test. 300 IN NSEC a.z.test. NS SOA RRSIG "
     "NSEC",
     NAME, "x.c.z.test", 0, LACKS},
    {"nor does a DNAME record's",
     "c.z.test. 300 IN NSEC d.z.test. DNAME RRSIG NSEC\nz.test. 300 IN NSEC a.z.test. NS SOA "
     "RRSIG NSEC",
     NAME, "x.c.z.test", 0, LACKS},
    {"a wildcard without such records", "*.b.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", TYPE,
     "x.b.z.test", HC_DNS_TXT, SHOWN},
    {"a wildcard with them", "*.b.z.test. 300 IN NSEC c.z.test. TXT RRSIG NSEC", TYPE, "x.b.z.test",
     HC_DNS_TXT, LACKS},
    {"no nearer name than a wildcard", "*.b.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", CLOSER,
     "x.b.z.test", 3, SHOWN},
    {"a nearer one may be there", "a.z.test. 300 IN NSEC b.z.test. A RRSIG NSEC", CLOSER,
     "x.b.z.test", 3, LACKS},
    {"no zone begins where a name has no NS records",
     "a.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", CUT, "a.z.test", 0, WITHIN},
    {"nor where there is no name", "a.z.test. 300 IN NSEC c.z.test. A RRSIG NSEC", CUT, "bb.z.test",
     0, WITHIN},
    {"a delegation without a DS record", "c.z.test. 300 IN NSEC d.z.test. NS RRSIG NSEC", CUT,
     "c.z.test", 0, PLAIN},
    {"one with a DS record", "c.z.test. 300 IN NSEC d.z.test. NS DS RRSIG NSEC", CUT, "c.z.test", 0,
     NOBODY},
    {"the child's own word", "c.z.test. 300 IN NSEC d.z.test. NS SOA RRSIG NSEC", CUT, "c.z.test",
     0, NOBODY},
    {"another name's", "d.z.test. 300 IN NSEC e.z.test. A RRSIG NSEC", CUT, "c.z.test", 0, NOBODY},
};

static void nsec(void)
{
    for (size_t i = 0; i < HC_COUNT(by_nsec); i++) {
        struct hc_dns_reply reply;
        struct hc_denials denials;
        struct draft d;
        const char *at = by_nsec[i].records;

        draft_begin(&d);
        draft_authority(&d);
        while (*at != '\0') {
            char line[256];
            size_t len = strcspn(at, "\n");

            snprintf(line, sizeof(line), "%.*s", (int)len, at);
            draft_set(&d, &pen, line);
            at += len + (at[len] == '\n');
        }
        reply = draft_end(&d, 0);
        take(&reply, &denials);
        is_int(judge(&denials, by_nsec[i].what, by_nsec[i].question, by_nsec[i].number),
               by_nsec[i].wants, by_nsec[i].name);
        hc_dns_reply_dispose(&reply);
    }
}

/* NSEC3 records: at a name with types, or around it. */
static const struct {
    const char *name;
    struct {
        const char *at;
        const char *types; /* NULL: around it */
        unsigned flags;
    } records[4];
    enum what what;
    const char *question;
    unsigned number;
    int wants;
} by_nsec3[] = {
    {"the closest encloser, the next closer name and the wildcard",
     {{"z.test.", "NS SOA RRSIG", 0}, {"bb.z.test.", NULL, 0}, {"*.z.test.", NULL, 0}},
     NAME,
     "x.bb.z.test",
     0,
     SHOWN},
    {"without the wildcard",
     {{"z.test.", "NS SOA RRSIG", 0}, {"bb.z.test.", NULL, 0}},
     NAME,
     "bb.z.test",
     0,
     LACKS},
    {"without the encloser",
     {{"bb.z.test.", NULL, 0}, {"*.z.test.", NULL, 0}},
     NAME,
     "bb.z.test",
     0,
     LACKS},
    {"the encloser is a delegation",
     {{"c.z.test.", "NS", 0}, {"x.c.z.test.", NULL, 0}, {"*.c.z.test.", NULL, 0}},
     NAME,
     "x.c.z.test",
     0,
     LACKS},
    {"opt-out: an unsigned delegation may be there",
     {{"z.test.", "NS SOA RRSIG", 1}, {"bb.z.test.", NULL, 1}, {"*.z.test.", NULL, 1}},
     NAME,
     "bb.z.test",
     0,
     OPEN},
    {"it has no such records", {{"d.z.test.", "A RRSIG", 0}}, TYPE, "d.z.test", HC_DNS_CAA, SHOWN},
    {"it has", {{"d.z.test.", "CAA RRSIG", 0}}, TYPE, "d.z.test", HC_DNS_CAA, LACKS},
    {"a name with nothing but names below it",
     {{"d.z.test.", "", 0}},
     TYPE,
     "d.z.test",
     HC_DNS_A,
     SHOWN},
    {"the parent's record at a delegation",
     {{"c.z.test.", "NS", 0}},
     TYPE,
     "c.z.test",
     HC_DNS_A,
     LACKS},
    {"a wildcard without such records",
     {{"b.z.test.", "", 0}, {"x.b.z.test.", NULL, 0}, {"*.b.z.test.", "A RRSIG", 0}},
     TYPE,
     "x.b.z.test",
     HC_DNS_TXT,
     SHOWN},
    {"a wildcard with them",
     {{"b.z.test.", "", 0}, {"x.b.z.test.", NULL, 0}, {"*.b.z.test.", "TXT RRSIG", 0}},
     TYPE,
     "x.b.z.test",
     HC_DNS_TXT,
     LACKS},
    {"no nearer name than a wildcard",
     {{"x.b.z.test.", NULL, 0}},
     CLOSER,
     "y.x.b.z.test",
     3,
     SHOWN},
    {"a nearer one may be there", {{"y.x.b.z.test.", NULL, 0}}, CLOSER, "y.x.b.z.test", 3, LACKS},
    {"no zone begins here", {{"a.z.test.", "A RRSIG", 0}}, CUT, "a.z.test", 0, WITHIN},
    {"a delegation without a DS record", {{"c.z.test.", "NS", 0}}, CUT, "c.z.test", 0, PLAIN},
    {"one with a DS record", {{"c.z.test.", "NS DS RRSIG", 0}}, CUT, "c.z.test", 0, NOBODY},
    {"opt-out",
     {{"z.test.", "NS SOA RRSIG", 1}, {"c.z.test.", NULL, 1}},
     CUT,
     "c.z.test",
     0,
     PLAIN},
    {"no name here",
     {{"z.test.", "NS SOA RRSIG", 0}, {"c.z.test.", NULL, 0}},
     CUT,
     "c.z.test",
     0,
     WITHIN},
    {"half a proof", {{"c.z.test.", NULL, 1}}, CUT, "c.z.test", 0, NOBODY},
};

static void nsec3(void)
{
    for (size_t i = 0; i < HC_COUNT(by_nsec3); i++) {
        struct hc_dns_reply reply;
        struct hc_denials denials;
        struct draft d;

        draft_begin(&d);
        draft_authority(&d);
        for (size_t k = 0; k < 4 && by_nsec3[i].records[k].at != NULL; k++) {
            draft_nsec3(&d, &pen, "z.test.", by_nsec3[i].records[k].at,
                        by_nsec3[i].records[k].types, by_nsec3[i].records[k].flags);
        }
        reply = draft_end(&d, 0);
        take(&reply, &denials);
        is_int(judge(&denials, by_nsec3[i].what, by_nsec3[i].question, by_nsec3[i].number),
               by_nsec3[i].wants, by_nsec3[i].name);
        hc_dns_reply_dispose(&reply);
    }
}

static void what_costs_too_much_counts_as_not_signed(void)
{
    struct hc_keys keys = keys_of();
    struct hc_error err = {0};
    struct hc_dns_reply reply;
    struct hc_denials denials;
    struct draft d;
    char hash[64];
    char line[256];

    for (unsigned iterations = HC_NSEC3_ITERATIONS; iterations <= HC_NSEC3_ITERATIONS + 1;
         iterations++) {
        snprintf(line, sizeof(line), "%s.z.test. 300 IN NSEC3 1 0 %u ab %s A RRSIG",
                 nsec3_text("d.z.test.", iterations, 0, hash), iterations, hash);
        draft_begin(&d);
        draft_authority(&d);
        draft_set(&d, &pen, line);
        reply = draft_end(&d, 0);
        take(&reply, &denials);
        is_int(judge(&denials, TYPE, "d.z.test", HC_DNS_CAA),
               iterations > HC_NSEC3_ITERATIONS ? OPEN : SHOWN, "iterations have a limit");
        hc_dns_reply_dispose(&reply);
    }

    /* a name of a hundred labels: each would be hashed */
    draft_begin(&d);
    draft_authority(&d);
    draft_nsec3(&d, &pen, "z.test.", "z.test.", "NS SOA RRSIG", 0);
    reply = draft_end(&d, 0);
    take(&reply, &denials);
    line[0] = '\0';
    for (int i = 0; i < 100; i++) {
        strcat(line, "a.");
    }
    strcat(line, "z.test");
    is_int(judge(&denials, NAME, line, 0), LACKS, "a name of a hundred labels");
    ok(denials.hashed <= HC_DENIAL_HASHES, "costs no more than others");
    ok(hc_denials_cost(&denials) > 0, "which counts as work");
    is_str(hc_dnssec_name(hc_denial_fail(&denials, &keys, "A record of it", &err)), "unchecked",
           "and it is not called broken");
    is_str(err.detail,
           "the proof that there is no A record of it takes more hashes than hotcert "
           "computes",
           "but too much");
    hc_dns_reply_dispose(&reply);
}

static void only_what_the_zone_signed_counts(void)
{
    struct hc_keys keys = keys_of();
    struct hc_dns_reply reply;
    struct hc_denials denials;
    struct hc_error err = {0};
    struct draft d;

    draft_begin(&d);
    draft_authority(&d);
    draft_set(&d, NULL, "d.z.test. 300 IN NSEC m.z.test. A RRSIG NSEC");
    reply = draft_end(&d, 0);
    take(&reply, &denials);
    is_int(judge(&denials, TYPE, "d.z.test", HC_DNS_CAA), LACKS, "a proof that nobody signed");
    hc_denial_fail(&denials, &keys, "CAA record of d.z.test.", &err);
    is_str(err.detail,
           "NSEC of d.z.test. has no signature (RRSIG), although the zone z.test. is signed",
           "is called one");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_authority(&d);
    draft_set(&d, &parent_pen, "d.z.test. 300 IN NSEC m.z.test. A RRSIG NSEC");
    reply = draft_end(&d, 0);
    take(&reply, &denials);
    is_int(judge(&denials, TYPE, "d.z.test", HC_DNS_CAA), LACKS, "one that the parent signed");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_authority(&d);
    draft_set(&d, &pen, "*.z.test. 300 IN NSEC m.z.test. A RRSIG NSEC");
    draft_rename(&d, 0, "d.z.test.");
    reply = draft_end(&d, 0);
    take(&reply, &denials);
    is_int(judge(&denials, TYPE, "d.z.test", HC_DNS_CAA), LACKS,
           "a proof that was made from a wildcard's");
    hc_dns_reply_dispose(&reply);

    draft_begin(&d);
    draft_authority(&d);
    reply = draft_end(&d, 0);
    take(&reply, &denials);
    hc_error_init(&err);
    hc_denial_fail(&denials, &keys, "CAA record of d.z.test.", &err);
    is_str(err.detail,
           "the reply that there is no CAA record of d.z.test. has no proof (NSEC or NSEC3), "
           "although the zone z.test. is signed",
           "none at all");
    hc_dns_reply_dispose(&reply);
}

static void bitmaps_are_read_with_care(void)
{
    static const unsigned char good[] = {0, 2, 0x40, 1, 1, 1, 0x40}; /* A, MX; CAA */
    static const unsigned char cut[] = {0, 9, 0x40};
    struct hc_bytes types = {good, sizeof(good)};

    ok(hc_types_have(types, 1) && hc_types_have(types, 15) && hc_types_have(types, 257),
       "types of two windows");
    ok(!hc_types_have(types, 2) && !hc_types_have(types, 256) && !hc_types_have(types, 16),
       "and no others");
    ok(!hc_types_have((struct hc_bytes){cut, sizeof(cut)}, 1), "what is cut off says nothing");
}

int main(void)
{
    pen = pen_make("z.test.");
    parent_pen = pen_make("test.");
    nsec();
    nsec3();
    what_costs_too_much_counts_as_not_signed();
    only_what_the_zone_signed_counts();
    bitmaps_are_read_with_care();
    pen_free(&pen);
    pen_free(&parent_pen);
    return done();
}
