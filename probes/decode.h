// SPDX-License-Identifier: MIT
// Decodes captured texts: base64, URL encoding, HTML entities. Pure.
#ifndef PROBES_DECODE_H
#define PROBES_DECODE_H

#include "../config/call.h"

// The decoded text, which the caller frees; NULL where `text` is not so encoded
// (or decodes to something with a zero byte, which is no text).
char *decode_text(const char *text, enum capture_decode decode);

// What to call it in a sentence: "base64".
const char *decode_name(enum capture_decode decode);

#endif
