// SPDX-License-Identifier: MIT
// Reads flows: what they say themselves, what their template and the defaults
// fill in, and their steps, compiled once for all flows that share them.
#include "config_across.h"
#include "config_read.h"

#include "../base/ids.h"
#include "../base/redact.h"
#include "config_problem.h"

#include <string.h>

// One flow while it is read.
struct flow_reader {
    struct config_world *world;
    struct config_definition *definition;
    struct config_definition *template; // or NULL
    struct config_definition *system;
    struct config_chain chain;
    struct config_across across;
    struct config_flow *flow;
};

static GPtrArray *problems_of(const struct flow_reader *reading)
{
    return reading->world->reader.problems;
}

static const struct config_node *get(const struct flow_reader *reading, const char *key)
{
    return config_chain_get(&reading->chain, key);
}

static char *text_of(const struct flow_reader *reading, const char *key)
{
    return g_strdup(config_node_text(get(reading, key)));
}

// Where the key was written decides the namespace in which its names are looked
// up: a template brings its own.
static const char *space_of(const struct flow_reader *reading, const char *key)
{
    const struct config_node *own = reading->definition->node;

    if (reading->template != NULL && config_node_entry(own, key) == NULL &&
        config_node_entry(reading->template->node, key) != NULL)
        return reading->template->name_space;
    return reading->definition->name_space;
}

static void read_template(struct flow_reader *reading)
{
    const struct config_node *node = reading->definition->node;
    const struct config_entry *use = config_node_entry(node, "use");
    const struct config_entry *steps = config_node_entry(node, "steps");
    const struct config_entry *with = config_node_entry(node, "with");

    if (use != NULL)
        reading->template = config_find_use(reading->world, reading->definition, use->value);
    if (use != NULL && steps != NULL)
        config_problem_error(problems_of(reading), steps->place,
                             "the steps come from the template: leave \"steps\" or \"use\" out");
    if (reading->template != NULL)
        reading->template->used = true;
    if (use == NULL && steps == NULL)
        config_problem_error(problems_of(reading), reading->definition->place,
                             "the flow \"%s\" does nothing: write steps, or use: TEMPLATE",
                             reading->definition->id);
    if (use == NULL && with != NULL)
        config_problem_error(problems_of(reading), with->place,
                             "\"with\" gives a template its values, and no \"use\" stands here: "
                             "write vars");
}

static void make_chain(struct flow_reader *reading)
{
    config_chain_add(&reading->chain, reading->definition->node);
    if (reading->template != NULL)
        config_chain_add(&reading->chain, reading->template->node);
    config_chain_add_defaults(reading->world, &reading->chain, reading->definition->name_space,
                              "flow");
}

static bool read_system(struct flow_reader *reading)
{
    const struct config_node *node = get(reading, "system");

    if (node == NULL) {
        config_problem_error(problems_of(reading), reading->definition->place,
                             "\"system\" is missing in the flow \"%s\": write which system it "
                             "watches",
                             reading->definition->id);
        return false;
    }
    reading->system =
        config_world_require(reading->world, CONFIG_KIND_SYSTEM, space_of(reading, "system"), node);
    return reading->system != NULL && reading->system->system != NULL;
}

// A role means who has it at the flow's system; where a step at another system
// fails, also who has it there.
static void read_notify(struct flow_reader *reading)
{
    const struct config_node *node = get(reading, "notify");
    struct config_flow *flow = reading->flow;
    unsigned problems = problems_of(reading)->len;
    const struct config_notify notify = {.system = flow->system,
                                         .steps = flow->steps,
                                         .contacts = flow->notify,
                                         .roles = flow->notify_roles};

    config_read_notify(reading->world, space_of(reading, "notify"), node, &notify);
    if (flow->notify->len > 0 || problems_of(reading)->len > problems ||
        (node != NULL && node->kind == CONFIG_NODE_BROKEN))
        return;
    if (!config_node_get(reading->world->mail, "fallback"))
        config_problem_warn(
            problems_of(reading), reading->definition->place,
            "nobody would be told when the flow \"%s\" fails: write notify: [CONTACT], "
            "or mail.fallback",
            reading->definition->id);
}

static void read_alerting(struct flow_reader *reading)
{
    struct config_flow *flow = reading->flow;
    const struct config_node *confirm = get(reading, "confirm");

    flow->priority = 1 + config_read_word(get(reading, "priority"), "P1|P2|P3|P4", 2);
    flow->confirm_runs = config_read_integer(config_node_get(confirm, "runs"), 2);
    flow->confirm_after_ms = config_read_duration(config_node_get(confirm, "after"), 20000);
    flow->recover = config_read_integer(get(reading, "recover"), 1);
    flow->group_ms = config_read_duration(get(reading, "group"), 30000);
}

// A parameter of the template: the flow's value, or the template's own.
static void read_parameter(struct flow_reader *reading, const struct config_entry *parameter)
{
    const struct config_node *given =
        config_node_get(config_node_get(reading->definition->node, "with"), parameter->key);
    const char *text = config_node_text(parameter->value);
    bool required = text != NULL && strcmp(text, "required") == 0 &&
                    parameter->value->style == CONFIG_NODE_PLAIN;

    if (given == NULL && required) {
        config_problem_error(problems_of(reading), reading->definition->place,
                             "the flow \"%s\" has to give the template's \"%s\" a value: with: "
                             "{%s: …}",
                             reading->definition->id, parameter->key, parameter->key);
        return;
    }
    struct template *value =
        config_read_json(&reading->world->reader, given != NULL ? given : parameter->value,
                         redact_is_secret_name(parameter->key));

    if (value != NULL)
        g_ptr_array_add(reading->flow->vars, call_field_new(parameter->key, value));
}

static void add_var(struct flow_reader *reading, const char *name, struct config_place place,
                    struct template *value, bool secret)
{
    struct config_reader *reader = &reading->world->reader;

    config_scope_add(reader->scope, name, place, secret || config_read_is_secret(reader, value),
                     reader->problems);
    g_ptr_array_add(reading->flow->vars, call_field_new(name, value));
}

// A parameter of the pack that is to be another in this flow. False where the pack
// has none of that name.
static bool read_pack_parameter(struct flow_reader *reading, const struct config_entry *entry)
{
    struct config_world *world = reading->world;
    const struct pack *pack = reading->template->pack;
    const struct pack_parameter *parameter =
        pack != NULL ? pack_find_parameter(pack, entry->key) : NULL;

    if (parameter == NULL)
        return false;
    if (parameter->fixed) {
        config_problem_error(problems_of(reading), entry->place,
                             "\"%s\" is what the whole system goes by: write it in the \"with\" of "
                             "the system %s",
                             entry->key, reading->system->id);
        return true;
    }
    pack_check_value(pack, parameter, entry->value, problems_of(reading));
    struct template *value =
        config_read_parameter(world, parameter, entry->value, reading->system->id);

    if (value == NULL)
        return true;
    world->reader.scope->own_names_again = true;
    add_var(reading, entry->key, entry->place, value, parameter->type == PACK_SECRET);
    world->reader.scope->own_names_again = false;
    return true;
}

static void check_with(struct flow_reader *reading, const struct config_node *parameters)
{
    const struct config_node *with = config_node_get(reading->definition->node, "with");
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const struct pack *pack = reading->template->pack;

    for (unsigned i = 0; pack != NULL && i < pack->parameters->len; i++)
        g_ptr_array_add(
            words,
            (gpointer)(uintptr_t)((struct pack_parameter *)pack->parameters->pdata[i])->name);

    for (unsigned i = 0;
         parameters != NULL && parameters->kind == CONFIG_NODE_MAP && i < parameters->count; i++)
        g_ptr_array_add(words, (gpointer)(uintptr_t)parameters->entries[i].key);
    for (unsigned i = 0; with != NULL && with->kind == CONFIG_NODE_MAP && i < with->count; i++) {
        const struct config_entry *entry = &with->entries[i];

        if (config_node_entry(parameters, entry->key) != NULL ||
            read_pack_parameter(reading, entry))
            continue;
        const char *guess = config_problem_guess(entry->key, words);

        config_problem_error(problems_of(reading), entry->place,
                             "the %s has no parameter \"%s\"%s%s%s",
                             pack != NULL ? "pack's flow" : "template", entry->key,
                             guess != NULL ? ": did you mean \"" : ": leave it out",
                             guess != NULL ? guess : "", guess != NULL ? "\"?" : "");
    }
}

// Parameters first, then vars, each in the order of the file: a value may use
// those before it. All are known to the steps.
static void read_values(struct flow_reader *reading)
{
    struct config_reader *reader = &reading->world->reader;
    const struct config_node *parameters =
        reading->template != NULL ? config_node_get(reading->template->node, "with") : NULL;
    const struct config_node *vars = get(reading, "vars");

    reading->flow->vars = g_ptr_array_new_with_free_func((GDestroyNotify)call_field_free);
    if (reading->template != NULL)
        check_with(reading, parameters);
    if (reading->template != NULL && reading->template->pack != NULL)
        config_require_parameters(reading->world, reading->definition, reading->template,
                                  reading->flow->system);
    for (unsigned i = 0;
         parameters != NULL && parameters->kind == CONFIG_NODE_MAP && i < parameters->count; i++) {
        const struct config_entry *entry = &parameters->entries[i];
        unsigned before = reading->flow->vars->len;

        read_parameter(reading, entry);
        const struct call_field *field =
            reading->flow->vars->len > before ? reading->flow->vars->pdata[before] : NULL;

        config_scope_add(reader->scope, entry->key, entry->place,
                         field != NULL && config_read_is_secret(reader, field->value),
                         reader->problems);
    }
    for (unsigned i = 0; vars != NULL && vars->kind == CONFIG_NODE_MAP && i < vars->count; i++) {
        const struct config_entry *entry = &vars->entries[i];
        struct template *value =
            config_read_json(reader, entry->value, redact_is_secret_name(entry->key));

        if (value == NULL)
            continue;
        config_scope_add(reader->scope, entry->key, entry->place,
                         config_read_is_secret(reader, value), reader->problems);
        g_ptr_array_add(reading->flow->vars, call_field_new(entry->key, value));
    }
}

static void append_references(GPtrArray *to, const GPtrArray *from)
{
    for (unsigned i = 0; i < from->len; i++)
        g_ptr_array_add(to, config_reference_copy(from->pdata[i]));
}

// The names that the flow gives its steps, and which of them are secret.
static char *write_names(const struct flow_reader *reading)
{
    const struct config_scope *scope = reading->world->reader.scope;
    g_autoptr(GString) names = g_string_new(NULL);

    for (unsigned i = 0; i < reading->flow->vars->len; i++) {
        const struct call_field *field = reading->flow->vars->pdata[i];
        const struct config_name *name = g_hash_table_lookup(scope->names, field->name);

        g_string_append_printf(names, " %s%s", field->name,
                               name != NULL && name->secret ? " secret" : "");
    }
    config_across_write_key(&reading->across, names);
    return arena_text(reading->world->arena, names->str, names->len);
}

// Lives as long as the world.
static struct config_steps_key *steps_key(const struct flow_reader *reading,
                                          const struct config_node *steps)
{
    struct config_steps_key *key = arena_take(reading->world->arena, sizeof *key);

    *key = (struct config_steps_key){.system = reading->system,
                                     .names = write_names(reading),
                                     .file = reading->definition->place.file,
                                     .node = steps};
    return key;
}

static struct config_steps *compile_steps(struct flow_reader *reading,
                                          const struct config_node *node)
{
    struct config_reader *reader = &reading->world->reader;
    struct config_steps *steps = g_new0(struct config_steps, 1);
    GPtrArray *needs = reader->needs;

    steps->needs = g_ptr_array_new_with_free_func(config_reference_free);
    reader->needs = steps->needs;
    reader->across = &reading->across;
    reader->in_pack = reading->template != NULL && reading->template->pack != NULL;
    steps->steps = config_read_steps(reader, node);
    reader->in_pack = false;
    reader->across = NULL;
    reader->needs = needs;
    g_ptr_array_add(reading->world->compiled, steps);
    return steps;
}

// Steps of one template, or of flows that say the same, are compiled once: there
// may be many thousands. What gave problems is shared only where it is the same
// node, so that each place is told.
static const struct config_steps *find_or_compile(struct flow_reader *reading,
                                                  const struct config_node *node)
{
    struct config_world *world = reading->world;
    struct config_steps_key *key = steps_key(reading, node);
    struct config_steps *steps = g_hash_table_lookup(world->steps_of_node, key);

    if (steps != NULL)
        return steps;
    unsigned problems = world->reader.problems->len;

    if (node != NULL)
        steps = g_hash_table_lookup(world->steps_of_content, key);
    bool is_new = steps == NULL;

    if (is_new)
        steps = compile_steps(reading, node);
    if (is_new && node != NULL && world->reader.problems->len == problems)
        g_hash_table_insert(world->steps_of_content, key, steps);
    g_hash_table_insert(world->steps_of_node, key, steps);
    return steps;
}

// The template brings the namespace in which its steps name systems; what the flow
// gives its parameters is the flow's.
static void init_across(struct flow_reader *reading, const struct config_definition *owner)
{
    struct config_across *across = &reading->across;

    config_across_init(across, reading->world, reading->system, reading->world->reader.scope);
    across->name_space = owner->name_space;
    if (reading->template == NULL)
        return;
    across->parameters = config_node_get(reading->template->node, "with");
    across->given = config_node_get(reading->definition->node, "with");
    across->given_space = reading->definition->name_space;
}

static void read_steps(struct flow_reader *reading)
{
    const struct config_definition *owner =
        reading->template != NULL ? reading->template : reading->definition;

    init_across(reading, owner);
    const struct config_steps *steps =
        find_or_compile(reading, config_node_get(owner->node, "steps"));

    reading->flow->steps = g_ptr_array_ref(steps->steps);
    append_references(reading->flow->needs, steps->needs);
    config_across_clear(&reading->across);
}

static void check_times(struct flow_reader *reading)
{
    const struct config_flow *flow = reading->flow;

    for (unsigned i = 0; i < flow->steps->len; i++) {
        const struct step *step = flow->steps->pdata[i];

        if (step->until_for_ms > flow->timeout_ms)
            config_problem_warn(problems_of(reading), step->place,
                                "\"until\" of the step \"%s\" may go on for longer than the flow's "
                                "timeout: raise \"timeout\", or lower \"for\"",
                                step->name);
    }
}

static void read_plain_keys(struct flow_reader *reading)
{
    struct config_flow *flow = reading->flow;

    flow->title = text_of(reading, "title");
    if (flow->title == NULL)
        flow->title = g_strdup(flow->id);
    flow->impact = text_of(reading, "impact");
    flow->off = text_of(reading, "off");
    flow->was = text_of(reading, "was");
    flow->timeout_ms = config_read_duration(get(reading, "timeout"), 120000);
    config_read_schedule(reading->world, &reading->chain, "a flow", &flow->every_ms, &flow->cron);
    read_alerting(reading);
    config_read_budget(&reading->world->reader, get(reading, "budget"), flow);
}

// What the flow may leave behind is looked for by the pack's sweeps.
static void note_pack_flow(const struct flow_reader *reading)
{
    struct config_definition *system = reading->system;
    const struct config_node *use = config_node_get(reading->definition->node, "use");

    if (reading->flow->off != NULL || reading->template == NULL || system->pack == NULL ||
        reading->template->pack != system->pack)
        return;
    if (system->pack_flows == NULL)
        system->pack_flows = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_add(system->pack_flows, (gpointer)(uintptr_t)use->text);
}

static void read_flow(struct config_world *world, struct config_definition *definition)
{
    struct flow_reader reading = {.world = world, .definition = definition};
    struct config_flow *flow = g_new0(struct config_flow, 1);

    reading.flow = flow;
    flow->id = g_strdup(definition->id);
    flow->number = ids_number(flow->id);
    flow->place = definition->place;
    flow->needs = g_ptr_array_new_with_free_func(config_reference_free);
    flow->notify = g_ptr_array_new_with_free_func(g_free);
    flow->notify_roles = g_ptr_array_new_with_free_func(g_free);
    read_template(&reading);
    make_chain(&reading);
    if (!read_system(&reading)) {
        config_flow_free(flow);
        return;
    }
    flow->system = reading.system->system;
    g_autoptr(config_scope_t) scope = config_scope_new(reading.system->scope);

    world->reader.scope = scope;
    world->reader.needs = flow->needs;
    read_plain_keys(&reading);
    note_pack_flow(&reading);
    read_values(&reading);
    read_steps(&reading);
    read_notify(&reading);
    append_references(flow->needs, reading.system->needs);
    check_times(&reading);
    config_check_flow_patterns(&world->reader, flow);
    world->reader.scope = NULL;
    world->reader.needs = NULL;
    config_add_flow(world->reader.config, flow);
}

// A former name must not be that of a flow that is still there.
static void check_former_names(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_FLOW];

    for (unsigned i = 0; i < definitions->len; i++) {
        const struct config_definition *definition = definitions->pdata[i];
        const struct config_entry *was = config_node_entry(definition->node, "was");
        const char *name = was != NULL ? config_node_text(was->value) : NULL;

        if (name != NULL &&
            config_world_find(world, CONFIG_KIND_FLOW, definition->name_space, name) != NULL)
            config_problem_error(world->reader.problems, was->value->place,
                                 "a flow is still called \"%s\": \"was\" names one that is gone",
                                 name);
    }
}

// A template that no flow uses is read for its mistakes alone: which names its
// flows would know cannot be told.
static void check_templates(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_TEMPLATE];

    for (unsigned i = 0; i < definitions->len; i++) {
        const struct config_definition *definition = definitions->pdata[i];
        const struct config_node *steps = config_node_get(definition->node, "steps");
        g_autoptr(GPtrArray) needs = g_ptr_array_new_with_free_func(config_reference_free);

        if (steps == NULL && definition->node->kind == CONFIG_NODE_MAP)
            config_problem_error(world->reader.problems, definition->place,
                                 "the template \"%s\" has no steps: write them", definition->id);
        if (definition->used)
            continue;
        world->reader.needs = needs;
        g_ptr_array_unref(config_read_steps(&world->reader, steps));
        world->reader.needs = NULL;
    }
}

void config_read_flows(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_FLOW];

    for (unsigned i = 0; i < definitions->len; i++) {
        struct config_definition *definition = definitions->pdata[i];

        if (definition->node->kind == CONFIG_NODE_MAP &&
            g_hash_table_lookup(world->names[CONFIG_KIND_FLOW], definition->id) == definition)
            read_flow(world, definition);
    }
    check_former_names(world);
    check_templates(world);
}
