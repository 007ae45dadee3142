// SPDX-License-Identifier: MIT
// Judges one check (an operator with its operand) on what a selector selected:
// the rules of comparison of configuration.md section 4. Pure.
#ifndef PROBES_OPERATORS_H
#define PROBES_OPERATORS_H

#include "../config/call.h"

enum operators_outcome {
    OPERATORS_HOLD,
    OPERATORS_FAIL,
    OPERATORS_FAULT, // a hole cannot be filled, a pattern is undecided: `error` says it
};

// What the results are, and where operands with holes get their values.
struct operators_input {
    enum selector_kind kind;
    const struct template_context *context; // NULL where there are no holes
};

// No single result is at fault, but all of them.
#define OPERATORS_ALL G_MAXUINT

// Judges `check` on `results` (of cJSON). Where it fails, `culprit` (may be NULL)
// is the first result that does not hold, or OPERATORS_ALL.
enum operators_outcome operators_judge(const struct check *check, const GPtrArray *results,
                                       const struct operators_input *input, unsigned *culprit,
                                       GError **error);

// Characters of a text, elements of an array, members of an object; -1 for others.
int operators_length(const cJSON *value);

#endif
