// SPDX-License-Identifier: MIT
// Any life of three flows: runs of several processes under several configurations, acts, mutes,
// reloads, deliveries, times that go back; and events as a damaged store may hold them. Each
// incident is opened once and closed once, somebody is told, flows and incidents agree, and a
// replay gives the same.
#include "../../monitor/version_rows.h"
#include "../../monitor/watch_apply.h"
#include "../unit/support_replay.h"
#include "../unit/watch_config.h"

#include <stdlib.h>

enum { CONFIGS = 4, EVENTS_AT_MOST = 200, MARGIN = 1000000 };

#define YEAR_US (365 * 24 * INT64_C(3600000000))

static const int64_t start_us = INT64_C(1790000000000000);

struct life {
    struct db *db;
    const struct config *config;
    struct clock_wall now;
    int runs;
    bool raw; // events that the program does not write
};

static struct config *configs[CONFIGS];
static struct db *store;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rename_flow(struct config *config, const char *from, const char *to)
{
    struct config_flow *flow = config_find_flow(config, from);
    g_hash_table_remove(config->by_id, from);
    flow->was = flow->id;
    flow->id = g_strdup(to);
    g_hash_table_insert(config->by_id, flow->id, flow);
}

static void set_up(void)
{
    for (int i = 0; i < CONFIGS; i++) {
        configs[i] = make_config();
        g_free(configs[i]->digest);
        configs[i]->digest = g_strdup_printf("%d of the configurations", i);
    }
    rename_flow(configs[1], "orders", "sales-orders");
    rename_flow(configs[2], "customers", "orders-too");
    config_find_flow(configs[2], "invoices")->off = g_strdup("for now");
    struct config_flow *flow = config_find_flow(configs[3], "orders");
    g_ptr_array_add(flow->notify, g_strdup("client"));
    flow->confirm_runs = 1;
    flow->recover = 2;
    flow->group_ms = 0;
    store = store_open_memory(NULL);
}

static const struct config *find_config(const char *mark, void *context)
{
    (void)context;
    for (int i = 0; mark && i < CONFIGS; i++) {
        if (g_str_has_prefix(configs[i]->digest, mark))
            return configs[i];
    }
    return configs[0];
}

static void forget_all(struct db *db)
{
    static const char *const tables[] = {
        "meta",    "flow",           "last_good",     "good_run",         "run",
        "event",   "flow_state",     "incident",      "incident_flow",    "decision",
        "mute",    "version_change", "outbox_notice", "outbox_recipient", "seen",
        "version", "sqlite_sequence"};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("DELETE FROM %s", tables[i]);
        if (!db_script(db, sql, NULL))
            abort();
    }
}

static bool is_none(struct db *db, const char *sql)
{
    int64_t count = 0;
    return db_take_integer(db_query(db, NULL, sql, ""), 0, &count, NULL) && count == 0;
}

// A run: its flow, how it ended, and whether it counts.
static bool add_run(struct life *life, uint8_t what, uint8_t how, GError **error)
{
    static const char *const flows[] = {"orders", "customers", "invoices", "sales-orders"};
    static const char letters[] = "GGabcGUa";
    char fingerprint[] = {letters[how & 7], '\0'};
    struct watch_answer answer;
    struct watch_event event = {
        .flow = g_strdup(flows[what >> 4 & 3]),
        .system = g_strdup("erp"),
        .failed_system = g_strdup(how & 32 ? "shop" : NULL),
        .state = fingerprint[0] == 'G'   ? VERDICT_OK
                 : fingerprint[0] == 'U' ? VERDICT_UNKNOWN
                                         : VERDICT_FAILED,
        .started = {life->now.us - MARGIN},
        .ended = life->now,
        .duration_us = MARGIN,
        .counts = !(how & 16),
        .groups = !(how & 8),
    };
    event.run = g_strdup_printf("run%d", how & 64 ? life->runs : ++life->runs);
    if (event.state == VERDICT_FAILED) {
        event.fingerprint = g_strdup(fingerprint);
        g_autofree char *text =
            g_strdup_printf("{\"flow\":\"%s\",\"system\":\"erp\",\"steps\":[{\"step\":\"s\","
                            "\"state\":\"failed\",\"verdict\":{\"class\":\"cryptic\","
                            "\"message\":\"%s\"}}]}",
                            event.flow, fingerprint);
        event.json = json_parse(text, strlen(text), NULL);
    }
    bool done = watch_result(life->db, life->config, &event, &answer, error);
    g_free(event.run);
    g_free(event.flow);
    g_free(event.system);
    g_free(event.failed_system);
    g_free(event.fingerprint);
    cJSON_Delete(event.json);
    return done;
}

static bool acknowledge(struct life *life, uint8_t how, GError **error)
{
    g_autoptr(GPtrArray) ids =
        db_take_texts(db_query(life->db, NULL, "SELECT id FROM incident ORDER BY id", ""), NULL);
    const char *id = ids->len > 0 ? ids->pdata[how % ids->len] : "NONE";
    return watch_acknowledge(life->db, life->config, id, "Ann", how & 1 ? "note" : NULL, life->now,
                             error);
}

static bool mute(struct life *life, uint8_t how, GError **error)
{
    static const char *const targets[] = {"orders", "erp", "shop", "customers"};
    struct clock_wall until = {life->now.us + (how >> 2) * INT64_C(10000000)};
    return watch_mute(life->db, life->config, targets[how & 3], until, "why", life->now, error);
}

static bool tell_version(struct life *life, uint8_t how, GError **error)
{
    g_autofree char *value = g_strdup_printf("%d", how & 3);
    g_autofree char *was = NULL;
    const struct version_answer answer = {.system = how & 4 ? "erp" : "shop", .version = value};
    return version_rows_store(life->db, life->config, &answer, life->now, &was, error);
}

// What stands behind the two bytes, up to a NUL, as an event's data.
static bool add_raw(struct life *life, uint8_t how, const uint8_t **rest, const uint8_t *end,
                    GError **error)
{
    static const char *const kinds[] = {"result",        "acknowledge", "mute",    "tick",
                                        "configuration", "version",     "nothing", "result"};
    const uint8_t *nul = memchr(*rest, '\0', (size_t)(end - *rest));
    size_t length = (size_t)((nul != NULL ? nul : end) - *rest);
    g_autoptr(cJSON) json = json_parse((const char *)*rest, length, NULL);
    g_autoptr(cJSON) empty = cJSON_CreateObject();
    struct watch_context context = {
        .db = life->db, .runs = life->db, .config = life->config, .at = life->now};
    *rest += length + (nul != NULL);
    life->raw = true;
    return watch_append(&context, kinds[how & 7], cJSON_IsObject(json) ? json : empty, error);
}

static bool do_one(struct life *life, uint8_t what, uint8_t how, const uint8_t **rest,
                   const uint8_t *end, GError **error)
{
    bool notices = false;
    switch (what & 15) {
    case 0:
        return acknowledge(life, how, error);
    case 1:
        return mute(life, how, error);
    case 2:
        return watch_tick(life->db, life->config, life->now, &notices, error);
    case 3:
        life->config = configs[how % CONFIGS];
        return watch_configure(life->db, life->config, life->now, error);
    case 4: // another process, which has read another one
        life->config = configs[how % CONFIGS];
        return true;
    case 5:
        return tell_version(life, how, error);
    case 6: // deliver begins what it finds
        return db_script(life->db, "UPDATE outbox_notice SET first_us = 1", error);
    case 7:
        return add_raw(life, how, rest, end, error);
    case 8:
        life->now.us += ((int64_t)how - 64) * 10 * MARGIN;
        return true;
    default:
        life->now.us += how * INT64_C(100000);
        return add_run(life, what, how, error);
    }
}

// What newly fails joins the open incident of its cause, if there is one.
static void judge_opening(const struct life *life)
{
    if (!life->raw &&
        !is_none(life->db, "SELECT count(*) FROM incident n JOIN incident o USING(system,"
                           " fingerprint) WHERE n.id <> o.id AND n.closed = 0 AND o.closed = 0"
                           " AND n.open_seq = (SELECT max(seq) FROM event)")) {
        fprintf(stderr, "two incidents are open of one cause\n");
        abort();
    }
}

static void live(struct life *life, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    for (int i = 0; i < EVENTS_AT_MOST && end - data >= 2; i++) {
        uint8_t what = data[0], how = data[1];
        g_autoptr(GError) error = NULL;
        data += 2;
        if (!db_begin(life->db, NULL))
            abort();
        if (!do_one(life, what, how, &data, end, &error))
            db_rollback(life->db);
        else if (!db_commit(life->db, NULL))
            abort();
        judge_opening(life);
    }
}

// Each is a way in which flows and incidents would not agree.
static const char *const never[] = {
    "SELECT count(*) FROM incident i WHERE 1 <> (SELECT count(*) FROM decision"
    " WHERE incident = i.id AND kind = 'opened')",
    "SELECT count(*) FROM incident i WHERE (closed > 0) <> (json_extract(state, '$.withdrawn')"
    " + (SELECT count(*) FROM decision WHERE incident = i.id AND kind = 'recovered'))",
    "SELECT count(*) FROM incident i WHERE (closed = 0) <> EXISTS"
    " (SELECT 1 FROM incident_flow WHERE incident = i.id AND failing)",
    "SELECT count(*) FROM incident_flow m WHERE failing <> EXISTS"
    " (SELECT 1 FROM flow_state f WHERE f.flow = m.flow AND f.incident = m.incident)",
    "SELECT count(*) FROM flow_state f WHERE incident IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM incident_flow m WHERE m.incident = f.incident AND m.flow = f.flow)",
    "SELECT count(*) FROM flow_state WHERE (incident IS NULL) <> (state = 'suspect')",
    "SELECT count(*) FROM (SELECT 1 FROM incident_flow GROUP BY incident, flow"
    " HAVING count(*) > 1)",
    "SELECT count(*) FROM (SELECT 1 FROM outbox_notice WHERE kind IN ('opened', 'recovered')"
    " GROUP BY incident, contact, kind HAVING count(*) > 1)",
    "SELECT count(*) FROM outbox_notice n WHERE kind <> 'opened' AND kind <> 'monitor' AND NOT"
    " EXISTS (SELECT 1 FROM outbox_notice o WHERE o.incident = n.incident"
    " AND o.contact = n.contact AND o.kind = 'opened')",
};

static void judge_none(const struct life *life, const char *sql)
{
    if (!life->raw && !is_none(life->db, sql)) {
        fprintf(stderr, "not so: %s\n", sql);
        abort();
    }
}

// Each mute has ended by then: what still fails is told.
static void end_mutes(struct life *life)
{
    bool notices = false;
    life->now.us += YEAR_US;
    if (!db_begin(life->db, NULL) ||
        !watch_tick(life->db, life->config, life->now, &notices, NULL) ||
        !db_commit(life->db, NULL))
        abort();
}

static void judge(struct life *life)
{
    end_mutes(life);
    for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
        judge_none(life, never[i]);
    judge_none(life, REPLAY_UNTOLD);
    judge_none(life, "SELECT count(*) FROM incident i WHERE closed = 0"
                     " AND NOT EXISTS (" REPLAY_OPENED ")");
    g_autofree char *difference = replay_differs(life->db, find_config, NULL, NULL);
    if (difference != NULL) {
        fprintf(stderr, "%s\n", difference);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (store == NULL)
        set_up();
    forget_all(store);
    struct life life = {.db = store, .config = configs[0], .now = {start_us}};
    live(&life, data, size);
    judge(&life);
    return 0;
}
