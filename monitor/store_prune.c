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
// far in the future (the clock was wrong) must not hold up the rest: ?3. By their numbers, where
// SQLite would go through an index of all of them.
#define OLD_GOOD_RUNS                                                                              \
    " FROM good_run NOT INDEXED WHERE seq < (SELECT min(seq) FROM good_run) + ?2 AND (started < "  \
    "?1 OR"                                                                                        \
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

// Rows older than ?1, of the ?2 oldest by their number. To look further would take the longer
// the more rows there are, each minute, and hold up all others who write. Those that began after
// ?3, now, are of a clock that was wrong, and do not count.
#define OLDEST(table, time, which)                                                                 \
    "(SELECT seq FROM (SELECT seq, " time " FROM " table " WHERE " which time " <= ?3"             \
    " ORDER BY seq LIMIT ?2) WHERE " time " < ?1)"

#define OLD_INCIDENTS                                                                              \
    "(SELECT id FROM incident WHERE closed > 0 AND closed < ?1 ORDER BY id LIMIT ?2)"

// Statements of one rule go together; the last one's rows say whether there is more.
struct rule {
    const char *sql[3];
    const char *types; // of the parameters
};

static const struct rule evidence_rules[] = {
    {{"UPDATE run SET evidence = NULL WHERE seq IN " OLDEST("run", "started",
                                                            "evidence IS NOT NULL AND ")},
     "iii"},
};

static const struct rule run_rules[] = {
    {{"DELETE FROM run WHERE seq IN " OLDEST("run", "started", "")}, "iii"},
    {{"DELETE FROM debt WHERE seq IN " OLDEST(
         "debt", "changed", "state <> 'owed' AND (told OR state IN ('paid', 'void')) AND ")},
     "iii"},
    {{"DELETE FROM sweep_run WHERE seq IN " OLDEST("sweep_run", "started", "")}, "iii"},
    {{"DELETE FROM mute WHERE seq IN (SELECT seq FROM mute WHERE ended > 0 AND ended < ?1"
      " LIMIT ?2)"},
     "ii"},
    // The incident's rows first, then itself: the selection has to stay the same.
    {{"DELETE FROM incident_flow WHERE incident IN " OLD_INCIDENTS,
      "DELETE FROM decision WHERE incident IN " OLD_INCIDENTS,
      "DELETE FROM incident WHERE id IN " OLD_INCIDENTS},
     "ii"},
    // Events go up to the first one that something still there stands on, so that
    // what is left can be replayed. What was made of a version outlives the runs, so it does too.
    {{"DELETE FROM event WHERE seq IN " OLDEST(
         "event", "at",
         "kind <> 'version'"
         " AND seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM incident)"
         " AND seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM flow_state)"
         " AND seq < (SELECT coalesce(min(seq), 9223372036854775807) FROM mute) AND ")},
     "iii"},
};

// Of the hourly counts, which are very many, those of so many flows: of others each hour.
#define FIRST_FLOW "5000 * (?3 / 3600000000 % (SELECT max(no) / 5000 + 1 FROM flow))"

// What later issues compare with, and texts that were seen, outlive the runs.
static const struct rule late_rules[] = {
    {{"DELETE FROM hourly WHERE (flow, hour) IN (SELECT h.flow, h.hour FROM flow f CROSS JOIN"
      " hourly h ON h.flow = f.no AND h.hour < ?1 / 3600000000 WHERE f.no >= " FIRST_FLOW
      " AND f.no < 5000 + " FIRST_FLOW " LIMIT ?2)"},
     "iii"},
    {{"DELETE FROM missed WHERE (flow, hour) IN (SELECT flow, hour FROM missed"
      " WHERE hour < ?1 / 3600000000 LIMIT ?2)"},
     "ii"},
    {{"DELETE FROM version_change WHERE seq IN (SELECT seq FROM version_change WHERE at < ?1"
      " LIMIT ?2)"},
     "ii"},
    {{"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at < ?1 AND kind = 'version'"
      " LIMIT ?2)"},
     "ii"},
    {{"DELETE FROM token WHERE key IN (SELECT key FROM token WHERE changed < ?1 LIMIT ?2)"}, "ii"},
    {{"DELETE FROM seen WHERE (system, text) IN (SELECT system, text FROM seen WHERE at < ?1"
      " LIMIT ?2)"},
     "ii"},
};

// Each rule has a bit; so have good runs and mails. The late ones begin at LATE_RULES.
enum { GOOD_RUNS = 1 << 0, MAILS = 1 << 1, EVIDENCE_RULES = 1 << 2, RUN_RULES = 1 << 3 };
#define LATE_RULES (UINT32_C(1) << 16)

struct bite {
    struct db *db;
    struct clock_wall now;
    uint32_t todo, left;
};

static bool follow(struct bite *bite, const struct rule *rule, int64_t before_us, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rule->sql) && rule->sql[i] != NULL; i++) {
        if (!db_run(bite->db, error, rule->sql[i], rule->types, before_us, (int64_t)BITE,
                    bite->now.us)) {
            return false;
        }
    }
    return true;
}

static bool follow_all(struct bite *bite, const struct rule *rules, size_t count, uint32_t first,
                       int64_t before_us, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bit = first << i;
        if ((bite->todo & bit) == 0) {
            continue;
        }
        if (!follow(bite, &rules[i], before_us, error)) {
            return false;
        }
        bite->left |= db_changes(bite->db) == BITE ? bit : 0;
    }
    return true;
}

static bool prune_good_and_mails(struct bite *bite, struct clock_wall evidence,
                                 struct clock_wall runs, GError **error)
{
    bool more = false;
    if ((bite->todo & GOOD_RUNS) != 0 && !prune_good_runs(bite->db, bite->now, &more, error)) {
        return false;
    }
    bite->left |= more ? GOOD_RUNS : 0;
    return (bite->todo & MAILS) == 0 || outbox_prune(bite->db, evidence, runs, BITE, error);
}

bool store_runs_prune(struct db *db, const struct store_keep *keep, struct clock_wall now,
                      uint32_t todo, uint32_t *left, GError **error)
{
    struct bite bite = {.db = db, .now = now, .todo = todo};
    struct clock_wall evidence = {now.us - keep->evidence_ms * 1000};
    struct clock_wall runs = {now.us - keep->runs_ms * 1000};
    int64_t late_us = MIN(runs.us, now.us - HOURLY_DAYS * day_us);
    bool done = prune_good_and_mails(&bite, evidence, runs, error) &&
                follow_all(&bite, evidence_rules, G_N_ELEMENTS(evidence_rules), EVIDENCE_RULES,
                           evidence.us, error) &&
                follow_all(&bite, run_rules, G_N_ELEMENTS(run_rules), RUN_RULES, runs.us, error) &&
                follow_all(&bite, late_rules, G_N_ELEMENTS(late_rules), LATE_RULES, late_us, error);
    *left = bite.left;
    return done;
}
