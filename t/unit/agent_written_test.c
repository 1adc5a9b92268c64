/* What stands in other people's DNS, in the store (written.c), and secrets in files (secrets.c). */
#include "agent/written.h"

#include "agent/secrets.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", "hotcert_control /run/one.sock",
                                 NULL};
static const char *const other[] = {"hotcert on", "hotcert_use one",
                                    "hotcert_control /run/two.sock", NULL};
static const char *const one_host[] = {"a.example", NULL};

static const struct hc_txt_value first = {
    "www.acme.test", "acme.test", "value one",   "_acme-challenge.a.example",
    "a.example",     "token",     "token.print", "memo"};
static const struct hc_txt_value second = {"_acme-challenge.a.example",
                                           NULL,
                                           "value two",
                                           "_acme-challenge.a.example",
                                           "a.example",
                                           "",
                                           "",
                                           ""};

static char told[1024];

static const char *text(const char *s)
{
    return s != NULL ? s : "-";
}

static void on_found(void *arg HC_UNUSED, const char *writer, const struct hc_txt_value *v)
{
    size_t used = strlen(told);

    (void)snprintf(told + used, sizeof(told) - used, "%s|%s|%s|%s|%s|%s|%s|%s|%s\n", writer,
                   v->name, text(v->zone), v->value, v->alias, v->domain, v->token, v->keyauth,
                   v->memo);
}

static void add_block(struct bench *b)
{
    struct hc_error err = {0};
    void *block = NULL;

    if (hc_block_begin(b->conf, &hc_block_dns, "own", "test.conf:1", &block, &err) != 0) {
        stop_here(__LINE__);
    }
}

static void what_is_written_is_found_by_the_next_one(void)
{
    struct bench b;
    struct hc_written *written = NULL;
    const struct hc_written_port *port = NULL;
    struct hc_error err = {0};

    new_bench(&b, on, one_host);
    ok(hc_written_new(&b.env, b.storage, &written, &err) == 0, "a new one");
    port = hc_written_port(written);
    ok(port->put(port->self, "own", &first, &err) != 0 && err.problem == HC_P_STORE_WRITE,
       "while the store is not open nothing can be put");
    hc_error_init(&err);
    (void)hc_storage_run(b.storage);
    ok(port->put(port->self, "own", &second, &err) == 0 &&
           port->put(port->self, "own", &first, &err) == 0 &&
           port->put(port->self, "own", &first, &err) == 0,
       "put, and put again");
    hc_written_free(written);

    told[0] = '\0';
    ok(hc_written_new(&b.env, b.storage, &written, &err) == 0, "the next process");
    port = hc_written_port(written);
    port->listen(port->self, on_found, NULL);
    ok(strstr(told,
              "own|www.acme.test|acme.test|value one|_acme-challenge.a.example|a.example|token|"
              "token.print|memo\n") != NULL,
       "it is told all of it");
    ok(strstr(told, "own|_acme-challenge.a.example|-|value two|") != NULL, "of each");
    is_int(strlen(told) - strlen(strchr(told, '\n')) > 0 &&
               strchr(strchr(told, '\n') + 1, '\n')[1] == 0,
           1, "and of no more");
    port->drop(port->self, "own", &first);
    port->drop(port->self, "own", &first);
    told[0] = '\0';
    port->listen(port->self, on_found, NULL);
    ok(strstr(told, "value one") == NULL && strstr(told, "value two") != NULL,
       "what is dropped is gone");
    told[0] = '\0';
    hc_storage_close(b.storage);
    (void)hc_storage_run(b.storage);
    ok(strstr(told, "value two") != NULL, "a store that is opened anew is read anew");
    port->listen(port->self, NULL, NULL);
    hc_written_free(written);
    end_bench(&b);
}

static void another_agents_are_left_to_it_for_long(void)
{
    struct bench b;
    struct hc_written *written = NULL;
    const struct hc_written_port *port = NULL;
    struct hc_conf *conf = NULL;
    struct hc_error err = {0};

    new_bench(&b, on, one_host);
    (void)hc_storage_run(b.storage);
    if (hc_written_new(&b.env, b.storage, &written, &err) != 0) {
        stop_here(__LINE__);
    }
    port = hc_written_port(written);
    ok(port->put(port->self, "own", &first, &err) == 0, "one agent puts");
    hc_written_free(written);
    conf = b.conf;
    b.conf = new_conf(other);
    b.env.conf = b.conf;
    add_block(&b);
    if (hc_written_new(&b.env, b.storage, &written, &err) != 0) {
        stop_here(__LINE__);
    }
    port = hc_written_port(written);
    told[0] = '\0';
    port->listen(port->self, on_found, NULL);
    is_str(told, "", "another on the same store is not told");
    pass_time(7300);
    port->listen(port->self, on_found, NULL);
    ok(strstr(told, "value one") != NULL, "unless it is there for longer than any order takes");
    hc_written_free(written);
    hc_conf_free(conf);
    end_bench(&b);
}

static char content[128];
static struct hc_error said;

static void on_secret(void *arg HC_UNUSED, struct hc_bytes bytes, const struct hc_error *err)
{
    hc_error_init(&said);
    content[0] = '\0';
    if (err != NULL) {
        said = *err;
        return;
    }
    memcpy(content, bytes.data, bytes.len);
    content[bytes.len] = '\0';
}

static void secrets_are_files_of_roots_alone(void)
{
    struct bench b;
    struct hc_asker *asker = NULL;
    struct hc_secrets *secrets = NULL;
    const struct hc_secret_port *port = NULL;
    struct hc_error err = {0};
    char path[300];
    FILE *f = NULL;

    new_bench(&b, on, one_host);
    if (hc_asker_new(b.loop, -1, &asker, &err) != 0 ||
        hc_secrets_new(&b.env, asker, &secrets, &err) != 0) {
        stop_here(__LINE__);
    }
    port = hc_secrets_port(secrets);
    (void)snprintf(path, sizeof(path), "%s/token", folder);
    port->read(port->self, path, on_secret, NULL);
    is_int(said.problem, HC_P_FILE_UNREADABLE, "one that is not there");
    f = fopen(path, "we");
    if (f == NULL || fputs("the secret", f) < 0 || fclose(f) != 0) {
        stop_here(__LINE__);
    }
    (void)chmod(path, 0640);
    port->read(port->self, path, on_secret, NULL);
    ok(said.problem == HC_P_SECRET_FILE && content[0] == '\0' &&
           strstr(said.detail, "0640") != NULL,
       "one that a group can read is not used");
    (void)chmod(path, 0600);
    port->read(port->self, path, on_secret, NULL);
    is_str(content, "the secret", "one of the owner's alone is");
    is_int(said.problem, HC_P_NONE, "without an error");
    port->read(port->self, folder, on_secret, NULL);
    ok(hc_error_is_set(&said), "a folder is none");
    hc_secrets_free(secrets);
    hc_asker_free(asker);
    end_bench(&b);
}

int main(void)
{
    what_is_written_is_found_by_the_next_one();
    another_agents_are_left_to_it_for_long();
    secrets_are_files_of_roots_alone();
    return done();
}
