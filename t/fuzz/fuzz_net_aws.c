/* XML, JSON and files with AWS credentials, and what AWS says that went wrong. */
#include <string.h>

#include "net/aws_text.h"
#include "net/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_element(void *arg, const char *path, const char *text, struct hc_error *err HC_UNUSED)
{
    size_t *depth = arg;

    if (path[0] != '/' || strlen(path) >= HC_XML_PATH_MAX || strlen(text) > HC_XML_TEXT_MAX) {
        __builtin_trap();
    }
    (*depth)++;
    return 0;
}

static void check(int rc, const struct hc_aws_credentials *c)
{
    if (rc == 0 && (c->id[0] == '\0' || c->secret[0] == '\0')) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hc_bytes bytes = {data, size};
    static struct hc_aws_credentials c;
    struct hc_aws_fault fault;
    struct hc_error err;
    size_t count = 0;

    hc_error_init(&err);
    if (hc_xml_read(bytes, on_element, &count, &err) == 0 && count == 0) {
        __builtin_trap();
    }
    check(hc_aws_take_file(bytes, "f", &c, NULL), &c);
    check(hc_aws_take_json(bytes, "j", &c, NULL), &c);
    check(hc_aws_take_xml(bytes, "x", &c, NULL), &c);
    hc_aws_take_fault(bytes, &fault);
    return 0;
}
