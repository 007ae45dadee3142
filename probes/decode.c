// SPDX-License-Identifier: MIT
// The decoders of captures. Hostile input: everything is checked, nothing is
// guessed. Used by capture.
#include "decode.h"

#include "charset.h"

#include <string.h>

// The alphabet of either base64, blanks left out, without padding; NULL where a
// character is of neither.
static char *clean_base64(const char *text)
{
    GString *clean = g_string_new(NULL);
    for (; *text && *text != '='; text++) {
        char c = *text == '-' ? '+' : *text == '_' ? '/' : *text;
        if (g_ascii_isspace(c))
            continue;
        if (!g_ascii_isalnum(c) && c != '+' && c != '/') {
            g_string_free(clean, TRUE);
            return NULL;
        }
        g_string_append_c(clean, c);
    }
    if (text[strspn(text, "= \t\r\n")] || clean->len % 4 == 1) {
        g_string_free(clean, TRUE);
        return NULL;
    }
    while (clean->len % 4)
        g_string_append_c(clean, '=');
    return g_string_free(clean, FALSE);
}

static char *decode_base64(const char *text)
{
    g_autofree char *clean = clean_base64(text);
    if (!clean)
        return NULL;
    size_t length = 0;
    g_autofree guchar *bytes = g_base64_decode(clean, &length);
    const char *text_bytes = (const char *)bytes;
    if (memchr(text_bytes, 0, length) && !charset_is_wide(text_bytes, length))
        return NULL;
    // Who encodes whole documents sends them in charsets of their own.
    return charset_decode(text_bytes, length, NULL);
}

// %XX; a plus stays one, as in a path.
static char *decode_url(const char *text)
{
    return g_uri_unescape_string(text, NULL);
}

// The character of a numeric reference (&#39; &#x27;), 0 where it is none.
static gunichar numeric_entity(const char *name, size_t length)
{
    bool hex = length > 1 && (name[1] == 'x' || name[1] == 'X');
    g_autofree char *digits = g_strndup(name + 1 + hex, length - 1 - hex);
    guint64 code = 0;
    if (!g_ascii_string_to_unsigned(digits, hex ? 16 : 10, 1, 0x10FFFF, &code, NULL))
        return 0;
    return g_unichar_validate((gunichar)code) ? (gunichar)code : 0;
}

static gunichar named_entity(const char *name, size_t length)
{
    static const struct {
        const char *name;
        gunichar character;
    } entities[] = {{"amp", '&'},     {"lt", '<'},        {"gt", '>'},       {"quot", '"'},
                    {"apos", '\''},   {"nbsp", 0xA0},     {"euro", 0x20AC},  {"copy", 0xA9},
                    {"eacute", 0xE9}, {"egrave", 0xE8},   {"agrave", 0xE0},  {"ccedil", 0xE7},
                    {"uuml", 0xFC},   {"ouml", 0xF6},     {"auml", 0xE4},    {"szlig", 0xDF},
                    {"euml", 0xEB},   {"hellip", 0x2026}, {"ndash", 0x2013}, {"mdash", 0x2014}};
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++)
        if (strlen(entities[i].name) == length && memcmp(entities[i].name, name, length) == 0)
            return entities[i].character;
    return 0;
}

// What is no entity stays as it is, as in a browser.
static char *decode_html(const char *text)
{
    GString *decoded = g_string_new(NULL);
    while (*text) {
        size_t length = *text == '&' ? strcspn(text + 1, ";& \n") : 0;
        gunichar character = 0;
        if (length > 0 && text[1 + length] == ';')
            character =
                text[1] == '#' ? numeric_entity(text + 1, length) : named_entity(text + 1, length);
        if (character)
            g_string_append_unichar(decoded, character);
        else
            g_string_append_c(decoded, *text);
        text += character ? length + 2 : 1;
    }
    return g_string_free(decoded, FALSE);
}

char *decode_text(const char *text, enum capture_decode decode)
{
    switch (decode) {
    case CAPTURE_BASE64:
        return decode_base64(text);
    case CAPTURE_URL:
        return decode_url(text);
    case CAPTURE_HTML:
        return decode_html(text);
    case CAPTURE_PLAIN:
        break;
    }
    return g_strdup(text);
}

const char *decode_name(enum capture_decode decode)
{
    static const char *const names[] = {[CAPTURE_PLAIN] = "text",
                                        [CAPTURE_BASE64] = "base64",
                                        [CAPTURE_URL] = "URL-encoded",
                                        [CAPTURE_HTML] = "HTML"};
    return names[decode];
}
