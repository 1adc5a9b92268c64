/* What a worker reads of the live table: each generation parsed once, nothing bad ever taken. */
#include "live/view.h"

#include <unistd.h>

#include "live/layout.h"
#include "tap.h"

static struct hc_error err;
static struct hc_table *reader;
static struct hc_table *writer;
static int fd = -1;
static const unsigned char id[HC_ID_SIZE] = {1, 2, 3};

/* A fresh bundle; *serial (64 bytes) is its leaf's. */
static int publish(char *serial)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bundle *bundle = NULL;
    struct hc_pair *pair = NULL;
    int rc = -1;

    hc_error_init(&err);
    if (hc_pair_bootstrap(&pair, &err) != 0) {
        return -1;
    }
    snprintf(serial, 64, "%s", hc_pair_serial(pair));
    if (hc_bundle_new(&pair, 1, &bundle, &err) == 0 &&
        hc_bundle_encode(bundle, &encoded, &err) == 0) {
        rc = hc_table_publish(writer, id, hc_bytes_of(&encoded), HC_PUBLISH_REPLACE, &err);
    }
    hc_bundle_free(bundle);
    hc_buf_dispose(&encoded);
    return rc;
}

static int refresh(struct hc_view_entry *view)
{
    hc_error_init(&err);
    return hc_view_entry_refresh(view, reader, &err);
}

static const char *serial_of(const struct hc_view_entry *view)
{
    return view->bundle != NULL ? hc_pair_serial(hc_bundle_pair(view->bundle, 0)) : "(none)";
}

static void a_view_follows_the_table(struct hc_view_entry *view)
{
    char first[64] = "";
    char second[64] = "";

    ok(!hc_view_entry_stale(view, reader), "an empty table has nothing newer");
    is_int(refresh(view), 0, "and nothing to read");
    is_int(publish(first), 0, "a bundle is published");
    ok(hc_view_entry_stale(view, reader), "the view is stale");
    is_int(refresh(view), 1, "it is read");
    is_str(serial_of(view), first, "and is the one");
    ok(!hc_view_entry_stale(view, reader), "then the view is fresh");
    is_int(refresh(view), 0, "and reads nothing more");
    is_int(publish(second), 0, "another is published");
    is_str(serial_of(view), first, "the view keeps the first until it looks");
    is_int(refresh(view), 1, "it looks");
    is_str(serial_of(view), second, "and has the second");
}

static void what_cannot_be_used_is_refused_once(struct hc_view_entry *view)
{
    static const unsigned char nonsense[] = "hcb1 is how a bundle begins, and this is none";
    struct hc_bytes payload = {nonsense, sizeof(nonsense)};
    const struct hc_extent *extent = NULL;
    char good[64] = "";
    char next[64] = "";

    is_int(publish(good), 0, "a good one is published");
    is_int(refresh(view), 1, "and read");
    is_int(hc_table_publish(writer, id, payload, HC_PUBLISH_REPLACE, &err), 0,
           "nonsense with a right checksum is published");
    ok(hc_view_entry_stale(view, reader), "the view is stale");
    is_int(refresh(view), -1, "it cannot be parsed");
    ok(err.problem != HC_P_NONE, "the error says why");
    is_str(serial_of(view), good, "what was there is kept");
    ok(!hc_view_entry_stale(view, reader), "and the nonsense is not tried again");
    is_int(publish(next), 0, "a good one follows");
    is_int(refresh(view), 1, "and is read");
    is_str(serial_of(view), next, "and is the one");

    is_int(publish(good), 0, "one is published and damaged in its place");
    extent = hc_extent_at(writer, hc_table_value(writer, view->slot));
    ((unsigned char *)(uintptr_t)extent)[sizeof(*extent) + 100] ^= 1;
    is_int(refresh(view), -1, "it is refused");
    is_str(serial_of(view), next, "what was there is kept");
    ok(!hc_view_entry_stale(view, reader), "and the damaged one is not tried again");
}

static void a_removed_one_is_still_served(struct hc_view_entry *view)
{
    char had[64] = "";
    char next[64] = "";

    is_int(publish(had), 0, "one is published");
    is_int(refresh(view), 1, "and read");
    is_int(hc_table_remove(writer, id, &err), 0, "it is removed");
    ok(!hc_view_entry_stale(view, reader), "which makes the view not stale");
    is_int(refresh(view), 0, "there is nothing to read");
    is_str(serial_of(view), had, "the view keeps what it has");
    is_int(publish(next), 0, "another is published");
    is_int(refresh(view), 1, "it is found again");
    is_str(serial_of(view), next, "and read");
}

/* @SECLEVEL=n of the cipher list: OpenSSL would not load the pair into such a host. */
static void what_is_too_weak_for_the_hosts_is_refused(struct hc_view_entry *view)
{
    char good[64] = "";
    char weak[64] = "";

    is_int(publish(good), 0, "one is published");
    is_int(refresh(view), 1, "and read");
    view->security_level = 5; /* 256 bits: a P-256 key has 128 */
    is_int(publish(weak), 0, "another is, and the hosts have become strict");
    is_int(refresh(view), -1, "it is refused");
    is_int(err.problem, HC_P_TLS_REFUSED, "as what OpenSSL refuses");
    is_str(serial_of(view), good, "what was there is kept");
    ok(!hc_view_entry_stale(view, reader), "and it is not tried again");
    view->security_level = 0;
}

int main(void)
{
    struct hc_identity identity = {.mode = HC_MODE_ON};
    struct hc_view_entry view;

    hc_error_init(&err);
    if (hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &reader, &err) != 0 ||
        hc_table_attach(fd, true, &writer, &err) != 0) {
        ok(false, "a table can be made");
        return done();
    }
    memcpy(identity.id, id, sizeof(id));
    hc_view_entry_init(&view, &identity);
    a_view_follows_the_table(&view);
    what_cannot_be_used_is_refused_once(&view);
    a_removed_one_is_still_served(&view);
    what_is_too_weak_for_the_hosts_is_refused(&view);
    hc_view_entry_dispose(&view);
    hc_view_entry_dispose(&view);
    ok(view.bundle == NULL, "a view is disposed, twice");
    hc_table_detach(writer);
    hc_table_detach(reader);
    close(fd);
    return done();
}
