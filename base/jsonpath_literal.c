// SPDX-License-Identifier: MIT
// Texts and numbers of a JSONPath query (RFC 9535 sections 2.3.1.1, 2.3.3.1, 2.3.5.1).
#include "jsonpath_parser.h"

#include "json.h"

#include <string.h>

#define INTEGER_MOST INT64_C(9007199254740991)

// Four hexadecimal digits; -1 where they are none.
static int32_t read_hex(struct jsonpath_parser *parser)
{
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(parser->at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    parser->at += 4;
    return code;
}

// The second half of a surrogate pair; -1 where there is none.
static int32_t read_low(struct jsonpath_parser *parser)
{
    if (parser->at[0] != '\\' || parser->at[1] != 'u')
        return -1;
    parser->at += 2;
    int32_t low = read_hex(parser);
    return low >= 0xDC00 && low <= 0xDFFF ? low : -1;
}

// What follows \u. U+0000 reads as U+FFFD, as it does in documents (json.h).
static bool read_unicode(struct jsonpath_parser *parser, GString *text)
{
    int32_t code = read_hex(parser);
    if (code >= 0xD800 && code <= 0xDBFF) {
        int32_t low = read_low(parser);
        code = low < 0 ? -1 : 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF))
        return jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX,
                                    "\\u wants four hexadecimal digits, surrogates in pairs");
    g_string_append_unichar(text, code == 0 ? 0xFFFD : (gunichar)code);
    return true;
}

static bool read_escape(struct jsonpath_parser *parser, GString *text, char quote)
{
    static const char letters[] = "bfnrt/\\", meant[] = "\b\f\n\r\t/\\";
    char letter = *parser->at;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found)
        g_string_append_c(text, meant[found - letters]);
    else if (letter == quote)
        g_string_append_c(text, quote);
    else if (letter != 'u')
        return jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX, "there is no such escape");
    parser->at++;
    return letter != 'u' || read_unicode(parser, text);
}

char *jsonpath_parser_text(struct jsonpath_parser *parser)
{
    char quote = *parser->at++;
    g_autoptr(GString) text = g_string_new(NULL);
    while (*parser->at != quote) {
        unsigned char next = (unsigned char)*parser->at;
        if (next < 0x20) {
            jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX,
                                 next ? "a control character has to be written as an escape"
                                      : "the quote that closes the text is missing");
            return NULL;
        }
        parser->at++;
        if (next != '\\')
            g_string_append_c(text, (char)next);
        else if (!read_escape(parser, text, quote))
            return NULL;
    }
    parser->at++;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool jsonpath_parser_integer(struct jsonpath_parser *parser, int64_t *number)
{
    const char *from = parser->at;
    bool negative = jsonpath_parser_take(parser, '-');
    const char *digits = parser->at;
    int64_t value = 0;
    while (g_ascii_isdigit(*parser->at) && value <= INTEGER_MOST)
        value = value * 10 + (*parser->at++ - '0');
    *number = negative ? -value : value;
    const char *what = NULL;
    if (parser->at == digits)
        what = "an integer was expected";
    else if (digits[0] == '0' && (negative || parser->at > digits + 1))
        what = "an integer has no 0 in front and no -0";
    else if (value > INTEGER_MOST)
        what = "the integer is beyond 2^53";
    if (!what)
        return true;
    parser->at = from;
    return jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX, what);
}

cJSON *jsonpath_parser_number(struct jsonpath_parser *parser)
{
    size_t length = strspn(parser->at, "0123456789+-.eE");
    g_autofree char *literal = g_strndup(parser->at, length);
    if (!json_is_number(literal)) {
        jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX, "this is not a number of JSON");
        return NULL;
    }
    parser->at += length;
    return json_new_number(literal);
}
