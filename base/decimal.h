// SPDX-License-Identifier: MIT
// Decimal numbers compared by value from their digits, without a double in
// between: 12.10 equals 12.1, 1e2 equals 100, 9007199254740993 is not …992.
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>

// True where the whole text is a decimal: -?digits(.digits)?([eE][+-]?digits)?
bool decimal_is_valid(const char *text);

// Less than, equal to or greater than 0 as `left` is to `right`; both valid.
int decimal_compare(const char *left, const char *right);

#endif
