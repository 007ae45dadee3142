// SPDX-License-Identifier: MIT
// Owes and settles the undos of one step, one ledger entry after the other. Paying
// them is flow_pay's.
#include "step_debts.h"

#include "../base/json.h"
#include "flow_undo.h"

void step_debts_init(struct step_debts *debts, struct step_run_shared *shared,
                     const struct step *step)
{
    *debts = (struct step_debts){.shared = shared, .step = step, .present = g_ptr_array_new()};
}

void step_debts_clear(struct step_debts *debts)
{
    g_ptr_array_unref(debts->present);
}

static const struct flow_ledger *ledger_of(const struct step_debts *debts)
{
    return debts->shared->engine->ledger;
}

static void make_void(struct flow_debt *debt)
{
    g_free(debt->state);
    debt->state = g_strdup("void");
}

static void on_void_noted(bool durable, void *context)
{
    (void)durable;
    (void)context;
}

// The session had expired, so the former request was refused: only its replay may create
// something.
static void void_refused(struct step_debts *debts)
{
    const struct flow_ledger *ledger = ledger_of(debts);
    for (guint i = 0; i < debts->present->len; i++) {
        struct flow_debt *debt = debts->present->pdata[i];
        make_void(debt);
        if (ledger)
            ledger->update(ledger->self, debt, on_void_noted, NULL);
    }
    g_ptr_array_set_size(debts->present, 0);
}

// The undo may call other systems than the step: they too have to be the same then.
static void freeze_other_systems(struct step_debts *debts, const struct undo *undo,
                                 struct flow_debt *debt)
{
    struct run_systems *systems = debts->shared->systems;
    g_autoptr(GPtrArray) ids = flow_undo_systems(undo, debts->step->lookup);
    cJSON *digests = ids->len ? cJSON_AddObjectToObject(debt->values, FLOW_UNDO_SYSTEMS) : NULL;
    for (guint i = 0; i < ids->len; i++) {
        const char *id = ids->pdata[i];
        g_autofree char *digest = run_systems_digest(systems, run_systems_find(systems, id));
        json_add_text(digests, id, digest);
    }
}

static void add_debt(struct step_debts *debts, const struct undo *undo, guint part,
                     const struct transfer_request *request)
{
    struct step_run_shared *shared = debts->shared;
    const struct config_system *system = run_systems_present(shared->systems);
    const struct flow_undo_debt facts = {
        .run = shared->run,
        .flow = shared->flow,
        .system = system,
        .step = debts->step,
        .undo = undo,
        .part = part,
        .attempt = debts->requests,
        .request = request,
        .values = shared->values,
        .with = run_systems_with(shared->systems, system),
        .timeout_ms = request->timeout_ms,
    };
    struct flow_debt *debt = flow_undo_debt_new(&facts, clock_wall_now());
    freeze_other_systems(debts, undo, debt);
    g_ptr_array_add(debts->present, debt);
    shared->on_debt(debt, shared->context);
}

static void owe_next(struct step_debts *debts);

static void on_owed(bool durable, void *context)
{
    struct step_debts *debts = context;
    if (durable) {
        debts->next++;
        owe_next(debts);
        return;
    }
    // what was owed before is settled with the call, which is not sent
    for (guint i = debts->next; i < debts->present->len; i++)
        make_void(debts->present->pdata[i]);
    g_ptr_array_set_size(debts->present, (gint)debts->next);
    debts->done(false, debts->context);
}

static void owe_next(struct step_debts *debts)
{
    const struct flow_ledger *ledger = ledger_of(debts);
    if (ledger && debts->next < debts->present->len)
        ledger->owe(ledger->self, debts->present->pdata[debts->next], on_owed, debts);
    else
        debts->done(true, debts->context);
}

void step_debts_owe(struct step_debts *debts, const struct transfer_request *request,
                    void (*done)(bool durable, void *context), void *context)
{
    const struct undo *undo = debts->step->undo;
    void_refused(debts);
    debts->done = done;
    debts->context = context;
    debts->next = 0;
    if (undo && !undo->none) {
        debts->requests++;
        // debts are paid from the last to the first: so the parts go as they are written
        for (guint i = undo->later->len; i-- > 0;)
            add_debt(debts, undo->later->pdata[i], i + 1, request);
        if (undo->calls->len > 0)
            add_debt(debts, undo, 0, request);
    }
    owe_next(debts);
}

static void settle_next(struct step_debts *debts);

static void on_settled(bool durable, void *context)
{
    (void)durable; // the row still says owed, with less known: never less than is due
    settle_next(context);
}

static void settle_next(struct step_debts *debts)
{
    const struct flow_ledger *ledger = ledger_of(debts);
    if (ledger && debts->next < debts->present->len) {
        ledger->update(ledger->self, debts->present->pdata[debts->next++], on_settled, debts);
        return;
    }
    g_ptr_array_set_size(debts->present, 0);
    debts->done(true, debts->context);
}

void step_debts_settle(struct step_debts *debts, bool nothing_made,
                       void (*done)(bool durable, void *context), void *context)
{
    debts->done = done;
    debts->context = context;
    debts->next = 0;
    for (guint i = 0; i < debts->present->len; i++) {
        struct flow_debt *debt = debts->present->pdata[i];
        flow_undo_set_values(debt, values_to_json(debts->shared->values));
        if (nothing_made)
            make_void(debt);
    }
    settle_next(debts);
}
