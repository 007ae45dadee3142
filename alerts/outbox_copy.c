// SPDX-License-Identifier: MIT
// From one outbox to another: what was queued and delivered in memory while the
// store could not be written comes into the store with its states.
#include "outbox.h"

static bool copy_notice(const struct db_rows *notice, struct db *to, int64_t *sequence,
                        GError **error)
{
    if (!db_run(to, error,
                "INSERT INTO outbox_notice (notice, incident, contact, kind, number, priority,"
                " queued_us, first_us, ended_us, exempt, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), nullif(?, 0), ?, ?)"
                " ON CONFLICT (notice) DO NOTHING",
                "ssssiiiiiis", db_rows_text(notice, 1), db_rows_text(notice, 2),
                db_rows_text(notice, 3), db_rows_text(notice, 4), db_rows_integer(notice, 5),
                db_rows_integer(notice, 6), db_rows_integer(notice, 7), db_rows_integer(notice, 8),
                db_rows_integer(notice, 9), db_rows_integer(notice, 10), db_rows_text(notice, 11)))
        return false;
    *sequence = db_changes(to) > 0 ? db_last_rowid(to) : -1;
    return true;
}

// The notice is there already: who has got it in the meantime is not sent it again.
static bool settle_accepted(struct db *from, int64_t old, struct db *to, const char *notice,
                            GError **error)
{
    GError *problem = NULL;
    g_autoptr(db_rows_t) rows = db_query(from, error,
                                         "SELECT address, last_us FROM outbox_recipient"
                                         " WHERE sequence = ? AND state = 'accepted'",
                                         "i", old);
    if (rows == NULL)
        return false;
    while (problem == NULL && db_rows_next(rows, &problem))
        (void)outbox_settle(to, notice, db_rows_text(rows, 0),
                            (struct clock_wall){db_rows_integer(rows, 1)}, &problem);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static bool copy_recipients(struct db *from, int64_t old, struct db *to, int64_t sequence,
                            GError **error)
{
    GError *problem = NULL;
    g_autoptr(db_rows_t) rows =
        db_query(from, error,
                 "SELECT position, address, state, attempts, due_us, interval_us, last_us, stage,"
                 " code, reply FROM outbox_recipient WHERE sequence = ?",
                 "i", old);
    if (rows == NULL)
        return false;
    while (problem == NULL && db_rows_next(rows, &problem))
        (void)db_run(to, &problem,
                     "INSERT INTO outbox_recipient (sequence, position, address, state, attempts,"
                     " due_us, interval_us, last_us, stage, code, reply)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?)",
                     "iissiiiisis", sequence, db_rows_integer(rows, 0), db_rows_text(rows, 1),
                     db_rows_text(rows, 2), db_rows_integer(rows, 3), db_rows_integer(rows, 4),
                     db_rows_integer(rows, 5), db_rows_integer(rows, 6), db_rows_text(rows, 7),
                     db_rows_integer(rows, 8), db_rows_text(rows, 9));
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

bool outbox_copy(struct db *from, struct db *to, GError **error)
{
    GError *problem = NULL;
    g_autoptr(db_rows_t) rows =
        db_query(from, error,
                 "SELECT sequence, notice, incident, contact, kind, number, priority, queued_us,"
                 " first_us, ended_us, exempt, facts FROM outbox_notice ORDER BY sequence",
                 "");
    if (rows == NULL)
        return false;
    while (problem == NULL && db_rows_next(rows, &problem)) {
        int64_t sequence = -1;
        if (!copy_notice(rows, to, &sequence, &problem))
            break;
        int64_t old = db_rows_integer(rows, 0);
        (void)(sequence >= 0 ? copy_recipients(from, old, to, sequence, &problem)
                             : settle_accepted(from, old, to, db_rows_text(rows, 1), &problem));
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}
