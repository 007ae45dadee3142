// SPDX-License-Identifier: MIT
// What status, history, incidents and incident share on their way to the terminal.
#include "report_view.h"

#include "../base/clock.h"
#include "../base/zone.h"
#include "command.h"
#include "store.h"
#include "store_trouble.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_format(struct report_view *view, const char *command, const char *format)
{
    view->json = g_strcmp0(format, "json") == 0;
    if (format == NULL || view->json || strcmp(format, "table") == 0) {
        return true;
    }
    command_fail(command, "there is no format %s: write table or json", format);
    return false;
}

bool report_view_open(struct report_view *view, const char *command, const char *path,
                      const char *format)
{
    *view = (struct report_view){0};
    if (!read_format(view, command, format)) {
        return false;
    }
    view->config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    if (view->config == NULL) {
        return false;
    }
    g_autoptr(GError) error = NULL;
    const char *store = view->config->agent.store;
    if (access(store, F_OK) != 0 && errno == ENOENT) {
        return true; // one that this user may not see is none that is missing
    }
    view->db = store_open_reader(store, &error);
    if (view->db == NULL) {
        store_trouble_fail(command, error);
    }
    return view->db != NULL;
}

void report_view_clear(struct report_view *view)
{
    db_close(view->db);
    config_free(view->config);
    *view = (struct report_view){0};
}

void report_view_print_json(const cJSON *document)
{
    g_autofree char *text = json_print(document, true);
    puts(text);
}

char *report_view_time(const struct report_view *view, const cJSON *object, const char *key)
{
    const char *text = json_text(object, key);
    struct clock_wall time = text != NULL ? clock_wall_parse(text) : (struct clock_wall){-1};
    if (time.us < 0) {
        return NULL;
    }
    g_autoptr(GTimeZone) zone = zone_find(view->config->agent.timezone);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time.us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) local = zone != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    return g_date_time_format(local != NULL ? local : utc, "%Y-%m-%d %H:%M:%S");
}

char *report_view_span(int64_t milliseconds)
{
    int64_t minutes = milliseconds / 60000;
    if (milliseconds < 1000) {
        return g_strdup_printf("%d ms", (int)milliseconds);
    }
    if (minutes < 2) {
        return g_strdup_printf("%.1f s", (double)milliseconds / 1000);
    }
    if (minutes < 60) {
        return g_strdup_printf("%d min", (int)minutes);
    }
    if (minutes < 48 * 60) {
        return g_strdup_printf("%d h %d min", (int)(minutes / 60), (int)(minutes % 60));
    }
    return g_strdup_printf("%d d %d h", (int)(minutes / 1440), (int)(minutes / 60 % 24));
}

char *report_view_join(const cJSON *array)
{
    GString *texts = g_string_new(NULL);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        g_string_append_printf(texts, "%s%s", texts->len > 0 ? ", " : "", item->valuestring);
    }
    return g_string_free(texts, FALSE);
}

char *report_view_colour(const char *text, int column)
{
    static const struct {
        const char *start;
        enum command_colour colour;
    } colours[] = {
        {"ok", COMMAND_GREEN},       {"slow", COMMAND_YELLOW},     {"failed", COMMAND_RED},
        {"unknown", COMMAND_YELLOW}, {"open", COMMAND_RED},        {"acknowledged", COMMAND_YELLOW},
        {"off", COMMAND_GREY},       {"recovered", COMMAND_GREEN}, {"withdrawn", COMMAND_GREY},
    };
    (void)column;
    for (size_t i = 0; i < G_N_ELEMENTS(colours); i++) {
        size_t length = strlen(colours[i].start);
        bool fits = strncmp(text, colours[i].start, length) == 0;
        if (fits && (text[length] == '\0' || text[length] == ' ')) {
            return command_coloured(colours[i].colour, text);
        }
    }
    return g_strdup(text);
}
