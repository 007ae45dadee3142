// SPDX-License-Identifier: MIT
// The text of a response's body: from whatever charset its header, its byte
// order mark or its own first line names, to valid UTF-8. Everything that looks
// into bodies (selectors, envelopes, evidence) reads this text.
#include "exchange.h"

#include <string.h>

enum { CHARSET_MAX = 40, HEAD_BYTES = 1024 };

// Beginnings of the charsets that are converted, in lower case: what ERPs send.
// A name goes to iconv, which knows more than a response should choose from.
static const char *const CHARSETS[] = {
    "iso-8859-", "iso8859-",  "windows-125", "cp125",  "cp437",   "cp850",     "latin",
    "us-ascii",  "utf-16",    "utf-32",      "koi8-",  "gb2312",  "gbk",       "gb18030",
    "big5",      "shift_jis", "euc-jp",      "euc-kr", "tis-620", "macintosh",
};

static bool is_charset_byte(char byte)
{
    return g_ascii_isalnum(byte) || byte == '-' || byte == '_';
}

// The name that follows `=` and perhaps a quote at `at`, in lower case, or NULL.
static char *read_name(const char *at)
{
    size_t length = 0;
    if (*at == '"' || *at == '\'')
        at++;
    while (length < CHARSET_MAX && is_charset_byte(at[length]))
        length++;
    return length > 0 ? g_ascii_strdown(at, (gssize)length) : NULL;
}

// What stands behind `key` in `text`, case aside; both are plain texts.
static char *find_name(const char *text, const char *key)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    const char *found = strstr(lower, key);
    return found ? read_name(found + strlen(key)) : NULL;
}

// <?xml … encoding="…"?> or <meta … charset=…> in a page's beginning.
static char *charset_in_body(const char *data, size_t length)
{
    g_autofree char *head = g_strndup(data, MIN(length, (size_t)HEAD_BYTES));
    char *text = g_strchug(head);
    if (g_str_has_prefix(text, "<?xml"))
        return find_name(text, "encoding=");
    return *text == '<' ? find_name(text, "charset=") : NULL;
}

// The charset that the response names, or NULL.
static char *charset_of(const struct transfer_response *response, const char *data, size_t length)
{
    const char *type = transfer_headers_find(response->headers, "Content-Type");
    char *charset = type ? find_name(type, "charset=") : NULL;
    return charset ? charset : charset_in_body(data, length);
}

static bool is_convertible(const char *charset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(CHARSETS); i++)
        if (g_str_has_prefix(charset, CHARSETS[i]))
            return true;
    return false;
}

// NULL where the bytes are not in that charset. Servers that say ISO-8859-1 mean
// Windows' superset of it.
static char *convert(const char *data, size_t length, const char *charset)
{
    char *text = NULL;
    if (strcmp(charset, "iso-8859-1") == 0 || strcmp(charset, "us-ascii") == 0)
        text = g_convert(data, (gssize)length, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL);
    if (!text)
        text = g_convert(data, (gssize)length, "UTF-8", charset, NULL, NULL, NULL);
    return text;
}

static bool has_bytes(const char *data, size_t length, const char *bytes, size_t count)
{
    return length >= count && memcmp(data, bytes, count) == 0;
}

// Valid UTF-8 throughout, NULs replaced too: the result is a C string.
static char *make_text(const char *data, size_t length)
{
    return length > 0 ? g_utf8_make_valid(data, (gssize)length) : g_strdup("");
}

char *exchange_body_text(const struct transfer_response *response)
{
    gsize length;
    const char *data = g_bytes_get_data(response->body, &length);
    if (length == 0)
        return g_strdup("");
    if (has_bytes(data, length, "\xEF\xBB\xBF", 3))
        return make_text(data + 3, length - 3);
    g_autofree char *charset = NULL;
    if (has_bytes(data, length, "\xFF\xFE", 2) || has_bytes(data, length, "\xFE\xFF", 2))
        charset = g_strdup("utf-16");
    else
        charset = charset_of(response, data, length);
    if (!charset || !is_convertible(charset))
        return make_text(data, length);
    g_autofree char *text = convert(data, length, charset);
    return text ? make_text(text, strlen(text)) : make_text(data, length);
}
