/*
 * core/agent/inventory.c: what it reads to stay in step with a store that others write. Counted are
 * the versions that are opened.
 */
#include "agent/inventory.h"

#include <time.h>

#include "store_lib.h"

#define LINES   1000
#define SETTLED 30 /* seconds within which all lines count as settled */

static int opened;
static struct hc_pair *pair;

static int f_open(void *self, int folder, const char *name, int flags, mode_t mode)
{
    size_t len = strlen(name);

    (void)self;
    opened += len > 5 && strcmp(name + len - 5, ".pair") == 0;
    return hc_fs_system.open(NULL, folder, name, flags, mode);
}

static int f_sync(void *self, int fd)
{
    (void)self;
    (void)fd;
    return 0;
}

static void add(struct hc_store *store, unsigned number)
{
    struct hc_error err = {0};

    if (commit(store, number, pair, &err) != 0) {
        fatal("commit");
    }
}

static size_t refresh(struct hc_inventory *inventory, struct hc_store *store, bool all)
{
    struct hc_error err = {0};
    size_t changed = 0;
    int rc = 1;

    opened = 0;
    while (rc > 0) {
        size_t now = 0;

        rc = hc_inventory_refresh(inventory, store, all, &now, &err);
        changed += now;
    }
    if (rc != 0) {
        fatal("refresh");
    }
    return changed;
}

/* What was written a moment ago is read once more; then it is not opened again. */
static bool settles(struct hc_inventory *inventory, struct hc_store *store)
{
    time_t until = time(NULL) + SETTLED;

    do {
        refresh(inventory, store, true);
        if (opened == 0) {
            return true;
        }
        (void)usleep(100000);
    } while (time(NULL) < until);
    return false;
}

static uint64_t version_of(const struct hc_inventory *inventory, unsigned number)
{
    unsigned char line[HC_ID_SIZE];
    const struct hc_line_info *info = NULL;

    line_number(number, line);
    info = hc_inventory_find(inventory, line);
    return info != NULL ? info->version : 0;
}

static void damage(const char *folder, unsigned number)
{
    unsigned char line[HC_ID_SIZE];
    char hex[2 * HC_ID_SIZE + 1];

    line_number(number, line);
    hc_hex(hex, line, HC_ID_SIZE);
    shell("printf x >'%s/lines/%s/1.pair'", folder, hex);
}

/* Sweeps until the line says this. */
static bool sweeps_to(struct hc_inventory *inventory, struct hc_store *store, unsigned number,
                      uint64_t version)
{
    for (int i = 0; i < LINES; i++) {
        refresh(inventory, store, false);
        if (version_of(inventory, number) == version) {
            return true;
        }
    }
    return false;
}

/* What an agent commits while it reads the store is in the inventory before its turn came. */
static void many_lines_are_read_in_bits(struct hc_store *store, size_t count)
{
    struct hc_inventory inventory = {0};
    struct hc_line_info info;
    struct hc_error err = {0};
    unsigned char line[HC_ID_SIZE];
    char hex[2 * HC_ID_SIZE + 1];
    size_t changed = 0;
    bool found = false;

    memset(&info, 0, sizeof(info));
    is_int(hc_inventory_refresh(&inventory, store, true, &changed, &err), 1, "there are more");
    ok(changed > 0 && changed == inventory.count && inventory.count < count, "some were read");
    add(store, LINES + 7);
    line_number(LINES + 7, line);
    hc_hex(hex, line, HC_ID_SIZE);
    ok(hc_store_line_info(store, hex, &info, &found, &err) == 0 && found &&
           hc_inventory_put(&inventory, &info, &err) == 0,
       "one is committed meanwhile");
    (void)refresh(&inventory, store, false);
    ok(inventory.count == count + 1 && version_of(&inventory, LINES + 7) == 1,
       "in the end all are there");
    ok(hc_store_remove(store, line, &err) == 0, "it goes again");
    hc_line_info_dispose(&info);
    hc_inventory_dispose(&inventory);
}

int main(void)
{
    static struct hc_fs fs;
    struct hc_inventory inventory = {0};
    struct hc_error err = {0};
    struct hc_store *store = NULL;
    char *top = scratch();
    char *folder = join(top, "store");
    unsigned char line[HC_ID_SIZE];

    fs = hc_fs_system;
    fs.open = f_open;
    fs.sync = f_sync;
    pair = new_pair();
    if (hc_store_open_on(
            &(struct hc_store_options){folder, HC_STORE_DRIVE, secret_a, &said_log, &fs}, &store,
            &err) != 0) {
        fatal("open");
    }
    for (unsigned i = 0; i < LINES; i++) {
        add(store, i);
    }
    opened = 0;
    ok(hc_inventory_read(&inventory, store, &err) == 0 && inventory.count == LINES &&
           opened == LINES,
       "all lines are read once");
    ok(settles(&inventory, store), "and not again, while nothing changes");
    ok(refresh(&inventory, store, false) == 0 && opened == 0, "nor by a sweep");

    add(store, 500);
    ok(refresh(&inventory, store, true) == 1 && opened == 1 && version_of(&inventory, 500) == 2,
       "a line that got a version is read, and no other");
    ok(refresh(&inventory, store, true) == 0 && opened == 1 && version_of(&inventory, 500) == 2,
       "once more while its time may not tell the next change");
    add(store, 500);
    ok(refresh(&inventory, store, true) == 1 && version_of(&inventory, 500) == 3,
       "so that another change right behind it is seen");

    ok(settles(&inventory, store), "it settles");
    add(store, LINES);
    ok(refresh(&inventory, store, false) == 1 && opened == 1 && inventory.count == LINES + 1,
       "a line that nobody announced is found by the folder's time");
    line_number(3, line);
    ok(hc_store_remove(store, line, &err) == 0 && refresh(&inventory, store, false) == 1 &&
           version_of(&inventory, 3) == 0 && inventory.count == LINES,
       "and one that went is gone");

    ok(settles(&inventory, store), "it settles");
    add(store, 700);
    damage(folder, 800);
    ok(sweeps_to(&inventory, store, 700, 2), "sweeps find a version that nobody announced");
    ok(sweeps_to(&inventory, store, 800, 0), "and a file that was damaged in its place");

    ok(settles(&inventory, store), "it settles");
    line_number(5, line);
    hc_inventory_drop(&inventory, line);
    ok(refresh(&inventory, store, true) == 1 && opened == 1 && version_of(&inventory, 5) == 1,
       "what was dropped is read anew");

    many_lines_are_read_in_bits(store, inventory.count);
    hc_inventory_dispose(&inventory);
    hc_store_close(store);
    hc_pair_free(pair);
    remove_tree(top);
    free(folder);
    free(top);
    return done();
}
