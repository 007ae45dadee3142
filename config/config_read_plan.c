// SPDX-License-Identifier: MIT
// Reads what flows and sweeps share: when they run, and who is told. Used by their
// readers, config_read_flow and config_read_sweep.
#include "config_read.h"
#include "config_world.h"

#include "../base/cron.h"
#include "config_problem.h"

void config_read_schedule(struct config_world *world, const struct config_chain *chain,
                          const char *what, int64_t *every_ms, char **cron)
{
    GPtrArray *problems = world->reader.problems;

    for (unsigned i = 0; i < chain->count; i++) {
        const struct config_entry *every = config_node_entry(chain->maps[i], "every");
        const struct config_entry *times = config_node_entry(chain->maps[i], "cron");
        g_autoptr(GError) error = NULL;

        if (every == NULL && times == NULL)
            continue;
        if (every != NULL && times != NULL)
            config_problem_error(problems, times->place,
                                 "%s runs by \"every\" or by \"cron\": leave one out", what);
        if (every != NULL)
            *every_ms = config_read_duration(every->value, 0);
        else if (config_node_text(times->value) != NULL &&
                 !cron_is_valid(times->value->text, &error))
            config_problem_error(problems, times->value->place, "%s", error->message);
        else
            *cron = g_strdup(config_node_text(times->value));
        return;
    }
}

static void refuse_contact(struct config_world *world, const struct config_node *node,
                           const struct config_system *system)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_CONTACT];
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    GHashTableIter iterator;
    void *role;

    g_hash_table_iter_init(&iterator, system->act);
    while (g_hash_table_iter_next(&iterator, &role, NULL))
        g_ptr_array_add(words, role);
    for (unsigned i = 0; i < definitions->len; i++)
        g_ptr_array_add(words, ((struct config_definition *)definitions->pdata[i])->id);
    const char *guess = config_problem_guess(node->text, words);
    g_autofree char *advice = guess != NULL ? g_strdup_printf("did you mean \"%s\"?", guess)
                                            : g_strdup("name a contact, or a role of its \"act\"");

    config_problem_error(world->reader.problems, node->place,
                         "\"%s\" is no role of the system %s and no contact: %s", node->text,
                         system->id, advice);
}

static void add_once(GPtrArray *texts, const char *text)
{
    if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_ptr_array_add(texts, g_strdup(text));
}

// True where a system that one of the steps calls gives the role to somebody.
static bool is_role_of_a_step(const struct config_notify *notify, const char *role)
{
    for (unsigned i = 0; notify->steps != NULL && i < notify->steps->len; i++) {
        const struct step *step = notify->steps->pdata[i];

        if (step->system != NULL && config_role_contact(step->system, role) != NULL)
            return true;
    }
    return false;
}

static void add_contact(struct config_world *world, const char *name_space,
                        const struct config_node *node, const struct config_notify *notify)
{
    const char *name = config_node_text(node);

    if (name == NULL)
        return;
    const char *contact = config_role_contact(notify->system, name);
    const struct config_definition *named =
        config_world_find(world, CONFIG_KIND_CONTACT, name_space, name);
    bool role = contact != NULL || (named == NULL && is_role_of_a_step(notify, name));

    if (role && notify->roles != NULL)
        add_once(notify->roles, name);
    if (!role && named == NULL)
        refuse_contact(world, node, notify->system);
    else if (!role)
        contact = named->id;
    if (contact != NULL)
        add_once(notify->contacts, contact);
}

void config_read_notify(struct config_world *world, const char *name_space,
                        const struct config_node *node, const struct config_notify *notify)
{
    if (node != NULL && node->kind == CONFIG_NODE_SCALAR)
        add_contact(world, name_space, node, notify);
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        add_contact(world, name_space, node->items[i], notify);
}
