/*
 * Writes the references from the tables that the program itself is made from:
 * `gendocs directives` and `gendocs problems`, Markdown on standard output.
 */
#include <stdio.h>
#include <string.h>

#include "base/problem.h"
#include "conf/block.h"

static const char *const generated = "<!-- Written by `make docs` from %s. Do not edit. -->\n\n";

struct area {
    const char *title;
    const enum hc_problem *problems;
    size_t count;
};

/* Each area's problems in the order of its table. */
#define HC_PROBLEM(id, slug, cls, sentence, hint) id,
static const enum hc_problem conf[] = {
#include "base/problem_conf.def"
};
static const enum hc_problem pki[] = {
#include "base/problem_pki.def"
};
static const enum hc_problem dns[] = {
#include "base/problem_dns.def"
};
static const enum hc_problem acme[] = {
#include "base/problem_acme.def"
};
static const enum hc_problem store[] = {
#include "base/problem_store.def"
};
static const enum hc_problem base[] = {
#include "base/problem_base.def"
};
#undef HC_PROBLEM

static const struct area areas[] = {
    {"Directives and arguments", conf, HC_COUNT(conf)},
    {"Keys, certificates, chains", pki, HC_COUNT(pki)},
    {"Names, addresses, CAA, reachability", dns, HC_COUNT(dns)},
    {"The certificate authority", acme, HC_COUNT(acme)},
    {"The store", store, HC_COUNT(store)},
    {"The processes", base, HC_COUNT(base)},
};

/* Text in a table cell: a bar would end the cell, and <x> outside of `code` be taken for HTML. */
static void put_cell(const char *raw)
{
    char text_of_both[1024];
    const char *text = hc_spell(raw, text_of_both, sizeof(text_of_both));
    bool code = false;

    for (; *text != '\0'; text++) {
        if (*text == '`') {
            code = !code;
        }
        if (*text == '|' || (*text == '<' && !code)) {
            (void)putchar('\\');
        }
        (void)putchar(*text);
    }
}

/* The row that opens such a block. */
static const struct hc_directive *opener_of(const struct hc_block_kind *kind)
{
    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL && row->opens != kind; i++) {
    }
    return row;
}

static void put_contexts(unsigned contexts, bool nginx)
{
    const char *comma = "";

    if ((contexts & HC_CTX_MAIN) != 0) {
        printf("%s", nginx ? "`http`" : "server config");
        comma = ", ";
    }
    if ((contexts & HC_CTX_HOST) != 0) {
        printf("%s%s", comma, nginx ? "`server`" : "`<VirtualHost>`");
    }
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        const struct hc_directive *opener = opener_of(hc_block_kinds[k]);

        if ((contexts & hc_block_kinds[k]->context) != 0 && opener != NULL) {
            printf(nginx ? "`%s`" : "`<%s>`", nginx ? opener->name : opener->httpd);
        }
    }
}

static void put_directive(const struct hc_directive *d)
{
    printf("### %s\n\n%s\n\n", d->name, d->doc);
    printf("| | nginx | Apache httpd |\n|---|---|---|\n| name | `%s` | ", d->name);
    printf(d->opens != NULL ? "`<%s>`" : "`%s`", d->httpd);
    printf(" |\n| where | ");
    put_contexts(d->contexts, true);
    printf(" | ");
    put_contexts(d->contexts, false);
    printf(" |\n\nValue: %s\n\nDefault: %s\n\n", d->args,
           d->dflt != NULL ? d->dflt : d->field.preset);
}

static void put_directives(void)
{
    printf("# Directives\n\n");
    printf(generated, "the tables of directives, core/conf/rows*.c");
    printf("Both servers have the same directives, each in the server's own spelling. A block in "
           "nginx is a section in httpd:\n\n"
           "    hotcert_issuer internal { directory_url https://ca.example.net/dir; }\n\n"
           "    <HotCertIssuer internal>\n"
           "        HotCertDirectoryUrl https://ca.example.net/dir\n"
           "    </HotCertIssuer>\n\n"
           "A directive in a virtual host overrides one outside. The configuration test rejects a "
           "wrong value and names the directive, the value and the allowed values.\n\n");
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        put_directive(&hc_directives_main[i]);
    }
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        printf("## Inside of %s block\n\n", hc_block_kinds[k]->noun);
        for (size_t i = 0; i < hc_block_kinds[k]->row_count; i++) {
            put_directive(&hc_block_kinds[k]->rows[i]);
        }
    }
}

static void put_problems(void)
{
    printf("# Problems\n\n");
    printf(generated, "the tables core/base/problem_*.def");
    printf("Every message in a log, a report or `--json` carries one of these slugs.\n\n"
           "| class | what it means |\n|---|---|\n"
           "| unusable | of a certificate or name: can never be served or ordered |\n"
           "| flawed | some or all clients will fail |\n"
           "| remark | works, but should be fixed |\n"
           "| retryable | may succeed later; hotcert retries automatically |\n"
           "| permanent | stays until somebody changes something |\n"
           "| usage | a directive, an argument or a file is wrong |\n"
           "| internal | out of memory, a failed system call, a bug in hotcert |\n\n");
    for (size_t i = 0; i < HC_COUNT(areas); i++) {
        printf("## %s\n\n| slug | class | what is wrong | what to do |\n|---|---|---|---|\n",
               areas[i].title);
        for (size_t k = 0; k < areas[i].count; k++) {
            const struct hc_problem_row *row = hc_problem_row(areas[i].problems[k]);

            printf("| `%s` | %s | ", row->slug, hc_class_name(row->cls));
            put_cell(row->sentence);
            printf(" | ");
            put_cell(row->hint);
            printf(" |\n");
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "directives") == 0) {
        put_directives();
    } else if (argc == 2 && strcmp(argv[1], "problems") == 0) {
        put_problems();
    } else {
        (void)fprintf(stderr, "usage: gendocs directives|problems\n");
        return 64;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
