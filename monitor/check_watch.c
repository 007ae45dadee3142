// SPDX-License-Identifier: MIT
// Two jobs of the writer around the runs of `check --notify`, so that a check driven by
// cron keeps the incidents that the agent would. Comes before and after check_runs.
#include "check_watch.h"

#include "../base/log.h"
#include "report.h"
#include "store_runs.h"
#include "watch.h"

struct check_watch {
    struct runtime *runtime;
    const struct config *config;
    void (*done)(void *context);
    void *context;
};

static bool configure(struct db *db, void *context, GError **error)
{
    const struct check_watch *watch = context;
    struct clock_wall now = clock_wall_now();
    struct clock_wall beat = store_runs_heartbeat(db, NULL);
    if (beat.us > 0 && now.us - beat.us <= REPORT_HEARTBEAT_US)
        return true;
    return watch_configure(db, watch->config, now, error);
}

static bool tick(struct db *db, void *context, GError **error)
{
    const struct check_watch *watch = context;
    bool notices = false; // what is queued is delivered after this in any case
    return watch_tick(db, watch->config, clock_wall_now(), &notices, error);
}

static void on_done(const GError *error, void *context)
{
    struct check_watch *watch = context;
    if (error && db_is_file_error(error))
        standby_take_over(watch->runtime->standby, watch->config, (enum db_error)error->code);
    else if (error)
        log_error("incidents cannot be kept: %s", error->message);
    watch->done(watch->context);
    g_free(watch);
}

static void submit(struct runtime *runtime, writer_work work, const struct check_watch *facts)
{
    struct check_watch *watch = g_new(struct check_watch, 1);
    *watch = *facts;
    const struct writer_job job = {.work = work, .done = on_done, .context = watch};
    writer_submit(runtime->writer, &job);
}

void check_watch_configure(struct runtime *runtime, const struct config *config,
                           void (*done)(void *context), void *context)
{
    const struct check_watch watch = {runtime, config, done, context};
    submit(runtime, configure, &watch);
}

void check_watch_tick(struct runtime *runtime, const struct config *config,
                      void (*done)(void *context), void *context)
{
    const struct check_watch watch = {runtime, config, done, context};
    submit(runtime, tick, &watch);
}
