/* Who hears of what, and in which order. */
#include "agent/events.h"

#include <string.h>

#include "tap.h"

static char heard[100];

static void hear(void *self, const struct hc_event *event)
{
    size_t used = strlen(heard);

    snprintf(heard + used, sizeof(heard) - used, "%s%d ", (const char *)self, (int)event->index);
}

static void bottom_up_but_an_end_top_down(void)
{
    static char a[] = "a", b[] = "b", c[] = "c";
    struct hc_events events = {.count = 0};
    struct hc_event event = {.kind = HC_EVENT_PUBLISHED, .index = 7};
    struct hc_error err = {0};

    ok(hc_events_add(&events, hear, a, &err) == 0 && hc_events_add(&events, hear, b, &err) == 0 &&
           hc_events_add(&events, hear, c, &err) == 0,
       "three listen");
    hc_events_raise(&events, &event);
    is_str(heard, "a7 b7 c7 ", "those below hear first");
    heard[0] = '\0';
    hc_events_tell(&events, HC_EVENT_STORE_CLOSING);
    is_str(heard, "c0 b0 a0 ", "but of an end last");
    heard[0] = '\0';
    hc_events_remove(&events, b);
    hc_events_remove(&events, "nobody");
    hc_events_tell(&events, HC_EVENT_CLOCK_SET);
    is_str(heard, "a0 c0 ", "who does not listen any more hears nothing");
}

static void there_is_a_limit(void)
{
    static char a[] = "a";
    struct hc_events events = {.count = 0};
    struct hc_error err = {0};

    for (int i = 0; i < HC_EVENTS_LISTENERS; i++) {
        if (hc_events_add(&events, hear, a, &err) != 0) {
            break;
        }
    }
    is_int((int)events.count, HC_EVENTS_LISTENERS, "as many as there is room for");
    ok(hc_events_add(&events, hear, a, &err) != 0 && err.problem == HC_P_INTERNAL, "and no more");
}

int main(void)
{
    bottom_up_but_an_end_top_down();
    there_is_a_limit();
    return done();
}
