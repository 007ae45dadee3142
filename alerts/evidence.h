// SPDX-License-Identifier: MIT
// What a contact may see of a run's evidence: all of it, its shape, or none
// (failure-semantics 29). Pure.
#ifndef ALERTS_EVIDENCE_H
#define ALERTS_EVIDENCE_H

#include "../base/json.h"
#include "../config/config.h"

// A copy of a run's result (run_result_to_json, secrets already out), reduced to what `evidence`
// allows; NULL where `result` is NULL. The caller frees it.
cJSON *evidence_reduce(const cJSON *result, enum config_evidence evidence);

// The shape of a JSON value: objects and arrays keep their keys and lengths, texts and numbers
// become the word of their type; members that state an error keep their texts, and so does each
// value that occurs in `known` (a text, may be NULL: what the run sent). The caller frees it.
cJSON *evidence_shape(const cJSON *value, const char *known);

#endif
