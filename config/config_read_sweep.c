// SPDX-License-Identifier: MIT
// Reads sweeps: section 8 of the language, those of packs among them. Above
// config_read_call; what is dangerous in one is config_check_sweep's business.
#include "config_read_sweep.h"

#include "config_across.h"
#include "config_problem.h"

#include <string.h>

enum { OLDER_MS = 30 * 60 * 1000, AT_MOST = 20 };

// How often a pack's sweep runs where nobody says anything else.
enum { PACK_EVERY_MS = 6 * 60 * 60 * 1000 };

// One sweep while it is read.
struct sweep_reader {
    struct config_world *world; // NULL where a pack is checked
    struct config_reader *reader;
    struct config_reading of;
    struct config_chain chain;
    struct config_sweep *sweep;
};

static const struct config_node *get(const struct sweep_reader *reading, const char *key)
{
    return config_chain_get(&reading->chain, key);
}

// The node of a key that stands in the sweep itself; says so where it is missing.
static const struct config_node *require(const struct sweep_reader *reading, const char *key,
                                         const char *advice)
{
    const struct config_node *node = config_node_get(reading->of.search, key);

    if (node == NULL && !reading->of.in_pack) // a pack's file needs it: that has been said
        config_problem_error(reading->reader->problems, reading->of.place,
                             "\"%s\" is missing in the sweep \"%s\": %s", key, reading->of.id,
                             advice);
    return node;
}

static void read_plain_keys(struct sweep_reader *reading)
{
    struct config_sweep *sweep = reading->sweep;

    sweep->off = g_strdup(config_node_text(get(reading, "off")));
    sweep->older_ms = config_read_duration(get(reading, "older"), OLDER_MS);
    sweep->at_most = config_read_integer(get(reading, "at_most"), AT_MOST);
    config_read_schedule(reading->world, &reading->chain, "a sweep", &sweep->every_ms,
                         &sweep->cron);
    if (reading->of.in_pack && sweep->every_ms == 0 && sweep->cron == NULL)
        sweep->every_ms = PACK_EVERY_MS;
    const struct config_notify notify = {.system = sweep->system, .contacts = sweep->notify};

    config_read_notify(reading->world, reading->of.name_space, get(reading, "notify"), &notify);
}

// The next page is asked for by GET, with the headers and the expectations of the first.
static struct call *next_call(struct config_reader *reader, const struct call *first)
{
    struct config_scope *scope = reader->scope;
    struct config_node hole = {.kind = CONFIG_NODE_SCALAR,
                               .style = CONFIG_NODE_QUOTED,
                               .place = first->place,
                               .text = "{{page}}"};
    struct call *call = call_new("GET");

    reader->scope = NULL; // the page is no name of the sweep
    call->path = config_read_template(reader, &hole, TEMPLATE_PLACE_PATH, false);
    reader->scope = scope;
    call->whole_url = true;
    g_ptr_array_unref(call->headers);
    g_ptr_array_unref(call->expect);
    call->headers = g_ptr_array_ref(first->headers);
    call->expect = g_ptr_array_ref(first->expect);
    call->timeout_ms = first->timeout_ms;
    call->no_auth = first->no_auth;
    call->follow = first->follow;
    call->place = first->place;
    return call;
}

static void read_pages(struct sweep_reader *reading, const struct config_node *node)
{
    struct config_pages *pages = &reading->sweep->pages;
    const struct config_node *next = config_node_get(node, "next");
    const struct config_entry *offset = config_node_entry(node, "offset");
    const struct config_node *step = config_node_get(node, "step");
    GPtrArray *problems = reading->reader->problems;

    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    pages->next = next != NULL ? config_read_selector(reading->reader, next) : NULL;
    pages->offset = config_read_integer(offset != NULL ? offset->value : NULL, 0);
    pages->page_step = config_read_integer(step, 0);
    if (next != NULL && (offset != NULL || step != NULL))
        config_problem_error(problems, node->place,
                             "pages are found by \"next\" or by \"offset\" and \"step\": leave "
                             "one way out");
    else if (next == NULL && step == NULL)
        config_problem_error(problems, node->place,
                             "\"pages\" does not say how: write {next: {json: $.next}}, or "
                             "{offset: 0, step: 100} and {{page}} in the call");
}

// The search, whose captures and set become those of the items.
static void read_call(struct sweep_reader *reading)
{
    struct config_sweep *sweep = reading->sweep;
    struct call *call =
        config_read_call(reading->reader, reading->of.search, CONFIG_CALL_PLAIN, NULL);

    sweep->call = call;
    if (call == NULL)
        return;
    sweep->captures = g_steal_pointer(&call->captures);
    sweep->set = g_steal_pointer(&call->set);
    call->captures = g_ptr_array_new();
    call->set = g_ptr_array_new();
    if (sweep->pages.next != NULL)
        sweep->pages.next_call = next_call(reading->reader, call);
}

static struct selector *read_items(struct sweep_reader *reading)
{
    const struct config_node *node =
        require(reading, "items",
                "write which part of the answer holds the records, as in items: "
                "'$.value[*]'");
    struct config_node text = {.kind = CONFIG_NODE_SCALAR, .text = config_node_text(node)};
    struct config_entry json = {.key = "json", .value = &text};
    struct config_node map = {.kind = CONFIG_NODE_MAP, .count = 1, .entries = &json};

    if (text.text == NULL)
        return node != NULL ? config_read_selector(reading->reader, node) : NULL;
    if (text.text[0] != '$')
        return NULL; // config_shape has said so
    text.style = node->style;
    text.place = json.place = map.place = node->place;
    return config_read_selector(reading->reader, &map);
}

static void read_only(struct sweep_reader *reading)
{
    g_autofree char *advice =
        g_strdup_printf("without it records of others could be deleted; write which items are "
                        "ours: only: {json: {$.FIELD: {matches: '^%s'}}}",
                        config_read_mark(reading->reader));

    config_read_expect(reading->reader, require(reading, "only", advice), reading->sweep->only);
}

static void read_at(struct sweep_reader *reading)
{
    const struct config_node *node = require(
        reading, "at",
        "without the record's time one could be deleted that a run is using; write at: {json: "
        "$.FIELD}");
    const struct config_node *zone = config_node_get(node, "zone");

    if (node == NULL)
        return;
    reading->sweep->at = config_read_selector(reading->reader, node);
    if (zone != NULL)
        reading->sweep->zone = config_read_timezone(reading->reader, zone, "UTC");
    if (reading->sweep->at == NULL && node->kind == CONFIG_NODE_MAP)
        config_problem_error(reading->reader->problems, node->place,
                             "\"at\" selects nothing: write at: {json: $.FIELD}");
}

static void read_undo(struct sweep_reader *reading)
{
    struct config_reader *reader = reading->reader;
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = config_scope_new(outer);
    const struct config_node *node = require(reading, "undo",
                                             "write how an item is deleted, as in undo: {delete: "
                                             "'/orders/{{order}}'}");

    struct config_across across; // the undo may need calls of another system

    scope->no_secrets = true;
    reader->scope = scope;
    if (reading->world != NULL) {
        config_across_init(&across, reading->world, reading->of.system, outer);
        across.name_space = reading->of.name_space;
        reader->across = &across;
    }
    reading->sweep->undo = config_read_undo(reader, node, NULL);
    if (reading->world != NULL)
        config_across_clear(&across);
    reader->across = NULL;
    reader->scope = outer;
}

static struct config_sweep *sweep_new(const struct config_reading *of)
{
    struct config_sweep *sweep = g_new0(struct config_sweep, 1);

    sweep->id = g_strdup(of->id);
    sweep->place = of->place;
    sweep->only = g_ptr_array_new_with_free_func((GDestroyNotify)expectation_free);
    sweep->notify = g_ptr_array_new_with_free_func(g_free);
    sweep->needs = g_ptr_array_new_with_free_func(config_reference_free);
    return sweep;
}

static void read_search(struct sweep_reader *reading)
{
    struct config_reader *reader = reading->reader;

    const struct config_entry *pages = config_node_entry(reading->of.search, "pages");
    GHashTable *outer = config_namespaces_enter(reader, reading->of.search);

    reader->in_pack = reading->of.in_pack;
    read_pages(reading, pages != NULL ? pages->value : NULL);
    if (pages != NULL && reading->sweep->pages.page_step > 0)
        config_scope_add(reader->scope, "page", pages->place, false, reader->problems);
    read_call(reading);
    reading->sweep->items = read_items(reading);
    read_only(reading);
    read_at(reading);
    if (reading->sweep->call != NULL) // else its captures are not known
        read_undo(reading);
    config_namespaces_leave(reader, outer);
    config_check_sweep(reader, reading->of.search, reading->sweep);
    if (reading->sweep->system != NULL && reading->sweep->call != NULL) {
        config_check_sweep_calls(reader, reading->sweep);
        config_check_sweep_patterns(reader, reading->sweep);
    }
    reader->in_pack = false;
}

void config_read_one_sweep(struct config_world *world, const struct config_reading *of)
{
    struct sweep_reader reading = {
        .world = world, .reader = &world->reader, .of = *of, .sweep = sweep_new(of)};
    struct config_definition *system = of->system;
    g_autoptr(config_scope_t) scope = config_scope_new(system->scope);

    config_chain_add(&reading.chain, of->own);
    config_chain_add(&reading.chain, of->in_pack ? of->search : NULL);
    config_chain_add_defaults(world, &reading.chain, of->name_space, "sweep");
    reading.sweep->system = system->system;
    scope->no_run = true;
    world->reader.scope = scope;
    world->reader.needs = reading.sweep->needs;
    read_plain_keys(&reading);
    read_search(&reading);
    for (unsigned i = 0; i < system->needs->len; i++)
        g_ptr_array_add(reading.sweep->needs, config_reference_copy(system->needs->pdata[i]));
    world->reader.scope = NULL;
    world->reader.needs = NULL;
    g_ptr_array_add(world->reader.config->sweeps, reading.sweep);
}

void config_check_pack_sweep(struct config_reader *reader, struct arena *arena,
                             const struct config_entry *entry)
{
    // as no agent has it: what names another one would find nothing there
    static const char mark[] = "ANY-AGENTS-MARK-";
    const struct config_reading of = {.id = entry->key,
                                      .place = entry->place,
                                      .search = config_fill_mark(arena, entry->value, mark),
                                      .in_pack = true};
    struct sweep_reader reading = {.reader = reader, .of = of, .sweep = sweep_new(&of)};

    if (of.search->kind == CONFIG_NODE_MAP) {
        reader->mark = mark;
        reader->scope->no_run = true;
        read_search(&reading);
    }
    config_sweep_free(reading.sweep);
}
