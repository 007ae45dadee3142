// SPDX-License-Identifier: MIT
// Decoded views of a text, with the way back: where each decoded byte came
// from. An escape costs one entry; what stands between is copied as it is.
#include "redact_parts.h"

#include <string.h>

// An escape in the making: what it stands for, in UTF-8.
struct decoded {
    char text[8];
    size_t made;
};

static void put_character(struct decoded *decoded, gunichar character)
{
    if (character == 0 || !g_unichar_validate(character))
        character = 0xfffd;
    decoded->made = (size_t)g_unichar_to_utf8(character, decoded->text);
}

static bool read_hex(const char *at, size_t digits, gunichar *number)
{
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return false;
        *number = *number * 16 + (gunichar)digit;
    }
    return true;
}

// \uXXXX, or two of them that are a pair; how many bytes are taken.
static size_t decode_unicode(const char *at, size_t left, struct decoded *decoded)
{
    gunichar high = 0, low = 0;
    if (left < 6 || !read_hex(at + 2, 4, &high))
        return 0;
    bool pair = high >= 0xd800 && high < 0xdc00 && left >= 12 && at[6] == '\\' && at[7] == 'u' &&
                read_hex(at + 8, 4, &low) && low >= 0xdc00 && low < 0xe000;
    put_character(decoded, pair ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : high);
    return pair ? 12 : 6;
}

static size_t decode_json(const char *at, size_t left, struct decoded *decoded)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (left < 2 || at[1] == '\0')
        return 0;
    if (at[1] == 'u')
        return decode_unicode(at, left, decoded);
    const char *letter = strchr(letters, at[1]);
    if (!letter)
        return 0;
    decoded->text[0] = meanings[letter - letters];
    decoded->made = 1;
    return 2;
}

static size_t decode_url(const char *at, size_t left, struct decoded *decoded)
{
    gunichar byte = 0;
    if (left < 3 || !read_hex(at + 1, 2, &byte))
        return 0;
    decoded->text[0] = (char)byte;
    decoded->made = 1;
    return 3;
}

static size_t decode_form(const char *at, size_t left, struct decoded *decoded)
{
    if (*at != '+')
        return decode_url(at, left, decoded);
    decoded->text[0] = ' ';
    decoded->made = 1;
    return 1;
}

struct entity {
    const char *name;
    gunichar character;
};

// The names of XML, and those of HTML for ASCII.
static const struct entity entities[] = {
    {"amp", '&'},    {"lt", '<'},       {"gt", '>'},     {"quot", '"'},   {"apos", '\''},
    {"excl", '!'},   {"num", '#'},      {"dollar", '$'}, {"percnt", '%'}, {"lpar", '('},
    {"rpar", ')'},   {"ast", '*'},      {"plus", '+'},   {"comma", ','},  {"period", '.'},
    {"sol", '/'},    {"colon", ':'},    {"semi", ';'},   {"equals", '='}, {"quest", '?'},
    {"commat", '@'}, {"lsqb", '['},     {"lbrack", '['}, {"bsol", '\\'},  {"rsqb", ']'},
    {"rbrack", ']'}, {"Hat", '^'},      {"lowbar", '_'}, {"grave", '`'},  {"lcub", '{'},
    {"lbrace", '{'}, {"verbar", '|'},   {"vert", '|'},   {"rcub", '}'},   {"rbrace", '}'},
    {"Tab", '\t'},   {"NewLine", '\n'}, {"AMP", '&'},    {"LT", '<'},     {"GT", '>'},
    {"QUOT", '"'},   {"euro", 0x20ac},
};

// The names of HTML 4 for U+00A0 to U+00FF, in that order.
static const char *const latin_names[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static gunichar named_entity(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++) {
        if (strlen(entities[i].name) == length && memcmp(entities[i].name, name, length) == 0)
            return entities[i].character;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(latin_names); i++) {
        if (strlen(latin_names[i]) == length && memcmp(latin_names[i], name, length) == 0)
            return 0xa0 + (gunichar)i;
    }
    return 0;
}

// &#38; or &#x26;, with any number of zeros in front; the semicolon may be missing.
static size_t decode_numeric(const char *at, size_t left, struct decoded *decoded)
{
    bool hex = left > 2 && (at[2] == 'x' || at[2] == 'X');
    size_t start = hex ? 3 : 2, end = start;
    gunichar number = 0;
    for (; end < left && end < 24; end++) {
        int digit = hex ? g_ascii_xdigit_value(at[end]) : g_ascii_digit_value(at[end]);
        if (digit < 0)
            break;
        if (number < 0x110000)
            number = number * (hex ? 16 : 10) + (gunichar)digit;
    }
    if (end == start)
        return 0;
    put_character(decoded, number);
    return end < left && at[end] == ';' ? end + 1 : end;
}

static size_t decode_entity(const char *at, size_t left, struct decoded *decoded)
{
    if (left > 2 && at[1] == '#')
        return decode_numeric(at, left, decoded);
    size_t end = 1;
    while (end < left && end < 10 && g_ascii_isalnum(at[end]))
        end++;
    if (end >= left || at[end] != ';')
        return 0;
    gunichar character = named_entity(at + 1, end - 1);
    if (character == 0)
        return 0;
    put_character(decoded, character);
    return end + 1;
}

static const struct decoder {
    char first, other; // what an escape begins with
    size_t (*decode)(const char *at, size_t left, struct decoded *decoded);
} decoders[REDACT_DECODERS] = {
    [REDACT_DECODER_JSON] = {'\\', '\\', decode_json},
    [REDACT_DECODER_URL] = {'%', '%', decode_url},
    [REDACT_DECODER_FORM] = {'+', '%', decode_form},
    [REDACT_DECODER_ENTITY] = {'&', '&', decode_entity},
};

struct redact_view redact_view_of(const char *text, size_t length)
{
    return (struct redact_view){.text = text, .length = length};
}

static const char *find_escape(const struct decoder *decoder, const char *at, const char *end)
{
    if (decoder->first == decoder->other)
        return memchr(at, decoder->first, (size_t)(end - at));
    for (; at < end; at++) {
        if (*at == decoder->first || *at == decoder->other)
            return at;
    }
    return NULL;
}

bool redact_view_decode(struct redact_view *view, const struct redact_view *parent, size_t from,
                        size_t to, enum redact_decoder decoder)
{
    const struct decoder *by = &decoders[decoder];
    const char *start = parent->text + from, *end = parent->text + to, *done = start;
    const char *found = find_escape(by, start, end);
    if (!found)
        return false;
    GString *out = g_string_sized_new(to - from);
    GArray *escapes = g_array_new(FALSE, FALSE, sizeof(struct redact_escape));
    while (found) {
        struct decoded decoded = {.made = 0};
        size_t taken = by->decode(found, (size_t)(end - found), &decoded);
        if (taken > 0) {
            g_string_append_len(out, done, found - done);
            struct redact_escape escape = {.view = out->len,
                                           .source = from + (size_t)(found - start),
                                           .made = (uint8_t)decoded.made,
                                           .taken = (uint8_t)taken};
            g_array_append_val(escapes, escape);
            g_string_append_len(out, decoded.text, (gssize)decoded.made);
            done = found + taken;
        }
        found = find_escape(by, taken > 0 ? done : found + 1, end);
    }
    g_string_append_len(out, done, end - done);
    size_t length = out->len;
    *view = (struct redact_view){.length = length,
                                 .parent = parent,
                                 .from = from,
                                 .escapes = escapes,
                                 .owned = g_string_free(out, FALSE)};
    view->text = view->owned;
    if (escapes->len > 0)
        return true;
    redact_view_clear(view);
    return false;
}

void redact_view_clear(struct redact_view *view)
{
    g_clear_pointer(&view->escapes, g_array_unref);
    g_clear_pointer(&view->owned, g_free);
}

// The last escape at or before `at`, or NULL.
static const struct redact_escape *escape_before(const struct redact_view *view, size_t at)
{
    guint low = 0, high = view->escapes->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(view->escapes, struct redact_escape, middle).view <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &g_array_index(view->escapes, struct redact_escape, low - 1) : NULL;
}

// Where the byte at `at` begins in the parent, or (`end`) where it ends.
static size_t map_byte(const struct redact_view *view, size_t at, bool end)
{
    const struct redact_escape *escape = escape_before(view, at);
    if (!escape)
        return view->from + at + (end ? 1 : 0);
    if (at < escape->view + escape->made)
        return escape->source + (end ? escape->taken : 0);
    return escape->source + escape->taken + (at - escape->view - escape->made) + (end ? 1 : 0);
}

static void add_span(GArray *spans, size_t start, size_t end, bool quoted)
{
    struct redact_span *last =
        spans->len ? &g_array_index(spans, struct redact_span, spans->len - 1) : NULL;
    // Most come in order, so that overlapping ones are joined at once.
    if (last && !quoted && !last->quoted && start >= last->start && start <= last->end) {
        last->end = MAX(last->end, end);
        return;
    }
    struct redact_span span = {start, end, quoted};
    g_array_append_val(spans, span);
}

void redact_view_mark(const struct redact_view *view, size_t start, size_t end, bool quoted,
                      GArray *spans)
{
    if (start >= end)
        return;
    for (; view->parent; view = view->parent) {
        start = map_byte(view, start, false);
        end = map_byte(view, end - 1, true);
    }
    add_span(spans, start, end, quoted);
}
