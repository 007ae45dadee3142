// SPDX-License-Identifier: MIT
// Quotes the values that go into patterns and JSONPaths. Used by selectors and
// expectations whose argument has holes.
#include "quoting.h"

#include "../base/json.h"
#include "../config/xpath_text.h"

// All that is not of a name, as escapes that both kinds of quotes know: within
// quotes they mean the same, elsewhere they make the path wrong, not another one.
static char *quote_jsonpath(const char *text)
{
    GString *quoted = g_string_new(NULL);
    for (; *text; text++) {
        if (g_ascii_isalnum(*text) || *text == '_' || (unsigned char)*text >= 0x80)
            g_string_append_c(quoted, *text);
        else
            g_string_append_printf(quoted, "\\u%04x", (unsigned)*text);
    }
    return g_string_free(quoted, FALSE);
}

static char *quote(const char *text, enum quoting_place place)
{
    return place == QUOTING_REGEX ? g_regex_escape_string(text, -1) : quote_jsonpath(text);
}

static const struct value *quoted_value(const char *name, void *user)
{
    struct quoting *quoting = user;
    const struct value *value = quoting->inner->value(name, quoting->inner->user);
    if (!value || (quoting->place == QUOTING_JSONPATH && cJSON_IsNumber(value->json)))
        return value;
    g_autofree char *text = value_to_text(value);
    g_autofree char *quoted = quote(text, quoting->place);
    struct value *made = value_new_text(quoted, value->secret);
    g_ptr_array_add(quoting->made, made);
    return made;
}

// With `raw` the user says that the value is a pattern itself.
static const struct value *plain_value(const char *name, void *user)
{
    const struct quoting *quoting = user;
    return quoting->inner->value(name, quoting->inner->user);
}

// What the machine gives is the user's own: it may be a part of a pattern.
static const char *plain_reference(const struct template_reference *reference, void *user)
{
    const struct quoting *quoting = user;
    return quoting->inner->reference(reference, quoting->inner->user);
}

static void free_value(void *value)
{
    value_free(value);
}

void quoting_init(struct quoting *quoting, const struct template_context *inner,
                  enum quoting_place place)
{
    quoting->inner = inner;
    quoting->place = place;
    quoting->made = g_ptr_array_new_with_free_func(free_value);
    quoting->context = *inner;
    quoting->context.value = quoted_value;
    quoting->context.raw_value = plain_value;
    quoting->context.reference = plain_reference;
    quoting->context.user = quoting;
}

void quoting_clear(struct quoting *quoting)
{
    g_clear_pointer(&quoting->made, g_ptr_array_unref);
}

char *quoting_fill(const char *text, const struct template_context *context,
                   enum quoting_place place, GError **error)
{
    g_autoptr(template_t) template = template_new(text, TEMPLATE_PLACE_TEXT, false, error);
    if (!template)
        return NULL;
    struct quoting quoting;
    quoting_init(&quoting, context, place);
    char *filled = template_render(template, &quoting.context, NULL, error);
    quoting_clear(&quoting);
    return filled;
}

static struct value *evaluate(const char *text, void *context, GError **error)
{
    g_autoptr(template_t) template = template_new(text, TEMPLATE_PLACE_TEXT, false, error);
    return template ? template_evaluate(template, context, error) : NULL;
}

char *quoting_fill_xpath(const char *xpath, const struct template_context *context, GError **error)
{
    struct template_context copy = *context;
    return xpath_text_fill(xpath, evaluate, &copy, error);
}
