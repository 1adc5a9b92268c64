/* What agent and runner say to each other; both sides read what the other wrote as hostile. */
#ifndef HC_AGENT_RUNNER_WIRE_H
#define HC_AGENT_RUNNER_WIRE_H

#include "loop/child.h"

#define HC_RUNNER_MOST       16                     /* commands side by side */
#define HC_RUNNER_WORDS      64                     /* arguments, and as many variables */
#define HC_RUNNER_OUTPUT_MAX ((size_t)16 * 1024)    /* what is kept of each of one's outputs */
#define HC_RUNNER_LIMIT_MS   ((int64_t)3600 * 1000) /* the longest time limit */

#define HC_RUNNER_MAGIC  UINT32_C(0x68637275)
#define HC_RUNNER_PACKET ((size_t)64 * 1024)

/* Before the words of a command: its arguments, then its variables, each with its NUL. */
struct hc_runner_request {
    uint32_t magic, id;
    int64_t limit_ms;
    uint32_t output_max, argc, envc, size; /* output_max: of each output; size: of the words */
};

/* Before what came to standard output, and behind that what came to standard error. */
struct hc_runner_reply {
    uint32_t magic, id;
    int32_t end, code; /* enum hc_child_end, and what goes with it */
    uint32_t cut, errors_cut;
    uint32_t size, errors_size;
};

/* A command as a request says it; its words lie in the packet. Vectors end with NULL. */
struct hc_runner_words {
    const char *argv[HC_RUNNER_WORDS + 1];
    const char *envp[HC_RUNNER_WORDS + 1];
    int64_t limit_ms;
    size_t output_max;
};

enum hc_runner_packet {
    HC_RUNNER_STRANGE,   /* none of ours: *id is not set */
    HC_RUNNER_MALFORMED, /* it is not to be started */
    HC_RUNNER_COMMAND,
};
enum hc_runner_packet hc_runner_request_parse(const unsigned char *packet, size_t len, uint32_t *id,
                                              struct hc_runner_words *out);
/* False: it is none of ours. Both outputs lie in the packet. */
bool hc_runner_reply_parse(const unsigned char *packet, size_t len, uint32_t *id,
                           struct hc_child_result *result);

/* The runner's own side: serves until the other end is closed. */
__attribute__((noreturn)) void hc_runner_serve(int socket);

#endif
