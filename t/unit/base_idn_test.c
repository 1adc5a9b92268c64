#include "base/idn.h"

#include "base/str.h"
#include "tap.h"

#define BUECHER                                                                                    \
    "b\xc3\xbc"                                                                                    \
    "cher.example"

static void a_labels_have_another_form(void)
{
    static const struct {
        const char *in, *out; /* "": there is none */
    } cases[] = {
        {"xn--bcher-kva.example", BUECHER},
        {"*.xn--bcher-kva.example", "*." BUECHER},
        {"www.xn--fa-hia.example", "www.fa\xc3\x9f.example"},
        {"xn--9dbne9b.example", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d.example"},
        {"www.example.net", ""},
        {"axn--b.example", ""},
        {"192.0.2.1", ""},
        {"", ""},
        {"xn--0.example", ""},         /* no punycode */
        {"xn--ls8h.example", ""},      /* a pictograph: not in IDNA2008 */
        {"xn--a-ecp.ru", ""},          /* not what it is written with: Capital I dot .. */
        {"xn--BCHER-KVA.example", ""}, /* names are in lower case here */
        {"xn--a-0hn.example", ""},     /* with a control that reverses what follows */
        {"xn--bcher-kva.xn--0.example", ""},
    };
    char out[256];

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        bool has = hc_idn_to_unicode(cases[i].in, out, sizeof(out));

        is_str(out, cases[i].out, cases[i].in);
        ok(has == (cases[i].out[0] != '\0'), "and says so");
    }
    ok(!hc_idn_to_unicode("xn--bcher-kva.example", out, 15), "without room there is none");
    is_str(out, "", "nor a part of it");
}

static void lines_show_both_forms(void)
{
    static const struct {
        const char *in, *out; /* NULL: the same */
    } cases[] = {
        {"xn--bcher-kva.example: served", "xn--bcher-kva.example (" BUECHER "): served"},
        {"of xn--bcher-kva.example", "of xn--bcher-kva.example (" BUECHER ")"},
        {"(*.xn--bcher-kva.example)", "(*.xn--bcher-kva.example (*." BUECHER "))"},
        {"a.example, xn--bcher-kva.example, b.example",
         "a.example, xn--bcher-kva.example (" BUECHER "), b.example"},
        {"xn--bcher-kva.example and xn--bcher-kva.example",
         "xn--bcher-kva.example (" BUECHER ") and xn--bcher-kva.example"},
        {"xn--bcher-kva.example and www.xn--bcher-kva.example",
         "xn--bcher-kva.example (" BUECHER ") and www.xn--bcher-kva.example (www." BUECHER ")"},
        {"www.xn--bcher-kva.example and xn--bcher-kva.example",
         "www.xn--bcher-kva.example (www." BUECHER ") and xn--bcher-kva.example (" BUECHER ")"},
        {"http://xn--bcher-kva.example/x", NULL},
        {"/etc/ssl/xn--bcher-kva.example", NULL},
        {"xn--bcher-kva.example/cert.pem", NULL},
        {"xn--bcher-kva.example:443: no", NULL},
        {"_acme-challenge.xn--bcher-kva.example TXT \"x\"", NULL},
        {"`hotcert renew xn--bcher-kva.example now`", NULL},
        {"`hotcert` of xn--bcher-kva.example", "`hotcert` of xn--bcher-kva.example (" BUECHER ")"},
        {"a@xn--bcher-kva.example", NULL},
        {"xn--0.example: no name", NULL},
        {"xn--", NULL},
        {"nothing", NULL},
        {"", NULL},
    };
    char out[256];
    char again[256];

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        const char *want = cases[i].out != NULL ? cases[i].out : cases[i].in;

        is_str(hc_idn_show(cases[i].in, out, sizeof(out)), want, cases[i].in);
        is_str(hc_idn_show(out, again, sizeof(again)), want, "twice is once");
    }
    is_str(hc_idn_show(cases[0].in, out, 30), "xn--bcher-kva.example: served",
           "without room for the whole form there is none");
    is_str(hc_idn_show(cases[0].in, out, 10), "xn--bcher", "and a line is cut");
    hc_idn_show_use(false);
    is_str(hc_idn_show(cases[0].in, out, sizeof(out)), cases[0].in, "where it is not wanted");
    hc_idn_show_use(true);
}

int main(void)
{
    a_labels_have_another_form();
    lines_show_both_forms();
    return done();
}
