// SPDX-License-Identifier: MIT
// Deleting what is past its time, in bites of a few hundred rows, so that no
// transaction holds up the others. Good runs become hourly counts. Events and
// decisions go with the incidents that they led to.
#include "store_runs.h"

#include "../alerts/outbox.h"

enum {
    BITE = 500,
    GOOD_RUNS_MS = 24 * 3600 * 1000,
    HOURLY_DAYS = 400,
};

static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

// The oldest rows of good runs, up to ?2 of them, that began before ?1. One from
// far in the future (the clock was wrong) must not hold up the rest: ?3.
#define OLD_GOOD_RUNS                                                                              \
    " FROM good_run WHERE seq < (SELECT min(seq) FROM good_run) + ?2 AND (started < ?1 OR"         \
    " started > ?3) "

static const char count_sql[] =
    "INSERT INTO hourly SELECT flow, started / 3600000000, count(*), sum(duration_us),"
    " max(duration_us), sum(duration_us < 100000),"
    " sum(duration_us >= 100000 AND duration_us < 300000),"
    " sum(duration_us >= 300000 AND duration_us < 1000000),"
    " sum(duration_us >= 1000000 AND duration_us < 3000000),"
    " sum(duration_us >= 3000000 AND duration_us < 10000000),"
    " sum(duration_us >= 10000000 AND duration_us < 30000000), sum(duration_us >= "
    "30000000)" OLD_GOOD_RUNS
    "GROUP BY 1, 2 ON CONFLICT(flow, hour) DO UPDATE SET runs = runs + excluded.runs,"
    " total_us = total_us + excluded.total_us, longest_us = max(longest_us, excluded.longest_us),"
    " below_100ms = below_100ms + excluded.below_100ms,"
    " below_300ms = below_300ms + excluded.below_300ms, below_1s = below_1s + excluded.below_1s,"
    " below_3s = below_3s + excluded.below_3s, below_10s = below_10s + excluded.below_10s,"
    " below_30s = below_30s + excluded.below_30s, longer = longer + excluded.longer";

static const char delete_good_sql[] = "DELETE" OLD_GOOD_RUNS;

static bool prune_good_runs(struct db *db, struct clock_wall now, bool *more, GError **error)
{
    int64_t before_us = now.us - (int64_t)GOOD_RUNS_MS * 1000;
    int64_t ahead_us = now.us + day_us;
    if (!db_run(db, error, count_sql, "iii", before_us, (int64_t)BITE, ahead_us) ||
        !db_run(db, error, delete_good_sql, "iii", before_us, (int64_t)BITE, ahead_us)) {
        return false;
    }
    *more |= db_changes(db) > 0;
    return true;
}

// Runs `sql`, which deletes or erases at most BITE rows older than its parameter.
static bool prune(struct db *db, const char *sql, int64_t before_us, bool *more, GError **error)
{
    if (!db_run(db, error, sql, "ii", before_us, (int64_t)BITE)) {
        return false;
    }
    *more |= db_changes(db) == BITE;
    return true;
}

static const char erase_evidence_sql[] =
    "UPDATE run SET evidence = NULL WHERE seq IN (SELECT seq FROM run WHERE evidence IS NOT NULL"
    " AND started < ?1 ORDER BY seq LIMIT ?2)";

#define OLD_INCIDENTS                                                                              \
    "(SELECT id FROM incident WHERE closed > 0 AND closed < ?1 ORDER BY id LIMIT ?2)"

static const char *const delete_sql[] = {
    "DELETE FROM run WHERE seq IN (SELECT seq FROM run WHERE started < ?1 ORDER BY seq LIMIT ?2)",
    "DELETE FROM debt WHERE seq IN (SELECT seq FROM debt WHERE state <> 'owed' AND changed < ?1"
    " AND (told OR state IN ('paid', 'void')) LIMIT ?2)",
    "DELETE FROM sweep_run WHERE seq IN (SELECT seq FROM sweep_run WHERE started < ?1"
    " ORDER BY seq LIMIT ?2)",
    "DELETE FROM mute WHERE seq IN (SELECT seq FROM mute WHERE ended > 0 AND ended < ?1 LIMIT ?2)",
    // The incident's rows first, then itself: the selection has to stay the same.
    "DELETE FROM incident_flow WHERE incident IN " OLD_INCIDENTS,
    "DELETE FROM decision WHERE incident IN " OLD_INCIDENTS,
    "DELETE FROM incident WHERE id IN " OLD_INCIDENTS,
    // Events go up to the first one that something still there stands on, so that
    // what is left can be replayed. What was made of a version outlives the runs, so it does too.
    "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at < ?1 AND kind <> 'version'"
    " AND seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM incident)"
    " AND seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM flow_state)"
    " AND seq < (SELECT coalesce(min(seq), 9223372036854775807) FROM mute)"
    " ORDER BY seq LIMIT ?2)",
};

// What later issues compare with, and texts that were seen, outlive the runs.
static const char *const delete_late_sql[] = {
    "DELETE FROM hourly WHERE (flow, hour) IN (SELECT flow, hour FROM hourly"
    " WHERE hour < ?1 / 3600000000 LIMIT ?2)",
    "DELETE FROM missed WHERE (flow, hour) IN (SELECT flow, hour FROM missed"
    " WHERE hour < ?1 / 3600000000 LIMIT ?2)",
    "DELETE FROM version_change WHERE seq IN (SELECT seq FROM version_change WHERE at < ?1 LIMIT "
    "?2)",
    "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at < ?1 AND kind = 'version'"
    " LIMIT ?2)",
    "DELETE FROM token WHERE key IN (SELECT key FROM token WHERE changed < ?1 LIMIT ?2)",
    "DELETE FROM seen WHERE (system, text) IN (SELECT system, text FROM seen WHERE at < ?1"
    " LIMIT ?2)",
};

static bool prune_all(struct db *db, const char *const *sql, size_t count, int64_t before_us,
                      bool *more, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (!prune(db, sql[i], before_us, more, error)) {
            return false;
        }
    }
    return true;
}

bool store_runs_prune(struct db *db, const struct store_keep *keep, struct clock_wall now,
                      bool *more, GError **error)
{
    struct clock_wall evidence = {now.us - keep->evidence_ms * 1000};
    struct clock_wall runs = {now.us - keep->runs_ms * 1000};
    int64_t late_us = MIN(runs.us, now.us - HOURLY_DAYS * day_us);
    *more = false;
    return prune_good_runs(db, now, more, error) &&
           prune(db, erase_evidence_sql, evidence.us, more, error) &&
           prune_all(db, delete_sql, G_N_ELEMENTS(delete_sql), runs.us, more, error) &&
           prune_all(db, delete_late_sql, G_N_ELEMENTS(delete_late_sql), late_us, more, error) &&
           outbox_prune(db, evidence, runs, BITE, error);
}
