/* Watched files: what is taken, what is not, what is said. And the loader, which reads them first.
 */
#include "agent_world.h"

#include "agent/loader.h"
#include "answer_lib.h"
#include "conf/build.h"
#include "keeper/packet.h"
#include "store/answer.h"
#include "tap.h"

static char cert_path[128], key_path[128];
static char files[400];
static const char *const watch[] = {"hotcert watch", "hotcert_check_interval 10s", NULL};
static const char *const one_host[] = {"a.example", NULL};

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fwrite(text, 1, len, file) != len || fclose(file) != 0) {
        stop_here(__LINE__);
    }
}

static void write_cert(const struct forged *leaf)
{
    struct hc_buf pem = HC_BUF_INIT(100000);

    forge_chain_pem(&pem, leaf->cert, mid.cert, NULL);
    write_file(cert_path, hc_buf_text(&pem), pem.len);
    hc_buf_dispose(&pem);
}

static void write_key(const struct forged *leaf)
{
    struct hc_buf pem = HC_BUF_INIT(100000);

    forge_key_pem(leaf->key, &pem);
    write_file(key_path, hc_buf_text(&pem), pem.len);
    hc_buf_dispose(&pem);
}

static struct forged new_leaf(long days)
{
    return forge(&(struct forge){
        .name = "leaf", .sans = "DNS:a.example", .by = &mid, .from = -1, .days = days});
}

static void write_pair(const struct forged *leaf)
{
    write_cert(leaf);
    write_key(leaf);
}

static void new_files(void)
{
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    snprintf(files, sizeof(files), "%s %s ", cert_path, key_path);
}

static struct hc_conf *watch_conf(void)
{
    struct hc_conf *conf = new_conf(watch);

    add_hosts(conf, one_host, files);
    return conf;
}

static void start_watching(struct server *server)
{
    new_table(server);
    start_agent(server, watch_conf(), -1);
}

static const char *serial_of(const struct forged *leaf)
{
    static char texts[4][100];
    static int next;
    char *text = texts[next++ % 4];
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf->cert), NULL);
    char *hex = BN_bn2hex(number);

    for (size_t i = 0; i <= strlen(hex); i++) {
        text[i] = (char)(hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] + 32 : hex[i]);
    }
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static int prior = -1; /* between an examination and the loader */

static int load(struct hc_table *table, struct hc_error *err)
{
    struct hc_conf *conf = watch_conf();
    struct hc_loader_options options = {.conf = conf,
                                        .table = table,
                                        .keeper = -1,
                                        .prior = prior,
                                        .secret = secret,
                                        .clock = &fake_clock,
                                        .log = &fake_log};
    int rc = 0;

    hc_error_init(err);
    rc = hc_load(&options, err);
    hc_conf_free(conf);
    return rc;
}

static void a_changed_pair_is_taken(void)
{
    struct server s;
    struct forged first, second;

    new_world();
    new_files();
    first = new_leaf(90);
    second = new_leaf(89);
    write_pair(&first);
    start_watching(&s);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "the first is served");
    ok(is_served(&s, 0), "and known to be");
    write_pair(&second);
    pass_time(11);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&second), "the second is served after a look");
    is_int(count_in_log("error:"), 0, "no error");
    is_int(hc_storage_inventory(hc_agent_parts(s.agent)->storage)->count, 1,
           "the store has a copy");
    end_server(&s);
    forged_free(&first);
    forged_free(&second);
    end_world();
}

static void torn_pairs_never_serve(void)
{
    struct server s;
    struct forged first, second;

    new_world();
    new_files();
    first = new_leaf(90);
    second = new_leaf(89);
    write_pair(&first);
    start_watching(&s);
    work(&s, NULL);
    write_cert(&second);
    for (int i = 0; i < 20; i++) {
        pass_time(11);
        work(&s, NULL);
    }
    is_str(serial(&s, 0), serial_of(&first),
           "a new certificate with the old key: the first goes on");
    is_int(count_in_log("error: still serving the last good pair"), 1, "one line says so");
    ok(strstr(log_text, key_path) != NULL || strstr(log_text, cert_path) != NULL, "naming a file");
    ok(!is_served(&s, 0), "nobody is told that all is well");
    write_file(cert_path, "-----BEGIN CERTIFICATE-----\nMIIB", 32);
    pass_time(11);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "half a file: the first goes on");
    is_int(count_in_log("error: still serving the last good pair"), 2,
           "another state, another line");
    unlink(key_path);
    write_cert(&second);
    pass_time(11);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "no key: the first goes on");
    write_key(&second);
    clock_ms += 1000;
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&second), "complete, it is taken within a second");
    is_int(count_in_log("certificate and key match again"), 1, "and it is said");
    end_server(&s);
    forged_free(&first);
    forged_free(&second);
    end_world();
}

static void a_flawed_one_is_held_back(void)
{
    struct server s;
    struct forged first, other, late;
    struct hc_error err;

    new_world();
    new_files();
    first = new_leaf(90);
    other = forge(&(struct forge){.name = "leaf", .sans = "DNS:other.example", .by = &mid});
    late = new_leaf(200);
    write_pair(&first);
    start_watching(&s);
    work(&s, NULL);
    write_pair(&other);
    pass_time(11);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "it does not cover the name: the first goes on");
    is_int(count_in_log("holding back"), 1, "the log says why");
    is_str(listed_state(&s), "held-back", "and `list` tells it");
    pass_time(85 * DAY);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&other), "in the first one's last tenth it is taken");
    write_pair(&late);
    pass_time(11);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&late), "a good one at once");
    write_pair(&other);
    kill_agent(&s);
    is_int(load(s.table, &err), 0, "a reload, which log rotation makes, too");
    start_agent(&s, watch_conf(), -1);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&late), "takes no flawed one in place of the one that serves");
    end_server(&s);
    new_table(&s);
    is_int(load(s.table, &err), 0, "a start");
    start_agent(&s, watch_conf(), -1);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&other), "what the operator starts with wins");
    ok(count_in_log("name-not-covered") > 0, "as an error in the log");
    end_server(&s);
    forged_free(&first);
    forged_free(&other);
    forged_free(&late);
    end_world();
}

/* What the loader read is what the operator started with, not what an agent finds a moment later.
 */
static void what_is_written_after_the_start_is_no_word_of_the_operators(void)
{
    struct server s;
    struct forged first, flawed;
    struct hc_error err = {0};

    new_world();
    new_files();
    first = new_leaf(90);
    flawed = forge(&(struct forge){.name = "leaf", .sans = "DNS:other.example", .by = &mid});
    write_pair(&first);
    new_table(&s);
    ok(load(s.table, &err) == 0, "a start with a good pair");
    write_pair(&flawed);
    start_agent(&s, watch_conf(), -1);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "a flawed one written before the agent's first look");
    is_str(listed_state(&s), "held-back", "is held back");
    kill_agent(&s);
    start_agent(&s, watch_conf(), -1);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "also by the next agent");
    kill_agent(&s);
    unlink(key_path);
    start_agent(&s, watch_conf(), -1);
    log_text[0] = '\0';
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "without a key it goes on");
    is_int(count_in_log("still serving the last good pair"), 1, "and is told of as what it is");
    end_server(&s);
    new_table(&s);
    write_pair(&flawed);
    ok(load(s.table, &err) == 0, "a start with the flawed one");
    write_pair(&first);
    start_agent(&s, watch_conf(), -1);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "a good one written after it is taken at once");
    end_server(&s);
    forged_free(&first);
    forged_free(&flawed);
    end_world();
}

static void a_start_with_broken_files_has_the_last_good_pair(void)
{
    struct server s;
    struct forged first, second;
    struct hc_table_stats stats;
    struct hc_error err = {0};

    new_world();
    new_files();
    first = new_leaf(90);
    second = new_leaf(89);
    write_cert(&first);
    write_key(&second);
    new_table(&s);
    ok(load(s.table, &err) != 0, "nothing in the store: the start is refused");
    ok(strstr(err.detail, cert_path) != NULL && strstr(err.detail, key_path) != NULL,
       "naming both files");
    is_str(hc_problem_row(err.problem)->slug, "key-mismatch", "and what is wrong");
    ok(load(NULL, &err) != 0, "the configuration test says the same");
    write_key(&first);
    ok(load(NULL, &err) == 0, "a good pair passes");
    hc_table_stats(s.table, &stats);
    is_int(stats.slots_used, 0, "and the test publishes nothing");
    ok(load(s.table, &err) == 0, "the start is allowed");
    start_agent(&s, watch_conf(), -1);
    is_str(serial(&s, 0), serial_of(&first), "and serves before any agent runs");
    work(&s, NULL);
    end_server(&s);
    new_table(&s);
    log_text[0] = '\0';
    ok(load(s.table, &err) == 0, "the next start goes on");
    hc_table_stats(s.table, &stats);
    is_int(stats.slots_used, 1, "and publishes it");
    hc_table_detach(s.table);
    write_key(&second);
    new_table(&s);
    log_text[0] = '\0';
    ok(load(s.table, &err) == 0, "with a copy in the store a broken pair refuses no start");
    ok(count_in_log("error: serving the last good pair instead") == 1, "it is an error in the log");
    start_agent(&s, watch_conf(), -1);
    is_str(serial(&s, 0), serial_of(&first), "the copy serves");
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&first), "also when the agent runs");
    end_server(&s);
    forged_free(&first);
    forged_free(&second);
    end_world();
}

/* Whatever is wrong with a key, the key's file is what is named, with the line and the cure. */
static void the_file_at_fault_is_named(void)
{
    static const char cut[] = "-----BEGIN PRIVATE KEY-----\nMIIB";
    struct server s;
    struct forged first;
    struct hc_error err = {0};
    unsigned char *bytes = NULL;
    char place[150];
    char line[HC_ERROR_LINE];
    int len = 0;

    new_world();
    new_files();
    first = new_leaf(90);
    write_cert(&first);
    new_table(&s);
    ok(load(s.table, &err) != 0, "no key: the start is refused");
    is_str(err.subject, key_path, "the key's file is named");
    write_file(key_path, cut, sizeof(cut) - 1);
    ok(load(s.table, &err) != 0, "half a key: the start is refused");
    snprintf(place, sizeof(place), "%s:1", key_path);
    is_str(err.subject, place, "the key's file and line are named");
    len = i2d_PrivateKey(first.key, &bytes);
    write_file(key_path, (const char *)bytes, (size_t)len);
    ok(load(s.table, &err) != 0, "a key in DER: the start is refused");
    is_str(err.subject, key_path, "the key's file is named");
    ok(strstr(hc_error_format(&err, line, sizeof(line)), "openssl pkey -inform DER") != NULL,
       "with the cure for keys");
    write_key(&first);
    write_file(cert_path, (const char *)bytes, (size_t)len);
    ok(load(s.table, &err) != 0, "a certificate file that is none: the start is refused");
    is_str(err.subject, cert_path, "the certificate's file is named");
    OPENSSL_free(bytes);
    hc_table_detach(s.table);
    close(s.table_fd);
    forged_free(&first);
    end_world();
}

/* The slugs that `list` tells of the first pair. */
static const char *listed_flaws(struct server *s)
{
    static char text[200];
    json_t *all = listed(s);
    const json_t *first = json_array_get(all, 0);
    const json_t *flaws = json_object_get(first, "flaws");
    bool flawed = json_is_true(json_object_get(first, "flawed"));

    text[0] = '\0';
    for (size_t i = 0; flawed && i < json_array_size(flaws); i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? " " : "",
                 json_string_value(json_array_get(flaws, i)));
    }
    json_decref(all);
    return text;
}

static void a_pair_that_ages_is_told_of(void)
{
    struct server s;
    struct forged first;

    new_world();
    new_files();
    first = new_leaf(89);
    write_pair(&first);
    start_watching(&s);
    work(&s, NULL);
    is_int(count_in_log("expires-soon"), 0, "young, nothing is said");
    is_str(listed_flaws(&s), "", "nor listed");
    pass_time(65 * DAY);
    work(&s, NULL);
    is_int(count_in_log("warn: a.example: remark"), 1, "in its last third a warning");
    pass_time(18 * DAY);
    work(&s, NULL);
    ok(count_in_log("error: a.example: remark") >= 1, "in its last tenth an error");
    pass_time(7 * DAY);
    work(&s, NULL);
    ok(count_in_log("error: a.example: flawed") >= 1, "expired, it is flawed");
    is_str(listed_flaws(&s), "expired", "and listed so");
    end_server(&s);
    forged_free(&first);
    end_world();
}

/* A binary upgrade in the middle of an order: the new workers may be the ones that the CA asks. */
static void a_start_answers_what_others_are_asked(void)
{
    struct hc_answer pending = {.name = "", .key = "tok-1", .value = "tok-1.print"};
    struct hc_answer over = {.name = "", .key = "tok-2", .value = "tok-2.print"};
    char answer[HC_KEYAUTH_MAX];
    struct hc_error err = {0};
    struct server s, next;
    struct forged first;
    int64_t now = 0;

    new_world();
    new_files();
    first = new_leaf(90);
    write_pair(&first);
    start_watching(&s);
    work(&s, NULL);
    now = clock_now;
    pending.expires = now + 3600;
    over.expires = now;
    ok(hc_store_answer_put(hc_storage_store(hc_agent_parts(s.agent)->storage), &pending, &err) ==
               0 &&
           hc_store_answer_put(hc_storage_store(hc_agent_parts(s.agent)->storage), &over, &err) ==
               0,
       "an agent is asked for tokens");
    new_table(&next);
    is_int(load(next.table, &err), 0, "another server on the store starts");
    ok(answer_get(next.table, "tok-1", 5, now, answer) && strcmp(answer, "tok-1.print") == 0,
       "it answers from its first moment");
    ok(!answer_get(next.table, "tok-2", 5, now - 1, answer), "but not what is over");
    ok(!answer_get(next.table, "tok-1", 5, now + 600, answer), "and not for long without an agent");
    hc_table_detach(next.table);
    close(next.table_fd);
    end_server(&s);
    forged_free(&first);
    end_world();
}

/* The serial of what a loader published. */
static const char *loaded(struct hc_table *table)
{
    static char text[100];
    struct hc_conf *conf = watch_conf();
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};
    uint64_t value = 0;
    const unsigned char *id = conf->identities[0].id;
    int64_t slot = hc_table_find(table, id);

    text[0] = '\0';
    if (slot >= 0 && hc_table_read(table, slot, id, &value, &out, &err) == 1 &&
        hc_bundle_decode(out.data, out.len, &bundle, &err) == 0) {
        hc_copy(text, sizeof(text), hc_pair_serial(hc_bundle_pair(bundle, 0)));
    }
    hc_bundle_free(bundle);
    hc_buf_dispose(&out);
    hc_conf_free(conf);
    return text;
}

static void write_encrypted(const struct forged *leaf)
{
    BIO *bio = BIO_new_file(key_path, "w");

    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, leaf->key, EVP_aes_128_cbc(), "words", 5,
                                                     NULL, NULL) != 1) {
        stop_here(__LINE__);
    }
    BIO_free(bio);
    write_cert(leaf);
}

/* To make a key of a pass phrase takes longer than to read the sealed copy of the pair. */
static void an_encrypted_key_is_not_opened_again(void)
{
    struct forged leaf;
    struct hc_error err = {0};
    struct server s;
    char words[100];

    new_world();
    new_files();
    (void)snprintf(words, sizeof(words), "%s/words", folder);
    write_file(words, "words\n", 6);
    snprintf(files, sizeof(files), "%s %s %s", cert_path, key_path, words);
    leaf = new_leaf(90);
    write_encrypted(&leaf);
    start_watching(&s);
    work(&s, NULL);
    is_str(serial(&s, 0), serial_of(&leaf), "it is served");
    end_server(&s);
    new_table(&s);
    log_text[0] = '\0';
    ok(load(s.table, &err) == 0 && count_in_log("unchanged since they were last judged: 1") == 1,
       "the next start does not judge again what is as it was");
    is_str(loaded(s.table), serial_of(&leaf), "and publishes it");
    hc_table_detach(s.table);
    close(s.table_fd);
    forged_free(&leaf);
    end_world();
}

/* A start examines first: what it judged then goes to the loader that fills the table. */
static void a_start_judges_once(void)
{
    static const char said[] = "watched pairs unchanged since they were last judged";
    struct forged first, second;
    struct hc_error err = {0};
    struct server s, other;

    new_world();
    new_files();
    first = new_leaf(90);
    second = new_leaf(89);
    write_pair(&first);
    new_table(&s);
    ok(hc_packet_memfd_open("t", &prior, &err) == 0, "a memfd");
    is_int(load(NULL, &err), 0, "a start examines");
    is_int(hc_packet_memfd_seal(prior), 0, "what it leaves is sealed");
    ok(load(s.table, &err) == 0 && count_in_log(said) == 1, "the loader judges nothing again");
    is_str(loaded(s.table), serial_of(&first), "and publishes it");
    write_pair(&second);
    new_table(&other);
    ok(load(other.table, &err) == 0 && count_in_log(said) == 1, "other files are judged");
    is_str(loaded(other.table), serial_of(&second), "and published");
    hc_table_detach(other.table);
    close(other.table_fd);
    write_key(&first);
    ok(load(s.table, &err) != 0, "half a pair is refused as ever");
    hc_error_init(&err);
    close(prior);
    write_pair(&first);
    ok(hc_packet_memfd_open("t", &prior, &err) == 0 && load(NULL, &err) == 0 &&
           load(s.table, &err) == 0 && count_in_log(said) == 1,
       "what nobody sealed is not taken");
    is_str(loaded(s.table), serial_of(&first), "and the start goes on");
    close(prior);
    prior = -1;
    hc_table_detach(s.table);
    close(s.table_fd);
    forged_free(&first);
    forged_free(&second);
    end_world();
}

int main(void)
{
    a_start_judges_once();
    an_encrypted_key_is_not_opened_again();
    a_changed_pair_is_taken();
    torn_pairs_never_serve();
    a_flawed_one_is_held_back();
    what_is_written_after_the_start_is_no_word_of_the_operators();
    a_start_with_broken_files_has_the_last_good_pair();
    the_file_at_fault_is_named();
    a_pair_that_ages_is_told_of();
    a_start_answers_what_others_are_asked();
    forged_free(&mid);
    forged_free(&root);
    return done();
}
