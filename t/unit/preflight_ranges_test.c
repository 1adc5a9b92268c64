/* Files of address ranges: their forms, their mistakes, and whose an address is. */
#include "preflight/ranges.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static char path[] = "/tmp/hotcert-ranges-XXXXXX";

static void put(const char *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static const char *whose(const struct hc_ranges *ranges, const char *address)
{
    const struct hc_range *range = NULL;
    struct hc_address parsed;

    if (hc_address_parse(address, &parsed) != 0) {
        abort();
    }
    range = hc_ranges_find(ranges, &parsed);
    return range != NULL ? hc_range_name(ranges, range) : "";
}

static void test_forms(void)
{
    struct hc_ranges ranges = {0};
    struct hc_address address;
    struct hc_error err;
    char text[HC_RANGE_TEXT];

    hc_error_init(&err);
    put("# ranges\n\n104.16.0.0/13 Cloudflare\nFastly: 151.101.0.0/16\n  "
        "2606:4700::/32\tCloudflare "
        "# six\r\nAmazon CloudFront: 2600:9000::/28\n104.16.5.0/25 A Part of It\n198.51.100.7 One\n"
        "0.0.0.0/1 Half");
    is_int(hc_ranges_add_file(&ranges, path, &err), 0, "a file");
    is_int(ranges.count, 7, "all its lines");
    is_int(ranges.names.count, 6, "each name once");
    is_str(whose(&ranges, "104.23.255.255"), "Cloudflare", "the last of a range");
    is_str(whose(&ranges, "104.24.0.0"), "Half", "and the next one");
    is_str(whose(&ranges, "151.101.1.1"), "Fastly", "the name in front");
    is_str(whose(&ranges, "104.16.5.127"), "A Part of It", "the narrowest counts");
    is_str(whose(&ranges, "104.16.5.128"), "Cloudflare", "as far as it goes");
    is_str(whose(&ranges, "2606:4700::6810:1"), "Cloudflare", "IPv6");
    is_str(whose(&ranges, "2600:900f:ffff::1"), "Amazon CloudFront", "a prefix within an octet");
    is_str(whose(&ranges, "2600:9010::1"), "", "and its end");
    is_str(whose(&ranges, "198.51.100.7"), "One", "an address alone");
    is_str(whose(&ranges, "200.0.0.1"), "", "nobody's");
    (void)!hc_address_parse("104.16.5.1", &address);
    is_str(hc_range_format(hc_ranges_find(&ranges, &address), text), "104.16.5.0/25", "written");
    is_int(hc_ranges_find(NULL, &address) == NULL, 1, "without ranges there are none");
    hc_ranges_dispose(&ranges);
    hc_ranges_dispose(&ranges);

    put("173.245.48.0/20\n103.21.244.0/22\n");
    is_int(hc_ranges_add_file(&ranges, path, &err), 0, "ranges alone");
    is_str(whose(&ranges, "173.245.48.1"), strrchr(path, '/') + 1, "have the name of the file");
    hc_ranges_dispose(&ranges);
    put("");
    is_int(hc_ranges_add_file(&ranges, path, &err), 0, "a file without a line");
    hc_ranges_dispose(&ranges);
}

static void test_mistakes(void)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"104.16.0.0/33 X\n", ":1"},
        {"# a\n104.16.0.0/-1 X\n", ":2"},
        {"104.16.0.1/13 X\n", "no range"},
        {"2606:4700::/129 X\n", "no range"},
        {"cloudflare\n", "no range"},
        {"X: cloudflare\n", "no range"},
        {": 104.16.0.0/13\n", "name is missing"},
        {"104.16.0.0/13/2 X\n", "no range"},
        {"104.16.0.0/ X\n", "no range"},
        {"104.16.0.0/13 "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         "too long"},
        {"104.16.0.0/13 X\033[2J\n", "the name has a control character"},
        {"X\177: 104.16.0.0/13\n", "the name has a control character"},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_ranges ranges = {0};
        struct hc_error err;
        char told[2400];

        hc_error_init(&err);
        put(cases[i].text);
        is_int(hc_ranges_add_file(&ranges, path, &err), -1, cases[i].text);
        is_int(err.problem, HC_P_BAD_VALUE, "is a wrong value");
        (void)snprintf(told, sizeof(told), "%s %s", err.subject, err.detail);
        ok(strstr(told, cases[i].says) != NULL, cases[i].says);
        hc_ranges_dispose(&ranges);
    }
}

static void test_many_names(void)
{
    struct hc_ranges ranges = {0};
    struct hc_error err;
    FILE *file = fopen(path, "w");

    hc_error_init(&err);
    for (int i = 0; file != NULL && i < 1001; i++) {
        (void)fprintf(file, "192.0.2.1 name %d\n", i);
    }
    if (file == NULL || fclose(file) != 0) {
        abort();
    }
    is_int(hc_ranges_add_file(&ranges, path, &err), -1, "a name for each of a thousand and one");
    is_int(err.problem, HC_P_TOO_LARGE, "is too much");
    is_str(err.detail, "more than 1000 names", "of names");
    hc_ranges_dispose(&ranges);
}

static void test_files(void)
{
    struct hc_ranges ranges = {0};
    struct hc_error err;
    char *items[] = {path, (char[]){"/nonexistent/ranges"}};
    struct hc_list paths = {items, 2, 2};

    hc_error_init(&err);
    put("104.16.0.0/13 X\n");
    is_int(hc_ranges_add_files(&ranges, &paths, &err), -1, "a file that is missing");
    is_int(err.problem, HC_P_FILE_UNREADABLE, "is called so");
    is_str(err.subject, "/nonexistent/ranges", "by its name");
    hc_ranges_dispose(&ranges);
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        return 99;
    }
    close(fd);
    test_forms();
    test_mistakes();
    test_many_names();
    test_files();
    unlink(path);
    return done();
}
