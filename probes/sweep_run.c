// SPDX-License-Identifier: MIT
// One run of a sweep as a small state machine: pages, then the ledger, then the deletes,
// one after the other. What is decided in between is sweep's business; a delete is the
// payment of a debt that no ledger knows (flow_pay).
#include "sweep_run.h"

#include "auth_session.h"
#include "call_judge.h"
#include "flow_care.h"
#include "flow_gate.h"
#include "flow_pay.h"
#include "flow_undo.h"
#include "request.h"
#include "selector.h"

#include <string.h>

// More pages, or more records of ours, than this are not looked at: nothing is deleted.
enum { PAGES_MOST = 200, RECORDS_MOST = 10000 };

// What all pages may take.
#define SEARCH_US (INT64_C(600) * G_USEC_PER_SEC)

struct sweep_run {
    struct flow_engine *engine;
    const struct config *config; // it began with; outlives the run
    const struct config_sweep *sweep;
    struct sweep_ledger ledger;
    char *id; // of this run, at the gate
    struct sweep_result *result;
    struct values *values;
    struct cookie_jar *jar;
    struct call_run *call;
    struct clock_mono deadline;
    const struct call *calling; // the page in flight
    GHashTable *seen;           // set of char *: addresses and contents of pages
    struct sweep_record *deleting;
    struct flow_debt *debt; // of it
    guint next;             // of the records
    sweep_run_done done;
    void *context;
};

static void finish(struct sweep_run *run)
{
    struct sweep_result *result = run->result;
    result->ended = clock_wall_now();
    values_free(run->values);
    cookie_jar_free(run->jar);
    g_hash_table_unref(run->seen);
    flow_gate_end_run(run->engine->gate, run->id);
    flow_engine_leave(run->engine);
    run->done(result, run->context);
    g_free(run->id);
    g_free(run);
}

static void give_up(struct sweep_run *run, const char *problem)
{
    run->result->problem = g_strdup(problem);
    finish(run);
}

static void cut_off(struct sweep_run *run)
{
    run->result->cut_off = true;
    give_up(run, "it was interrupted");
}

/* Deleting */

static void delete_next(struct sweep_run *run);

static void on_deleted(struct flow_debt *debt, void *context)
{
    struct sweep_run *run = context;
    struct sweep_record *record = g_steal_pointer(&run->deleting);
    bool deleted = strcmp(debt->state, "paid") == 0;
    record->state = deleted ? SWEEP_DELETED : SWEEP_FAILED;
    record->problem = deleted ? NULL : g_strdup(debt->problem);
    g_clear_pointer(&run->debt, flow_debt_free);
    delete_next(run);
}

// The debt that whoever made this record would have had.
static struct flow_debt *debt_of(const struct sweep_run *run, const struct sweep_record *record)
{
    const struct config_sweep *sweep = run->sweep;
    struct flow_debt *debt = g_new0(struct flow_debt, 1);
    debt->id = g_strdup(record->name);
    debt->run = g_strdup(run->id);
    debt->flow = g_strdup(sweep->id);
    debt->step = g_strdup(sweep->id);
    debt->system = g_strdup(sweep->system->id);
    debt->sent_at = record->at;
    debt->undo = g_strdup(sweep->undo->source);
    debt->state = g_strdup("owed");
    debt->values = values_to_json(record->values);
    flow_undo_freeze(sweep->system, record->values, &debt->origin, &debt->url, &debt->digest);
    return debt;
}

static void delete_next(struct sweep_run *run)
{
    const GPtrArray *records = run->result->records;
    while (run->next < records->len) {
        struct sweep_record *record = records->pdata[run->next++];
        if (record->state != SWEEP_DUE)
            continue;
        if (run->engine->stopping) {
            cut_off(run);
            return;
        }
        run->deleting = record;
        run->debt = debt_of(run, record);
        flow_debt_pay_unkept(run->engine, run->config, run->debt, on_deleted, run);
        return;
    }
    finish(run);
}

static void on_owing_runs(const GPtrArray *runs, void *context)
{
    struct sweep_run *run = context;
    struct sweep_result *result = run->result;
    if (!runs) {
        give_up(run, "the ledger cannot be read, so nothing was deleted");
        return;
    }
    sweep_hold(result->records, runs);
    unsigned due = sweep_count(result, SWEEP_DUE);
    if (due > (unsigned)run->sweep->at_most) {
        g_autofree char *problem =
            g_strdup_printf("%u records are to be deleted, and \"at_most\" is %d: nothing was "
                            "deleted",
                            due, run->sweep->at_most);
        give_up(run, problem);
    } else if (result->dry_run) {
        finish(run);
    } else {
        delete_next(run);
    }
}

// Asked after the search: whatever a live run has made by then stands in its ledger.
static void end_search(struct sweep_run *run)
{
    run->result->searched = true;
    if (run->ledger.owing_runs) {
        run->ledger.owing_runs(run->ledger.self, on_owing_runs, run);
        return;
    }
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    on_owing_runs(none, run);
}

/* Searching */

static void ask_page(struct sweep_run *run, const struct call *call);

static void take_item(struct sweep_run *run, const cJSON *item)
{
    const struct sweep_judging judging = {
        .sweep = run->sweep,
        .mark = run->config->agent.mark,
        .zone = run->config->agent.timezone,
        .values = run->values,
        .now = clock_wall_now(),
    };
    struct sweep_record *record = sweep_judge(&judging, item);
    run->result->listed++;
    if (record)
        g_ptr_array_add(run->result->records, record);
}

// True where this address, or a page of this content, was not there before.
static bool is_new(struct sweep_run *run, const char *text)
{
    return g_hash_table_add(run->seen, g_strdup(text));
}

static void ask_offset(struct sweep_run *run)
{
    int64_t offset = run->sweep->pages.offset + run->result->pages * run->sweep->pages.page_step;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, offset);
    values_set(run->values, "page", value_new(json_new_number(number), false));
    ask_page(run, run->sweep->call);
}

// The address that `next` selects, or NULL at the end. The caller frees it.
static char *next_address(const struct sweep_run *run, struct subject *subject, const char *url)
{
    const struct template_context context = values_context(run->values, clock_wall_now());
    g_autoptr(GPtrArray) found = selector_select(run->sweep->pages.next, subject, &context, NULL);
    const cJSON *address = found && found->len > 0 ? found->pdata[0] : NULL;
    if (!address || !cJSON_IsString(address) || address->valuestring[0] == '\0')
        return NULL;
    return request_resolve(url, address->valuestring);
}

static void ask_next(struct sweep_run *run, struct subject *subject, const char *url)
{
    g_autofree char *address = next_address(run, subject, url);
    if (!address) {
        end_search(run);
    } else if (!is_new(run, address)) {
        give_up(run, "the pages lead back to one that was read: nothing was deleted");
    } else {
        values_set_text(run->values, "page", address, false);
        ask_page(run, run->sweep->pages.next_call);
    }
}

// A page after the last one is empty; a system that knows no offset gives the same again.
static bool is_last_page(struct sweep_run *run, const GPtrArray *items)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA1);
    for (guint i = 0; i < items->len; i++) {
        g_autofree char *text = json_print(items->pdata[i], false);
        g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text));
    }
    return items->len == 0 || !is_new(run, g_checksum_get_string(checksum));
}

static void go_on(struct sweep_run *run, struct subject *subject, const char *url, bool last)
{
    bool more = run->sweep->pages.next || (run->sweep->pages.page_step > 0 && !last);
    if (!more)
        end_search(run);
    else if (run->engine->stopping)
        cut_off(run);
    else if (run->result->pages == PAGES_MOST || run->result->records->len > RECORDS_MOST)
        give_up(run, "there are too many pages to read them all, so nothing was deleted: let the "
                     "query find test records alone");
    else if (run->sweep->pages.next)
        ask_next(run, subject, url);
    else
        ask_offset(run);
}

static const char *why_unreadable(const struct sweep_run *run, struct subject *subject)
{
    return run->sweep->items->kind == SELECTOR_XML ? subject_markup_problem(subject, SELECTOR_XML)
                                                   : "it is no JSON";
}

static void take_page(struct sweep_run *run, struct subject *subject, const char *url)
{
    const struct template_context context = values_context(run->values, clock_wall_now());
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) items = NULL;
    if (subject_is_readable(subject, run->sweep->items->kind))
        items = selector_select_parts(run->sweep->items, subject, &context, &error);
    if (!items) {
        g_autofree char *problem =
            g_strdup_printf("the answer to the search cannot be read: %s",
                            error ? error->message : why_unreadable(run, subject));
        give_up(run, problem);
        return;
    }
    bool last = run->sweep->pages.page_step > 0 && is_last_page(run, items);
    run->result->pages++;
    for (guint i = 0; i < items->len && !(last && run->result->pages > 1); i++)
        take_item(run, items->pdata[i]);
    go_on(run, subject, url, last);
}

static void tell_gate(const struct sweep_run *run, const struct verdict *verdict,
                      const struct call_outcome *outcome)
{
    const struct flow_care_call care = {
        .system = run->sweep->system,
        .run = run->id,
        .step = run->sweep->id,
        .verdict = verdict,
    };
    flow_care_hear_apart(run->engine, &care, outcome);
}

static void on_page(struct call_outcome *outcome, void *context)
{
    struct sweep_run *run = context;
    g_autoptr(verdict_t) verdict =
        call_judge(run->calling, outcome, run->sweep->system, run->values);
    const struct exchange *last = call_outcome_last(outcome);
    tell_gate(run, verdict, outcome);
    if (outcome->cut_off) {
        cut_off(run);
    } else if (outcome->deadline_passed) {
        give_up(run, "the search took longer than ten minutes: nothing was deleted");
    } else if (!verdict || verdict->class != VERDICT_CLASS_OK) {
        g_autofree char *why = call_judge_describe(outcome, verdict);
        bool held = outcome->held_until.us != 0; // nothing was asked, so nothing failed
        g_autofree char *problem = g_strdup_printf(held ? "%s" : "the search failed: %s", why);
        run->result->cut_off = held;
        give_up(run, problem);
    } else {
        struct subject subject;
        subject_init_response(&subject, last->response);
        take_page(run, &subject, last->request->url);
        subject_clear(&subject);
    }
}

static void ask_page(struct sweep_run *run, const struct call *call)
{
    const struct config_system *system = run->sweep->system;
    struct call_run_input input = {
        .engine = run->engine,
        .call = call,
        .system = system,
        .values = run->values,
        .jar = run->jar,
        .run = run->id,
        .last = true,
        .timeout_ms = call->timeout_ms ? call->timeout_ms : system->timeout_ms,
        .deadline = run->deadline,
        .done = on_page,
        .context = run,
    };
    run->calling = call;
    auth_session_attach(&input);
    call_run_start(&input, &run->call);
}

static void begin(struct sweep_run *run)
{
    g_autofree char *missing = template_first_unset(run->sweep->needs);
    if (missing) {
        run->result->cut_off = true;
        give_up(run, missing);
    } else if (run->engine->stopping) {
        cut_off(run);
    } else if (run->sweep->pages.page_step > 0) {
        ask_offset(run);
    } else {
        ask_page(run, run->sweep->call);
    }
}

static char *run_id(const struct sweep_result *result)
{
    g_autofree char *started = clock_wall_format(result->started);
    return g_strdup_printf("sweep//%s %s", result->sweep, started);
}

void sweep_run_start(struct flow_engine *engine, const struct config_sweep *sweep,
                     const struct sweep_ledger *ledger, bool dry_run, sweep_run_done done,
                     void *context)
{
    struct sweep_run *run = g_new0(struct sweep_run, 1);
    run->engine = engine;
    run->config = engine->config;
    run->sweep = sweep;
    run->ledger = *ledger;
    run->done = done;
    run->context = context;
    run->result = sweep_result_new(sweep, clock_wall_now());
    run->id = run_id(run->result);
    run->result->dry_run = dry_run;
    run->values = flow_engine_values(engine, run->config->secrets, sweep->system);
    run->jar = cookie_jar_new();
    run->deadline = (struct clock_mono){clock_mono_now().us + SEARCH_US};
    run->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    flow_engine_enter(engine);
    begin(run);
}
