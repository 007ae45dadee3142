// SPDX-License-Identifier: MIT
// I-Regexp (RFC 9485), the patterns of match() and search(). Inside of
// base/jsonpath only.
#ifndef BASE_JSONPATH_IREGEXP_H
#define BASE_JSONPATH_IREGEXP_H

#include "regex.h"

// Compiles an I-Regexp, for whole texts (match) or parts (search); NULL where
// the pattern is not one.
struct regex *jsonpath_iregexp_compile(const char *pattern, bool whole);

#endif
