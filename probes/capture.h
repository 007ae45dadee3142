// SPDX-License-Identifier: MIT
// Takes values out of a response, each capture on its own. Pure.
#ifndef PROBES_CAPTURE_H
#define PROBES_CAPTURE_H

#include "selector.h"

// Takes all of `captures` (of struct capture) into `values`. `url` is where the
// response came from, for `as: url`. Those that can be taken are taken even
// where others fail; false and `failed` (the first that could not: "capture
// order: $.id selected nothing"; the caller frees it) where one failed.
bool capture_take(const GPtrArray *captures, struct subject *subject, struct values *values,
                  const char *url, struct clock_wall now, char **failed);

// Computes `fields` (of struct call_field: a call's `set`) into `values`, in order; false
// and `failed` (the caller frees it) at the first that cannot be.
bool capture_set(const GPtrArray *fields, struct values *values, struct clock_wall now,
                 char **failed);

#endif
