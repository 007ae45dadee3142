// SPDX-License-Identifier: MIT
// Takes captures: select, decode, select again, make absolute, keep. Comes after
// the response, before `set` and the expectations. What is kept may become the
// address of an undo, so nothing empty and nothing ambiguous is.
#include "capture.h"

#include "../base/json.h"
#include "decode.h"
#include "request.h"

#include <string.h>

struct taking {
    const struct capture *capture;
    struct subject *subject; // the response
    struct values *values;
    const char *url;
    const struct template_context *context;
    bool secret;
    char *problem; // behind "capture NAME: "
};

static bool fail(struct taking *taking, char *problem)
{
    g_free(taking->problem);
    taking->problem = problem;
    return false;
}

// What the capture selects from, in words.
static char *describe(const struct capture *capture)
{
    if (!capture->selector)
        return g_strdup(capture->from);
    return selector_describe(capture->selector);
}

// Appends copies of what `selector` selects.
static bool select_into(struct taking *taking, const struct selector *selector,
                        struct subject *subject, GPtrArray *taken)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = selector_select(selector, subject, taking->context, &error);
    if (!found)
        return fail(taking, g_strdup(error->message));
    for (unsigned i = 0; i < found->len; i++)
        g_ptr_array_add(taken, cJSON_Duplicate(g_ptr_array_index(found, i), true));
    return true;
}

static bool select_from_value(struct taking *taking, GPtrArray *taken)
{
    const struct capture *capture = taking->capture;
    const struct value *value = values_find(taking->values, capture->from);
    if (!value || !value->json)
        return fail(taking, g_strdup_printf("%s has no value", capture->from));
    taking->secret = taking->secret || value->secret;
    if (!capture->selector) {
        g_ptr_array_add(taken, cJSON_Duplicate(value->json, true));
        return true;
    }
    struct subject subject;
    subject_init_value(&subject, value);
    bool selected = select_into(taking, capture->selector, &subject, taken);
    subject_clear(&subject);
    return selected;
}

static bool select_first(struct taking *taking, GPtrArray *taken)
{
    return taking->capture->from
               ? select_from_value(taking, taken)
               : select_into(taking, taking->capture->selector, taking->subject, taken);
}

// Decodes one selected value and selects from it again; appends what comes out.
static bool decode_one(struct taking *taking, const cJSON *value, GPtrArray *taken)
{
    const struct capture *capture = taking->capture;
    const struct value plain = {.json = (cJSON *)(uintptr_t)value}; // only read
    g_autofree char *text = value_to_text(&plain);
    g_autofree char *decoded = decode_text(text, capture->decode);
    if (!decoded)
        return fail(taking,
                    g_strdup_printf("it is not %s of a text", decode_name(capture->decode)));
    g_autoptr(value_t) inner = value_new_text(decoded, false);
    if (!capture->then) {
        g_ptr_array_add(taken, g_steal_pointer(&inner->json));
        return true;
    }
    struct subject subject;
    subject_init_value(&subject, inner);
    bool selected = select_into(taking, capture->then, &subject, taken);
    subject_clear(&subject);
    return selected;
}

// The selected values, decoded; NULL and taking->problem where that fails.
static GPtrArray *take_all(struct taking *taking)
{
    const struct capture *capture = taking->capture;
    g_autoptr(GPtrArray) selected = json_list_new();
    if (!select_first(taking, selected))
        return NULL;
    if (capture->decode == CAPTURE_PLAIN && !capture->then)
        return g_steal_pointer(&selected);
    g_autoptr(GPtrArray) taken = json_list_new();
    for (unsigned i = 0; i < selected->len; i++)
        if (!decode_one(taking, g_ptr_array_index(selected, i), taken))
            return NULL;
    return g_steal_pointer(&taken);
}

// Makes addresses absolute against where they came from.
static bool make_urls(struct taking *taking, GPtrArray *taken)
{
    for (unsigned i = 0; i < taken->len; i++) {
        const struct value value = {.json = g_ptr_array_index(taken, i)};
        g_autofree char *location = value_to_text(&value);
        g_autofree char *absolute =
            *location && taking->url ? request_resolve(taking->url, location) : NULL;
        if (!absolute)
            return fail(taking, g_strdup("it is not an address"));
        cJSON_Delete(g_ptr_array_index(taken, i));
        g_ptr_array_index(taken, i) = cJSON_CreateString(absolute);
    }
    return true;
}

static void keep(struct taking *taking, cJSON *json)
{
    bool secret = taking->secret || taking->capture->secret;
    values_set(taking->values, taking->capture->name, value_new(json, secret));
}

static bool keep_fallback(struct taking *taking)
{
    g_autoptr(GError) error = NULL;
    struct value *value = template_evaluate(taking->capture->fallback, taking->context, &error);
    if (!value)
        return fail(taking, g_strdup(error->message));
    value->secret = value->secret || taking->capture->secret;
    values_set(taking->values, taking->capture->name, value);
    return true;
}

static void keep_all(struct taking *taking, GPtrArray *taken)
{
    cJSON *list = cJSON_CreateArray();
    while (taken->len)
        cJSON_AddItemToArray(list, g_ptr_array_steal_index(taken, 0));
    keep(taking, list);
}

// Why the answer holds nothing for the capture: it is no XML, no page. Else NULL.
static const char *why_nothing(const struct taking *taking)
{
    const struct selector *selector = taking->capture->selector;
    bool markup = selector && (selector->kind == SELECTOR_XML || selector->kind == SELECTOR_HTML);
    return markup && !taking->capture->from
               ? subject_markup_problem(taking->subject, selector->kind)
               : NULL;
}

// Why what was taken is not one value, or NULL. The caller frees it.
static char *why_not_one(const struct taking *taking, const GPtrArray *taken)
{
    const struct capture *capture = taking->capture;
    g_autofree char *source = describe(capture);
    const char *why = taken->len == 0 ? why_nothing(taking) : NULL;
    if (why)
        return g_strdup_printf("%s selected nothing: it is %s", source, why);
    if (taken->len == 0)
        return g_strdup_printf("%s selected nothing", source);
    if (taken->len > 1)
        return g_strdup_printf("%s selected %u values, not one", source, taken->len);
    const struct value value = {.json = g_ptr_array_index(taken, 0)};
    if (!value_is_empty(&value))
        return NULL;
    return g_strdup_printf("%s is %s", source, cJSON_IsNull(value.json) ? "null" : "empty");
}

static bool take(struct taking *taking)
{
    const struct capture *capture = taking->capture;
    g_autoptr(GPtrArray) taken = take_all(taking);
    if (!taken)
        return false;
    char *problem = capture->all ? NULL : why_not_one(taking, taken);
    if (problem && capture->fallback) {
        g_free(problem);
        return keep_fallback(taking);
    }
    if (problem)
        return fail(taking, problem);
    if (capture->as_url && !make_urls(taking, taken))
        return false;
    if (capture->all)
        keep_all(taking, taken);
    else
        keep(taking, g_ptr_array_steal_index(taken, 0));
    return true;
}

bool capture_take(const GPtrArray *captures, struct subject *subject, struct values *values,
                  const char *url, struct clock_wall now, char **failed)
{
    const struct template_context context = values_context(values, now);
    *failed = NULL;
    for (unsigned i = 0; i < captures->len; i++) {
        struct taking taking = {.capture = g_ptr_array_index(captures, i),
                                .subject = subject,
                                .values = values,
                                .url = url,
                                .context = &context};
        if (!take(&taking) && !*failed)
            *failed = g_strdup_printf("capture %s: %s", taking.capture->name, taking.problem);
        g_free(taking.problem);
    }
    return *failed == NULL;
}

bool capture_set(const GPtrArray *fields, struct values *values, struct clock_wall now,
                 char **failed)
{
    struct template_context context = values_context(values, now);
    for (guint i = 0; i < fields->len; i++) {
        const struct call_field *field = fields->pdata[i];
        g_autoptr(GError) error = NULL;
        struct value *value = template_evaluate(field->value, &context, &error);
        if (!value) {
            *failed = g_strdup_printf("set %s: %s", field->name, error->message);
            return false;
        }
        values_set(values, field->name, value);
    }
    return true;
}
