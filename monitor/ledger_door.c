// SPDX-License-Identifier: MIT
// The ledger as flows see it: each call becomes a job of the writer, and is answered
// once it is committed. Where it cannot be, the flow hears so and does not send.
#include "ledger.h"

struct ledger {
    struct writer *writer;
    char *owner;
    struct flow_ledger door;
};

struct ledger_call {
    char *owner;
    struct flow_debt *debt;
    struct clock_wall now;
    flow_ledger_done done;
    void *context;
};

static bool owe(struct db *db, void *context, GError **error)
{
    const struct ledger_call *call = context;
    return ledger_owe(db, call->debt, call->owner, call->now, error);
}

static bool update(struct db *db, void *context, GError **error)
{
    const struct ledger_call *call = context;
    return ledger_update(db, call->debt, call->now, error);
}

static void on_done(const GError *error, void *context)
{
    struct ledger_call *call = context;
    flow_ledger_done done = call->done;
    void *user = call->context;
    flow_debt_free(call->debt);
    g_free(call->owner);
    g_free(call);
    if (done != NULL) {
        done(error == NULL, user);
    }
}

static void submit(struct ledger *ledger, const struct flow_debt *debt, writer_work work,
                   flow_ledger_done done, void *context)
{
    struct ledger_call *call = g_new0(struct ledger_call, 1);
    call->owner = g_strdup(ledger->owner);
    call->debt = ledger_copy_debt(debt);
    call->now = clock_wall_now();
    call->done = done;
    call->context = context;
    // Only what ends debts may use the reserve: a new debt would make the need greater.
    struct writer_job job = {
        .work = work, .done = on_done, .context = call, .frees = work == update};
    writer_submit(ledger->writer, &job);
}

static void submit_owe(void *self, const struct flow_debt *debt, flow_ledger_done done,
                       void *context)
{
    submit(self, debt, owe, done, context);
}

static void submit_update(void *self, const struct flow_debt *debt, flow_ledger_done done,
                          void *context)
{
    submit(self, debt, update, done, context);
}

struct ledger *ledger_new(struct writer *writer, const char *owner)
{
    struct ledger *ledger = g_new0(struct ledger, 1);
    ledger->writer = writer;
    ledger->owner = g_strdup(owner);
    ledger->door = (struct flow_ledger){submit_owe, submit_update, ledger};
    return ledger;
}

const struct flow_ledger *ledger_door(const struct ledger *ledger)
{
    return &ledger->door;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    g_free(ledger->owner);
    g_free(ledger);
}
