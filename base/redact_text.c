// SPDX-License-Identifier: MIT
// Takes secrets out of texts, headers, URLs, bodies and JSON trees. What stands
// by its name (redact_mark.c), and every known secret in each form
// (redact_layer.c) in the text and in decoded views of it (redact_view.c).
#include "redact_parts.h"

#include "json.h"

#include <string.h>

// Shorter ones would mask half the text by chance.
#define SECRET_MIN 6
// Escapes within escapes: a JSON text in a form, a URL in a JSON text.
#define DEPTH_MAX 2

struct redact {
    GPtrArray *layers; // of struct redact_layer; the last may be shared
};

static void layer_unref(void *layer)
{
    redact_layer_unref(layer);
}

struct redact *redact_new(void)
{
    struct redact *redact = g_new0(struct redact, 1);
    redact->layers = g_ptr_array_new_with_free_func(layer_unref);
    return redact;
}

struct redact *redact_copy(const struct redact *parent)
{
    struct redact *redact = redact_new();
    for (guint i = 0; parent && i < parent->layers->len; i++)
        g_ptr_array_add(redact->layers, redact_layer_ref(g_ptr_array_index(parent->layers, i)));
    return redact;
}

bool redact_add(struct redact *redact, const char *secret)
{
    if (strlen(secret) < SECRET_MIN)
        return false;
    struct redact_layer *last = NULL;
    for (guint i = 0; i < redact->layers->len; i++) {
        last = g_ptr_array_index(redact->layers, i);
        if (redact_layer_has(last, secret))
            return true;
    }
    if (!last || redact_layer_is_shared(last)) {
        last = redact_layer_new();
        g_ptr_array_add(redact->layers, last);
    }
    redact_layer_add(last, secret);
    return true;
}

static bool has_secrets(const struct redact *redact)
{
    return redact && redact->layers->len > 0;
}

static bool has_space(const struct redact *redact)
{
    for (guint i = 0; i < redact->layers->len; i++) {
        if (redact_layer_has_space(g_ptr_array_index(redact->layers, i)))
            return true;
    }
    return false;
}

// Searches a view, and what it may stand for.
static void find_secrets(const struct redact *redact, const struct redact_view *view, int depth,
                         GArray *spans)
{
    for (guint i = 0; i < redact->layers->len; i++)
        redact_layer_find(g_ptr_array_index(redact->layers, i), view, spans);
    if (depth > 0)
        redact_mark_shapes(view, spans);
    for (int i = 0; i < REDACT_DECODERS && depth < DEPTH_MAX; i++) {
        struct redact_view decoded;
        if (i == REDACT_DECODER_FORM && !has_space(redact))
            continue;
        if (!redact_view_decode(&decoded, view, 0, view->length, (enum redact_decoder)i))
            continue;
        find_secrets(redact, &decoded, depth + 1, spans);
        redact_view_clear(&decoded);
    }
}

static int compare_spans(const void *left, const void *right)
{
    const struct redact_span *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end < b->end) - (a->end > b->end);
}

// Text between spans; a zero byte would end the text for whoever reads it.
static void append_plain(GString *out, const char *text, size_t length)
{
    while (length > 0) {
        const char *zero = memchr(text, '\0', length);
        size_t count = zero ? (size_t)(zero - text) : length;
        g_string_append_len(out, text, (gssize)count);
        if (!zero)
            return;
        g_string_append(out, "\xef\xbf\xbd");
        text += count + 1;
        length -= count + 1;
    }
}

// The text with its spans masked, overlapping ones as one.
static char *mask_spans(const char *text, size_t length, GArray *spans)
{
    g_array_sort(spans, compare_spans);
    GString *out = g_string_sized_new(length + 1);
    size_t done = 0;
    for (guint i = 0; i < spans->len;) {
        struct redact_span span = g_array_index(spans, struct redact_span, i);
        for (i++; i < spans->len; i++) {
            const struct redact_span *next = &g_array_index(spans, struct redact_span, i);
            if (next->start > span.end || (next->start == span.end && next->quoted))
                break;
            span.quoted &= next->end <= span.end;
            span.end = MAX(span.end, next->end);
        }
        append_plain(out, text + done, span.start - done);
        g_string_append(out, span.quoted ? "\"" REDACT_MASK "\"" : REDACT_MASK);
        done = span.end;
    }
    append_plain(out, text + done, length - done);
    return g_string_free(out, FALSE);
}

enum structure { STRUCTURE_NONE, STRUCTURE_JSON, STRUCTURE_FORM, STRUCTURE_XML };

// Links in JSON often have their & as \u0026.
static void mark_escaped_query(const struct redact_view *view, GArray *spans)
{
    struct redact_view decoded;
    if (!memmem(view->text, view->length, "\\u0026", 6) ||
        !redact_view_decode(&decoded, view, 0, view->length, REDACT_DECODER_JSON))
        return;
    redact_mark_query(&decoded, false, spans);
    redact_view_clear(&decoded);
}

// What is to be masked in `text`.
static GArray *find_spans(const struct redact *redact, const char *text, size_t length,
                          enum structure structure)
{
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct redact_span));
    struct redact_view view = redact_view_of(text, length);
    if (structure == STRUCTURE_JSON)
        redact_mark_json(&view, 0, spans);
    if (structure == STRUCTURE_XML)
        redact_mark_xml(&view, spans);
    redact_mark_query(&view, structure == STRUCTURE_FORM, spans);
    mark_escaped_query(&view, spans);
    redact_mark_shapes(&view, spans);
    if (has_secrets(redact))
        find_secrets(redact, &view, 0, spans);
    return spans;
}

static char *redact_structure(const struct redact *redact, const char *text, size_t length,
                              enum structure structure)
{
    g_autoptr(GArray) spans = find_spans(redact, text, length, structure);
    return mask_spans(text, length, spans);
}

static bool contains_caseless(const char *text, const char *part)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    return strstr(lower, part);
}

// By the type that is claimed, or else by how it begins.
static enum structure structure_of(const char *content_type, const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && g_ascii_isspace(text[at]))
        at++;
    if (content_type && contains_caseless(content_type, "x-www-form-urlencoded"))
        return STRUCTURE_FORM;
    // A JSON text by another name is none the less one.
    if ((at < length && (text[at] == '{' || text[at] == '[')) ||
        (content_type && contains_caseless(content_type, "json")))
        return STRUCTURE_JSON;
    return at < length && text[at] == '<' ? STRUCTURE_XML : STRUCTURE_NONE;
}

char *redact_text(const struct redact *redact, const char *text, gssize length)
{
    size_t size = length < 0 ? strlen(text) : (size_t)length;
    return redact_structure(redact, text, size, structure_of(NULL, text, size));
}

char *redact_body(const struct redact *redact, const char *content_type, const char *body,
                  gssize length)
{
    size_t size = length < 0 ? strlen(body) : (size_t)length;
    return redact_structure(redact, body, size, structure_of(content_type, body, size));
}

// Of a handshake in WWW-Authenticate only the scheme is no secret; NULL for other headers.
static char *redact_handshake(const char *name, const char *value)
{
    static const char *const schemes[] = {"NTLM ", "Negotiate "};
    if (g_ascii_strcasecmp(name, "WWW-Authenticate") != 0)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_ascii_strncasecmp(value, schemes[i], strlen(schemes[i])) == 0)
            return g_strconcat(schemes[i], REDACT_MASK, NULL);
    }
    return NULL;
}

char *redact_header(const struct redact *redact, const char *name, const char *value)
{
    if (redact_is_secret_name(name))
        return g_strdup(*value ? REDACT_MASK : "");
    char *handshake = redact_handshake(name, value);
    if (handshake)
        return handshake;
    return redact_structure(redact, value, strlen(value), STRUCTURE_NONE);
}

char *redact_url(const struct redact *redact, const char *url)
{
    return redact_structure(redact, url, strlen(url), STRUCTURE_NONE);
}

// A new text (taken) in place of a scalar.
static void set_text(cJSON *node, char *text)
{
    cJSON *fresh = cJSON_CreateString(text);
    g_free(text);
    cJSON_free(node->valuestring);
    node->valuestring = fresh->valuestring;
    fresh->valuestring = NULL;
    node->type = cJSON_String | (node->type & cJSON_StringIsConst);
    cJSON_Delete(fresh);
}

// The text without secrets, or NULL where there are none in it.
static char *redact_changed(const struct redact *redact, const char *text)
{
    size_t length = strlen(text);
    g_autoptr(GArray) spans = find_spans(redact, text, length, structure_of(NULL, text, length));
    return spans->len > 0 ? mask_spans(text, length, spans) : NULL;
}

static void redact_node(const struct redact *redact, cJSON *node, bool secret)
{
    char buffer[32];
    if (cJSON_IsString(node)) {
        char *text = secret && *node->valuestring ? g_strdup(REDACT_MASK)
                                                  : redact_changed(redact, node->valuestring);
        if (text)
            set_text(node, text);
    } else if (cJSON_IsNumber(node)) {
        g_autofree char *text =
            secret ? g_strdup("") : redact_changed(redact, json_number_text(node, buffer));
        if (text)
            set_text(node, g_strdup(REDACT_MASK));
    }
}

static void redact_key(const struct redact *redact, cJSON *node)
{
    char *text = node->string && has_secrets(redact) ? redact_changed(redact, node->string) : NULL;
    if (!text)
        return;
    if (!(node->type & cJSON_StringIsConst))
        cJSON_free(node->string);
    cJSON *fresh = cJSON_CreateString(text);
    g_free(text);
    node->string = fresh->valuestring;
    fresh->valuestring = NULL;
    node->type &= ~cJSON_StringIsConst;
    cJSON_Delete(fresh);
}

static void redact_tree(const struct redact *redact, cJSON *node, bool secret)
{
    redact_node(redact, node, secret);
    cJSON *child = NULL;
    cJSON_ArrayForEach(child, node)
    {
        bool named = child->string && redact_is_secret_name(child->string);
        redact_tree(redact, child, secret || named);
        redact_key(redact, child);
    }
}

void redact_json(const struct redact *redact, cJSON *tree)
{
    if (tree)
        redact_tree(redact, tree, false);
}

void redact_free(struct redact *redact)
{
    if (!redact)
        return;
    g_ptr_array_unref(redact->layers);
    g_free(redact);
}
