// SPDX-License-Identifier: MIT
// Reads contacts and systems: section 2 of the language. Before the flows, which
// refer to them; how a system is authenticated to is read by config_read_auth.c.
#include "config_read.h"
#include "config_world.h"

#include "../base/redact.h"
#include "config_problem.h"
#include "intern.h"

#include <string.h>

static void read_emails(struct config_reader *reader, const struct config_node *node,
                        struct config_contact *contact)
{
    contact->email = config_read_texts(node);
    for (unsigned i = 0; i < contact->email->len; i++) {
        const char *address = contact->email->pdata[i];
        const struct config_node *place = node->kind == CONFIG_NODE_LIST ? node->items[i] : node;

        if (!config_is_address(address))
            config_problem_error(reader->problems, place->place,
                                 "\"%s\" is no mail address: write name@example.com", address);
    }
    if (node != NULL && node->kind == CONFIG_NODE_LIST && node->count == 0)
        config_problem_error(reader->problems, node->place,
                             "\"email\" is empty: write an address or more");
}

static void read_contact(struct config_world *world, const struct config_definition *definition)
{
    struct config_reader *reader = &world->reader;
    const struct config_node *node = definition->node;
    struct config_contact *contact = g_new0(struct config_contact, 1);
    const char *name = config_node_text(config_node_get(node, "name"));
    const char *language = config_node_text(config_node_get(node, "language"));

    contact->id = g_strdup(definition->id);
    contact->name = g_strdup(name != NULL ? name : definition->id);
    contact->place = definition->place;
    contact->language = g_strdup(language != NULL ? language : "en");
    contact->style = (enum config_style)config_read_word(config_node_get(node, "style"),
                                                         "technical|business", 0);
    contact->evidence = (enum config_evidence)config_read_word(config_node_get(node, "evidence"),
                                                               "full|shape|none", 0);
    contact->timezone = config_read_timezone(reader, config_node_get(node, "timezone"),
                                             reader->config->agent.timezone);
    read_emails(reader, config_node_get(node, "email"), contact);
    g_hash_table_replace(reader->config->contacts, contact->id, contact);
}

void config_read_contacts(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_CONTACT];

    for (unsigned i = 0; i < definitions->len; i++)
        read_contact(world, definitions->pdata[i]);
}

static void read_act(struct config_world *world, const struct config_definition *definition,
                     const struct config_node *node, struct config_system *system)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_definition *contact = config_world_require(
            world, CONFIG_KIND_CONTACT, definition->name_space, node->entries[i].value);

        if (contact != NULL)
            g_hash_table_replace(system->act, g_strdup(node->entries[i].key),
                                 g_strdup(contact->id));
    }
}

static void add_value(struct config_reader *reader, const struct config_entry *entry,
                      struct template *value, bool secret, struct config_system *system)
{
    struct config_value *var = g_new0(struct config_value, 1);

    var->name = g_strdup(entry->key);
    var->value = value;
    var->secret = secret || config_read_is_secret(reader, value);
    g_ptr_array_add(system->vars, var);
    config_scope_add(reader->scope, entry->key, entry->place, var->secret, reader->problems);
}

static void read_with(struct config_reader *reader, const struct config_node *node,
                      struct config_system *system)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        struct template *value =
            config_read_json(reader, entry->value, redact_is_secret_name(entry->key));

        if (value != NULL)
            add_value(reader, entry, value, false, system);
    }
}

// A parameter of the pack: the system's value, or the pack's own.
static void read_parameter(struct config_world *world, const struct pack *pack,
                           const struct pack_parameter *parameter, const struct config_entry *given,
                           struct config_system *system)
{
    struct config_reader *reader = &world->reader;
    struct config_entry entry = {parameter->name, parameter->place, NULL};

    if (given != NULL) {
        entry = *given;
        pack_check_value(pack, parameter, given->value, reader->problems);
    }
    struct template *value =
        config_read_parameter(world, parameter, given != NULL ? given->value : NULL, system->id);

    if (value != NULL)
        add_value(reader, &entry, value, parameter->type == PACK_SECRET, system);
    else // its name is known: one mistake is told once
        config_scope_add(reader->scope, entry.key, entry.place, false, reader->problems);
}

// The pack's parameters in its order; what `with` gives besides is a mistake. What only
// some flows go by is asked for where such a flow is used, and what the system says
// itself needs nothing.
static void read_parameters(struct config_world *world, const struct pack *pack,
                            const struct config_definition *definition,
                            const struct config_node *with)
{
    GPtrArray *problems = world->reader.problems;
    struct config_place place = with != NULL ? with->place : definition->place;

    for (unsigned i = 0; with != NULL && with->kind == CONFIG_NODE_MAP && i < with->count; i++) {
        if (pack_find_parameter(pack, with->entries[i].key) == NULL)
            pack_refuse_parameter(pack, &with->entries[i], problems);
    }
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        const struct config_entry *given = config_node_entry(with, parameter->name);

        if (given == NULL && parameter->fallback == NULL &&
            !config_needs_parameter(pack, parameter, definition->node, with))
            continue;
        if (given == NULL && parameter->fallback == NULL) {
            config_problem_error(problems, place, "with: %s is missing in the system %s: %s",
                                 parameter->name, definition->id, parameter->says);
            // its name is known: one mistake is told once
            config_scope_add(world->reader.scope, parameter->name, parameter->place, false,
                             problems);
            continue;
        }
        read_parameter(world, pack, parameter, given, definition->system);
    }
}

static void read_url(struct config_reader *reader, const struct config_definition *definition,
                     const struct config_node *node, struct config_system *system)
{
    const char *text = config_node_text(node);

    if (node == NULL)
        config_problem_error(reader->problems, definition->place,
                             "\"url\" is missing in the system %s: write its base URL",
                             definition->id);
    if (node == NULL || text == NULL)
        return;
    bool userinfo = strchr(text, '@') != NULL;

    system->url = config_read_template(reader, node, TEMPLATE_PLACE_PATH, userinfo);
    const char *constant = system->url != NULL ? template_constant(system->url) : NULL;
    bool hole = system->url != NULL && template_begins_with_hole(system->url);
    g_autoptr(GUri) uri = constant != NULL ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;

    if (system->url != NULL && !hole && !g_str_has_prefix(text, "http://") &&
        !g_str_has_prefix(text, "https://"))
        config_problem_error(reader->problems, node->place,
                             "\"%s\" is no base URL: it begins with https:// or http://", text);
    else if (constant != NULL &&
             (uri == NULL || g_uri_get_host(uri) == NULL || g_uri_get_host(uri)[0] == '\0'))
        config_problem_error(reader->problems, node->place,
                             "\"%s\" is no base URL: write https://HOST/PATH", text);
    else if (strpbrk(text, "?#") != NULL && constant != NULL)
        config_problem_error(reader->problems, node->place,
                             "a base URL ends before ? and #: write parameters in each step's "
                             "\"query\"");
    if (userinfo && uri != NULL && g_uri_get_userinfo(uri) != NULL)
        config_problem_error(reader->problems, node->place,
                             "the URL holds a user: write auth: {basic: {username: …, password: "
                             "…}}");
}

static void read_tls(struct config_reader *reader, const struct config_node *node,
                     struct config_system *system)
{
    const struct config_node *verify = config_node_get(node, "verify");

    system->tls_ca = config_read_needed_file(reader, config_node_get(node, "ca"));
    system->tls_no_verify = !config_read_boolean(verify, true);
    if (system->tls_no_verify)
        config_problem_warn(reader->problems, verify->place,
                            "TLS verification is off for the system %s: anybody on the way can "
                            "answer in its place; name its authority with \"ca\"",
                            system->id);
    if (system->tls_no_verify && system->tls_ca != NULL)
        config_problem_error(reader->problems, verify->place,
                             "\"ca\" has no use where \"verify\" is false: leave one out");
}

static void read_plain_keys(struct config_reader *reader, const struct config_chain *chain,
                            struct config_system *system)
{
    const char *title = config_node_text(config_chain_get(chain, "title"));

    system->title = g_strdup(title != NULL ? title : system->id);
    system->timeout_ms = config_read_duration(config_chain_get(chain, "timeout"), 30000);
    system->parallel = config_read_integer(config_chain_get(chain, "parallel"), 4);
    system->uat =
        config_read_word(config_chain_get(chain, "environment"), "production|uat", 0) == 1;
    read_tls(reader, config_chain_get(chain, "tls"), system);
}

static void read_digest(struct config_reader *reader, const struct config_chain *chain,
                        struct config_system *system)
{
    const struct config_node *const others[] = {
        config_chain_get(chain, "auth"),
        config_chain_get(chain, "headers"),
        config_chain_get(chain, "with"),
    };

    system->digest =
        config_read_digest(reader, config_chain_get(chain, "url"), others, G_N_ELEMENTS(others));
}

static struct config_system *system_new(const struct config_definition *definition)
{
    struct config_system *system = g_new0(struct config_system, 1);

    system->id = g_strdup(definition->id);
    system->place = definition->place;
    system->headers = g_ptr_array_new_with_free_func((GDestroyNotify)call_field_free);
    system->auth = g_ptr_array_new_with_free_func(config_auth_free);
    system->act = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    system->allow_hosts = g_ptr_array_new_with_free_func((GDestroyNotify)intern_release_template);
    system->vars = g_ptr_array_new_with_free_func(config_value_free);
    return system;
}

// What the system says itself comes before what its pack says of all such systems,
// and both before the defaults.
static void make_chain(struct config_world *world, struct config_definition *definition,
                       struct config_chain *chain)
{
    struct config_chain plain = {0};

    config_chain_add(&plain, definition->node);
    config_chain_add_defaults(world, &plain, definition->name_space, "system");
    const struct config_node *name = config_chain_get(&plain, "pack");

    definition->pack = config_world_pack(world, name);
    definition->pack_missing = name != NULL && definition->pack == NULL;
    config_chain_add(chain, definition->node);
    if (definition->pack != NULL)
        config_chain_add(chain, definition->pack->system);
    config_chain_add_defaults(world, chain, definition->name_space, "system");
}

// The system's own comes before the pack's, and both before the defaults. What the pack's
// goes by may be a parameter that this system has no need of.
static const struct config_node *find_version(const struct config_definition *definition,
                                              const struct config_chain *chain)
{
    const struct pack *pack = definition->pack;
    const struct config_node *own = config_node_get(definition->node, "version");

    if (own != NULL || pack == NULL)
        return own != NULL ? own : config_chain_get(chain, "version");
    own = config_node_get(pack->system, "version");
    if (own == NULL)
        own = pack->version;
    if (own == NULL)
        return config_chain_get(chain, "version");
    return config_find_missing(pack, own, definition->scope) == NULL ? own : NULL;
}

static void read_version(struct config_reader *reader, const struct config_definition *definition,
                         const struct config_chain *chain)
{
    g_autoptr(config_scope_t) scope = config_scope_new(definition->scope);
    struct config_system *system = definition->system;

    reader->scope = scope;
    system->version = config_read_version(reader, find_version(definition, chain));
    if (system->version != NULL)
        config_check_reach(reader, system, system->version);
    reader->scope = definition->scope;
}

static void read_system(struct config_world *world, struct config_definition *definition)
{
    struct config_reader *reader = &world->reader;
    struct config_system *system = system_new(definition);
    struct config_chain chain = {0};

    definition->system = system;
    definition->scope = config_scope_new(NULL);
    definition->needs = g_ptr_array_new_with_free_func(config_reference_free);
    make_chain(world, definition, &chain);
    reader->scope = definition->scope;
    reader->needs = definition->needs;
    read_plain_keys(reader, &chain, system);
    if (definition->pack != NULL)
        read_parameters(world, definition->pack, definition, config_chain_get(&chain, "with"));
    else
        read_with(reader, config_chain_get(&chain, "with"), system);
    if (!definition->pack_missing)
        read_url(reader, definition, config_chain_get(&chain, "url"), system);
    system->namespaces = config_read_namespaces(config_chain_get(&chain, "namespaces"));
    reader->namespaces = system->namespaces;
    config_read_hosts(reader, config_chain_get(&chain, "allow_hosts"), system->allow_hosts);
    config_read_auth(reader, config_chain_get(&chain, "auth"), system);
    config_read_fields(reader, config_chain_get(&chain, "headers"), TEMPLATE_PLACE_HEADER,
                       system->headers);
    read_act(world, definition, config_chain_get(&chain, "act"), system);
    if (definition->pack != NULL) {
        system->pack = g_strdup(definition->pack->name);
        system->never = config_read_never(definition->pack);
        system->lexicon = pack_lexicon_ref(definition->pack->lexicon);
    }
    config_read_backoff(reader, config_chain_get(&chain, "backoff"), system);
    read_version(reader, definition, &chain);
    config_check_system_calls(reader, system);
    read_digest(reader, &chain, system);
    reader->namespaces = NULL;
    reader->scope = NULL;
    reader->needs = NULL;
    g_hash_table_replace(reader->config->systems, system->id, system);
}

void config_read_systems(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_SYSTEM];

    for (unsigned i = 0; i < definitions->len; i++) {
        struct config_definition *definition = definitions->pdata[i];

        if (g_hash_table_lookup(world->names[CONFIG_KIND_SYSTEM], definition->id) == definition)
            read_system(world, definition);
    }
}
