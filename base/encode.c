// SPDX-License-Identifier: MIT
// Escaping for URLs, forms, JSON and XML. Used by templates when they fill holes
// and by requests when they build a URL; decoding is the business of others.
#include "encode.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static void append_percent(GString *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    char text[3] = {'%', digits[c >> 4], digits[c & 15]};
    g_string_append_len(out, text, sizeof text);
}

void encode_percent(GString *out, const char *text, size_t length, const char *keep)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(c) || (c != '\0' && strchr(keep, c)))
            g_string_append_c(out, (char)c);
        else
            append_percent(out, c);
    }
}

void encode_form(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == ' ')
            g_string_append_c(out, '+');
        else if (c == '*' || (c != '~' && is_unreserved(c)))
            g_string_append_c(out, (char)c);
        else
            append_percent(out, c);
    }
}

// The letter of a two-character JSON escape, or 0 where there is none.
static char json_short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

void encode_json(GString *out, const char *text, size_t length)
{
    size_t done = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        g_string_append_len(out, text + done, (gssize)(i - done));
        done = i + 1;
        char letter = json_short_escape(c);
        if (letter) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, letter);
        } else {
            g_string_append_printf(out, "\\u%04x", c);
        }
    }
    g_string_append_len(out, text + done, (gssize)(length - done));
}

void encode_xml(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\'':
            g_string_append(out, "&#39;");
            break;
        default:
            g_string_append_c(out, text[i]);
        }
    }
}
