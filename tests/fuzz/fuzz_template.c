// SPDX-License-Identifier: MIT
// Any text as a template, in any place: it is refused in words or it renders,
// and what renders for a header or a path has no line break.
#include "../../base/json.h"
#include "../../config/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value *find_value(const char *name, void *user)
{
    // Names that begin with u have no value.
    return name[0] == 'u' ? NULL : user;
}

static const char *find_reference(const struct template_reference *reference, void *user)
{
    (void)user;
    return reference->name[0] == 'U' ? NULL : "a\r\n\"'<%";
}

static void visit(const char *name, const struct template_reference *reference, void *user)
{
    if (!name == !reference)
        abort();
    (void)user;
}

static void use(const struct template *template, enum template_place place, struct value *value)
{
    struct template_context context = {.value = find_value,
                                       .reference = find_reference,
                                       .user = value,
                                       .timezone = "Europe/Brussels"};
    context.now.us = INT64_C(1795253400000000);
    g_autoptr(GError) error = NULL;
    bool secret = false;
    g_autofree char *text = template_render(template, &context, &secret, &error);
    if (!text == !error)
        abort();
    bool one_line = place == TEMPLATE_PLACE_HEADER || place == TEMPLATE_PLACE_QUERY;
    if (text && one_line && strpbrk(text, "\r\n"))
        abort();
    g_clear_error(&error);
    g_autoptr(value_t) evaluated = template_evaluate(template, &context, &error);
    if (!evaluated == !error)
        abort();
    template_foreach(template, visit, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum template_place place = (enum template_place)(data[0] % 6);
    static const char *const values[] = {"\"a'b<c>\\r\\n/\\u00e9\"", "9007199254740993", "null",
                                         "[1,{\"a\":\"b\"}]", "\"2026-11-21T09:30:00Z\""};
    const char *json = values[data[1] % G_N_ELEMENTS(values)];
    g_autoptr(value_t) value = value_new(json_parse(json, strlen(json), NULL), true);
    g_autofree char *text = g_strndup((const char *)data + 2, size - 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) tree = data[1] & 0x80 ? json_parse(text, strlen(text), NULL) : NULL;
    g_autoptr(template_t) template =
        tree ? template_new_json(tree, false, &error) : template_new(text, place, false, &error);
    if (!template == !error)
        abort();
    if (template)
        use(template, tree ? TEMPLATE_PLACE_JSON : place, value);
    return 0;
}
