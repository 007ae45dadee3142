// SPDX-License-Identifier: MIT
// What one answer means for the call that asked for it: captures, then set, then
// expectations, then the verdict (configuration.md section 3). Pure.
#ifndef PROBES_JUDGE_H
#define PROBES_JUDGE_H

#include "../base/transfer.h"
#include "../config/config.h"
#include "values.h"
#include "verdict.h"

struct judge_input {
    const struct call *call;
    const struct transfer_response *response; // the last one
    const char *url;                          // where it came from
    int64_t timeout_ms;                       // what the call was given
    double elapsed_ms;                        // of the whole call, for `time`
    const char *unfollowed;                   // why a redirect was not followed, or NULL
    bool became_get;                          // a redirect turned the POST into a GET
    const struct pack_lexicon *pack;          // what its system's pack knows, or NULL
    struct values *values;                    // captures go here
    struct clock_wall now;
};

// The verdict; the caller frees it.
struct verdict *judge(const struct judge_input *input);

// True where `expectations` (at least one) hold for the answer.
bool judge_holds(const GPtrArray *expectations, const struct judge_input *input);

// A verdict that says that the monitor itself is at fault.
struct verdict *judge_our_fault(const char *message);

// A verdict on a login that has had no answer for so long, and that nobody can wait for any more.
struct verdict *judge_overdue(int64_t waited_ms);

// A verdict on a call that was not sent, as a value would have done harm on the way.
struct verdict *judge_unsendable(const char *message);

#endif
