// SPDX-License-Identifier: MIT
// Compares decimal numbers from their digits. A number is brought into the form
// 0.d1d2d3… × 10^scale with d1 not 0; then sign, scale and digits decide, so no
// number is too long and none is rounded.
#include "decimal.h"

#include <stdint.h>
#include <string.h>

// Exponents beyond this are all the same to us: nobody's amount has them.
#define SCALE_LIMIT INT64_C(100000000000000000)

struct parts {
    bool negative;
    bool zero;
    int64_t scale;
    const char *digits; // from the first one that is not 0; a point may be among them
};

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9')
        text++;
    return text;
}

bool decimal_is_valid(const char *text)
{
    if (*text == '-')
        text++;
    const char *end = skip_digits(text);
    if (end == text)
        return false;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        if (end == fraction)
            return false;
    }
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1;
        if (*exponent == '+' || *exponent == '-')
            exponent++;
        end = skip_digits(exponent);
        if (end == exponent)
            return false;
    }
    return *end == '\0';
}

// The exponent behind e or E, held within the limit.
static int64_t read_exponent(const char *text)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    int64_t exponent = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        if (exponent < SCALE_LIMIT)
            exponent = exponent * 10 + (*text - '0');
    if (exponent > SCALE_LIMIT)
        exponent = SCALE_LIMIT;
    return negative ? -exponent : exponent;
}

static struct parts split(const char *text)
{
    struct parts parts = {.negative = *text == '-', .zero = true};
    if (parts.negative)
        text++;
    bool fraction = false;
    for (; *text && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        if (parts.zero && *text != '0') {
            parts.zero = false;
            parts.digits = text;
        }
        if (!parts.zero && !fraction)
            parts.scale++;
        if (parts.zero && fraction)
            parts.scale--;
    }
    if (*text)
        parts.scale += read_exponent(text + 1);
    return parts;
}

// The digit at `*text`, 0 behind the last one; steps over the point.
static char next_digit(const char **text)
{
    if (**text == '.')
        (*text)++;
    if (**text < '0' || **text > '9')
        return '0';
    return *(*text)++;
}

static bool at_digit(const char *text)
{
    if (*text == '.')
        text++;
    return *text >= '0' && *text <= '9';
}

static int compare_digits(const char *left, const char *right)
{
    while (at_digit(left) || at_digit(right)) {
        int difference = next_digit(&left) - next_digit(&right);
        if (difference != 0)
            return difference;
    }
    return 0;
}

static int compare_magnitude(const struct parts *left, const struct parts *right)
{
    if (left->scale != right->scale)
        return left->scale < right->scale ? -1 : 1;
    return compare_digits(left->digits, right->digits);
}

int decimal_compare(const char *left, const char *right)
{
    struct parts a = split(left), b = split(right);
    if (a.zero || b.zero) {
        int sign_a = a.zero ? 0 : a.negative ? -1 : 1;
        int sign_b = b.zero ? 0 : b.negative ? -1 : 1;
        return sign_a - sign_b;
    }
    if (a.negative != b.negative)
        return a.negative ? -1 : 1;
    int order = compare_magnitude(&a, &b);
    return a.negative ? -order : order;
}
