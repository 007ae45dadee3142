// SPDX-License-Identifier: MIT
// XML without an XML parser: a bounded scan that makes a tree of members out of
// elements, so that the table of shapes serves XML as it serves JSON. It reads
// answers of failing servers, so it forgives; it resolves nothing from outside,
// declares no entity, and stops at its limits. For selectors this is not enough.
#include "envelope_part.h"

#include <string.h>

enum { DEPTH_MAX = 32, ELEMENTS_MAX = 4096, ATTRIBUTES_MAX = 200, TEXT_MAX = 8192 };

struct scan {
    const char *at, *end;
    cJSON *stack[DEPTH_MAX];      // objects of the open elements; [0] is the document
    const char *names[DEPTH_MAX]; // as they stand in the text
    GString *text[DEPTH_MAX];
    int depth;
    int elements;
};

static bool skip_past(struct scan *scan, const char *mark)
{
    const char *found = g_strstr_len(scan->at, scan->end - scan->at, mark);
    scan->at = found ? found + strlen(mark) : scan->end;
    return found;
}

static bool at_word(const struct scan *scan, const char *word)
{
    return (size_t)(scan->end - scan->at) >= strlen(word) &&
           memcmp(scan->at, word, strlen(word)) == 0;
}

static bool is_name_char(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("_-.:", c)) || (unsigned char)c >= 0x80;
}

// The name at the scan's place without its prefix, or NULL.
static char *scan_name(struct scan *scan)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at && is_name_char(*scan->at))
        scan->at++;
    if (scan->at == begin)
        return NULL;
    const char *colon = g_strrstr_len(begin, scan->at - begin, ":");
    const char *local = colon ? colon + 1 : begin;
    return g_strndup(local, (size_t)(scan->at - local));
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && g_ascii_isspace(*scan->at))
        scan->at++;
}

static void append_entity(GString *out, const char *entity, size_t length)
{
    static const struct {
        const char *name, *text;
    } known[] = {{"amp", "&"},   {"lt", "<"},    {"gt", ">"},    {"quot", "\""},
                 {"apos", "'"},  {"nbsp", " "},  {"copy", "©"},  {"ndash", "–"},
                 {"mdash", "—"}, {"rsquo", "’"}, {"lsquo", "‘"}, {"hellip", "…"}};
    if (*entity == '#' && length > 1 && length < 10) {
        bool hex = entity[1] == 'x' || entity[1] == 'X';
        guint64 code = g_ascii_strtoull(entity + (hex ? 2 : 1), NULL, hex ? 16 : 10);
        if (code > 0 && code <= 0x10ffff && g_unichar_validate((gunichar)code))
            g_string_append_unichar(out, (gunichar)code);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, entity, length) == 0)
            g_string_append(out, known[i].text);
}

// Appends text with its entities read; a bare & stays.
static void append_text(GString *out, const char *text, const char *end)
{
    while (text < end && out->len < TEXT_MAX) {
        const char *semicolon = *text == '&' ? g_strstr_len(text, MIN(end - text, 12), ";") : NULL;
        if (semicolon) {
            append_entity(out, text + 1, (size_t)(semicolon - text - 1));
            text = semicolon + 1;
        } else {
            g_string_append_c(out, *text++);
        }
    }
}

// Reads an attribute; declarations of namespaces and languages are left out, for
// they would turn a text into an object.
static void scan_attribute(struct scan *scan, cJSON *object)
{
    bool leave_out = at_word(scan, "xmlns") || at_word(scan, "xml:") || at_word(scan, "xsi:");
    g_autofree char *name = scan_name(scan);
    if (!name) {
        scan->at++;
        return;
    }
    skip_space(scan);
    if (scan->at >= scan->end || *scan->at != '=')
        return;
    scan->at++;
    skip_space(scan);
    if (scan->at >= scan->end || (*scan->at != '"' && *scan->at != '\''))
        return;
    const char *begin = scan->at + 1;
    const char *close = memchr(begin, *scan->at, (size_t)(scan->end - begin));
    if (!close)
        close = scan->end;
    g_autoptr(GString) value = g_string_new(NULL);
    append_text(value, begin, close);
    scan->at = close < scan->end ? close + 1 : scan->end;
    if (!leave_out)
        cJSON_AddStringToObject(object, name, value->str);
}

// Ends the innermost element: text alone becomes a string, else it is "#content".
static void close_element(struct scan *scan)
{
    cJSON *object = scan->stack[scan->depth];
    GString *text = scan->text[scan->depth];
    g_strstrip(text->str);
    if (!object->child && text->str[0] != '\0') {
        object->type = (object->type & cJSON_StringIsConst) | cJSON_String;
        object->valuestring = cJSON_malloc(strlen(text->str) + 1);
        memcpy(object->valuestring, text->str, strlen(text->str) + 1);
    } else if (text->str[0] != '\0') {
        cJSON_AddStringToObject(object, "#content", text->str);
    }
    g_string_free(text, true);
    scan->text[scan->depth--] = NULL;
}

static bool open_element(struct scan *scan)
{
    const char *raw = scan->at;
    g_autofree char *name = scan_name(scan);
    if (!name || scan->depth + 1 >= DEPTH_MAX || ++scan->elements > ELEMENTS_MAX)
        return false;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(scan->stack[scan->depth], name, object);
    scan->depth++;
    scan->stack[scan->depth] = object;
    scan->names[scan->depth] = raw;
    scan->text[scan->depth] = g_string_new(NULL);
    int attributes = 0;
    while (scan->at < scan->end && *scan->at != '>' && !at_word(scan, "/>")) {
        if (++attributes > ATTRIBUTES_MAX)
            return false;
        if (g_ascii_isspace(*scan->at))
            skip_space(scan);
        else
            scan_attribute(scan, object);
    }
    bool empty = at_word(scan, "/>");
    scan->at = MIN(scan->end, scan->at + (empty ? 2 : 1));
    if (empty)
        close_element(scan);
    return true;
}

// Closes up to the element of this name; one that is not open is passed over.
static void scan_end_tag(struct scan *scan)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at && is_name_char(*scan->at))
        scan->at++;
    size_t length = (size_t)(scan->at - begin);
    int open = scan->depth;
    while (open > 0 && ((size_t)(scan->end - scan->names[open]) <= length ||
                        memcmp(scan->names[open], begin, length) != 0 ||
                        is_name_char(scan->names[open][length])))
        open--;
    while (open > 0 && scan->depth >= open)
        close_element(scan);
    skip_past(scan, ">");
}

static void scan_text(struct scan *scan)
{
    const char *begin = scan->at;
    const char *less = memchr(begin, '<', (size_t)(scan->end - begin));
    scan->at = less ? less : scan->end;
    if (scan->depth > 0)
        append_text(scan->text[scan->depth], begin, scan->at);
}

static void scan_cdata(struct scan *scan)
{
    const char *begin = scan->at += strlen("<![CDATA[");
    const char *close = g_strstr_len(begin, scan->end - begin, "]]>");
    const char *end = close ? close : scan->end;
    if (scan->depth > 0)
        g_string_append_len(scan->text[scan->depth], begin, MIN(end - begin, (gssize)TEXT_MAX));
    scan->at = close ? close + 3 : scan->end;
}

// <!DOCTYPE … [ … ]>: passed over, with what it declares.
static void skip_declaration(struct scan *scan)
{
    const char *close = memchr(scan->at, '>', (size_t)(scan->end - scan->at));
    if (close && memchr(scan->at, '[', (size_t)(close - scan->at)))
        skip_past(scan, "]");
    skip_past(scan, ">");
}

static bool scan_step(struct scan *scan)
{
    if (*scan->at != '<') {
        scan_text(scan);
    } else if (at_word(scan, "<!--")) {
        skip_past(scan, "-->");
    } else if (at_word(scan, "<![CDATA[")) {
        scan_cdata(scan);
    } else if (at_word(scan, "<?")) {
        skip_past(scan, "?>");
    } else if (at_word(scan, "<!")) {
        skip_declaration(scan);
    } else if (at_word(scan, "</")) {
        scan->at += 2;
        scan_end_tag(scan);
    } else {
        scan->at++;
        return open_element(scan);
    }
    return true;
}

cJSON *envelope_xml_tree(const char *body, size_t length)
{
    struct scan scan = {.at = body, .end = body + length};
    g_autoptr(cJSON) document = cJSON_CreateObject();
    scan.stack[0] = document;
    bool going = true;
    while (going && scan.at < scan.end)
        going = scan_step(&scan);
    while (scan.depth > 0)
        close_element(&scan);
    return scan.elements > 0 ? g_steal_pointer(&document) : NULL;
}

char *envelope_plain_text(const char *text, size_t length)
{
    g_autoptr(GString) raw = g_string_new(NULL);
    const char *end = text + length;
    while (text < end && raw->len < TEXT_MAX) {
        const char *less = memchr(text, '<', (size_t)(end - text));
        append_text(raw, text, less ? less : end);
        if (!less)
            break;
        const char *greater = memchr(less, '>', (size_t)(end - less));
        g_string_append_c(raw, ' ');
        text = greater ? greater + 1 : end;
    }
    GString *joined = g_string_new(NULL);
    for (const char *c = raw->str; *c; c++)
        if (!g_ascii_isspace(*c))
            g_string_append_c(joined, *c);
        else if (joined->len > 0 && joined->str[joined->len - 1] != ' ')
            g_string_append_c(joined, ' ');
    return g_string_free(g_string_truncate(joined, strlen(g_strchomp(joined->str))), false);
}
