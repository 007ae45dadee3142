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
    g_autoptr(db_rows_t) rows = db_query(from, error,
                                         "SELECT address, last_us FROM outbox_recipient"
                                         " WHERE sequence = ? AND state = 'accepted'",
                                         "i", old);
    bool good = true;
    while (good && db_rows_next(rows, error))
        good = outbox_settle(to, notice, db_rows_text(rows, 0),
                             (struct clock_wall){db_rows_integer(rows, 1)}, error);
    return good && !db_rows_failed(rows);
}

static bool copy_recipients(struct db *from, int64_t old, struct db *to, int64_t sequence,
                            GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(from, error,
                 "SELECT position, address, state, attempts, due_us, interval_us, last_us, stage,"
                 " code, reply FROM outbox_recipient WHERE sequence = ?",
                 "i", old);
    bool good = true;
    while (good && db_rows_next(rows, error))
        good = db_run(to, error,
                      "INSERT INTO outbox_recipient (sequence, position, address, state, attempts,"
                      " due_us, interval_us, last_us, stage, code, reply)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?)",
                      "iissiiiisis", sequence, db_rows_integer(rows, 0), db_rows_text(rows, 1),
                      db_rows_text(rows, 2), db_rows_integer(rows, 3), db_rows_integer(rows, 4),
                      db_rows_integer(rows, 5), db_rows_integer(rows, 6), db_rows_text(rows, 7),
                      db_rows_integer(rows, 8), db_rows_text(rows, 9));
    return good && !db_rows_failed(rows);
}

bool outbox_copy(struct db *from, struct db *to, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(from, error,
                 "SELECT sequence, notice, incident, contact, kind, number, priority, queued_us,"
                 " first_us, ended_us, exempt, facts FROM outbox_notice ORDER BY sequence",
                 "");
    bool good = true;
    while (good && db_rows_next(rows, error)) {
        int64_t sequence = -1, old = db_rows_integer(rows, 0);
        good = copy_notice(rows, to, &sequence, error) &&
               (sequence >= 0 ? copy_recipients(from, old, to, sequence, error)
                              : settle_accepted(from, old, to, db_rows_text(rows, 1), error));
    }
    return good && !db_rows_failed(rows);
}
