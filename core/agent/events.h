/*
 * What happens in the agent, told to whom it concerns. A part raises an event and does not know who
 * listens; a part that has to know listens when it is made. Handlers run at once, on the one
 * thread, in the order in which they were added (from the bottom up), but those of an end from the
 * top down: who uses a part lets go of it first. An event's content is borrowed for the call.
 */
#ifndef HC_AGENT_EVENTS_H
#define HC_AGENT_EVENTS_H

#include "base/compiler.h"
#include "base/error.h"

enum hc_event_kind {
    HC_EVENT_STORE_IDENTITY,  /* before that: parts read what they remember of one: index */
    HC_EVENT_STORE_OPENED,    /* the store was opened: parts read what else they remember */
    HC_EVENT_STORE_READY,     /* it takes writes (again) */
    HC_EVENT_STORE_CLOSING,   /* it is about to be closed: from the top down */
    HC_EVENT_LINE_COMMITTED,  /* a version was committed by this agent: line, pair */
    HC_EVENT_LINE_FOUND,      /* another agent committed one, and it was read: line, pair */
    HC_EVENT_ORDER_OBTAINED,  /* one ended with a certificate: index, issuer, renewal, pair */
    HC_EVENT_ORDER_FAILED,    /* one ended without: index, issuer, problem */
    HC_EVENT_ORDER_ENDED,     /* one ended without a certificate, or was not needed */
    HC_EVENT_PREFLIGHT_ENDED, /* a preflight ended: index, names (that are well again), changed */
    HC_EVENT_LINES_CHANGED,   /* the inventory was read anew, and has other versions */
    HC_EVENT_CA_CHANGED,      /* what was not to be ordered at a CA may be ordered now */
    HC_EVENT_CLOCK_SET,       /* the clock was set back: what is waited for, is waited for anew */
    HC_EVENT_CLOCK_NEWS,      /* the clock seems wrong, and a CA told its time */
    HC_EVENT_PUBLISHED,       /* the table has another bundle for an identity: index */
    HC_EVENT_ISSUER_ARRIVED,  /* chains that lack an issuer are worth another try */
    HC_EVENT_FILES_CHECKED,   /* a check of watched files ended: index, problem (if that is new) */
    HC_EVENT_KINDS,
};

struct hc_line_info;
struct hc_list;
struct hc_pair;

struct hc_event {
    enum hc_event_kind kind;
    const struct hc_line_info *line;
    struct hc_pair *pair;
    size_t index; /* of an identity */
    const struct hc_list *names;
    bool changed;       /* what may be ordered */
    const char *issuer; /* its name */
    enum hc_problem problem;
    bool renewal; /* the line had a certificate before */
};

typedef void hc_event_handler(void *self, const struct hc_event *event);

#define HC_EVENTS_LISTENERS 24 /* each part is one */

/* Zeroed memory has no listeners. */
struct hc_events {
    struct {
        void *self;
        hc_event_handler *handler;
    } listeners[HC_EVENTS_LISTENERS];
    size_t count;
};

/* Listens until hc_events_remove(). HC_P_INTERNAL if there are too many. */
int hc_events_add(struct hc_events *events, hc_event_handler *handler, void *self,
                  struct hc_error *err) HC_MUST_USE;
/* Whoever does not listen is fine. */
void hc_events_remove(struct hc_events *events, const void *self);

void hc_events_raise(struct hc_events *events, const struct hc_event *event);
/* An event without content. */
void hc_events_tell(struct hc_events *events, enum hc_event_kind kind);

#endif
