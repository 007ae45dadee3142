// SPDX-License-Identifier: MIT
// Judges expectations: which is the first that does not hold, in words. Pure.
#ifndef PROBES_EXPECT_H
#define PROBES_EXPECT_H

#include "selector.h"

// What judging gave.
enum expect_outcome { EXPECT_HOLDS, EXPECT_FAILS, EXPECT_OUR_FAULT };

// Judges all of `expectations` (of struct expectation); `values` answers
// `from`. On EXPECT_FAILS `failed` is "$.status equals Draft: was Open" of the first
// (the caller frees it); on EXPECT_OUR_FAULT it says which hole cannot be filled.
enum expect_outcome expect_judge(const GPtrArray *expectations, struct subject *subject,
                                 struct values *values, struct clock_wall now, char **failed);

// Judges checks on one value, as only_if does.
bool expect_value(const GPtrArray *checks, const struct value *value, struct values *values,
                  struct clock_wall now);

// True where one of `expectations` is on the status.
bool expect_names_status(const GPtrArray *expectations);

// True where one of `expectations` is on what the answer says, not just on how long it took or
// how large it is.
bool expect_names_content(const GPtrArray *expectations);

// True where one of them judges the answer by a selector of this kind.
bool expect_names_kind(const GPtrArray *expectations, enum selector_kind kind);

#endif
