/*
 * What the agent's memory grows by for each certificate: heap in use with many hosts less that with
 * few, the configuration apart.
 */
#include <malloc.h>

#include "agent_world.h"
#include "tap.h"

#define FEW  50
#define MANY 450
#define MOST 700 /* bytes for each certificate */

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};

/* Bytes of the heap that are in use: by the configuration, and by the agent once all is served. */
struct use {
    double conf;
    double fresh; /* before there is anything in the store */
    double agent;
};

static double in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

static void add_many(struct hc_conf *conf, size_t count)
{
    char names[MANY][32];
    const char *hosts[MANY + 1] = {NULL};

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "host%zu.example", i);
        hosts[i] = names[i];
    }
    add_hosts(conf, hosts, "");
}

static bool all_served(struct server *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_served(s, i)) {
            return false;
        }
    }
    return true;
}

static void measure(size_t count, struct use *use)
{
    struct server s;
    struct hc_conf *conf = NULL;
    double before = 0;

    new_world();
    new_table(&s);
    before = in_use();
    conf = new_conf(on);
    add_many(conf, count);
    use->conf = in_use() - before;
    before = in_use();
    start_agent(&s, conf, -1);
    use->fresh = in_use() - before;
    for (size_t i = 0; i < 200 && !all_served(&s, count); i++) {
        work(&s, NULL);
    }
    ok(all_served(&s, count), "all are served");
    work(&s, NULL);
    use->agent = in_use() - before;
    end_server(&s);
    end_world();
}

/*
 * What malloc() keeps aside for each thread counts as in use: without that, figures are the same
 * at each run.
 */
static void count_exactly(char *argv[])
{
    static const char setting[] = "glibc.malloc.tcache_count=0";
    const char *now = getenv("GLIBC_TUNABLES");

    if (now == NULL || strcmp(now, setting) != 0) {
        if (setenv("GLIBC_TUNABLES", setting, 1) == 0) {
            (void)execv("/proc/self/exe", argv);
        }
        stop_here(__LINE__);
    }
}

int main(int argc, char *argv[])
{
    struct use few;
    struct use many;
    double each = 0;

    (void)argc;
    count_exactly(argv);
    measure(FEW, &few); /* what the libraries keep for good is kept from here on */
    measure(FEW, &few);
    measure(MANY, &many);
    each = (many.agent - few.agent) / (MANY - FEW);
    printf(
        "# for each certificate: agent %.0f bytes, %.0f of them before there is one; its host in "
        "the configuration %.0f\n",
        each, (many.fresh - few.fresh) / (MANY - FEW), (many.conf - few.conf) / (MANY - FEW));
    ok(each < MOST, "the agent needs less than 700 bytes for a certificate");
    return done();
}
