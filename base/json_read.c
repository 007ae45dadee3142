// SPDX-License-Identifier: MIT
// json_parse: from text to a cJSON tree, in one strict pass. cJSON's own reader
// is lax (01, \uZZZZ, trailing text, raw control characters), drops the digits
// of numbers and refuses long ones; mending that takes a second pass over every
// token anyway, and this one pass takes half the time. All else (the tree, its
// deletion and copies) is cJSON.
//
// What C strings cannot hold is not cut silently: \u0000 and surrogates without
// their other half become U+FFFD. Duplicate keys are kept as they stand.
#include "json.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

// cJSON_Delete and our own walks recurse this deep at most.
#define DEPTH_MOST 1000
#define REPLACEMENT 0xFFFD
#define NODES_A_PIECE 15 // taken from an arena at a time: less than 1,000 bytes

G_DEFINE_QUARK(erpwatch - json - error, json_error)

struct reader {
    const char *start, *at, *end;
    unsigned depth;
    struct arena *arena; // where the tree's memory is from; NULL: from cJSON
    char *copy;          // in an arena: of all that is read, of which the tree's texts are parts
    cJSON *nodes;        // in an arena: those that are next
    unsigned nodes_left;
    GError **error;
};

static void fail(struct reader *reader, enum json_error code, const char *what)
{
    size_t line = 1;
    const char *line_start = reader->start;
    for (const char *p = reader->start; p < reader->at; p++)
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    g_set_error(reader->error, JSON_ERROR, code, "not JSON: line %zu, column %zu: %s", line,
                (size_t)(reader->at - line_start) + 1, what);
}

// Where the text that is written at `from` goes, and a byte for its end.
static inline char *place_text(struct reader *reader, const char *from, size_t length)
{
    if (reader->copy)
        return reader->copy + (from - reader->start);
    char *text = cJSON_malloc(length + 1);
    if (!text)
        g_error("out of memory"); // ends the program: it is started again with its state
    return text;
}

static inline char *copy_text(struct reader *reader, const char *from, size_t length)
{
    char *text = place_text(reader, from, length);
    if (!reader->copy)
        memcpy(text, from, length);
    text[length] = '\0';
    return text;
}

static void release(struct reader *reader, char *text)
{
    if (!reader->arena)
        cJSON_free(text);
}

static inline cJSON *take_node(struct reader *reader)
{
    if (reader->nodes_left == 0) {
        reader->nodes = arena_take(reader->arena, NODES_A_PIECE * sizeof *reader->nodes);
        reader->nodes_left = NODES_A_PIECE;
    }
    reader->nodes_left--;
    return reader->nodes++;
}

static inline cJSON *new_node(struct reader *reader, int type)
{
    cJSON *node = reader->arena ? take_node(reader) : cJSON_CreateNull();
    if (!node)
        g_error("out of memory");
    node->type = type;
    return node;
}

static void delete_tree(struct reader *reader, cJSON *tree)
{
    if (!reader->arena)
        cJSON_Delete(tree);
}

// The next byte, or -1 at the end.
static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static inline void skip_space(struct reader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && (unsigned char)*at <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    reader->at = at;
}

static bool skip_digits(struct reader *reader)
{
    const char *from = reader->at, *at = from;
    while (at < reader->end && *at >= '0' && *at <= '9')
        at++;
    reader->at = at;
    return at > from;
}

// Steps over a number as RFC 8259 section 6 writes it.
static bool skip_number(struct reader *reader)
{
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) == '0')
        reader->at++;
    else if (!skip_digits(reader))
        return false;
    int next = peek(reader);
    if (next == '.') {
        reader->at++;
        if (!skip_digits(reader))
            return false;
        next = peek(reader);
    }
    if (next == 'e' || next == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        if (!skip_digits(reader))
            return false;
    }
    return true;
}

// A literal's double. Up to 15 digits without an exponent a quotient of two
// exact doubles is the nearest one; the rest is strtod's.
static double nearest_double(const char *literal, size_t length)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (length > 16)
        return g_ascii_strtod(literal, NULL);
    const char *p = literal + (*literal == '-');
    int64_t digits = 0;
    int decimals = 0;
    bool fraction = false;
    for (; *p; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            return g_ascii_strtod(literal, NULL);
        digits = digits * 10 + (*p - '0');
        decimals += fraction;
    }
    if (decimals >= (int)G_N_ELEMENTS(powers) || digits > INT64_C(999999999999999))
        return g_ascii_strtod(literal, NULL);
    double number = (double)digits / powers[decimals];
    return *literal == '-' ? -number : number;
}

static void set_number(struct reader *reader, cJSON *node, const char *literal, size_t length)
{
    node->valuestring = copy_text(reader, literal, length);
    double number = nearest_double(node->valuestring, length);
    node->valuedouble = number;
    node->valueint = number >= INT_MAX ? INT_MAX : number <= INT_MIN ? INT_MIN : (int)number;
}

static cJSON *read_number(struct reader *reader)
{
    const char *from = reader->at;
    if (!skip_number(reader)) {
        fail(reader, JSON_ERROR_SYNTAX, "a digit was expected");
        return NULL;
    }
    if (peek(reader) >= '0' && peek(reader) <= '9') {
        fail(reader, JSON_ERROR_SYNTAX, "a number may not begin with 0");
        return NULL;
    }
    cJSON *node = new_node(reader, cJSON_Number);
    set_number(reader, node, from, (size_t)(reader->at - from));
    return node;
}

// Four hexadecimal digits at `at`, or -1.
static int read_hex(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

// The second half of a surrogate pair at `at`, or -1.
static int read_low_surrogate(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    int code = read_hex(at + 2, end);
    return code >= 0xDC00 && code <= 0xDFFF ? code : -1;
}

// Decodes the \u escape whose digits begin at reader->at; -1 where they are none.
static int32_t read_unicode(struct reader *reader)
{
    int32_t code = read_hex(reader->at, reader->end);
    if (code < 0)
        return -1;
    reader->at += 4;
    if (code == 0)
        return REPLACEMENT;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    int low = code <= 0xDBFF ? read_low_surrogate(reader->at, reader->end) : -1;
    if (low < 0)
        return REPLACEMENT;
    reader->at += 6;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

// Decodes one escape, whose backslash is behind, into `out`; returns where to
// go on writing, or NULL and the error.
static char *read_escape(struct reader *reader, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    int letter = peek(reader);
    if (letter == 'u') {
        reader->at++;
        int32_t code = read_unicode(reader);
        if (code >= 0)
            return out + g_unichar_to_utf8((gunichar)code, out);
        fail(reader, JSON_ERROR_SYNTAX, "four hexadecimal digits were expected after \\u");
        return NULL;
    }
    const char *found = letter > 0 ? strchr(letters, letter) : NULL;
    if (!found) {
        fail(reader, JSON_ERROR_SYNTAX, "JSON has no such escape");
        return NULL;
    }
    reader->at++;
    *out = meant[found - letters];
    return out + 1;
}

// The high bit of each byte that is below `limit`, at most 0x80; of the bytes above the
// first such one it may be set too (Mycroft's test).
static uint64_t below(uint64_t word, unsigned char limit)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    return (word - ones * limit) & ~word & highs;
}

static uint64_t equal(uint64_t word, unsigned char byte)
{
    return below(word ^ UINT64_C(0x0101010101010101) * byte, 1);
}

// Where the plain bytes at `at` end: at a quote, a backslash, a control character.
static inline const char *skip_plain(const char *at, const char *end)
{
    uint64_t word;
    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        word = GUINT64_FROM_LE(word);
        uint64_t ends = equal(word, '"') | equal(word, '\\') | below(word, 0x20);
        if (ends)
            return at + __builtin_ctzll(ends) / 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

// The closing quote of the text that goes on at `at`, or `end`.
static const char *find_quote(const char *at, const char *end)
{
    for (at = skip_plain(at, end); at < end && *at != '"'; at = skip_plain(at, end))
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at;
}

// Reads a text whose opening quote is at reader->at.
static char *read_text(struct reader *reader)
{
    const char *from = ++reader->at;
    const char *first = skip_plain(from, reader->end);
    if (first < reader->end && *first == '"') {
        reader->at = first + 1;
        return copy_text(reader, from, (size_t)(first - from));
    }
    // Decoded it is never longer than written.
    char *text = place_text(reader, from, (size_t)(find_quote(from, reader->end) - from));
    char *out = text;
    while (out) {
        const char *plain = skip_plain(reader->at, reader->end);
        size_t length = (size_t)(plain - reader->at);
        memcpy(out, reader->at, length);
        out += length;
        reader->at = plain;
        int next = peek(reader);
        if (next == '"') {
            *out = '\0';
            reader->at++;
            return text;
        }
        if (next == '\\') {
            reader->at++;
            out = read_escape(reader, out);
            continue;
        }
        fail(reader, JSON_ERROR_SYNTAX,
             next < 0 ? "the text does not end: a quote is missing"
                      : "a control character stands in a text");
        out = NULL;
    }
    release(reader, text);
    return NULL;
}

static cJSON *read_string(struct reader *reader)
{
    char *text = read_text(reader);
    if (!text)
        return NULL;
    cJSON *node = new_node(reader, cJSON_String);
    node->valuestring = text;
    return node;
}

static cJSON *read_word(struct reader *reader, const char *word, int type)
{
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0) {
        fail(reader, JSON_ERROR_SYNTAX, "a value was expected");
        return NULL;
    }
    reader->at += length;
    cJSON *node = new_node(reader, type);
    if (type == cJSON_True)
        node->valueint = 1;
    return node;
}

static cJSON *read_value(struct reader *reader);

// Reads a member's key and its colon.
static char *read_key(struct reader *reader)
{
    if (peek(reader) != '"') {
        fail(reader, JSON_ERROR_SYNTAX, "a key in quotes was expected");
        return NULL;
    }
    char *key = read_text(reader);
    if (!key)
        return NULL;
    skip_space(reader);
    if (peek(reader) == ':') {
        reader->at++;
        return key;
    }
    fail(reader, JSON_ERROR_SYNTAX, "a colon was expected after the key");
    release(reader, key);
    return NULL;
}

// Reads one element or member and hangs it behind the last child.
static bool read_child(struct reader *reader, cJSON *parent)
{
    skip_space(reader);
    char *key = NULL;
    if (parent->type == cJSON_Object && !(key = read_key(reader)))
        return false;
    cJSON *child = read_value(reader);
    if (!child) {
        release(reader, key);
        return false;
    }
    child->string = key;
    if (parent->child) { // the first one's prev is the last one, as cJSON has it
        child->prev = parent->child->prev;
        child->prev->next = child;
        parent->child->prev = child;
    } else {
        parent->child = child;
        child->prev = child;
    }
    return true;
}

// Reads the children up to the closing bracket.
static bool read_children(struct reader *reader, cJSON *parent, int close)
{
    skip_space(reader);
    if (peek(reader) == close) {
        reader->at++;
        return true;
    }
    for (;;) {
        if (!read_child(reader, parent))
            return false;
        skip_space(reader);
        int next = peek(reader);
        if (next == close) {
            reader->at++;
            return true;
        }
        if (next != ',') {
            fail(reader, JSON_ERROR_SYNTAX,
                 close == ']' ? "a comma or ] was expected" : "a comma or } was expected");
            return false;
        }
        reader->at++;
    }
}

static cJSON *read_nested(struct reader *reader, int type, int close)
{
    if (reader->depth >= DEPTH_MOST) {
        fail(reader, JSON_ERROR_DEPTH, "it is nested more than 1000 deep");
        return NULL;
    }
    reader->depth++;
    reader->at++;
    cJSON *node = new_node(reader, type);
    bool read = read_children(reader, node, close);
    reader->depth--;
    if (read)
        return node;
    delete_tree(reader, node);
    return NULL;
}

static cJSON *read_value(struct reader *reader)
{
    skip_space(reader);
    switch (peek(reader)) {
    case '{':
        return read_nested(reader, cJSON_Object, '}');
    case '[':
        return read_nested(reader, cJSON_Array, ']');
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, "true", cJSON_True);
    case 'f':
        return read_word(reader, "false", cJSON_False);
    case 'n':
        return read_word(reader, "null", cJSON_NULL);
    case -1:
        fail(reader, JSON_ERROR_SYNTAX, "it ends where a value was expected");
        return NULL;
    default:
        if (peek(reader) == '-' || g_ascii_isdigit(*reader->at))
            return read_number(reader);
        fail(reader, JSON_ERROR_SYNTAX, "a value was expected");
        return NULL;
    }
}

// Most bodies are ASCII: eight bytes at a look, and the full check only for others.
static bool is_ascii(const char *text, size_t length)
{
    uint64_t high = 0, word;
    size_t i = 0;
    for (; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        high |= word;
    }
    for (; i < length; i++)
        high |= (unsigned char)text[i] & 0x80u;
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static bool check_encoding(struct reader *reader)
{
    size_t length = (size_t)(reader->end - reader->at);
    const char *bad = NULL;
    if (is_ascii(reader->at, length) || g_utf8_validate_len(reader->at, length, &bad))
        return true;
    if (*bad == '\0') // refused below, in its place and with its own words
        return true;
    reader->at = bad;
    fail(reader, JSON_ERROR_ENCODING, "a byte is not UTF-8");
    return false;
}

static cJSON *parse(struct arena *arena, const char *text, size_t length, GError **error)
{
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    struct reader reader = {
        .start = text, .at = text, .end = text + length, .arena = arena, .error = error};
    if (!check_encoding(&reader))
        return NULL;
    if (arena)
        reader.copy = arena_text(arena, text, length);
    cJSON *tree = read_value(&reader);
    if (!tree)
        return NULL;
    skip_space(&reader);
    if (reader.at == reader.end)
        return tree;
    fail(&reader, JSON_ERROR_SYNTAX, "there is text behind the value");
    delete_tree(&reader, tree);
    return NULL;
}

cJSON *json_parse(const char *text, size_t length, GError **error)
{
    return parse(NULL, text, length, error);
}

const cJSON *json_parse_into(struct arena *arena, const char *text, size_t length, GError **error)
{
    return parse(arena, text, length, error);
}
