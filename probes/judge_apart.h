// SPDX-License-Identifier: MIT
// A long answer, judged in a thread: selecting from it may take half a second, in which the loop
// starts other flows.
#ifndef PROBES_JUDGE_APART_H
#define PROBES_JUDGE_APART_H

#include "judge.h"

#include <uv.h>

// True for an answer so long that judging it may keep the loop from its work.
bool judge_apart_is_due(const struct judge_input *input);

// Judges in a thread of the loop's pool, then calls `done` on the loop with the verdict, which it
// takes. Until then all that `input` points to stays and is used by nobody else where it changes:
// its values.
void judge_apart_start(uv_loop_t *loop, const struct judge_input *input,
                       void (*done)(struct verdict *verdict, void *context), void *context);

#endif
