/* The accounts of stores at hand: found by their CA, read with the owner's rights and no others. */
#include "cmd/which_ca.h"

#include "agent/account.h"
#include "pki/key.h"
#include "store_lib.h"

#define DIRECTORY "https://ca.test/dir"

static void write_secret(const char *folder)
{
    char path[PATH_MAX];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/secret", folder);
    file = fopen(path, "w");
    if (file == NULL || fwrite(secret_a, 1, HC_SECRET_SIZE, file) != HC_SECRET_SIZE ||
        fclose(file) != 0 || chmod(path, 0600) != 0) {
        fatal(path);
    }
}

/* A folder with a secret and a store, in which there is one account. */
static char *new_store(const char *url)
{
    char *folder = scratch();
    char *path = join(folder, "store");
    struct hc_store *store = drive(path);
    struct hc_buf text = HC_BUF_INIT_SECRET(65536);
    struct hc_acme_account account = {NULL, NULL};
    struct hc_error err = {0};

    write_secret(folder);
    if (hc_key_new(HC_KEY_ECDSA_256, &account.key, &err) != 0 ||
        hc_strdup(url, &account.url, &err) != 0 || hc_account_encode(&account, &text, &err) != 0 ||
        hc_store_put(store, "account", DIRECTORY, hc_bytes_of(&text), &err) != 0) {
        fatal("an account");
    }
    hc_account_dispose(&account);
    hc_buf_dispose(&text);
    hc_store_close(store);
    free(folder);
    return path;
}

static void remove_store(char *path)
{
    *strrchr(path, '/') = '\0';
    remove_tree(path);
    free(path);
}

int main(void)
{
    static char directory[] = DIRECTORY;
    static char elsewhere[] = "https://other.test/dir";
    char *one = new_store("https://ca.test/acct/1");
    char *two = new_store("https://ca.test/acct/2");
    char *missing_items[] = {(char[]){"/nonexistent/store"}};
    char *items[] = {one, two};
    struct hc_which_ca here = {.stores = {items, 2, 2}, .directory_url = directory};
    struct hc_which_ca other = {.stores = {items, 2, 2}, .directory_url = elsewhere};
    struct hc_which_ca missing = {.stores = {missing_items, 1, 1}, .directory_url = directory};
    const struct hc_list *accounts = &here.accounts;
    struct hc_error err = {0};

    is_int(hc_which_ca_accounts(&here, &err), 0, "two stores are read");
    is_int(accounts->count, 4, "an account and a store of each");
    ok(accounts->count == 4 && strcmp(accounts->items[0], "https://ca.test/acct/1") == 0 &&
           strcmp(accounts->items[1], one) == 0 &&
           strcmp(accounts->items[2], "https://ca.test/acct/2") == 0 &&
           strcmp(accounts->items[3], two) == 0,
       "in the order in which they are named");
    is_int(hc_which_ca_accounts(&other, &err), 0, "at a CA where they have none");
    is_int(other.accounts.count, 0, "there is none");
    is_int(hc_which_ca_accounts(&missing, &err), -1,
           "a store that is named and cannot be read is an error");
    is_int(missing.accounts.count, 0, "without an account");
    hc_list_dispose(&here.accounts);
    remove_store(one);
    remove_store(two);
    return done();
}
