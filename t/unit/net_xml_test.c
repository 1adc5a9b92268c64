/* XML of a few elements, and what of it is refused. */
#include "net/xml.h"

#include <stdlib.h>

#include "tap.h"

struct seen {
    char text[2048];
};

static int keep(void *arg, const char *path, const char *text, struct hc_error *err HC_UNUSED)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);

    (void)snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%s;", path, text);
    return 0;
}

static int refuse(void *arg HC_UNUSED, const char *path, const char *text HC_UNUSED,
                  struct hc_error *err)
{
    return hc_error_set(err, HC_P_TOO_LARGE, path, "enough");
}

static struct hc_bytes bytes(const char *text)
{
    return (struct hc_bytes){(const unsigned char *)text, strlen(text)};
}

static void elements_come_with_their_texts(void)
{
    struct seen seen = {""};
    struct hc_error err;

    hc_error_init(&err);
    is_int(hc_xml_read(
               bytes("<?xml version=\"1.0\"?>\n<A xmlns='https://x.test/'>\n <B k='v'>one &amp; "
                     "two</B><B/><C>lost<D><![CDATA[\"<3\"]]></D> lost</C></A>\n"),
               keep, &seen, &err),
           0, "XML is read");
    is_str(seen.text, "/A/B=one & two;/A/B=;/A/C/D=\"<3\";/A/C=;/A=;", "each element as it ends");
    ok(hc_xml_is("/A/B/C", "B/C") && hc_xml_is("/A/B/C", "C") && !hc_xml_is("/A/BB/C", "B/C") &&
           !hc_xml_is("/C", "B/C"),
       "known by the end of their paths");
    is_int(hc_xml_read(bytes("<A><B/></A>"), refuse, NULL, &err), -1, "who reads may end it");
    ok(err.problem == HC_P_TOO_LARGE && strcmp(err.subject, "/A/B") == 0, "with an own error");
}

static void what_is_no_such_xml_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "text",
        "<A>",
        "<A></B>",
        "<A/><B/>",
        "{\"a\":1}",
        "<A>&none;</A>",
        "<!DOCTYPE A [<!ENTITY e 'eeeeeeee'>]><A>&e;</A>",
        "<!DOCTYPE A SYSTEM 'file:///etc/hostname'><A/>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></"
        "a>"
        "</a></a></a></a></a></a></a>",
    };
    char *huge = calloc(1, 200 * 1024);

    for (size_t i = 0; i < HC_COUNT(bad); i++) {
        struct seen seen = {""};
        struct hc_error err;

        hc_error_init(&err);
        ok(hc_xml_read(bytes(bad[i]), keep, &seen, &err) == -1 && err.problem == HC_P_FETCH_FAILED,
           bad[i]);
        ok(strstr(seen.text, "eeeeeeee") == NULL, "no entity of its own");
    }
    if (huge == NULL) {
        abort();
    }
    memset(huge, 'x', 200 * 1024 - 1);
    memcpy(huge, "<A>", 3);
    memcpy(huge + 200 * 1024 - 5, "</A>", 4);
    is_int(hc_xml_read(bytes(huge), refuse, NULL, NULL), -1, "a text that is too long");
    free(huge);
}

static void texts_are_escaped(void)
{
    struct hc_buf out = HC_BUF_INIT(256);

    is_int(hc_xml_put(&out, "\"a<b>&'c", NULL), 0, "written");
    is_str(hc_buf_text(&out), "&quot;a&lt;b&gt;&amp;'c", "escaped");
    is_int(hc_xml_put(&out, "a\nb", NULL), -1, "but no control characters");
    hc_buf_dispose(&out);
}

int main(void)
{
    elements_come_with_their_texts();
    what_is_no_such_xml_is_refused();
    texts_are_escaped();
    return done();
}
