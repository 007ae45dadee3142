// SPDX-License-Identifier: MIT
// What came of a call: of a step, a login, a lookup, an undo, a sweep's search.
#ifndef PROBES_CALL_JUDGE_H
#define PROBES_CALL_JUDGE_H

#include "call_outcome.h"
#include "judge.h"

// What is judged of an outcome that has an answer, of that system; captures go into `values`.
struct judge_input call_judge_input(const struct call *call, const struct call_outcome *outcome,
                                    const struct config_system *system, struct values *values);

// The verdict on the last answer, which there has to be, of that system, its captures taken into
// `values`. The caller frees it.
struct verdict *call_judge_answer(const struct call *call, const struct call_outcome *outcome,
                                  const struct config_system *system, struct values *values);

// Likewise for a call that belongs to no step: the verdict on the last answer, its captures taken
// into `values`; NULL where the call was not answered at all. The caller frees it.
struct verdict *call_judge(const struct call *call, const struct call_outcome *outcome,
                           const struct config_system *system, struct values *values);

// Why it failed, in a few words: "DELETE answered 403 Forbidden". The caller frees it.
char *call_judge_describe(const struct call_outcome *outcome, const struct verdict *verdict);

#endif
