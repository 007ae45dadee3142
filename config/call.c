// SPDX-License-Identifier: MIT
// Makes, frees and asks calls and what belongs to them. config_read_call fills
// them; the probes perform them.
#include "call.h"

#include "intern.h"
#include "xpath_text.h"

#include <string.h>

static void free_selector(void *data)
{
    selector_free(data);
}

static void free_check(void *data)
{
    check_free(data);
}

static void free_expectation(void *data)
{
    expectation_free(data);
}

static void free_capture(void *data)
{
    capture_free(data);
}

static void free_field(void *data)
{
    call_field_free(data);
}

struct selector *selector_new(enum selector_kind kind, const char *argument)
{
    struct selector *selector = g_new0(struct selector, 1);

    selector->kind = kind;
    selector->argument = g_strdup(argument);
    return selector;
}

struct check *check_new(enum check_operator operator)
{
    struct check *check = g_new0(struct check, 1);

    check->operator= operator;
    return check;
}

struct expectation *expectation_new(void)
{
    struct expectation *expectation = g_new0(struct expectation, 1);

    expectation->checks = g_ptr_array_new_with_free_func(free_check);
    return expectation;
}

struct capture *capture_new(const char *name)
{
    struct capture *capture = g_new0(struct capture, 1);

    capture->name = g_strdup(name);
    return capture;
}

struct call_field *call_field_new(const char *name, struct template *value)
{
    struct call_field *field = g_new0(struct call_field, 1);

    field->name = g_strdup(name);
    field->value = value;
    return field;
}

struct call *call_new(const char *method)
{
    struct call *call = g_new0(struct call, 1);

    call->method = g_strdup(method);
    call->query = g_ptr_array_new_with_free_func(free_field);
    call->headers = g_ptr_array_new_with_free_func(free_field);
    call->form = g_ptr_array_new_with_free_func(free_field);
    call->captures = g_ptr_array_new_with_free_func(free_capture);
    call->set = g_ptr_array_new_with_free_func(free_field);
    call->expect = g_ptr_array_new_with_free_func(free_expectation);
    call->gone = g_ptr_array_new_with_free_func(free_expectation);
    return call;
}

struct step *step_new(const char *name)
{
    struct step *step = g_new0(struct step, 1);

    step->name = g_strdup(name);
    step->only_if = g_ptr_array_new_with_free_func(free_check);
    return step;
}

void selector_free(struct selector *selector)
{
    if (selector == NULL)
        return;
    g_free(selector->argument);
    intern_release_jsonpath(selector->path);
    intern_release_regex(selector->regex);
    intern_release_xpath(selector->xpath);
    g_clear_pointer(&selector->namespaces, g_hash_table_unref);
    g_free(selector);
}

void check_free(struct check *check)
{
    if (check == NULL)
        return;
    g_clear_pointer(&check->operands, g_ptr_array_unref);
    g_clear_pointer(&check->constants, g_ptr_array_unref);
    g_clear_pointer(&check->nested, g_ptr_array_unref);
    intern_release_regex(check->regex);
    g_free(check->source);
    g_free(check);
}

void expectation_free(struct expectation *expectation)
{
    if (expectation == NULL)
        return;
    selector_free(expectation->selector);
    g_free(expectation->from);
    g_clear_pointer(&expectation->checks, g_ptr_array_unref);
    g_clear_pointer(&expectation->only_if, g_ptr_array_unref);
    g_free(expectation->only_if_name);
    g_free(expectation);
}

void capture_free(struct capture *capture)
{
    if (capture == NULL)
        return;
    g_free(capture->name);
    free_selector(capture->selector);
    g_free(capture->from);
    free_selector(capture->then);
    intern_release_template(capture->fallback);
    g_free(capture);
}

void call_field_free(struct call_field *field)
{
    if (field == NULL)
        return;
    g_free(field->name);
    intern_release_template(field->value);
    g_free(field);
}

void call_free(struct call *call)
{
    if (call == NULL)
        return;
    GPtrArray *lists[] = {call->query, call->headers, call->form, call->captures,
                          call->set,   call->expect,  call->gone};

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        g_clear_pointer(&lists[i], g_ptr_array_unref);
    g_free(call->system);
    g_free(call->method);
    intern_release_template(call->path);
    intern_release_template(call->body);
    intern_release_template(call->soap_action);
    g_free(call->body_file);
    g_free(call->elsewhere_ca);
    call_free(call->otherwise);
    g_free(call);
}

void lookup_free(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    call_free(lookup->call);
    selector_free(lookup->mark);
    g_free(lookup);
}

void undo_free(struct undo *undo)
{
    if (undo == NULL)
        return;
    g_free(undo->none);
    g_clear_pointer(&undo->calls, g_ptr_array_unref);
    lookup_free(undo->lookup);
    g_clear_pointer(&undo->later, g_ptr_array_unref);
    g_free(undo->source);
    g_free(undo);
}

void step_free(struct step *step)
{
    if (step == NULL)
        return;
    g_free(step->name);
    call_free(step->call);
    g_free(step->idempotency);
    g_free(step->only_if_name);
    g_clear_pointer(&step->only_if, g_ptr_array_unref);
    lookup_free(step->lookup);
    undo_free(step->undo);
    g_free(step->act);
    g_free(step->means);
    g_free(step);
}

// A hole in the argument leaves compiling to the run.
static bool has_hole(const char *text)
{
    return strstr(text, "{{") != NULL || strstr(text, "${") != NULL;
}

// What stands in for a value that is not known yet.
static struct value *stand_in(const char *text, void *user, GError **error)
{
    (void)text, (void)user, (void)error;
    return value_new_text("0", false);
}

// An XPath with holes is compiled for its mistakes alone.
static bool try_xpath(const struct selector *selector, GError **error)
{
    g_autofree char *filled = xpath_text_fill(selector->argument, stand_in, NULL, NULL);
    g_autoptr(xml_path_t) path = xml_path_compile(filled, selector->namespaces, error);

    return path != NULL;
}

bool selector_compile(struct selector *selector, GError **error)
{
    bool markup = selector->kind == SELECTOR_XML || selector->kind == SELECTOR_HTML;

    if (selector->argument == NULL)
        return true;
    if (has_hole(selector->argument))
        return !markup || try_xpath(selector, error);
    if (selector->kind == SELECTOR_JSON && selector->path == NULL) {
        selector->path = intern_jsonpath(selector->argument, error);
        return selector->path != NULL;
    }
    if (selector->kind == SELECTOR_REGEX && selector->regex == NULL) {
        selector->regex = intern_regex(selector->argument, error);
        return selector->regex != NULL;
    }
    if (markup && selector->xpath == NULL) {
        selector->xpath = intern_xpath(selector->argument, selector->namespaces, error);
        return selector->xpath != NULL;
    }
    return true;
}

static bool is_one_of(const char *method, const char *const *words)
{
    return g_strv_contains(words, method);
}

static void visit_lookup(const struct lookup *lookup, call_visitor visit, void *user)
{
    if (lookup != NULL)
        visit(lookup->call, lookup, user);
}

void undo_visit_calls(const struct undo *undo, call_visitor visit, void *user)
{
    if (undo == NULL)
        return;
    visit_lookup(undo->lookup, visit, user);
    for (unsigned i = 0; i < undo->calls->len; i++) {
        for (const struct call *call = undo->calls->pdata[i]; call != NULL; call = call->otherwise)
            visit(call, NULL, user);
    }
    for (unsigned i = 0; i < undo->later->len; i++)
        undo_visit_calls(undo->later->pdata[i], visit, user);
}

void step_visit_calls(const struct step *step, call_visitor visit, void *user)
{
    visit(step->call, NULL, user);
    visit_lookup(step->lookup, visit, user);
    undo_visit_calls(step->undo, visit, user);
}

bool call_is_safe(const struct call *call)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE", NULL};

    return is_one_of(call->method, safe);
}

bool call_is_idempotent(const struct call *call)
{
    static const char *const idempotent[] = {"GET", "HEAD",   "OPTIONS", "TRACE",
                                             "PUT", "DELETE", NULL};

    return is_one_of(call->method, idempotent);
}
