// SPDX-License-Identifier: MIT
// What a call came to, on its way from call_run to whoever made it.
#include "call_outcome.h"

struct exchange *call_outcome_last(const struct call_outcome *outcome)
{
    guint length = outcome->exchanges ? outcome->exchanges->len : 0;
    return length ? outcome->exchanges->pdata[length - 1] : NULL;
}

void call_outcome_clear(struct call_outcome *outcome)
{
    g_clear_pointer(&outcome->exchanges, g_ptr_array_unref);
    g_clear_pointer(&outcome->problem, g_free);
    g_clear_pointer(&outcome->login, step_result_free);
    g_clear_pointer(&outcome->verdict, verdict_free);
}
