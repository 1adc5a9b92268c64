/* Work side by side; see crew.h. */
#include "base/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define HANDS_MAX  8
#define STACK_SIZE ((size_t)1 << 20)

struct crew {
    size_t count;
    hc_crew_work *work;
    void *arg;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t mutex; /* guards what follows */
    size_t first;          /* that failed; count: none */
    struct hc_error *err;
};

static void *take_part(void *arg)
{
    struct crew *crew = arg;

    while (!atomic_load(&crew->failed)) {
        size_t index = atomic_fetch_add(&crew->next, 1);
        struct hc_error own;

        if (index >= crew->count) {
            break;
        }
        hc_error_init(&own);
        if (crew->work(crew->arg, index, &own) == 0) {
            continue;
        }
        atomic_store(&crew->failed, true);
        pthread_mutex_lock(&crew->mutex);
        if (index < crew->first) {
            crew->first = index;
            if (crew->err != NULL) {
                *crew->err = own;
            }
        }
        pthread_mutex_unlock(&crew->mutex);
    }
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return count > 0 ? (unsigned)count : 1;
}

int hc_crew_run(size_t count, unsigned hands, hc_crew_work *work, void *arg, struct hc_error *err)
{
    struct crew crew = {.count = count, .work = work, .arg = arg, .first = count, .err = err};
    pthread_t others[HANDS_MAX];
    pthread_attr_t attr;
    unsigned made = 0;

    hands = hands > 0 ? hands : processors();
    hands = hands < HANDS_MAX ? hands : HANDS_MAX;
    if (pthread_mutex_init(&crew.mutex, NULL) != 0) {
        return hc_error_nomem(err);
    }
    if (pthread_attr_init(&attr) == 0) {
        (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
        while (made + 1 < hands && made + 1 < count &&
               pthread_create(&others[made], &attr, take_part, &crew) == 0) {
            made++;
        }
        (void)pthread_attr_destroy(&attr);
    }
    (void)take_part(&crew);
    while (made > 0) {
        (void)pthread_join(others[--made], NULL);
    }
    (void)pthread_mutex_destroy(&crew.mutex);
    return crew.first < count ? -1 : 0;
}
