// SPDX-License-Identifier: MIT
// Finds what is secret by where it stands or how it looks: values of JSON, XML
// and forms by their names, and tokens that can be told by their shape. Works on
// broken and cut documents too, and leaves all else as it was written.
#include "redact_parts.h"

#include <string.h>

static size_t skip_space(const struct redact_view *view, size_t at)
{
    while (at < view->length && g_ascii_isspace(view->text[at]))
        at++;
    return at;
}

// The closing quote of the string that begins at `at`, or the end: the first
// quote with an even number of backslashes in front.
static size_t string_end(const struct redact_view *view, size_t at)
{
    size_t from = at;
    while (from < view->length) {
        const char *quote = memchr(view->text + from, '"', view->length - from);
        if (!quote)
            break;
        size_t end = (size_t)(quote - view->text), slashes = 0;
        while (end - slashes > at && view->text[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end;
        from = end + 1;
    }
    return view->length;
}

// A position in a JSON document.
struct json_scan {
    const struct redact_view *view;
    GArray *spans;
    size_t at;
    int depth;
    int secret_depth; // all below this depth is secret; 0 for none
    int nesting;      // of documents within strings
};

static bool is_secret_key(const struct json_scan *scan, size_t start, size_t end)
{
    struct redact_view key;
    if (!redact_view_decode(&key, scan->view, start, end, REDACT_DECODER_JSON))
        return redact_is_secret_word(scan->view->text + start, end - start);
    bool secret = redact_is_secret_word(key.text, key.length);
    redact_view_clear(&key);
    return secret;
}

// A document that stands as text within a string of another.
static void scan_inner(struct json_scan *scan, size_t start, size_t end)
{
    struct redact_view inner;
    if (scan->nesting >= 3 || start >= end || !strchr("{[", scan->view->text[start]) ||
        !redact_view_decode(&inner, scan->view, start, end, REDACT_DECODER_JSON))
        return;
    redact_mark_json(&inner, scan->nesting + 1, scan->spans);
    redact_view_clear(&inner);
}

// A number that is secret; true, false and null tell nothing.
static void scan_scalar(struct json_scan *scan, bool secret)
{
    size_t start = scan->at;
    while (scan->at < scan->view->length &&
           (g_ascii_isalnum(scan->view->text[scan->at]) ||
            strchr("+-.", scan->view->text[scan->at])) &&
           scan->view->text[scan->at] != '\0')
        scan->at++;
    if (scan->at == start)
        scan->at++;
    else if (secret && !g_ascii_isalpha(scan->view->text[start]))
        redact_view_mark(scan->view, start, scan->at, true, scan->spans);
}

static void scan_bracket(struct json_scan *scan, bool secret)
{
    char c = scan->view->text[scan->at++];
    if (c == '{' || c == '[') {
        scan->depth++;
        if (secret && scan->secret_depth == 0)
            scan->secret_depth = scan->depth;
        return;
    }
    if (scan->depth == scan->secret_depth)
        scan->secret_depth = 0;
    if (scan->depth > 0)
        scan->depth--;
}

// The value of a member whose key is secret.
static void scan_secret_value(struct json_scan *scan)
{
    char c = scan->at < scan->view->length ? scan->view->text[scan->at] : '\0';
    if (c == '{' || c == '[') {
        scan_bracket(scan, true);
    } else if (c == '"') {
        size_t end = string_end(scan->view, scan->at + 1);
        redact_view_mark(scan->view, scan->at + 1, end, false, scan->spans);
        scan->at = end + 1;
    } else if (c != '}' && c != ']' && c != '\0') {
        scan_scalar(scan, true);
    }
}

// A string: a key, or a value.
static void scan_string(struct json_scan *scan)
{
    size_t start = scan->at + 1, end = string_end(scan->view, start);
    size_t next = skip_space(scan->view, end + 1);
    scan->at = end + 1;
    if (next < scan->view->length && scan->view->text[next] == ':') {
        scan->at = skip_space(scan->view, next + 1);
        if (scan->secret_depth == 0 && is_secret_key(scan, start, end))
            scan_secret_value(scan);
        return;
    }
    if (scan->secret_depth > 0)
        redact_view_mark(scan->view, start, end, false, scan->spans);
    else
        scan_inner(scan, start, end);
}

void redact_mark_json(const struct redact_view *view, int nesting, GArray *spans)
{
    struct json_scan scan = {.view = view, .spans = spans, .nesting = nesting};
    while (scan.at < view->length) {
        char c = view->text[scan.at];
        if (c == '"')
            scan_string(&scan);
        else if (c == '{' || c == '[' || c == '}' || c == ']')
            scan_bracket(&scan, false);
        else if (scan.secret_depth > 0)
            scan_scalar(&scan, true);
        else
            scan.at++;
    }
}

static bool is_name_character(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '$' ||
           c == '[' || c == ']' || c == '%';
}

// Attributes up to the end of a tag, which is returned.
static size_t mark_attributes(const struct redact_view *view, size_t at, GArray *spans)
{
    while (at < view->length && view->text[at] != '>' && view->text[at] != '<') {
        size_t name = at;
        while (at < view->length && is_name_character(view->text[at]))
            at++;
        size_t name_end = at;
        at = skip_space(view, at);
        if (at >= view->length || view->text[at] != '=') {
            at = MAX(at, name + 1);
            continue;
        }
        at = skip_space(view, at + 1);
        char quote = at < view->length ? view->text[at] : '\0';
        if (quote != '"' && quote != '\'')
            continue;
        const char *close = memchr(view->text + at + 1, quote, view->length - at - 1);
        size_t end = close ? (size_t)(close - view->text) : view->length;
        if (redact_is_secret_word(view->text + name, name_end - name))
            redact_view_mark(view, at + 1, end, false, spans);
        at = end + 1;
    }
    return MIN(at, view->length);
}

// The text of a secret element: up to the next tag, or a CDATA section.
static void mark_element_text(const struct redact_view *view, size_t at, GArray *spans)
{
    static const char cdata[] = "<![CDATA[";
    size_t start = skip_space(view, at);
    const char *end = NULL;
    if (view->length - start > strlen(cdata) &&
        memcmp(view->text + start, cdata, strlen(cdata)) == 0) {
        start += strlen(cdata);
        end = memmem(view->text + start, view->length - start, "]]>", 3);
    } else {
        end = memchr(view->text + start, '<', view->length - start);
    }
    redact_view_mark(view, start, end ? (size_t)(end - view->text) : view->length, false, spans);
}

void redact_mark_xml(const struct redact_view *view, GArray *spans)
{
    size_t at = 0;
    while (at < view->length) {
        const char *open = memchr(view->text + at, '<', view->length - at);
        if (!open)
            return;
        size_t name = (size_t)(open - view->text) + 1;
        at = name;
        while (at < view->length && is_name_character(view->text[at]))
            at++;
        bool secret = redact_is_secret_word(view->text + name, at - name);
        if (at == name)
            continue;
        at = mark_attributes(view, at, spans);
        bool text = at < view->length && view->text[at] == '>' && view->text[at - 1] != '/';
        if (secret && text)
            mark_element_text(view, at + 1, spans);
    }
}

// A name of a query, where some words mean more than elsewhere: the logins of
// OCI punchout travel there, and so do the codes of OAuth, which are long.
static bool is_secret_pair(const char *name, size_t length, size_t value_length)
{
    if (length == strlen("username") && g_ascii_strncasecmp(name, "username", length) == 0)
        return true;
    if (length == strlen("code") && g_ascii_strncasecmp(name, "code", length) == 0)
        return value_length >= 20;
    return redact_is_secret_word(name, length);
}

static bool ends_value(const struct redact_view *view, size_t at)
{
    char c = view->text[at];
    // A quote ends it in JSON too, where the text itself is within quotes.
    if (c == '\\')
        return at + 1 < view->length && view->text[at + 1] == '"';
    return strchr("&#;\"'<> \t\r\n", c) != NULL;
}

// One name=value at `at`; returns where it ends.
static size_t mark_pair(const struct redact_view *view, size_t at, GArray *spans)
{
    size_t name = at;
    while (at < view->length && at - name < 64 && is_name_character(view->text[at]))
        at++;
    if (at >= view->length || view->text[at] != '=')
        return at;
    size_t name_length = at - name, value = ++at;
    while (at < view->length && !ends_value(view, at))
        at++;
    if (is_secret_pair(view->text + name, name_length, at - value))
        redact_view_mark(view, value, at, false, spans);
    return at;
}

// Every pair behind `mark`.
static void mark_pairs(const struct redact_view *view, char mark, GArray *spans)
{
    const char *end = view->text + view->length;
    const char *found = memchr(view->text, mark, view->length);
    while (found) {
        size_t at = (size_t)(found - view->text) + 1;
        // In HTML, the ampersand is an entity.
        if (view->length - at > 4 && memcmp(view->text + at, "amp;", 4) == 0)
            at += 4;
        at = mark_pair(view, at, spans);
        found = memchr(view->text + at, mark, (size_t)(end - view->text) - at);
    }
}

void redact_mark_query(const struct redact_view *view, bool form, GArray *spans)
{
    if (form)
        mark_pair(view, 0, spans);
    mark_pairs(view, '?', spans);
    mark_pairs(view, '&', spans);
}

static bool is_token_character(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static size_t token_end(const struct redact_view *view, size_t at)
{
    while (at < view->length && is_token_character(view->text[at]))
        at++;
    return at;
}

// Two or three parts of base64url with dots between, of which the first begins
// as JSON does.
static size_t jwt_end(const struct redact_view *view, size_t start)
{
    size_t first = token_end(view, start);
    if (first - start < 12 || first >= view->length || view->text[first] != '.')
        return 0;
    size_t second = token_end(view, first + 1);
    if (second - first < 8)
        return 0;
    return second < view->length && view->text[second] == '.' ? token_end(view, second + 1)
                                                              : second;
}

static size_t key_end(const struct redact_view *view, size_t start, size_t prefix, size_t least)
{
    size_t end = token_end(view, start + prefix);
    return end - start - prefix >= least ? end : 0;
}

// Prefixes of tokens, each with its rarest byte, by which it is found.
static const struct shape {
    const char *prefix;
    size_t rare;
    size_t least; // characters behind the prefix; 0 for a JWT
} shapes[] = {
    {"eyJ", 2, 0},     {"sk_live_", 7, 10}, {"sk_test_", 7, 10}, {"rk_live_", 7, 10},
    {"whsec_", 5, 10}, {"live_", 4, 30},    {"test_", 4, 30},
};

// Where the token of this shape ends whose prefix's rare byte is at `at`, and
// where it begins; 0 where there is none.
static size_t shape_end(const struct redact_view *view, const struct shape *shape, size_t at,
                        size_t *start)
{
    size_t length = strlen(shape->prefix);
    *start = at - shape->rare;
    if (at < shape->rare || view->length - *start < length ||
        memcmp(view->text + *start, shape->prefix, length) != 0 ||
        (*start > 0 && is_token_character(view->text[*start - 1])))
        return 0;
    return shape->least ? key_end(view, *start, length, shape->least) : jwt_end(view, *start);
}

static void mark_tokens(const struct redact_view *view, char rare, GArray *spans)
{
    const char *found = memchr(view->text, rare, view->length);
    while (found) {
        size_t at = (size_t)(found - view->text), next = at + 1;
        for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
            size_t start = 0;
            size_t end = shapes[i].prefix[shapes[i].rare] == rare
                             ? shape_end(view, &shapes[i], at, &start)
                             : 0;
            redact_view_mark(view, start, end, false, spans);
            next = MAX(next, end);
        }
        found = memchr(view->text + next, rare, view->length - next);
    }
}

// user:password@ in the authority of a URL.
static void mark_userinfo(const struct redact_view *view, GArray *spans)
{
    size_t at = 0;
    for (;;) {
        const char *found = memmem(view->text + at, view->length - at, "://", 3);
        if (!found)
            return;
        size_t start = (size_t)(found - view->text) + 3, last = 0;
        for (at = start; at < view->length && view->text[at] != '\0' &&
                         !strchr("/?#\"'<>\\ \t\r\n", view->text[at]);
             at++) {
            if (view->text[at] == '@')
                last = at;
        }
        if (last > 0)
            redact_view_mark(view, start, last, false, spans);
    }
}

// Private keys in PEM, up to their end or that of the text.
static void mark_private_keys(const struct redact_view *view, GArray *spans)
{
    static const char begin[] = "PRIVATE KEY-----", close[] = "-----END ";
    size_t at = 0;
    for (;;) {
        const char *found = memmem(view->text + at, view->length - at, begin, strlen(begin));
        if (!found)
            return;
        size_t start = (size_t)(found - view->text) + strlen(begin);
        const char *end = memmem(view->text + start, view->length - start, close, strlen(close));
        at = end ? (size_t)(end - view->text) : view->length;
        redact_view_mark(view, start, at, false, spans);
        // Behind the closing line, whose words are the opening one's.
        const char *next = end ? memmem(end, view->length - at, begin, strlen(begin)) : NULL;
        at = next ? (size_t)(next - view->text) + strlen(begin) : view->length;
    }
}

void redact_mark_shapes(const struct redact_view *view, GArray *spans)
{
    mark_tokens(view, 'J', spans);
    mark_tokens(view, '_', spans);
    mark_userinfo(view, spans);
    mark_private_keys(view, spans);
}
