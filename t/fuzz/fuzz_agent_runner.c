/*
 * What agent and runner read of each other. The runner's side only takes a command apart here; what
 * it would start is looked at, and not started.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/runner_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A command that would be started is what runner.h promises. */
static void check_command(const struct hc_runner_words *words)
{
    size_t argc = 0;
    size_t envc = 0;

    while (words->argv[argc] != NULL) {
        argc++;
    }
    while (words->envp[envc] != NULL) {
        envc++;
    }
    if (argc == 0 || argc > HC_RUNNER_WORDS || envc > HC_RUNNER_WORDS || words->argv[0][0] != '/' ||
        words->limit_ms <= 0 || words->limit_ms > HC_RUNNER_LIMIT_MS ||
        words->output_max > HC_RUNNER_OUTPUT_MAX) {
        __builtin_trap();
    }
}

/* Reads each word to its end, in a piece of memory that ends where the packet does. */
static void read_request(const unsigned char *packet, size_t size)
{
    struct hc_runner_words words;
    uint32_t id = 0;

    switch (hc_runner_request_parse(packet, size, &id, &words)) {
    case HC_RUNNER_STRANGE:
        break;
    case HC_RUNNER_MALFORMED:
        if (id == 0) {
            __builtin_trap();
        }
        break;
    case HC_RUNNER_COMMAND:
        if (id == 0) {
            __builtin_trap();
        }
        check_command(&words);
        for (size_t i = 0; words.argv[i] != NULL; i++) {
            (void)!strlen(words.argv[i]);
        }
        for (size_t i = 0; words.envp[i] != NULL; i++) {
            (void)!strlen(words.envp[i]);
        }
        break;
    }
}

static void read_reply(const unsigned char *packet, size_t size)
{
    struct hc_child_result result;
    uint32_t id = 0;

    if (hc_runner_reply_parse(packet, size, &id, &result) &&
        (id == 0 || result.output.len + result.errors.len > size ||
         result.end > HC_CHILD_NOT_STARTED)) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *packet = malloc(size > 0 ? size : 1);
    struct hc_runner_request q = {.magic = HC_RUNNER_MAGIC};
    struct hc_runner_reply r = {.magic = HC_RUNNER_MAGIC};

    if (packet == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(packet, data, size);
    }
    read_request(packet, size);
    read_reply(packet, size);
    /* magic and size are hard to guess */
    if (size >= sizeof(q)) {
        memcpy(&q, packet, sizeof(q));
        q.magic = HC_RUNNER_MAGIC;
        q.size = (uint32_t)(size - sizeof(q));
        memcpy(packet, &q, sizeof(q));
        read_request(packet, size);
    }
    if (size >= sizeof(r)) {
        memcpy(&r, packet, sizeof(r));
        r.magic = HC_RUNNER_MAGIC;
        r.size = (uint32_t)(size - sizeof(r));
        r.size = r.errors_size < r.size ? r.size - r.errors_size : r.size;
        r.errors_size = (uint32_t)(size - sizeof(r)) - r.size;
        memcpy(packet, &r, sizeof(r));
        read_reply(packet, size);
    }
    free(packet);
    return 0;
}
