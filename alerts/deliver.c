// SPDX-License-Identifier: MIT
// Takes notices from the outbox, sends them, and writes down what became of
// each recipient: before and after every session one transaction. Comes after
// outbox and delivery_plan decide, before delivery does it.
#include "deliver.h"
#include "mail_subject.h"
#include "mailer.h"
#include "outbox.h"
#include "outbox_flood.h"
#include "words.h"

#include "../base/lock.h"
#include "../base/log.h"

#include <string.h>

// One pass over the outbox.
struct pass {
    struct db *db;
    const struct config *config;
    const struct deliver_options *options;
    struct deliver_tally *tally;
    struct mailer *mailer;
    int64_t end_us; // no session begins later
    bool sent;      // something was taken from the outbox
};

// --- before a session

// The bytes are composed once, before the first attempt, and kept. What cannot be composed is
// no failure of the store: the item stays without bytes, and `problem` says why.
static bool keep_bytes(struct pass *pass, struct outbox_item *item, GError **problem,
                       GError **error)
{
    if (item->mail)
        return true;
    item->mail = mailer_compose(item->facts, item->lighter, problem);
    return item->mail == NULL || outbox_keep_mail(pass->db, item, item->mail, error);
}

// The next notice, committed as being sent; NULL where nothing is due, or with `error`.
static struct outbox_item *prepare(struct pass *pass, GError **problem, GError **error)
{
    struct clock_wall now = clock_wall_now();
    if (!db_begin(pass->db, error))
        return NULL;
    g_autoptr(GError) failure = NULL;
    g_autoptr(outbox_item_t) item = outbox_flood_take(pass->db, pass->config, now, &failure);
    bool ok = failure == NULL;
    if (item)
        ok = keep_bytes(pass, item, problem, &failure) &&
             outbox_mark_sending(pass->db, item, now, &failure);
    if (ok && db_commit(pass->db, &failure))
        return g_steal_pointer(&item);
    db_rollback(pass->db);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

// --- after a session

static void say(const struct pass *pass, const struct outbox_item *item, const char *address,
                const struct delivery_reply *reply, enum delivery_fate fate)
{
    char text[DELIVERY_REPLY_LINE];
    delivery_reply_format(reply, text, sizeof text);
    if (pass->options->out)
        fprintf(pass->options->out, "%-8s  %-9s  %s  %s  %s\n", delivery_fate_word(fate),
                item->kind, item->notice, address, text);
    if (fate == DELIVERY_GIVEN_UP)
        log_error("mail to %s given up: %s", address, text);
}

static void count(struct deliver_tally *tally, enum delivery_fate fate)
{
    if (fate == DELIVERY_ACCEPTED)
        tally->accepted++;
    else if (fate == DELIVERY_GIVEN_UP)
        tally->given_up++;
}

static bool record_replies(struct pass *pass, const struct outbox_item *item,
                           const struct delivery_report *report, struct clock_wall now,
                           GError **error)
{
    bool lighter = false;
    for (guint i = 0; i < report->count; i++) {
        const struct delivery_reply *reply = &report->replies[i];
        const char *address = item->recipients->pdata[i];
        int attempts = g_array_index(item->attempts, int, i) + 1;
        enum delivery_fate fate = delivery_plan_fate(reply, item->lighter, attempts);
        if (!outbox_record(pass->db, item, address, reply, fate, now, error))
            return false;
        say(pass, item, address, reply, fate);
        count(pass->tally, fate);
        lighter = lighter || fate == DELIVERY_LIGHTER;
    }
    return !lighter || outbox_make_lighter(pass->db, item, error);
}

// The server as a whole failed, or has shown that it works.
static bool record_server(struct pass *pass, const struct delivery_report *report,
                          struct clock_wall now, GError **error)
{
    const char *key = mailer_server(pass->mailer), *digest = pass->config->digest;
    for (guint i = 0; i < report->count; i++)
        if (delivery_plan_is_server_wide(&report->replies[i]))
            return outbox_server_record(pass->db, key, digest ? digest : "", &report->replies[i],
                                        now, error);
    if (report->stage <= DELIVERY_STAGE_AUTH)
        return true;
    return outbox_server_record(pass->db, key, digest ? digest : "", NULL, now, error);
}

static char *untold_text(const struct outbox_item *item, const struct delivery_report *report,
                         const char *subject, const struct words *words)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s\n\n  %s\n\n",
                           words_get(words, "This notice could be delivered to nobody:"), subject);
    for (guint i = 0; i < report->count; i++) {
        char reply[DELIVERY_REPLY_LINE];
        delivery_reply_format(&report->replies[i], reply, sizeof reply);
        g_string_append_printf(text, "  %s: %s\n", (char *)item->recipients->pdata[i], reply);
    }
    return g_string_free(text, FALSE);
}

// An opening of which nobody could be told is told to mail.fallback.
static bool tell_fallback(struct pass *pass, const struct outbox_item *item,
                          const struct delivery_report *report, struct clock_wall now,
                          GError **error)
{
    g_autoptr(GError) problem = NULL;
    const char *id = pass->config->mail.fallback;
    const struct config_contact *contact = id ? config_find_contact(pass->config, id) : NULL;
    if (strcmp(item->kind, "opened") != 0 || contact == NULL ||
        strcmp(contact->id, item->contact) == 0)
        return true;
    if (!outbox_nobody_told(pass->db, item->incident, &problem)) {
        if (problem)
            g_propagate_error(error, g_steal_pointer(&problem));
        return *error == NULL;
    }
    const struct words *words = words_for(contact->language);
    g_autofree char *subject = mail_subject(item->facts);
    g_autofree char *text = untold_text(item, report, subject, words);
    g_autofree char *title =
        words_fill(words, "Nobody could be told: {subject}", "subject", subject, NULL);
    g_autoptr(notice_t) notice =
        notice_new_plain("monitor", pass->config, contact, title, text, now);
    return outbox_add(pass->db, notice, now, now, error);
}

static bool settle(struct pass *pass, const struct outbox_item *item,
                   const struct delivery_report *report, GError **error)
{
    struct clock_wall now = clock_wall_now();
    g_autoptr(GError) failure = NULL;
    if (!db_begin(pass->db, error))
        return false;
    if (record_replies(pass, item, report, now, &failure) &&
        record_server(pass, report, now, &failure) &&
        tell_fallback(pass, item, report, now, &failure) && db_commit(pass->db, &failure))
        return true;
    db_rollback(pass->db);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

// --- the pass

static struct delivery_report *report_unsent(const struct outbox_item *item, const char *problem)
{
    struct delivery_report *report =
        g_malloc0(sizeof *report + item->recipients->len * sizeof(struct delivery_reply));
    g_autofree char *text = g_strdup_printf("the mail could not be composed: %s", problem);
    report->count = item->recipients->len;
    delivery_report_close(report, DELIVERY_STAGE_NONE, 0, text);
    return report;
}

static bool deliver_item(struct pass *pass, const struct outbox_item *item, const GError *problem,
                         GError **error)
{
    g_autoptr(delivery_report_t) report =
        item->mail ? mailer_send(pass->mailer, item->facts, item->recipients, item->mail)
                   : report_unsent(item, problem ? problem->message : "");
    return settle(pass, item, report, error);
}

// True where the server is left alone for now.
static bool server_waits(struct pass *pass, GError **error)
{
    struct clock_wall until = {0};
    const char *digest = pass->config->digest ? pass->config->digest : "";
    if (!outbox_server_waits(pass->db, mailer_server(pass->mailer), digest, clock_wall_now(),
                             &until, error))
        return false;
    g_autofree char *time = clock_wall_format(until);
    if (pass->options->out)
        fprintf(pass->options->out, "%s is left alone until %s\n", mailer_server(pass->mailer),
                time);
    return true;
}

static bool reclaim(struct pass *pass, GError **error)
{
    if (!db_begin(pass->db, error))
        return false;
    if (outbox_reclaim(pass->db, error) && db_commit(pass->db, error))
        return true;
    db_rollback(pass->db);
    return false;
}

// Sends the next notice; false where there is none that may go now, or with `error`.
static bool deliver_next(struct pass *pass, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GError) failure = NULL;
    bool waits = server_waits(pass, &failure);
    g_autoptr(outbox_item_t) item = waits || failure ? NULL : prepare(pass, &problem, &failure);
    bool more = item && deliver_item(pass, item, problem, &failure);
    pass->sent = pass->sent || item != NULL;
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return more;
}

static bool run_pass(struct pass *pass, GError **error)
{
    g_autoptr(GError) failure = NULL;
    bool more = reclaim(pass, &failure);
    pass->sent = false;
    while (more && clock_transport_now().us < pass->end_us)
        more = deliver_next(pass, &failure);
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool count_waiting(struct pass *pass, GError **error)
{
    struct outbox_counts counts;
    if (!outbox_count(pass->db, &counts, error))
        return false;
    pass->tally->waiting = counts.waiting;
    return true;
}

// A pass with the store's deliver lock. False with `error`; where another deliver has the lock,
// that is LOCK_ERROR_HELD.
static bool run_locked(struct pass *pass, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s.locks/deliver", pass->config->agent.store);
    g_autoptr(lock_t) lock = lock_take(path, error);
    if (lock == NULL)
        return false;
    pass->mailer = mailer_new(pass->config, pass->options->session_ms, lock, error);
    bool ok = pass->mailer && run_pass(pass, error) && count_waiting(pass, error);
    mailer_free(pass->mailer);
    return ok;
}

// Once the lock is free again: whoever queued a notice after the last look, and found the lock
// still held, has left it to this deliver.
static bool is_more_due(const struct pass *pass)
{
    struct clock_wall due = outbox_next_due(pass->db, NULL);
    return due.us >= 0 && due.us <= clock_wall_now().us && clock_transport_now().us < pass->end_us;
}

bool deliver_outbox(struct db *db, const struct config *config,
                    const struct deliver_options *options, struct deliver_tally *tally,
                    GError **error)
{
    struct pass pass = {.db = db, .config = config, .options = options, .tally = tally};
    g_autoptr(GError) problem = NULL;
    int passes = 0;
    *tally = (struct deliver_tally){0};
    pass.end_us = clock_transport_now().us + options->total_ms * 1000;
    do
        passes++;
    while (run_locked(&pass, &problem) && (passes == 1 || pass.sent) && is_more_due(&pass));
    bool held = g_error_matches(problem, LOCK_ERROR, LOCK_ERROR_HELD);
    tally->busy = held && passes == 1;
    if (problem == NULL || held)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
