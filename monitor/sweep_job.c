// SPDX-License-Identifier: MIT
// One sweep from its lock to the store. Comes before sweep_run, which makes the calls, and
// after it: sweep_rows keeps the result.
#include "sweep_job.h"

#include "../base/ids.h"
#include "../base/log.h"
#include "../probes/sweep_run.h"
#include "sweep_rows.h"

struct sweep_job {
    struct runtime *runtime;
    const struct config *config;
    const struct config_sweep *sweep;
    uint64_t lock;
    bool dry_run;
    struct sweep_result *result;
    cJSON *json;
    bool notices;
    sweep_job_done done;
    void *context;
};

// The runs that owe something, asked for in the writer's thread.
struct asking {
    GPtrArray *dead; // owners
    GPtrArray *runs;
    sweep_owing_done done;
    void *context;
};

static bool read_owing(struct db *db, void *context, GError **error)
{
    struct asking *asking = context;
    g_clear_pointer(&asking->runs, g_ptr_array_unref);
    asking->runs = ledger_owing_runs(db, asking->dead, clock_wall_now(), error);
    return asking->runs != NULL;
}

static void on_owing(const GError *error, void *context)
{
    struct asking *asking = context;
    asking->done(error ? NULL : asking->runs, asking->context);
    g_ptr_array_unref(asking->dead);
    if (asking->runs)
        g_ptr_array_unref(asking->runs);
    g_free(asking);
}

static void ask_owing(void *self, sweep_owing_done done, void *context)
{
    const struct sweep_job *job = self;
    struct asking *asking = g_new0(struct asking, 1);
    asking->dead = store_dead_owners(job->runtime->store);
    asking->done = done;
    asking->context = context;
    const struct writer_job read = {.work = read_owing, .done = on_owing, .context = asking};
    writer_submit(job->runtime->writer, &read);
}

static void end(struct sweep_job *job)
{
    if (job->runtime->store)
        store_unlock_flow(job->runtime->store, job->lock, NULL);
    job->done(job->result, job->json, job->notices, job->context);
    sweep_result_free(job->result);
    cJSON_Delete(job->json);
    g_free(job);
}

static bool store_result(struct db *db, void *context, GError **error)
{
    struct sweep_job *job = context;
    job->notices = false;
    return sweep_rows_store(db, job->config, job->sweep, job->json, clock_wall_now(), &job->notices,
                            error);
}

static void on_stored(const GError *error, void *context)
{
    struct sweep_job *job = context;
    if (error)
        log_warning("the sweep %s could not be stored: %s", job->sweep->id, error->message);
    end(job);
}

static void on_swept(struct sweep_result *result, void *context)
{
    struct sweep_job *job = context;
    job->result = result;
    job->json = sweep_result_to_json(result, job->runtime->engine->redact);
    bool stopped = result->cut_off && job->runtime->engine->stopping;
    if (!job->runtime->writer || job->dry_run || stopped) {
        end(job);
        return;
    }
    const struct writer_job write = {.work = store_result, .done = on_stored, .context = job};
    writer_submit(job->runtime->writer, &write);
}

bool sweep_job_start(struct runtime *runtime, const struct config *config,
                     const struct config_sweep *sweep, bool dry_run, sweep_job_done done,
                     void *context)
{
    // no flow can be called so: one / at most stands in its name
    g_autofree char *name = g_strconcat("sweep//", sweep->system->id, NULL);
    uint64_t lock = ids_number(name);
    if (runtime->store && !store_lock_flow(runtime->store, lock, NULL))
        return false;
    struct sweep_job *job = g_new0(struct sweep_job, 1);
    job->runtime = runtime;
    job->config = config;
    job->sweep = sweep;
    job->lock = lock;
    job->dry_run = dry_run;
    job->done = done;
    job->context = context;
    const struct sweep_ledger ledger = {runtime->store ? ask_owing : NULL, job};
    sweep_run_start(runtime->engine, sweep, &ledger, dry_run, on_swept, job);
    return true;
}
