/* Events between the parts; see events.h. */
#include "agent/events.h"

#include <string.h>

int hc_events_add(struct hc_events *events, hc_event_handler *handler, void *self,
                  struct hc_error *err)
{
    if (events->count == HC_EVENTS_LISTENERS) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "more than %d parts listen",
                            HC_EVENTS_LISTENERS);
    }
    events->listeners[events->count].self = self;
    events->listeners[events->count++].handler = handler;
    return 0;
}

void hc_events_remove(struct hc_events *events, const void *self)
{
    size_t kept = 0;

    for (size_t i = 0; i < events->count; i++) {
        if (events->listeners[i].self != self) {
            events->listeners[kept++] = events->listeners[i];
        }
    }
    events->count = kept;
}

void hc_events_raise(struct hc_events *events, const struct hc_event *event)
{
    bool down = event->kind == HC_EVENT_STORE_CLOSING;

    for (size_t i = 0; i < events->count; i++) {
        size_t at = down ? events->count - 1 - i : i;

        events->listeners[at].handler(events->listeners[at].self, event);
    }
}

void hc_events_tell(struct hc_events *events, enum hc_event_kind kind)
{
    struct hc_event event = {.kind = kind};

    hc_events_raise(events, &event);
}
