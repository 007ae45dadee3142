// SPDX-License-Identifier: MIT
// Puts the reading of a configuration together: the files, the settings, the
// contacts, the systems, the flows, the sweeps; and takes it apart again.
#include "config_read.h"
#include "config_world.h"

#include "config_oauth2.h"
#include "config_problem.h"
#include "intern.h"

#include <string.h>

static void contact_free(void *data)
{
    struct config_contact *contact = data;

    if (contact == NULL)
        return;
    g_free(contact->id);
    g_free(contact->name);
    g_free(contact->language);
    g_free(contact->timezone);
    g_clear_pointer(&contact->email, g_ptr_array_unref);
    g_free(contact);
}

static void session_free(struct config_session *session)
{
    if (session == NULL)
        return;
    call_free(session->login);
    call_free(session->logout);
    g_clear_pointer(&session->cookies, g_ptr_array_unref);
    g_clear_pointer(&session->headers, g_ptr_array_unref);
    g_clear_pointer(&session->expired, g_ptr_array_unref);
    config_oauth2_free(session->oauth2);
    g_free(session);
}

static void oauth1_free(struct config_oauth1 *oauth1)
{
    if (oauth1 == NULL)
        return;
    intern_release_template(oauth1->consumer_key);
    intern_release_template(oauth1->consumer_secret);
    intern_release_template(oauth1->token);
    intern_release_template(oauth1->token_secret);
    intern_release_template(oauth1->realm);
    g_free(oauth1);
}

void config_auth_free(void *data)
{
    struct config_auth *auth = data;

    if (auth == NULL)
        return;
    intern_release_template(auth->username);
    intern_release_template(auth->password);
    intern_release_template(auth->domain);
    g_free(auth->service);
    g_free(auth->cert);
    g_free(auth->key);
    intern_release_template(auth->token);
    g_clear_pointer(&auth->headers, g_ptr_array_unref);
    oauth1_free(auth->oauth1);
    session_free(auth->session);
    g_free(auth);
}

void config_value_free(void *data)
{
    struct config_value *value = data;

    g_free(value->name);
    intern_release_template(value->value);
    g_free(value);
}

static void system_free(void *data)
{
    struct config_system *system = data;

    if (system == NULL)
        return;
    g_free(system->id);
    g_free(system->title);
    g_free(system->tls_ca);
    g_free(system->digest);
    intern_release_template(system->url);
    g_clear_pointer(&system->headers, g_ptr_array_unref);
    g_clear_pointer(&system->auth, g_ptr_array_unref);
    g_clear_pointer(&system->act, g_hash_table_unref);
    g_clear_pointer(&system->vars, g_ptr_array_unref);
    g_clear_pointer(&system->allow_hosts, g_ptr_array_unref);
    g_free(system->pack);
    pack_lexicon_unref(system->lexicon);
    g_clear_pointer(&system->never, g_ptr_array_unref);
    g_clear_pointer(&system->namespaces, g_hash_table_unref);
    call_free(system->version);
    g_free(system);
}

void config_flow_free(void *data)
{
    struct config_flow *flow = data;

    if (flow == NULL)
        return;
    g_free(flow->id);
    g_free(flow->title);
    g_free(flow->cron);
    g_free(flow->impact);
    g_free(flow->off);
    g_free(flow->was);
    g_clear_pointer(&flow->notify, g_ptr_array_unref);
    g_clear_pointer(&flow->notify_roles, g_ptr_array_unref);
    g_clear_pointer(&flow->vars, g_ptr_array_unref);
    g_clear_pointer(&flow->steps, g_ptr_array_unref);
    g_clear_pointer(&flow->needs, g_ptr_array_unref);
    g_free(flow);
}

void config_sweep_free(void *data)
{
    struct config_sweep *sweep = data;

    if (sweep == NULL)
        return;
    g_free(sweep->id);
    g_free(sweep->cron);
    call_free(sweep->call);
    selector_free(sweep->items);
    selector_free(sweep->at);
    g_free(sweep->zone);
    undo_free(sweep->undo);
    selector_free(sweep->pages.next);
    call_free(sweep->pages.next_call);
    g_free(sweep->off);
    GPtrArray *lists[] = {sweep->captures, sweep->set, sweep->only, sweep->notify, sweep->needs};

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        g_clear_pointer(&lists[i], g_ptr_array_unref);
    g_free(sweep);
}

static struct config *config_new(void)
{
    struct config *config = g_new0(struct config, 1);

    config->contacts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, contact_free);
    config->systems = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, system_free);
    config->flows = g_ptr_array_new_with_free_func(config_flow_free);
    config->sweeps = g_ptr_array_new_with_free_func(config_sweep_free);
    config->secrets = secret_store_new();
    config->secret_names = g_ptr_array_new_with_free_func(g_free);
    config->secret_files = g_ptr_array_new();
    return config;
}

// Contacts have to be known before the fallback among them.
static void read_fallback(struct config_world *world)
{
    const struct config_node *node = config_node_get(world->mail, "fallback");
    const struct config_definition *found =
        node != NULL ? config_world_require(world, CONFIG_KIND_CONTACT, "", node) : NULL;

    if (found != NULL)
        world->reader.config->mail.fallback = g_strdup(found->id);
}

// Without a way out for mails, `notify` tells nobody.
static void warn_of_missing_mail(struct config_world *world)
{
    GPtrArray *flows = world->reader.config->flows;

    for (unsigned i = 0; i < flows->len && world->mail == NULL; i++) {
        const struct config_flow *flow = flows->pdata[i];

        if (flow->notify->len == 0)
            continue;
        config_problem_warn(world->reader.problems, flow->place,
                            "nobody is told of the flow \"%s\" and others, because \"mail\" is "
                            "missing: write mail: {server: …} or {directory: …}",
                            flow->id);
        return;
    }
}

// A store is made where none can be read, and what stood there is set aside.
static void check_store(struct config_world *world)
{
    const struct config_node *node = config_node_get(world->agent, "store");

    for (unsigned i = 0; node != NULL && i < world->files->len; i++) {
        g_autofree char *file = g_canonicalize_filename(world->files->pdata[i], NULL);

        if (strcmp(file, world->reader.config->agent.store) == 0)
            config_problem_error(world->reader.problems, node->place,
                                 "the store cannot be this file of the configuration: name one of "
                                 "its own, such as erpwatch.db");
    }
}

static void read_world(struct config_world *world)
{
    config_read_agent(&world->reader, world->agent);
    check_store(world);
    config_read_mail(&world->reader, world->mail);
    config_read_contacts(world);
    read_fallback(world);
    config_read_systems(world);
    config_read_flows(world);
    config_read_sweeps(world);
    warn_of_missing_mail(world);
}

// Reads what the files define, unless there was none to be read.
static struct config *finish(struct config_world *world)
{
    struct config *config = world->reader.config;
    GPtrArray *problems = world->reader.problems;

    if (world->sources->len > 0)
        read_world(world);
    config_problems_sort(problems, world->files);
    config->digest = g_strdup(g_checksum_get_string(world->digest));
    config_world_clear(world);
    if (config_problems_fatal(problems))
        g_clear_pointer(&config, config_free);
    return config;
}

struct config *config_load(const char *path, enum config_missing missing, GPtrArray *problems)
{
    struct config_world world;

    intern_begin();
    config_world_init(&world, config_new(), missing, problems);
    world.folder = g_path_get_dirname(path);
    config_world_read(&world, path);
    return finish(&world);
}

struct config *config_load_text(const char *name, const char *text, size_t length,
                                GPtrArray *problems)
{
    struct config_world world;

    config_world_init(&world, config_new(), CONFIG_MISSING_IS_NEED, problems);
    world.reader.in_memory = true;
    config_world_read_text(&world, name, text, length);
    return finish(&world);
}
