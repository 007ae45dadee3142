// SPDX-License-Identifier: MIT
// The forms of secrets, and the search for all of them in one pass: the first
// six bytes of each form lead to it, through a bit field that keeps nearly every
// other place of the text from being looked at twice.
#include "redact_parts.h"

#include "wipe.h"

#include <string.h>

#define PREFIX 6
#define BITS 16

// One form: its literal bytes. Of base64 without the characters that
// depend on what stands beside the secret; those are masked with it.
struct form {
    char *text;
    size_t length;
    bool left, right; // a base64 character beside it holds bits of the secret
};

struct redact_layer {
    gint references;
    GHashTable *secrets; // a set of char *
    GHashTable *forms;   // prefix -> GPtrArray of struct form
    uint64_t bits[(1U << BITS) / 64];
    bool has_space;
};

static void form_free(void *data)
{
    struct form *form = data;
    wipe_text(form->text);
    g_free(form);
}

static void forms_free(void *data)
{
    g_ptr_array_unref(data);
}

struct redact_layer *redact_layer_new(void)
{
    struct redact_layer *layer = g_new0(struct redact_layer, 1);
    layer->references = 1;
    layer->secrets = g_hash_table_new_full(g_str_hash, g_str_equal, wipe_text, NULL);
    layer->forms = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, forms_free);
    return layer;
}

struct redact_layer *redact_layer_ref(struct redact_layer *layer)
{
    g_atomic_int_inc(&layer->references);
    return layer;
}

void redact_layer_unref(struct redact_layer *layer)
{
    if (!layer || !g_atomic_int_dec_and_test(&layer->references))
        return;
    g_hash_table_destroy(layer->secrets);
    g_hash_table_destroy(layer->forms);
    g_free(layer);
}

bool redact_layer_is_shared(struct redact_layer *layer)
{
    return g_atomic_int_get(&layer->references) > 1;
}

bool redact_layer_has(const struct redact_layer *layer, const char *secret)
{
    return g_hash_table_contains(layer->secrets, secret);
}

bool redact_layer_has_space(const struct redact_layer *layer)
{
    return layer->has_space;
}

static uint64_t prefix_of(const char *text)
{
    uint64_t prefix = 0;
    memcpy(&prefix, text, PREFIX);
    return prefix;
}

static size_t bit_of(uint64_t prefix)
{
    return (size_t)((prefix * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BITS));
}

// Takes `text`. A form too short to be told from chance is dropped.
static void add_form(struct redact_layer *layer, char *text, bool left, bool right)
{
    size_t length = strlen(text);
    if (length < PREFIX) {
        wipe_text(text);
        return;
    }
    uint64_t prefix = prefix_of(text);
    GPtrArray *bucket = g_hash_table_lookup(layer->forms, &prefix);
    if (!bucket) {
        bucket = g_ptr_array_new_with_free_func(form_free);
        g_hash_table_insert(layer->forms, g_memdup2(&prefix, sizeof prefix), bucket);
    }
    struct form *form = g_new0(struct form, 1);
    *form = (struct form){.text = text, .length = length, .left = left, .right = right};
    g_ptr_array_add(bucket, form);
    layer->bits[bit_of(prefix) / 64] |= UINT64_C(1) << (bit_of(prefix) % 64);
}

static void add_hex(struct redact_layer *layer, const char *secret, const char *digits)
{
    GString *hex = g_string_new(NULL);
    for (const char *at = secret; *at; at++) {
        g_string_append_c(hex, digits[(unsigned char)*at >> 4]);
        g_string_append_c(hex, digits[(unsigned char)*at & 15]);
    }
    add_form(layer, g_string_free(hex, FALSE), false, false);
}

// As it stands in base64 behind `before` (0 to 2) bytes of something else.
static void add_base64(struct redact_layer *layer, const char *secret, size_t before)
{
    static const size_t foreign[] = {0, 2, 3}; // characters that hold bits of what is before
    size_t length = strlen(secret);
    guchar *bytes = g_malloc0(before + length + 1);
    memcpy(bytes + before, secret, length + 1);
    g_autofree char *encoded = g_base64_encode(bytes, before + length);
    explicit_bzero(bytes, before + length);
    g_free(bytes);
    size_t bits = (before + length) * 8;
    char *form = g_strndup(encoded + foreign[before], bits / 6 - foreign[before]);
    explicit_bzero(encoded, strlen(encoded));
    if (strpbrk(form, "+/"))
        add_form(layer, g_strdelimit(g_strdelimit(g_strdup(form), "+", '-'), "/", '_'), before > 0,
                 bits % 6 > 0);
    add_form(layer, form, before > 0, bits % 6 > 0);
}

void redact_layer_add(struct redact_layer *layer, const char *secret)
{
    if (!g_hash_table_add(layer->secrets, g_strdup(secret)))
        return;
    layer->has_space |= strchr(secret, ' ') != NULL;
    add_form(layer, g_strdup(secret), false, false);
    add_hex(layer, secret, "0123456789abcdef");
    add_hex(layer, secret, "0123456789ABCDEF");
    for (size_t before = 0; before < 3; before++)
        add_base64(layer, secret, before);
}

static bool is_base64(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static void mark_form(const struct form *form, const struct redact_view *view, size_t at,
                      GArray *spans)
{
    size_t end = at + form->length;
    if (form->right && end < view->length && is_base64(view->text[end]))
        end++;
    if (form->left && at > 0 && is_base64(view->text[at - 1]))
        at--;
    redact_view_mark(view, at, end, false, spans);
}

static void look_closer(const struct redact_layer *layer, const struct redact_view *view,
                        uint64_t prefix, size_t at, GArray *spans)
{
    const GPtrArray *bucket = g_hash_table_lookup(layer->forms, &prefix);
    for (guint i = 0; bucket && i < bucket->len; i++) {
        const struct form *form = g_ptr_array_index(bucket, i);
        if (form->length <= view->length - at &&
            memcmp(view->text + at, form->text, form->length) == 0)
            mark_form(form, view, at, spans);
    }
}

void redact_layer_find(const struct redact_layer *layer, const struct redact_view *view,
                       GArray *spans)
{
    static const char mask_bytes[8] = "\xff\xff\xff\xff\xff\xff\0";
    uint64_t mask = 0;
    memcpy(&mask, mask_bytes, sizeof mask);
    for (size_t at = 0; at + PREFIX <= view->length; at++) {
        uint64_t prefix = 0;
        // One load of eight bytes, but for the last places.
        if (at + sizeof prefix <= view->length) {
            memcpy(&prefix, view->text + at, sizeof prefix);
            prefix &= mask;
        } else {
            prefix = prefix_of(view->text + at);
        }
        size_t bit = bit_of(prefix);
        if (layer->bits[bit / 64] >> (bit % 64) & 1)
            look_closer(layer, view, prefix, at, spans);
    }
}
