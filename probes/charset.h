// SPDX-License-Identifier: MIT
// The text of a body: from whatever charset its bytes, its header or its own
// first line show, to valid UTF-8. Pure.
#ifndef PROBES_CHARSET_H
#define PROBES_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

// The text of `length` bytes: valid UTF-8 without a byte order mark, bad bytes
// and NULs replaced by U+FFFD, NULs at both ends dropped. What the bytes show goes
// before what `content_type` (may be NULL) and the text itself declare, for servers
// declare what they do not send. The caller frees it.
char *charset_decode(const char *data, size_t length, const char *content_type);

// True where the bytes are UTF-16 or UTF-32, by a byte order mark or their NULs.
bool charset_is_wide(const char *data, size_t length);

#endif
