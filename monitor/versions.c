// SPDX-License-Identifier: MIT
// When a system's version is asked: once on each day of the agent's time zone, some minutes
// after its beginning; after a failure again an hour later, a few times. version_run asks,
// version_rows keeps what was said.
#include "versions.h"

#include "../base/log.h"
#include "version_rows.h"

// Over how long after midnight the systems are spread, how long after a failure one is asked
// again and after being left alone looked at again, and how often on a day.
#define SPREAD_US (INT64_C(600) * G_USEC_PER_SEC)
#define AGAIN_US (INT64_C(3600) * G_USEC_PER_SEC)
#define LEFT_ALONE_US (INT64_C(300) * G_USEC_PER_SEC)
enum { TRIES_MOST = 4 };

struct versions {
    struct versions_context context;
    GHashTable *asked; // id -> struct version_asked
    GHashTable *busy;  // set of ids that are being asked
    GHashTable *later; // id -> int64_t: not before that time, as it is left alone
    bool stopping;
};

// One system while it is asked and until what it said is kept.
struct asking {
    struct versions *all;
    struct agent_generation *generation;
    char *system, *version, *problem, *was;
    struct clock_wall at;
};

struct versions *versions_new(const struct versions_context *context, GHashTable *asked)
{
    struct versions *all = g_new0(struct versions, 1);
    all->context = *context;
    all->asked = asked ? asked : g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    all->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    all->later = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return all;
}

unsigned versions_running(const struct versions *all)
{
    return g_hash_table_size(all->busy);
}

void versions_stop(struct versions *all)
{
    all->stopping = true;
}

void versions_free(struct versions *all)
{
    if (!all)
        return;
    g_hash_table_unref(all->asked);
    g_hash_table_unref(all->busy);
    g_hash_table_unref(all->later);
    g_free(all);
}

static void end(struct asking *asking)
{
    struct versions *all = asking->all;
    g_hash_table_remove(all->busy, asking->system);
    agent_flows_release(all->context.flows, asking->generation);
    g_free(asking->system);
    g_free(asking->version);
    g_free(asking->problem);
    g_free(asking->was);
    g_free(asking);
    if (all->stopping && versions_running(all) == 0)
        all->context.idle(all->context.context);
}

static void note(struct asking *asking)
{
    struct versions *all = asking->all;
    const struct version_asked *former = g_hash_table_lookup(all->asked, asking->system);
    const char *zone = agent_flows_config(all->context.flows)->agent.timezone;
    bool same_day =
        former && flow_budget_day(former->at, zone) == flow_budget_day(asking->at, zone);
    struct version_asked *now = g_new0(struct version_asked, 1);
    now->at = asking->at;
    now->seen = asking->version ? asking->at : former ? former->seen : (struct clock_wall){0};
    now->tries = asking->version ? 0 : same_day ? former->tries + 1 : 1;
    g_hash_table_insert(all->asked, g_strdup(asking->system), now);
}

static void look_again_later(const struct asking *asking)
{
    int64_t *later = g_new(int64_t, 1);
    *later = asking->at.us + LEFT_ALONE_US;
    g_hash_table_insert(asking->all->later, g_strdup(asking->system), later);
}

static void on_kept(const GError *error, void *context)
{
    struct asking *asking = context;
    if (error) {
        log_debug("the version of %s cannot be kept: %s", asking->system, error->message);
        g_hash_table_remove(asking->all->asked, asking->system); // as good as never asked
        look_again_later(asking);
    } else if (asking->was) {
        log_info("version of %s: %s became %s", asking->system, asking->was, asking->version);
    }
    end(asking);
}

static bool keep(struct db *db, void *context, GError **error)
{
    struct asking *asking = context;
    const struct version_answer answer = {
        .system = asking->system, .version = asking->version, .problem = asking->problem};
    return version_rows_store(db, agent_flows_held_config(asking->generation), &answer, asking->at,
                              &asking->was, error);
}

static void on_answer(const struct version_answer *answer, void *context)
{
    struct asking *asking = context;
    struct versions *all = asking->all;
    if (answer->not_asked) {
        look_again_later(asking);
        end(asking);
        return;
    }
    asking->version = g_strdup(answer->version);
    asking->problem = g_strdup(answer->problem);
    if (!answer->version)
        log_info("the version of %s cannot be told: %s", asking->system, answer->problem);
    note(asking);
    const struct writer_job job = {.work = keep, .done = on_kept, .context = asking};
    writer_submit(all->context.runtime->writer, &job);
}

static void ask(struct versions *all, const char *id)
{
    struct asking *asking = g_new0(struct asking, 1);
    asking->all = all;
    asking->generation = agent_flows_hold(all->context.flows);
    asking->system = g_strdup(id);
    asking->at = clock_wall_now();
    const struct config *config = agent_flows_held_config(asking->generation);
    g_hash_table_add(all->busy, g_strdup(id));
    version_run_start(all->context.runtime->engine, g_hash_table_lookup(config->systems, id),
                      on_answer, asking);
}

// How long after the beginning of a day this system's turn comes.
static int64_t turn_us(const char *id)
{
    return g_str_hash(id) % (SPREAD_US / G_USEC_PER_SEC) * G_USEC_PER_SEC;
}

// The present day in the agent's time zone.
struct day {
    struct clock_wall start, end;
};

static bool is_on(const struct day *day, struct clock_wall time)
{
    return time.us >= day->start.us && time.us < day->end.us;
}

static bool is_due(const struct versions *all, const char *id, struct clock_wall now,
                   const struct day *today)
{
    const struct version_asked *asked = g_hash_table_lookup(all->asked, id);
    const int64_t *later = g_hash_table_lookup(all->later, id);
    if ((later && now.us < *later) || g_hash_table_contains(all->busy, id) ||
        now.us < today->start.us + turn_us(id))
        return false;
    if (!asked || !is_on(today, asked->at))
        return true;
    bool failed = !is_on(today, asked->seen);
    return failed && asked->tries < TRIES_MOST && now.us >= asked->at.us + AGAIN_US;
}

void versions_tick(struct versions *all)
{
    const struct config *config = agent_flows_config(all->context.flows);
    struct writer *writer = all->context.runtime->writer;
    struct clock_wall now = clock_wall_now();
    const char *zone = config->agent.timezone;
    const struct day today = {flow_budget_day_start(now, zone), flow_budget_next_day(now, zone)};
    GHashTableIter iterator;
    gpointer value;
    if (all->stopping || writer_problem(writer) || !writer_has_room(writer))
        return;
    g_hash_table_iter_init(&iterator, config->systems);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const struct config_system *system = value;
        if (system->version && is_due(all, system->id, now, &today)) {
            ask(all, system->id);
            return;
        }
    }
}
