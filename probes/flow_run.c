// SPDX-License-Identifier: MIT
// One run of a flow: its steps in order, what is skipped, then the undos in
// reverse order, then the result. A single step is step_run's business.
#include "flow_run.h"

#include "../base/ids.h"
#include "flow_pay.h"
#include "step_run.h"

#include <string.h>

#define RUN_ID_LENGTH 12

struct flow_run {
    struct flow_engine *engine;
    const struct config *config; // it began with; outlives the run
    const struct config_flow *flow;
    struct step_run_shared shared;
    struct run_result *result;
    struct clock_mono started;
    guint index;      // of the step
    GPtrArray *debts; // of struct flow_debt, in the order of sending
    guint unpaid;     // debts[0 … unpaid-1] are still to be looked at
    flow_run_done done;
    void *context;
};

static void next_step(struct flow_run *run);

char *flow_run_id(const char *flow, struct clock_wall due, int attempt)
{
    // to the microsecond: what a clock that was set back makes again may be of the same millisecond
    g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, due.us);
    g_autofree char *number = g_strdup_printf("%d", attempt);
    return ids_hash(RUN_ID_LENGTH, flow, time, number, NULL);
}

static void free_run(struct flow_run *run)
{
    run_systems_free(run->shared.systems);
    g_ptr_array_unref(run->debts);
    g_free(run);
}

static void conclude(struct flow_run *run)
{
    struct run_result *result = run->result;
    struct flow_engine *engine = run->engine;
    result->ended = clock_wall_now();
    result->duration_ms = (double)(clock_mono_now().us - run->started.us) / 1000.0;
    for (guint i = 0; i < run->debts->len; i++) {
        const struct flow_debt *debt = run->debts->pdata[i];
        g_ptr_array_add(result->undos, undo_result_new(debt->step, debt->state, debt->problem));
    }
    run_result_conclude(result);
    flow_gate_end_run(engine->gate, result->run);
    g_autoptr(redact_t) own = NULL;
    if (values_have_secrets(run->shared.values)) {
        own = redact_copy(engine->redact);
        values_redact(run->shared.values, own);
    }
    flow_engine_leave(engine);
    run->done(result, own ? own : engine->redact, run->context);
    free_run(run);
}

static void pay_next(struct flow_run *run);

static void on_paid(struct flow_debt *debt, void *context)
{
    (void)debt;
    pay_next(context);
}

// The reverse of sending; one that fails does not stop the others.
static void pay_next(struct flow_run *run)
{
    while (run->unpaid > 0) {
        struct flow_debt *debt = run->debts->pdata[--run->unpaid];
        if (strcmp(debt->state, "owed") != 0)
            continue;
        if (run->engine->cut)
            break;
        flow_debt_pay(run->engine, run->config, debt, on_paid, run);
        return;
    }
    conclude(run);
}

static void end_steps(struct flow_run *run)
{
    const GPtrArray *steps = run->flow->steps;
    for (; run->index < steps->len; run->index++) {
        const struct step *step = steps->pdata[run->index];
        struct step_result *skipped =
            step_result_new(step->name, config_step_system(run->flow, step)->id);
        skipped->state = VERDICT_SKIPPED;
        g_ptr_array_add(run->result->steps, skipped);
    }
    run->unpaid = run->debts->len;
    pay_next(run);
}

static void on_step(struct step_run_outcome *outcome, void *context)
{
    struct flow_run *run = context;
    struct run_result *result = run->result;
    if (outcome->login)
        g_ptr_array_add(result->steps, g_steal_pointer(&outcome->login));
    enum verdict_state state = outcome->result->state;
    g_ptr_array_add(result->steps, g_steal_pointer(&outcome->result));
    run->index++;
    result->held_until.us = MAX(result->held_until.us, outcome->held_until.us);
    result->cut_off |= outcome->cut_off;
    if (outcome->cut_off || outcome->held_back || state == VERDICT_FAILED ||
        state == VERDICT_UNKNOWN)
        end_steps(run);
    else
        next_step(run);
}

static void next_step(struct flow_run *run)
{
    if (run->index == run->flow->steps->len) {
        end_steps(run);
        return;
    }
    if (run->engine->stopping) {
        run->result->cut_off = true;
        end_steps(run);
        return;
    }
    step_run_start(&run->shared, run->flow->steps->pdata[run->index], on_step, run);
}

static void give_own_values(struct flow_run *run)
{
    struct values *values = run->shared.values;
    g_autofree char *mark = g_strconcat(run->config->agent.mark, run->result->run, NULL);
    g_autofree char *started = clock_wall_format(run->result->started);
    g_autofree char *due = clock_wall_format(run->result->due);
    values_set_text(values, "run.id", run->result->run, false);
    values_set_text(values, "mark", mark, false);
    values_set_text(values, "run.started", started, false);
    values_set_text(values, "run.due", due, false);
}

// `vars` are computed once, in order: a later one may use an earlier one.
static bool compute_vars(struct flow_run *run, GError **error)
{
    struct template_context context = values_context(run->shared.values, run->result->started);
    for (guint i = 0; i < run->flow->vars->len; i++) {
        const struct call_field *field = run->flow->vars->pdata[i];
        struct value *value = template_evaluate(field->value, &context, error);
        if (!value) {
            g_prefix_error(error, "vars %s: ", field->name);
            return false;
        }
        values_set(run->shared.values, field->name, value);
    }
    return true;
}

// A run that would send nothing costs nothing.
static char *left_alone(struct flow_run *run)
{
    const struct flow_gate_asker asker = {
        .system = run->flow->system,
        .timezone = run->config->agent.timezone,
        .run = run->result->run,
        .flow = run->flow->id,
    };
    return flow_gate_refusal(run->engine->gate, &asker, &run->result->held_until);
}

static char *describe_spent(struct flow_run *run)
{
    const struct config_flow *flow = run->flow;
    return g_strdup_printf("the budget of %s, %d run%s a day, is spent for today: nothing was sent",
                           flow->id, flow->runs_per_day, flow->runs_per_day == 1 ? "" : "s");
}

static void on_budget(enum flow_budget_answer answer, void *context)
{
    struct flow_run *run = context;
    if (answer == FLOW_BUDGET_GRANTED) {
        next_step(run);
        return;
    }
    if (answer == FLOW_BUDGET_SPENT) {
        run->result->problem = describe_spent(run);
        run->result->held_until =
            flow_budget_next_day(clock_wall_now(), run->config->agent.timezone);
    } else {
        run->result->problem = g_strdup_printf(
            "the budget of %s cannot be counted, as the store cannot be written: nothing was sent",
            run->flow->id);
    }
    end_steps(run);
}

static void take_from_budget(struct flow_run *run)
{
    const struct flow_purse *purse = run->engine->purse;
    if (!purse) {
        run->result->problem = g_strdup_printf(
            "the budget of %s is counted in the store, and there is none (--no-store): nothing "
            "was sent",
            run->flow->id);
        end_steps(run);
        return;
    }
    int64_t day = flow_budget_day(clock_wall_now(), run->config->agent.timezone);
    purse->take(purse->self, run->flow, day, on_budget, run);
}

static void begin(struct flow_run *run)
{
    g_autoptr(GError) error = NULL;
    give_own_values(run);
    run_systems_begin(run->shared.systems);
    run->result->problem = template_first_unset(run->flow->needs);
    if (!run->result->problem && !compute_vars(run, &error))
        run->result->problem = g_strdup(error->message);
    if (!run->result->problem && run->flow->runs_per_day)
        run->result->problem = left_alone(run);
    if (run->result->problem)
        end_steps(run);
    else if (run->flow->runs_per_day)
        take_from_budget(run);
    else
        next_step(run);
}

static void on_debt(struct flow_debt *debt, void *context)
{
    struct flow_run *run = context;
    g_ptr_array_add(run->debts, debt);
}

void flow_run_start(struct flow_engine *engine, const struct config_flow *flow,
                    const struct flow_start *start, flow_run_done done, void *context)
{
    struct flow_run *run = g_new0(struct flow_run, 1);
    g_autofree char *id = flow_run_id(flow->id, start->due, start->attempt);
    int64_t limit_ms = flow->timeout_ms;
    if (start->deadline_ms > 0)
        limit_ms = MIN(limit_ms, start->deadline_ms);
    run->engine = engine;
    run->config = engine->config;
    run->flow = flow;
    run->done = done;
    run->context = context;
    run->started = clock_mono_now();
    run->debts = g_ptr_array_new_with_free_func((GDestroyNotify)flow_debt_free);
    run->result = run_result_new(id, flow->id, flow->system->id);
    run->result->priority = flow->priority;
    run->result->due = start->due;
    run->result->started = clock_wall_now();
    run->shared = (struct step_run_shared){
        .engine = engine,
        .flow = flow,
        .run = run->result->run,
        .systems = run_systems_new(engine, run->config, flow->system),
        .deadline = {run->started.us + limit_ms * 1000},
        .limit_ms = limit_ms,
        .on_debt = on_debt,
        .context = run,
    };
    run->shared.values = run_systems_values(run->shared.systems);
    flow_engine_enter(engine);
    begin(run);
}
