// SPDX-License-Identifier: MIT
// Compiles the patterns and paths of a flow or sweep that values of its `with` and `vars`
// go into, so that a wrong value is found here and not when it is used. What is only known
// at run time is left. After the readers of steps and sweeps, which compile those without
// holes.
#include "config_read.h"

#include "config_problem.h"

#include <string.h>

struct pattern_check {
    struct config_reader *reader;
    const struct config_system *system;
    const GPtrArray *vars; // of struct call_field: the flow's, or NULL
    GHashTable *values;    // name -> struct value, of those that are known; NULL: not asked yet
    struct template_context context;
};

static const struct value *find_value(const char *name, void *user)
{
    return g_hash_table_lookup(user, name);
}

static const char *find_reference(const struct template_reference *reference, void *user)
{
    (void)reference;
    (void)user;
    return NULL; // the machine's: what is wrong with it is not shown
}

static void add_value(struct pattern_check *check, const char *name, const struct template *made,
                      bool secret)
{
    struct value *value = secret ? NULL : template_evaluate(made, &check->context, NULL);

    if (value != NULL)
        g_hash_table_insert(check->values, g_strdup(name), value);
}

static void free_value(void *value)
{
    value_free(value);
}

// What is known before any call: made when a pattern with holes is met.
static const struct template_context *context_of(struct pattern_check *check)
{
    if (check->values != NULL)
        return &check->context;
    check->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
    check->context = (struct template_context){
        .value = find_value, .reference = find_reference, .user = check->values, .timezone = "UTC"};
    for (unsigned i = 0; i < check->system->vars->len; i++) {
        const struct config_value *var = check->system->vars->pdata[i];

        add_value(check, var->name, var->value, var->secret);
    }
    for (unsigned i = 0; check->vars != NULL && i < check->vars->len; i++) {
        const struct call_field *field = check->vars->pdata[i];

        add_value(check, field->name, field->value, false);
    }
    return &check->context;
}

struct name_place {
    struct config_scope *scope;
    const char *name;
    const struct config_place *place;
};

static void note_place(const char *name, const struct template_reference *reference, void *user)
{
    struct name_place *found = user;
    const struct config_name *known =
        reference == NULL && found->name == NULL ? config_scope_find(found->scope, name) : NULL;

    if (known == NULL)
        return;
    found->name = name;
    found->place = &known->place;
}

// Says what is wrong where the value stands that went into `made`.
static void refuse(struct pattern_check *check, const struct template *made,
                   struct config_place place, const char *problem)
{
    struct name_place found = {.scope = check->reader->scope};

    template_foreach(made, note_place, &found);
    if (found.name != NULL)
        config_problem_error(check->reader->problems, *found.place,
                             "\"%s\" goes into a pattern or path, which is wrong with it: %s",
                             found.name, problem);
    else
        config_problem_error(check->reader->problems, place, "%s", problem);
}

static void check_selector(struct pattern_check *check, const struct selector *selector)
{
    bool compiled = selector == NULL || selector->argument == NULL || selector->path != NULL ||
                    selector->regex != NULL || selector->xpath != NULL ||
                    strstr(selector->argument, "{{") == NULL;
    g_autoptr(template_t) made =
        compiled ? NULL : template_new(selector->argument, TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *text =
        made != NULL ? template_render(made, context_of(check), NULL, NULL) : NULL;

    if (text == NULL)
        return;
    struct selector *filled = selector_new(selector->kind, text);
    g_autoptr(GError) error = NULL;

    filled->namespaces =
        selector->namespaces != NULL ? g_hash_table_ref(selector->namespaces) : NULL;
    if (!selector_compile(filled, &error))
        refuse(check, made, selector->place, error->message);
    selector_free(filled);
}

static void check_checks(struct pattern_check *check, const GPtrArray *checks);

static void check_check(struct pattern_check *check, const struct check *judged)
{
    check_checks(check, judged->nested);
    if (judged->operator!= CHECK_MATCHES || judged->regex != NULL || judged->operands->len == 0)
        return;
    const struct template *made = judged->operands->pdata[0];
    struct value *value = template_evaluate(made, context_of(check), NULL);
    g_autofree char *text = value != NULL ? value_to_text(value) : NULL;
    g_autoptr(GError) error = NULL;

    value_free(value);
    struct regex *regex = text != NULL ? regex_compile(text, REGEX_ONCE, &error) : NULL;

    regex_free(regex);
    if (error != NULL)
        refuse(check, made, judged->place, error->message);
}

static void check_checks(struct pattern_check *check, const GPtrArray *checks)
{
    for (unsigned i = 0; checks != NULL && i < checks->len; i++)
        check_check(check, checks->pdata[i]);
}

static void check_expect(struct pattern_check *check, const GPtrArray *expect)
{
    for (unsigned i = 0; i < expect->len; i++) {
        const struct expectation *expectation = expect->pdata[i];

        check_selector(check, expectation->selector);
        check_checks(check, expectation->checks);
        check_checks(check, expectation->only_if);
    }
}

static void check_captures(struct pattern_check *check, const GPtrArray *captures)
{
    for (unsigned i = 0; i < captures->len; i++) {
        const struct capture *capture = captures->pdata[i];

        check_selector(check, capture->selector);
        check_selector(check, capture->then);
    }
}

static void check_call(const struct call *call, const struct lookup *lookup, void *user)
{
    struct pattern_check *check = user;

    check_captures(check, call->captures);
    check_expect(check, call->expect);
    check_expect(check, call->gone);
    if (lookup != NULL)
        check_selector(check, lookup->mark);
}

void config_check_flow_patterns(struct config_reader *reader, const struct config_flow *flow)
{
    for (unsigned i = 0; i < flow->steps->len; i++) {
        const struct step *step = flow->steps->pdata[i];
        const struct config_system *system = step->system != NULL ? step->system : flow->system;
        struct pattern_check check = {.reader = reader, .system = system, .vars = flow->vars};

        check_checks(&check, step->only_if);
        step_visit_calls(step, check_call, &check);
        g_clear_pointer(&check.values, g_hash_table_unref);
    }
}

void config_check_sweep_patterns(struct config_reader *reader, const struct config_sweep *sweep)
{
    struct pattern_check check = {.reader = reader, .system = sweep->system};

    check_call(sweep->call, NULL, &check);
    check_captures(&check, sweep->captures);
    check_expect(&check, sweep->only);
    check_selector(&check, sweep->items);
    check_selector(&check, sweep->at);
    check_selector(&check, sweep->pages.next);
    undo_visit_calls(sweep->undo, check_call, &check);
    g_clear_pointer(&check.values, g_hash_table_unref);
}
