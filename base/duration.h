// SPDX-License-Identifier: MIT
// Durations (500ms 20s 5m 4h 30d 1h30m) and sizes (512B 64KiB 4MiB) as the configuration
// writes them, and durations as people read them.
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

// Reads a duration into milliseconds; false where it is none or too large.
bool duration_parse(const char *text, int64_t *milliseconds);

// Reads a size into bytes (B, KiB, MiB, GiB); false where it is none.
bool size_parse(const char *text, int64_t *bytes);

// A duration as the configuration writes it, exactly: 90s is 1m30s. The caller
// frees it.
char *duration_format(int64_t milliseconds);

#endif
