// SPDX-License-Identifier: MIT
// Reading a run's JSON for the store. The JSON is redacted already; its texts come
// from outside, so they are cut at characters and cleared of line ends.
#include "watch_summary.h"

#include "../alerts/facts.h"
#include "../base/ids.h"
#include "../probes/stable_text.h"

#include <string.h>

enum { LINE_CHARACTERS = 300, TEXT_LENGTH = 26 };

static void append_if(GString *line, const char *before, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        g_string_append_printf(line, "%s%s", line->len > 0 ? before : "", text);
    }
}

static void append_call(GString *line, const cJSON *step)
{
    const cJSON *request = json_member(step, "request");
    append_if(line, ": ", json_text(request, "method"));
    append_if(line, " ", json_text(request, "url"));
}

static void append_answer(GString *line, const cJSON *step)
{
    const cJSON *verdict = json_member(step, "verdict");
    gint64 status = json_integer(step, "status", 0);
    if (status > 0) {
        g_string_append_printf(line, " answered %d", (int)status);
    }
    append_if(line, " ", json_text(verdict, "code"));
    const char *message = json_text(verdict, "message");
    append_if(line, ": ", message != NULL ? message : json_text(verdict, "failed_expectation"));
}

// One line of valid text, cut at a character.
static char *clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *cut = g_utf8_strlen(valid, -1) > LINE_CHARACTERS
                               ? g_utf8_substring(valid, 0, LINE_CHARACTERS)
                               : g_strdup(valid);
    GString *line = g_string_new(NULL);
    for (const char *at = cut; *at != '\0'; at += g_utf8_skip[(guchar)*at]) {
        gunichar character = g_utf8_get_char(at);
        g_string_append_unichar(line, g_unichar_iscntrl(character) ? ' ' : character);
    }
    return g_string_free(line, FALSE);
}

char *watch_summary_line(const cJSON *result)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const cJSON *step = facts_decisive_step(result);
    if (step != NULL) {
        const char *failed = json_text(result, "failed_system");
        append_if(line, "", json_text(step, "step"));
        if (g_strcmp0(failed, json_text(result, "system")) != 0) {
            append_if(line, " at ", failed);
        }
        append_call(line, step);
        append_answer(line, step);
    }
    append_if(line, ": ", json_text(result, "problem"));
    return line->len > 0 ? clean(line->str) : NULL;
}

// Amounts and numbers of records are others each time.
static void append_without_numbers(GString *text, const char *part)
{
    bool in_number = false;
    for (const char *at = part; at != NULL && *at != '\0'; at++) {
        bool digit = g_ascii_isdigit(*at);
        if (!digit || !in_number) {
            g_string_append_c(text, digit ? '#' : *at);
        }
        in_number = digit;
    }
}

char *watch_summary_text(const cJSON *result)
{
    const cJSON *verdict = json_member(facts_decisive_step(result), "verdict");
    const char *class = json_text(verdict, "class"), *cause = json_text(verdict, "cause");
    g_autofree char *code = stable_text(json_text(verdict, "code"));
    g_autofree char *message = stable_text(json_text(verdict, "message"));
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "\n%s\n%s\n%s\n", class != NULL ? class : "",
                           cause != NULL ? cause : "", code != NULL ? code : "");
    append_without_numbers(text, message);
    return ids_hash(TEXT_LENGTH, text->str, NULL);
}

char *watch_summary_strip(const cJSON *result)
{
    g_autoptr(cJSON) copy = cJSON_Duplicate(result, true);
    cJSON *step = NULL;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(copy, "steps"))
    {
        cJSON_DeleteItemFromObjectCaseSensitive(step, "exchanges");
    }
    return json_print(copy, false);
}
