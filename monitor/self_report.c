// SPDX-License-Identifier: MIT
// The sentences about the monitor itself. Called when a store is opened, and by the
// agent when a configuration comes into force; watch queues the mail.
#include "self_report.h"

#include "../alerts/words.h"
#include "../base/log.h"
#include "store_repair.h"
#include "watch.h"

static void add_needs(GString *text, const struct config_flow *flow)
{
    static const char *const kinds[] = {"env", "file", "credential"};
    g_string_append_printf(text, "\n%s:", flow->id);
    for (guint i = 0; i < flow->needs->len; i++) {
        const struct template_reference *reference = flow->needs->pdata[i];
        g_string_append_printf(text, " ${%s:%s}", kinds[reference->kind], reference->name);
    }
}

bool self_report_needs(struct db *db, const struct config *config, struct clock_wall now,
                       GError **error)
{
    const struct words *words = watch_monitor_words(config);
    g_autoptr(GString) text = g_string_new(
        words_get(words, "These flows are not watched, because something that they need is not "
                         "set. Set it for the agent, and start it again."));
    g_string_append_c(text, '\n');
    unsigned count = 0;
    for (guint i = 0; i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];
        if (flow->off || !flow->needs || flow->needs->len == 0)
            continue;
        add_needs(text, flow);
        count++;
    }
    if (count == 0)
        return true;
    g_string_append_c(text, '\n');
    g_autofree char *subject = words_count(words, "{n} flow is not watched: a secret is missing",
                                           "{n} flows are not watched: a secret is missing", count);
    return watch_tell_monitor(db, config, subject, text->str, now, error);
}

// The mail is queued and the sentence forgotten at once, or neither.
static bool tell_repair(struct db *db, const struct config *config, GError **error)
{
    if (!db_begin(db, error))
        return false;
    const char *subject = NULL;
    g_autofree char *text = store_repair_text(db, &subject); // another process may have told it
    if (text)
        log_warning("%s", text);
    if (text && (!watch_tell_monitor(db, config, words_get(watch_monitor_words(config), subject),
                                     text, clock_wall_now(), error) ||
                 !store_repair_was_told(db, error))) {
        db_rollback(db);
        return false;
    }
    return db_commit(db, error);
}

void self_report_repair(struct store *store, const struct config *config)
{
    const char *subject = NULL;
    g_autofree char *text = store_repair_text(store_db(store), &subject);
    g_autoptr(GError) error = NULL;
    if (text && !tell_repair(store_db(store), config, &error))
        log_warning("%s", error->message);
}
