/* Which identities have a name. */
#include "agent_part.h"

#include "agent/hosts.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const three[] = {"b.example a.example", "c.example b.example", "d.example",
                                    NULL};

int main(void)
{
    struct bench b;
    struct hc_hosts hosts = {NULL, 0};
    struct hc_error err = {0};
    size_t at = 0;

    new_bench(&b, on, three);
    b.conf->identities[2].mode = HC_MODE_WATCH;
    ok(hc_hosts_init(&hosts, b.conf, &err) == 0, "the names");
    is_int(hosts.count, 4, "of hosts under `on`, each as often as it is there");
    at = hc_hosts_find(&hosts, "b.example");
    ok(at + 1 < hosts.count && hosts.items[at].index == 0 && hosts.items[at + 1].index == 1 &&
           strcmp(hosts.items[at + 1].name, "b.example") == 0,
       "one that two have leads to both, the first first");
    at = hc_hosts_find(&hosts, "c.example");
    ok(at < hosts.count && hosts.items[at].index == 1, "one of the second's leads there");
    is_int(hc_hosts_find(&hosts, "d.example"), hosts.count, "a watched host is not among them");
    is_int(hc_hosts_find(&hosts, "B.example"), hosts.count, "names are what they are");
    hc_hosts_dispose(&hosts);
    is_int(hc_hosts_find(&hosts, "a.example"), 0, "an empty list has nothing");
    end_bench(&b);
    return done();
}
