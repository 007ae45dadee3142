// SPDX-License-Identifier: MIT
// Counts runs. One statement takes and counts, within BEGIN IMMEDIATE: two processes never
// spend the same run. Asked by flow_run before the first step.
#include "budget.h"

#include "../base/log.h"
#include "../config/config.h"

struct budget {
    struct writer *writer;
    struct flow_purse door;
};

bool budget_take(struct db *db, const char *flow, int64_t day, int runs_per_day, bool *granted,
                 GError **error)
{
    *granted = false;
    if (!db_run(db, error,
                "INSERT INTO spent(flow, day, runs) VALUES(?1, ?2, 1) ON CONFLICT(flow, day)"
                " DO UPDATE SET runs = runs + 1 WHERE runs < ?3",
                "sii", flow, day, (int64_t)runs_per_day)) {
        return false;
    }
    *granted = db_changes(db) > 0;
    return db_run(db, error, "DELETE FROM spent WHERE flow = ? AND day < ?", "si", flow, day);
}

bool budget_count(struct db *db, const char *flow, int64_t day, int64_t *runs, GError **error)
{
    return db_take_integer(
        db_query(db, error, "SELECT runs FROM spent WHERE flow = ? AND day = ?", "si", flow, day),
        0, runs, error);
}

struct taking {
    char *flow;
    int64_t day;
    int runs_per_day;
    bool granted;
    flow_budget_done done;
    void *context;
};

static bool do_take(struct db *db, void *context, GError **error)
{
    struct taking *taking = context;
    return budget_take(db, taking->flow, taking->day, taking->runs_per_day, &taking->granted,
                       error);
}

static void on_taken(const GError *error, void *context)
{
    struct taking *taking = context;
    enum flow_budget_answer answer = taking->granted ? FLOW_BUDGET_GRANTED : FLOW_BUDGET_SPENT;
    if (error != NULL) {
        log_debug("the budget of %s cannot be counted: %s", taking->flow, error->message);
        answer = FLOW_BUDGET_UNREADABLE;
    }
    taking->done(answer, taking->context);
    g_free(taking->flow);
    g_free(taking);
}

static void take(void *self, const struct config_flow *flow, int64_t day, flow_budget_done done,
                 void *context)
{
    const struct budget *budget = self;
    struct taking *taking = g_new(struct taking, 1);
    *taking = (struct taking){g_strdup(flow->id), day, flow->runs_per_day, false, done, context};
    const struct writer_job job = {.work = do_take, .done = on_taken, .context = taking};
    writer_submit(budget->writer, &job);
}

struct budget *budget_new(struct writer *writer)
{
    struct budget *budget = g_new0(struct budget, 1);
    budget->writer = writer;
    budget->door = (struct flow_purse){.take = take, .self = budget};
    return budget;
}

const struct flow_purse *budget_door(const struct budget *budget)
{
    return &budget->door;
}

void budget_free(struct budget *budget)
{
    g_free(budget);
}
