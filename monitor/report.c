// SPDX-License-Identifier: MIT
// The present state and the history of flows as JSON documents. The configuration
// says which flows there are, the store what became of them.
#include "report.h"

#include "../alerts/outbox.h"
#include "../probes/verdict.h"
#include "budget.h"
#include "command.h"
#include "incident_rows.h"
#include "ledger.h"
#include "left_alone.h"
#include "missed.h"
#include "schedule.h"
#include "store_runs.h"
#include "sweep_rows.h"
#include "version_rows.h"

#include <string.h>

enum { OPEN_INCIDENTS = 1000 };

// True where the flow should have run twice since then, and finished.
static bool is_too_old(const struct config_flow *flow, struct clock_wall started,
                       struct clock_wall now, const char *zone)
{
    struct clock_wall first = {started.us + flow->every_ms * 1000};
    struct clock_wall second = {first.us + flow->every_ms * 1000};
    if (flow->cron != NULL) {
        first = schedule_next(flow, started, zone);
        second = first.us >= 0 ? schedule_next(flow, first, zone) : first;
    }
    bool scheduled = flow->cron != NULL || flow->every_ms > 0;
    return scheduled && second.us >= 0 && now.us > second.us + flow->timeout_ms * 1000;
}

static void add_last_run(cJSON *object, const struct config_flow *flow, const struct db_rows *row,
                         struct clock_wall now, const char *zone)
{
    bool ran = row != NULL && db_rows_text(row, 0) != NULL;
    struct clock_wall started = {ran ? db_rows_integer(row, 1) : 0};
    const char *state = ran ? db_rows_text(row, 0) : "unknown";
    if (flow->off != NULL) {
        state = "off";
    } else if (ran && is_too_old(flow, started, now, zone)) {
        state = "unknown";
    }
    json_add_text(object, "state", state);
    json_add_text(object, "run", ran ? db_rows_text(row, 5) : NULL);
    json_add_time(object, "started", started);
    json_add_time(object, "ended", (struct clock_wall){ran ? db_rows_integer(row, 2) : 0});
    json_add_integer(object, "duration_ms", ran ? db_rows_integer(row, 3) / 1000 : 0);
    json_add_time(object, "last_good", (struct clock_wall){ran ? db_rows_integer(row, 4) : 0});
    json_add_text(object, "summary", ran ? db_rows_text(row, 6) : NULL);
}

// True where one of the mutes (as JSON) covers the flow, its system, or the one that fails.
static bool is_muted(const cJSON *mutes, const struct config_flow *flow, const char *failing)
{
    const cJSON *mute = NULL;
    cJSON_ArrayForEach(mute, mutes)
    {
        bool of_system = g_strcmp0(json_text(mute, "kind"), "system") == 0;
        const char *target = json_text(mute, "target");
        if (g_strcmp0(target, of_system ? flow->system->id : flow->id) == 0 ||
            (of_system && failing != NULL && g_strcmp0(target, failing) == 0)) {
            return true;
        }
    }
    return false;
}

// Where the flow stands, and with which of its systems.
static bool add_phase(struct db *db, cJSON *status, cJSON *object, const struct config_flow *flow,
                      GError **error)
{
    g_autoptr(incident_flow_t) state =
        db != NULL ? incident_rows_load_flow(db, flow->id, flow->system->id, error)
                   : incident_flow_new(flow->id, flow->system->id);
    if (state == NULL) {
        return false;
    }
    const char *failing = state->kind != INCIDENT_OK ? state->system : NULL;
    json_add_text(object, "failed_system", failing);
    cJSON_AddBoolToObject(object, "muted", is_muted(json_member(status, "mutes"), flow, failing));
    json_add_text(object, "phase", incident_kind_word(state->kind));
    json_add_integer(object, "count", state->count);
    json_add_text(object, "incident", state->incident);
    return true;
}

// What it may run today, and has.
static bool add_budget(struct db *db, const struct config *config, cJSON *object,
                       const struct config_flow *flow, struct clock_wall now, GError **error)
{
    const char *zone = config->agent.timezone;
    int64_t spent = 0;
    if (flow->runs_per_day == 0) {
        cJSON_AddNullToObject(object, "budget");
        return true;
    }
    if (db != NULL && !budget_count(db, flow->id, flow_budget_day(now, zone), &spent, error)) {
        return false;
    }
    cJSON *budget = cJSON_AddObjectToObject(object, "budget");
    json_add_integer(budget, "runs_per_day", flow->runs_per_day);
    json_add_integer(budget, "spent", spent);
    json_add_time(budget, "until", flow_budget_next_day(now, zone));
    return true;
}

static bool add_flow(struct db *db, const struct config *config, cJSON *status,
                     const struct config_flow *flow, struct clock_wall now, GError **error)
{
    g_autoptr(db_rows_t) rows = NULL;
    bool found = false;
    if (db != NULL) {
        rows = db_query(db, error,
                        "SELECT state, started, ended, duration_us, last_good, run, summary"
                        " FROM flow WHERE id = ?",
                        "s", flow->id);
        found = db_rows_next(rows, error);
        if (db_rows_failed(rows)) {
            return false;
        }
    }
    const char priority[] = {'P', (char)('0' + CLAMP(flow->priority, 1, 4)), '\0'};
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(status, "flows"), object);
    json_add_text(object, "flow", flow->id);
    json_add_text(object, "title", flow->title);
    json_add_text(object, "system", flow->system->id);
    json_add_text(object, "priority", priority);
    add_last_run(object, flow, found ? rows : NULL, now, config->agent.timezone);
    json_add_text(object, "off", flow->off);
    return add_budget(db, config, object, flow, now, error) &&
           add_phase(db, status, object, flow, error);
}

static bool add_mutes(struct db *db, cJSON *status, struct clock_wall now, GError **error)
{
    cJSON *mutes = cJSON_AddArrayToObject(status, "mutes");
    g_autoptr(db_rows_t) rows = db_query(db, error,
                                         "SELECT kind, target, since, until, why FROM mute"
                                         " WHERE ended = 0 AND until > ? ORDER BY seq",
                                         "i", now.us);
    while (db_rows_next(rows, error)) {
        cJSON *mute = cJSON_CreateObject();
        json_add_text(mute, "kind", db_rows_text(rows, 0));
        json_add_text(mute, "target", db_rows_text(rows, 1));
        json_add_time(mute, "since", (struct clock_wall){db_rows_integer(rows, 2)});
        json_add_time(mute, "until", (struct clock_wall){db_rows_integer(rows, 3)});
        json_add_text(mute, "why", db_rows_text(rows, 4));
        cJSON_AddItemToArray(mutes, mute);
    }
    return !db_rows_failed(rows);
}

// Systems that refused us; not those whose configuration was changed since.
static bool add_left_alone(struct db *db, const struct config *config, cJSON *status,
                           struct clock_wall now, GError **error)
{
    g_autoptr(GHashTable) states = left_alone_load(db, error);
    cJSON *list = cJSON_AddArrayToObject(status, "left_alone");
    if (states == NULL) {
        return false;
    }
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(states), (GCompareFunc)strcmp);
    for (GList *link = names; link != NULL; link = link->next) {
        const struct backoff *state = g_hash_table_lookup(states, link->data);
        const struct config_system *system = g_hash_table_lookup(config->systems, link->data);
        if (system == NULL || g_strcmp0(system->digest, state->digest) != 0 ||
            !backoff_holds(state, now)) {
            continue;
        }
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "system", system->id);
        json_add_time(item, "since", state->since);
        json_add_time(item, "until", state->until);
        json_add_text(item, "why", state->why);
        cJSON_AddItemToArray(list, item);
    }
    return true;
}

// Of the systems that can be asked, by their names.
static bool add_versions(struct db *db, const struct config *config, cJSON *status, GError **error)
{
    g_autoptr(GList) names =
        g_list_sort(g_hash_table_get_keys(config->systems), (GCompareFunc)strcmp);
    cJSON *versions = cJSON_AddArrayToObject(status, "versions");
    for (GList *link = names; link != NULL; link = link->next) {
        const struct config_system *system = g_hash_table_lookup(config->systems, link->data);
        cJSON *version = system->version != NULL ? version_rows_status(db, system, error) : NULL;
        if (version == NULL && system->version != NULL) {
            return false;
        }
        if (version != NULL) {
            cJSON_AddItemToArray(versions, version);
        }
    }
    return true;
}

static void add_agent(cJSON *status, struct clock_wall heartbeat, struct clock_wall now)
{
    cJSON *agent = cJSON_AddObjectToObject(status, "agent");
    bool running = heartbeat.us > 0 && now.us - heartbeat.us <= REPORT_HEARTBEAT_US;
    cJSON_AddBoolToObject(agent, "running", running);
    json_add_time(agent, "heartbeat", heartbeat);
}

// Of incidents that last, the ones of whose opening nobody could be told.
static bool add_untold(struct db *db, cJSON *status, GError **error)
{
    cJSON *untold = cJSON_AddArrayToObject(status, "untold");
    g_autoptr(GPtrArray) ids = outbox_untold_incidents(db, error);
    for (guint i = 0; ids != NULL && i < ids->len; i++) {
        const cJSON *incident = NULL;
        cJSON_ArrayForEach(incident, json_member(status, "incidents"))
        {
            if (g_strcmp0(json_text(incident, "incident"), ids->pdata[i]) == 0) {
                cJSON_AddItemToArray(untold, cJSON_CreateString(ids->pdata[i]));
            }
        }
    }
    return ids != NULL;
}

static bool add_outbox(struct db *db, cJSON *status, GError **error)
{
    struct outbox_counts counts;
    cJSON *problems = outbox_problems(db, error);
    if (problems == NULL) {
        return false;
    }
    cJSON_AddItemToObject(status, "mail_problems", problems);
    if (!outbox_count(db, &counts, error)) {
        return false;
    }
    cJSON *outbox = cJSON_AddObjectToObject(status, "outbox");
    json_add_integer(outbox, "waiting", counts.waiting);
    json_add_integer(outbox, "accepted", counts.accepted);
    json_add_integer(outbox, "given_up", counts.given_up);
    json_add_integer(outbox, "summarised", counts.summarised);
    return true;
}

static bool add_store(struct db *db, cJSON *status, struct clock_wall now, GError **error)
{
    GError *problem = NULL;
    add_agent(status, store_runs_heartbeat(db, &problem), now);
    json_add_integer(status, "undo_owed", problem == NULL ? ledger_count_owed(db, &problem) : 0);
    cJSON *incidents =
        problem == NULL ? report_incidents(db, true, OPEN_INCIDENTS, now, &problem) : NULL;
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    cJSON_AddItemToObject(status, "incidents", incidents);
    return add_mutes(db, status, now, error) && add_outbox(db, status, error) &&
           add_untold(db, status, error);
}

static int code_of_state(const char *state)
{
    static const struct {
        const char *state;
        int code;
    } codes[] = {
        {"ok", COMMAND_OK},         {"off", COMMAND_OK},          {"slow", COMMAND_DEGRADED},
        {"failed", COMMAND_FAILED}, {"unknown", COMMAND_UNKNOWN},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (g_strcmp0(state, codes[i].state) == 0) {
            return codes[i].code;
        }
    }
    return COMMAND_UNKNOWN;
}

// 2 over 3 over 1 over 0.
static int worse(int left, int right)
{
    static const int rank[] = {0, 1, 3, 2};
    return rank[left] >= rank[right] ? left : right;
}

static int code_of_flows(const cJSON *status)
{
    const cJSON *flow = NULL;
    int code = COMMAND_OK;
    cJSON_ArrayForEach(flow, json_member(status, "flows"))
    {
        code = worse(code, code_of_state(json_text(flow, "state")));
    }
    return code;
}

int report_status_code(const cJSON *status)
{
    const cJSON *agent = json_member(status, "agent");
    // A store that no agent ever ran on is fed by check --notify: its results tell
    // how old they are.
    if (json_text(agent, "heartbeat") != NULL && !cJSON_IsTrue(json_member(agent, "running"))) {
        return COMMAND_UNKNOWN;
    }
    if (cJSON_GetArraySize(json_member(status, "untold")) > 0) {
        return COMMAND_FAILED;
    }
    return code_of_flows(status);
}

cJSON *report_status(struct db *db, const struct config *config, struct clock_wall now,
                     GError **error)
{
    static const char *const words[] = {"ok", "slow", "failed", "unknown"};
    g_autoptr(cJSON) status = cJSON_CreateObject();
    json_add_text(status, "erpwatch", ERPWATCH_VERSION);
    json_add_time(status, "at", now);
    if (db != NULL &&
        !(add_store(db, status, now, error) && add_left_alone(db, config, status, now, error))) {
        return NULL;
    }
    if (db == NULL) {
        add_agent(status, (struct clock_wall){0}, now);
    }
    (void)cJSON_AddArrayToObject(status, "flows");
    for (guint i = 0; i < config->flows->len; i++) {
        if (!add_flow(db, config, status, config->flows->pdata[i], now, error)) {
            return NULL;
        }
    }
    cJSON *sweeps = cJSON_AddArrayToObject(status, "sweeps");
    for (guint i = 0; i < config->sweeps->len; i++) {
        cJSON *sweep = sweep_rows_status(db, config->sweeps->pdata[i], error);
        if (sweep == NULL) {
            return NULL;
        }
        cJSON_AddItemToArray(sweeps, sweep);
    }
    if (!add_versions(db, config, status, error)) {
        return NULL;
    }
    json_add_text(status, "state", words[report_status_code(status)]);
    return g_steal_pointer(&status);
}

static void add_run(cJSON *runs, const struct db_rows *rows)
{
    cJSON *run = cJSON_CreateObject();
    json_add_text(run, "run", db_rows_text(rows, 0));
    json_add_time(run, "started", (struct clock_wall){db_rows_integer(rows, 1)});
    json_add_integer(run, "duration_ms", db_rows_integer(rows, 2) / 1000);
    json_add_text(run, "state", db_rows_text(rows, 3));
    cJSON_AddBoolToObject(run, "counted", db_rows_integer(rows, 4) != 0);
    json_add_text(run, "summary", db_rows_text(rows, 5));
    json_add_text(run, "failed_system", db_rows_text(rows, 6));
    cJSON_AddItemToArray(runs, run);
}

cJSON *report_history(struct db *db, const char *flow, int limit, GError **error)
{
    g_autoptr(cJSON) history = cJSON_CreateObject();
    json_add_text(history, "flow", flow);
    cJSON *runs = cJSON_AddArrayToObject(history, "runs");
    g_autoptr(db_rows_t) rows = db_query(
        db, error,
        "SELECT id, started, duration_us, state, counted, summary, failed FROM ("
        "SELECT * FROM (SELECT r.id, r.started, r.duration_us, r.state, r.counted, r.summary,"
        " CASE WHEN json_valid(r.result) THEN json_extract(r.result, '$.failed_system') END"
        " AS failed"
        " FROM run r JOIN flow f ON r.flow = f.no WHERE f.id = ?1 ORDER BY r.started DESC LIMIT ?2)"
        " UNION ALL SELECT * FROM (SELECT NULL, g.started, g.duration_us, 'ok', 1, NULL, NULL"
        " FROM good_run g WHERE g.flow = (SELECT no FROM flow WHERE id = ?1) ORDER BY g.seq DESC"
        " LIMIT ?2)) ORDER BY started DESC LIMIT ?2",
        "si", flow, (int64_t)limit);
    while (db_rows_next(rows, error)) {
        add_run(runs, rows);
    }
    if (db_rows_failed(rows)) {
        return NULL;
    }
    cJSON *missed = missed_history(db, flow, limit, error);
    if (missed == NULL) {
        return NULL;
    }
    cJSON_AddItemToObject(history, "missed", missed);
    return g_steal_pointer(&history);
}
