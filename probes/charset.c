// SPDX-License-Identifier: MIT
// Charsets of bodies. Everything that looks into bodies (selectors, envelopes,
// evidence) reads the text that comes from here. Bytes are asked first: a .NET
// service declares utf-16 in a document that it sends as UTF-8, and a proxy
// declares ISO-8859-1 of everything.
#include "charset.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

enum { CHARSET_MAX = 40, HEAD_BYTES = 1024, PAIRS_SEEN = 64 };

// Beginnings of the charsets that are converted, in lower case: what ERPs send.
// A name goes to iconv, which knows more than a response should choose from.
static const char *const single_byte[] = {
    "iso-8859-", "iso8859-", "windows-125", "cp125",   "cp437",     "cp850",
    "latin",     "us-ascii", "koi8-",       "tis-620", "macintosh",
};
static const char *const multi_byte[] = {
    "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
};

// How the units of a wide text are made of bytes.
struct wide {
    size_t unit; // bytes: 2 or 4; 0 where the text is not wide
    bool big_endian;
    size_t mark; // bytes of the byte order mark
};

static bool is_charset_byte(char byte)
{
    return g_ascii_isalnum(byte) || byte == '-' || byte == '_';
}

// The name that follows `=` and perhaps a quote at `at`, in lower case, or NULL.
static char *read_name(const char *at)
{
    size_t length = 0;
    at += strspn(at, " \t");
    if (*at == '"' || *at == '\'')
        at++;
    while (length < CHARSET_MAX && is_charset_byte(at[length]))
        length++;
    return length > 0 ? g_ascii_strdown(at, (gssize)length) : NULL;
}

// What stands behind `key` and `=` in `text`, case aside; both are plain texts.
static char *find_name(const char *text, const char *key)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    const char *found = strstr(lower, key);
    if (!found)
        return NULL;
    found += strlen(key);
    found += strspn(found, " \t\r\n");
    return *found == '=' ? read_name(found + 1) : NULL;
}

// <?xml … encoding="…"?> or <meta … charset=…> in a page's beginning.
static char *charset_in_body(const char *data, size_t length)
{
    g_autofree char *head = g_strndup(data, MIN(length, (size_t)HEAD_BYTES));
    char *text = g_strchug(head);
    if (g_str_has_prefix(text, "<?xml"))
        return find_name(text, "encoding");
    return *text == '<' ? find_name(text, "charset") : NULL;
}

static bool is_one_of(const char *charset, const char *const *beginnings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (g_str_has_prefix(charset, beginnings[i]))
            return true;
    return false;
}

static bool has_bytes(const char *data, size_t length, const char *bytes, size_t count)
{
    return length >= count && memcmp(data, bytes, count) == 0;
}

static struct wide wide_by_mark(const char *data, size_t length)
{
    static const struct {
        const char *bytes;
        struct wide wide;
    } marks[] = {
        {"\xFF\xFE\0\0", {4, false, 4}},
        {"\0\0\xFE\xFF", {4, true, 4}},
        {"\xFF\xFE", {2, false, 2}},
        {"\xFE\xFF", {2, true, 2}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (has_bytes(data, length, marks[i].bytes, marks[i].wide.mark))
            return marks[i].wide;
    return (struct wide){0};
}

// Without a mark: every second byte of the beginning of markup or JSON is NUL.
static struct wide wide_by_nuls(const char *data, size_t length)
{
    size_t pairs = MIN(length / 2, PAIRS_SEEN), first = 0, second = 0;
    for (size_t i = 0; i < pairs; i++) {
        first += data[2 * i] == '\0';
        second += data[2 * i + 1] == '\0';
    }
    if (pairs < 2 || (first > 0 && second > 0) || (first + second) * 4 < pairs * 3)
        return (struct wide){0};
    return (struct wide){2, first > 0, 0};
}

static struct wide find_wide(const char *data, size_t length)
{
    struct wide wide = wide_by_mark(data, length);
    return wide.unit > 0 ? wide : wide_by_nuls(data, length);
}

bool charset_is_wide(const char *data, size_t length)
{
    return find_wide(data, length).unit > 0;
}

static uint32_t read_unit(const struct wide *wide, const char *at)
{
    uint32_t unit = 0;
    for (size_t i = 0; i < wide->unit; i++) {
        size_t place = wide->big_endian ? i : wide->unit - 1 - i;
        unit = unit << 8 | (unsigned char)at[place];
    }
    return unit;
}

static bool is_trail(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

// Half a surrogate pair, a NUL and what is no character become U+FFFD; an odd
// byte and NULs at the end are dropped.
static char *from_wide(const struct wide *wide, const char *data, size_t length)
{
    GString *text = g_string_sized_new(length);
    const char *at = data + wide->mark;
    const char *end = at + (length - wide->mark) / wide->unit * wide->unit;
    while (end > at && read_unit(wide, end - wide->unit) == 0)
        end -= wide->unit;
    while (at < end) {
        uint32_t unit = read_unit(wide, at);
        at += wide->unit;
        if (wide->unit == 2 && unit >= 0xD800 && unit <= 0xDBFF && at < end &&
            is_trail(read_unit(wide, at))) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (read_unit(wide, at) - 0xDC00);
            at += 2;
        }
        // A second mark, as some writers put one before each part, says nothing.
        if (unit == 0xFEFF && text->len == 0)
            continue;
        bool known = unit > 0 && unit <= 0x10FFFF && g_unichar_validate(unit);
        g_string_append_unichar(text, known ? unit : 0xFFFD);
    }
    return g_string_free(text, false);
}

static char *make_text(const char *data, size_t length)
{
    return length > 0 ? g_utf8_make_valid(data, (gssize)length) : g_strdup("");
}

// NULL where the bytes are not in that charset. Servers that say ISO-8859-1 mean
// Windows' superset of it.
static char *convert(const char *data, size_t length, const char *charset)
{
    g_autofree char *text = NULL;
    gsize written = 0;
    if (strcmp(charset, "iso-8859-1") == 0 || strcmp(charset, "us-ascii") == 0)
        text = g_convert(data, (gssize)length, "UTF-8", "WINDOWS-1252", NULL, &written, NULL);
    if (!text)
        text = g_convert(data, (gssize)length, "UTF-8", charset, NULL, &written, NULL);
    return text ? make_text(text, written) : NULL;
}

// Nearly always what it is where nothing says what it is; the five bytes that
// Windows leaves open are taken as Latin-1 has them.
static char *from_windows(const char *data, size_t length)
{
    static const uint16_t upper[32] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    GString *text = g_string_sized_new(length + length / 8);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte == '\0')
            g_string_append_unichar(text, 0xFFFD);
        else
            g_string_append_unichar(text, byte >= 0x80 && byte < 0xA0 ? upper[byte - 0x80] : byte);
    }
    return g_string_free(text, false);
}

// How the bytes above ASCII look as UTF-8.
struct utf8_look {
    size_t good, bad; // characters, and bytes in none
    bool cut;         // the end falls into a character
    bool nul;
};

static struct utf8_look look_at(const char *data, size_t length)
{
    struct utf8_look look = {0};
    const char *end = data + length, *stop = NULL;
    if (g_utf8_validate_len(data, length, NULL))
        return look; // nearly every one: nothing has to be counted
    for (bool valid = false; !valid && data < end; data = stop + 1) {
        valid = g_utf8_validate_len(data, (gsize)(end - data), &stop);
        for (; data < stop; data++)
            look.good += ((unsigned char)*data & 0xC0) == 0xC0;
        look.nul = look.nul || (!valid && *stop == '\0');
        if (valid || *stop == '\0')
            continue;
        look.cut = g_utf8_get_char_validated(stop, end - stop) == (gunichar)-2;
        if (look.cut)
            break;
        look.bad++;
    }
    return look;
}

static bool is_convertible(const char *charset)
{
    return is_one_of(charset, single_byte, G_N_ELEMENTS(single_byte)) ||
           is_one_of(charset, multi_byte, G_N_ELEMENTS(multi_byte));
}

static char *from_bytes(const char *data, size_t length, const char *content_type)
{
    g_autofree char *in_header = content_type ? find_name(content_type, "charset") : NULL;
    g_autofree char *in_body = charset_in_body(data, length);
    const char *const declared[] = {in_header, in_body};
    const struct utf8_look look = look_at(data, length);
    bool utf8 = look.bad == 0 && !look.cut;
    for (size_t i = 0; i < G_N_ELEMENTS(declared); i++) {
        // Bytes that are UTF-8 are no accident, but in the charsets that pair bytes too.
        if (!declared[i])
            continue;
        bool tried = utf8 ? is_one_of(declared[i], multi_byte, G_N_ELEMENTS(multi_byte))
                          : is_convertible(declared[i]);
        char *text = tried ? convert(data, length, declared[i]) : NULL;
        if (text)
            return text;
    }
    if (utf8 && !look.nul)
        return g_strndup(data, length);
    // Some bytes broken in a text, or a text in another charset.
    bool mostly = look.good > 0 && look.good >= look.bad;
    return utf8 || mostly ? make_text(data, length) : from_windows(data, length);
}

char *charset_decode(const char *data, size_t length, const char *content_type)
{
    const struct wide wide = find_wide(data, length);
    if (wide.unit > 0)
        return from_wide(&wide, data, length);
    while (length > 0 && data[length - 1] == '\0')
        length--;
    for (; length > 0 && *data == '\0'; data++)
        length--;
    while (has_bytes(data, length, "\xEF\xBB\xBF", 3)) {
        data += 3;
        length -= 3;
    }
    return from_bytes(data, length, content_type);
}
