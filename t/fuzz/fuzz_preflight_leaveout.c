/* The stored record of left-out names: what is taken can be planned with and written again. */
#include "preflight/leaveout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *names[] = {(char[]){"a.test"}, (char[]){"b.test"}};
static const struct hc_list name_list = {names, 2, 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_leaveout state;
    struct hc_leaveout_plan plan;
    struct hc_leaveout_case c = {
        .names = &name_list, .served = &name_list, .not_after = 90 * 86400, .check_every = 60};
    struct hc_buf text = HC_BUF_INIT(HC_LEAVEOUT_MAX);
    struct hc_error err = {0};

    if (hc_leaveout_decode((const char *)data, size, &state, &err) != 0) {
        if (!hc_error_is_set(&err) || state.names != NULL) {
            __builtin_trap();
        }
        return 0;
    }
    for (c.now = 0; c.now < 100 * 86400; c.now += 11 * 86400) {
        if (hc_leaveout_plan(&state, &c, &plan, &err) == 0) {
            if (plan.order.count + plan.left_out.count < 2 && plan.kind != HC_LEAVEOUT_HOLD) {
                __builtin_trap();
            }
            hc_leaveout_ordered(&state, &plan, c.now);
        }
        hc_leaveout_plan_dispose(&plan);
    }
    if (hc_leaveout_encode(&state, &text, &err) != 0) {
        __builtin_trap();
    }
    hc_buf_dispose(&text);
    hc_leaveout_dispose(&state);
    return 0;
}
