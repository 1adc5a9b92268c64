/* core/base/crew.c: everything is done once, and the first failure is the one that is told. */
#include "base/crew.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "tap.h"

#define COUNT 5000

static atomic_int done_of[COUNT];
static size_t bad_from = COUNT;

static int work(void *arg, size_t index, struct hc_error *err)
{
    atomic_int *calls = arg;

    atomic_fetch_add(calls, 1);
    atomic_fetch_add(&done_of[index], 1);
    if (index % 7 == 0) {
        sched_yield();
    }
    return index >= bad_from ? hc_error_set(err, HC_P_BAD_VALUE, NULL, "number %zu", index) : 0;
}

static bool each_once(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (done_of[i] != 1) {
            return false;
        }
    }
    return true;
}

static void run_with(unsigned hands, const char *name)
{
    atomic_int calls = 0;
    struct hc_error err;

    hc_error_init(&err);
    memset(done_of, 0, sizeof(done_of));
    ok(hc_crew_run(COUNT, hands, work, &calls, &err) == 0 && calls == COUNT && each_once() &&
           !hc_error_is_set(&err),
       name);
}

int main(void)
{
    atomic_int calls = 0;
    struct hc_error err;

    run_with(1, "one does all");
    run_with(4, "four do each thing once");
    run_with(0, "as many as there are processors");

    hc_error_init(&err);
    ok(hc_crew_run(0, 4, work, &calls, &err) == 0 && calls == 0, "nothing to do");
    bad_from = 2000;
    ok(hc_crew_run(COUNT, 4, work, &calls, &err) == -1, "a failure is told");
    ok(err.problem == HC_P_BAD_VALUE, "with its error");
    {
        char line[1024];

        ok(strstr(hc_error_format(&err, line, sizeof(line)), "number 2000") != NULL,
           "it is the first one's, whoever was faster");
    }
    ok(calls < COUNT, "and what is behind it is left");
    return done();
}
