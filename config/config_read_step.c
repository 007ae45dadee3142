// SPDX-License-Identifier: MIT
// Reads the steps of a flow or template, in order: each knows the names that
// those before it made. Above config_read_call, below config_read_flow.
#include "config_read.h"
#include "config_across.h"

#include "config_problem.h"

#include <string.h>

static void read_until(struct config_reader *reader, const struct config_node *node,
                       struct step *step)
{
    const struct config_entry *entry = config_node_entry(node, "until");

    if (entry == NULL)
        return;
    step->until_every_ms = config_read_duration(config_node_get(entry->value, "every"), 0);
    step->until_for_ms = config_read_duration(config_node_get(entry->value, "for"), 0);
    if (step->until_every_ms > step->until_for_ms && step->until_for_ms > 0)
        config_problem_error(reader->problems, entry->place,
                             "\"until\" never repeats: \"every\" is longer than \"for\"");
}

static void read_retry(struct config_reader *reader, const struct config_node *node,
                       struct step *step)
{
    const struct config_node *retry = config_node_get(node, "retry");

    if (retry == NULL)
        return;
    step->retry_times = config_read_integer(config_node_get(retry, "times"), 0);
    step->retry_after_ms = config_read_duration(config_node_get(retry, "after"), 1000);
    step->retry_on_any = config_node_get(retry, "on") != NULL;
    (void)reader;
}

static void check_act(struct config_reader *reader, const struct config_node *node,
                      struct step *step)
{
    const struct config_system *system = step->system;
    static const char *const roles[] = {"erp-partner", "client", "integrator", "hosting", NULL};
    const struct config_node *act = config_node_get(node, "act");

    step->act = g_strdup(config_node_text(act));
    if (step->act == NULL || system == NULL || g_strv_contains(roles, step->act) ||
        config_role_contact(system, step->act) != NULL)
        return;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    GHashTableIter iterator;
    void *role;

    for (unsigned i = 0; roles[i] != NULL; i++)
        g_ptr_array_add(words, (gpointer)(uintptr_t)roles[i]);
    g_hash_table_iter_init(&iterator, system->act);
    while (g_hash_table_iter_next(&iterator, &role, NULL))
        g_ptr_array_add(words, role);
    const char *guess = config_problem_guess(step->act, words);

    config_problem_error(reader->problems, act->place,
                         "the system %s gives nobody the role \"%s\"%s%s%s", system->id, step->act,
                         guess != NULL ? ": did you mean \"" : ": name a contact for it in \"act\"",
                         guess != NULL ? guess : "", guess != NULL ? "\"?" : "");
}

// The lookup knows what was known before the answer came, and gives again what
// the answer would have given.
static struct lookup *read_lookup(struct config_reader *reader, const struct config_node *node,
                                  unsigned before)
{
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = NULL;

    if (outer != NULL) {
        scope = config_scope_new(outer);
        scope->parent_visible = before;
        scope->own_names_again = true;
        scope->no_secrets = true;
        reader->scope = scope;
    }
    struct lookup *lookup = config_read_lookup(reader, node);

    reader->scope = outer;
    return lookup;
}

static void read_undo(struct config_reader *reader, const struct config_node *node,
                      struct step *step, unsigned before)
{
    const struct config_entry *entry = config_node_entry(node, "undo");
    const struct config_node *lookup = config_node_get(node, "lookup");
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = NULL;

    if (entry == NULL)
        return;
    if (outer != NULL) {
        scope = config_scope_new(outer);
        scope->no_secrets = true;
        scope->own_from = before;
        scope->own_names_again = config_node_get(entry->value, "lookup") != NULL;
        reader->scope = scope;
    }
    step->undo = config_read_undo(reader, entry->value, lookup);
    reader->scope = outer;
    if (scope != NULL && scope->used_own && lookup == NULL && step->undo != NULL)
        config_problem_warn(reader->problems, entry->place,
                            "this undo needs what its own step captures: where the answer never "
                            "comes, nothing can be undone; write a \"lookup\" that %s it",
                            step->undo->lookup != NULL ? "captures" : "finds");
}

static void warn_of_missing_undo(struct config_reader *reader, const struct config_node *node,
                                 const struct step *step)
{
    const struct config_entry *post = config_node_entry(node, "post");

    if (post != NULL && step->undo == NULL)
        config_problem_warn(reader->problems, post->place,
                            "this POST has no undo: write how its record is removed, or undo: "
                            "{none: why there is nothing to remove}");
}

static void check_slow(struct config_reader *reader, const struct config_node *node,
                       const struct step *step)
{
    const struct config_entry *slow = config_node_entry(node, "slow");
    int64_t timeout_ms = step->call->timeout_ms;

    if (timeout_ms == 0 && step->system != NULL)
        timeout_ms = step->system->timeout_ms;
    // a user may well give a system less time than its pack thinks slow
    if (slow != NULL && timeout_ms > 0 && step->slow_ms >= timeout_ms && !reader->in_pack)
        config_problem_error(reader->problems, slow->place,
                             "this step is never slow: its timeout ends it first; write less than "
                             "the timeout");
}

static const struct config_system *present_system(const struct config_reader *reader)
{
    return reader->across != NULL ? reader->across->system->system : NULL;
}

static struct step *read_entered(struct config_reader *reader, const struct config_node *node)
{
    const char *name = config_node_text(config_node_get(node, "step"));
    struct step *step = step_new(name != NULL ? name : "");
    unsigned before = 0;

    step->place = node->place;
    step->system = present_system(reader);
    GPtrArray *only_if = config_read_only_if(reader, node, &step->only_if_name);

    if (only_if != NULL) {
        g_ptr_array_unref(step->only_if);
        step->only_if = only_if;
    }
    step->call = config_read_call(reader, node, CONFIG_CALL_PLAIN, &before);
    if (step->call == NULL) {
        step_free(step);
        return NULL;
    }
    step->slow_ms = config_read_duration(config_node_get(node, "slow"), 0);
    step->means = g_strdup(config_node_text(config_node_get(node, "means")));
    read_until(reader, node, step);
    read_retry(reader, node, step);
    check_act(reader, node, step);
    config_read_idempotency(reader, node, step);
    step->lookup = read_lookup(reader, config_node_get(node, "lookup"), before);
    read_undo(reader, node, step, before);
    check_slow(reader, node, step);
    config_check_step_calls(reader, step);
    warn_of_missing_undo(reader, node, step);
    return step;
}

// All of a step is read with the names of its system, and with what prefixes stand
// for there; the system of a template that nobody uses cannot be told.
static struct step *read_step(struct config_reader *reader, const struct config_node *node)
{
    struct config_definition *former = config_across_enter(reader, node);
    const struct config_system *system = present_system(reader);

    reader->any_prefix = system == NULL;
    reader->namespaces = system != NULL ? system->namespaces : NULL;
    GHashTable *outer = config_namespaces_enter(reader, node);
    struct step *step = read_entered(reader, node);

    config_namespaces_leave(reader, outer);
    reader->namespaces = NULL;
    reader->any_prefix = false;
    config_across_leave(reader, former);
    return step;
}

static void check_step_names(struct config_reader *reader, const GPtrArray *steps)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < steps->len; i++) {
        struct step *step = steps->pdata[i];

        if (!g_hash_table_add(names, step->name))
            config_problem_error(reader->problems, step->place,
                                 "two steps of this flow are called \"%s\": name each its own way",
                                 step->name);
    }
}

static void free_step(void *data)
{
    step_free(data);
}

GPtrArray *config_read_steps(struct config_reader *reader, const struct config_node *node)
{
    GPtrArray *steps = g_ptr_array_new_with_free_func(free_step);

    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_LIST && i < node->count; i++) {
        struct step *step =
            node->items[i]->kind == CONFIG_NODE_MAP ? read_step(reader, node->items[i]) : NULL;

        if (step != NULL)
            g_ptr_array_add(steps, step);
    }
    check_step_names(reader, steps);
    config_across_check_names(reader);
    return steps;
}
