/* What agent and runner say to each other; both sides read what the other wrote as hostile. */
#ifndef HC_AGENT_RUNNER_WIRE_H
#define HC_AGENT_RUNNER_WIRE_H

#include "base/compiler.h"

#define HC_RUNNER_MAGIC  UINT32_C(0x68637275)
#define HC_RUNNER_PACKET ((size_t)64 * 1024)

/* Before the words of a command: its arguments, then its variables, each with its NUL. */
struct hc_runner_request {
    uint32_t magic, id;
    int64_t limit_ms;
    uint32_t output_max, argc, envc, size; /* size: of the words */
};

/* Before the output. */
struct hc_runner_reply {
    uint32_t magic, id;
    int32_t end, code; /* enum hc_child_end, and what goes with it */
    uint32_t cut, size;
};

/* The runner's own side: serves until the other end is closed. */
__attribute__((noreturn)) void hc_runner_serve(int socket);

#endif
