// SPDX-License-Identifier: MIT
// What `check` prints. Comes after the runs; cmd_check writes the text out.
#include "check_report.h"

#include "../base/json.h"
#include "command.h"

#include <string.h>

void check_report_init(struct check_report *report, struct clock_wall started)
{
    *report = (struct check_report){.started = started, .flows = cJSON_CreateArray()};
}

void check_report_clear(struct check_report *report)
{
    cJSON_Delete(report->flows);
    report->flows = NULL;
}

static bool has_unpaid_undo(const struct run_result *result)
{
    for (guint i = 0; i < result->undos->len; i++) {
        const struct undo_result *undo = result->undos->pdata[i];
        if (!undo_state_is_settled(undo->state))
            return true;
    }
    return false;
}

// The exit code of one run (failure-semantics 34).
static int exit_code_of(const struct run_result *result)
{
    static const int codes[] = {
        [VERDICT_OK] = COMMAND_OK,           [VERDICT_SLOW] = COMMAND_DEGRADED,
        [VERDICT_FAILED] = COMMAND_FAILED,   [VERDICT_SKIPPED] = COMMAND_OK,
        [VERDICT_UNKNOWN] = COMMAND_UNKNOWN,
    };
    if (result->cut_off)
        return COMMAND_UNKNOWN;
    int code = codes[result->state];
    return code == COMMAND_OK && has_unpaid_undo(result) ? COMMAND_DEGRADED : code;
}

// The worse of two exit codes: 2 over 3 over 1 over 0.
static int worse_of(int left, int right)
{
    static const int rank[] = {0, 1, 3, 2};
    return rank[left] >= rank[right] ? left : right;
}

void check_report_add(struct check_report *report, const struct run_result *result,
                      const struct redact *redact)
{
    report->exit_code = worse_of(report->exit_code, exit_code_of(result));
    cJSON_AddItemToArray(report->flows, run_result_to_json(result, redact, report->exchanges));
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

// One line of text: what a terminal or a plugin's reader must not see is gone.
static char *one_line(const char *text)
{
    GString *line = g_string_new(NULL);
    for (const char *at = or_empty(text); *at; at += g_utf8_skip[*(const guchar *)at]) {
        gunichar character = g_utf8_get_char_validated(at, -1);
        if (character == (gunichar)-1 || character == (gunichar)-2)
            return g_string_append(line, "…"), g_string_free(line, FALSE);
        if (g_unichar_iscntrl(character) || g_unichar_type(character) == G_UNICODE_FORMAT)
            g_string_append_c(line, ' ');
        else
            g_string_append_unichar(line, character);
    }
    return g_string_free(line, FALSE);
}

// The first step that failed, else is unknown, else slow.
static const cJSON *decisive_step(const cJSON *flow)
{
    static const char *const order[] = {"failed", "unknown", "slow"};
    const cJSON *step;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        cJSON_ArrayForEach(step,
                           json_member(flow, "steps")) if (g_strcmp0(json_text(step, "state"),
                                                                     order[i]) == 0) return step;
    return NULL;
}

// "code: message", whichever there is; what broke the expectation where there is neither.
static char *what_failed(const cJSON *verdict)
{
    const char *code = json_text(verdict, "code");
    const char *message = json_text(verdict, "message");
    if (!message)
        message = json_text(verdict, "failed_expectation");
    g_autofree char *text =
        g_strdup_printf("%s%s%s", or_empty(code), code && message ? ": " : "", or_empty(message));
    return one_line(text);
}

/* The table */

static char *state_word(const struct check_report *report, const char *state, int width)
{
    g_autofree char *padded = g_strdup_printf("%-*s", width, or_empty(state));
    if (!report->coloured)
        return g_steal_pointer(&padded);
    if (g_strcmp0(state, "ok") == 0)
        return command_coloured(COMMAND_GREEN, padded);
    if (g_strcmp0(state, "failed") == 0)
        return command_coloured(COMMAND_RED, padded);
    return command_coloured(g_strcmp0(state, "skipped") == 0 ? COMMAND_GREY : COMMAND_YELLOW,
                            padded);
}

static void add_labelled(GString *text, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    g_autofree char *line = one_line(value);
    g_string_append_printf(text, "             %s%s\n", label, line);
}

static void add_verdict(GString *text, const cJSON *step)
{
    const cJSON *verdict = json_member(step, "verdict"), *request = json_member(step, "request");
    const char *class = json_text(verdict, "class");
    if (!class || strcmp(class, "ok") == 0)
        return;
    if (cJSON_IsObject(request)) {
        g_autofree char *url = one_line(json_text(request, "url"));
        g_string_append_printf(text, "             %s %s\n", json_text(request, "method"), url);
    }
    const char *phase = json_text(verdict, "phase"), *cause = json_text(verdict, "cause");
    g_autofree char *what = what_failed(verdict);
    g_string_append_printf(text, "             %s%s%s%s%s%s: %s\n", class, phase ? " (" : "",
                           or_empty(phase), phase ? ")" : "", cause ? ", " : "", or_empty(cause),
                           what);
    const char *expectation = json_text(verdict, "failed_expectation");
    if (expectation && !strstr(what, expectation))
        add_labelled(text, "expected: ", expectation);
    add_labelled(text, "", json_text(verdict, "explanation"));
    add_labelled(text, "what to do: ", json_text(verdict, "next"));
    add_labelled(text, "can act: ", json_text(verdict, "act"));
    const cJSON *id;
    cJSON_ArrayForEach(id, json_member(verdict, "correlation"))
    {
        g_autofree char *label = g_strdup_printf("%s: ", id->string);
        add_labelled(text, label, cJSON_GetStringValue(id));
    }
}

static void add_headers(GString *text, const cJSON *headers)
{
    const cJSON *header;
    cJSON_ArrayForEach(header, headers)
    {
        const cJSON *name = cJSON_GetArrayItem(header, 0), *value = cJSON_GetArrayItem(header, 1);
        g_autofree char *line = one_line(cJSON_GetStringValue(value));
        g_string_append_printf(text, "      | %s: %s\n", or_empty(cJSON_GetStringValue(name)),
                               line);
    }
}

static void add_body(GString *text, const char *body)
{
    if (!body || !*body)
        return;
    g_string_append(text, "      |\n");
    g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autofree char *clean = one_line(*line);
        g_string_append_printf(text, "      | %s\n", clean);
    }
}

static void add_exchanges(GString *text, const cJSON *step)
{
    const cJSON *exchange;
    cJSON_ArrayForEach(exchange, json_member(step, "exchanges"))
    {
        g_autofree char *url = one_line(json_text(exchange, "url"));
        g_string_append_printf(text, "      > %s %s\n", json_text(exchange, "method"), url);
        add_headers(text, json_member(exchange, "request_headers"));
        add_body(text, json_text(exchange, "request_body"));
        int status = (int)json_integer(exchange, "status", 0);
        if (status > 0)
            g_string_append_printf(text, "      < %d\n", status);
        else
            g_string_append(text, "      < no answer\n");
        add_headers(text, json_member(exchange, "response_headers"));
        add_body(text, json_text(exchange, "response_body"));
    }
}

// A step at another system than its flow's says so.
static void add_system(GString *text, const cJSON *flow, const cJSON *step)
{
    const char *system = json_text(step, "system");
    if (system && g_strcmp0(system, json_text(flow, "system")) != 0)
        g_string_append_printf(text, "  at %s", system);
}

static void add_step(GString *text, const struct check_report *report, const cJSON *flow,
                     const cJSON *step)
{
    g_autofree char *state = state_word(report, json_text(step, "state"), 8);
    g_string_append_printf(text, "    %s %-32s", state, json_text(step, "step"));
    if (cJSON_IsNumber(json_member(step, "status")))
        g_string_append_printf(text, " %3d", (int)json_integer(step, "status", 0));
    if (cJSON_IsNumber(json_member(step, "duration_ms")))
        g_string_append_printf(text, " %6d ms", (int)json_integer(step, "duration_ms", 0));
    int attempts = (int)json_integer(step, "attempts", 1);
    if (attempts > 1)
        g_string_append_printf(text, "  %d attempts", attempts);
    int redirects = cJSON_GetArraySize(json_member(step, "redirects"));
    if (redirects > 0)
        g_string_append_printf(text, "  %d redirect%s", redirects, redirects == 1 ? "" : "s");
    add_system(text, flow, step);
    while (text->len && text->str[text->len - 1] == ' ')
        g_string_truncate(text, text->len - 1);
    g_string_append_c(text, '\n');
    add_verdict(text, step);
    if (report->exchanges)
        add_exchanges(text, step);
}

static void add_undos(GString *text, const cJSON *flow)
{
    const cJSON *undo;
    cJSON_ArrayForEach(undo, json_member(flow, "undo"))
    {
        const char *problem = json_text(undo, "problem");
        g_autofree char *why = one_line(problem);
        g_string_append_printf(text, "    undo     %s: %s%s%s\n", json_text(undo, "step"),
                               json_text(undo, "state"), problem ? ", " : "", why);
    }
}

static char *format_table(const struct check_report *report)
{
    GString *text = g_string_new(NULL);
    const cJSON *flow, *step;
    cJSON_ArrayForEach(flow, report->flows)
    {
        const char *state = json_text(flow, "state");
        g_autofree char *word = state_word(report, state ? state : "cut off", 8);
        g_string_append_printf(text, "%s %s  %s at %s, %d ms\n", word, json_text(flow, "flow"),
                               json_text(flow, "priority"), json_text(flow, "system"),
                               (int)json_integer(flow, "duration_ms", 0));
        add_labelled(text, "the monitor itself: ", json_text(flow, "problem"));
        cJSON_ArrayForEach(step, json_member(flow, "steps")) add_step(text, report, flow, step);
        add_undos(text, flow);
    }
    return g_string_free(text, FALSE);
}

/* JSON */

static const char *overall_state(int exit_code)
{
    static const char *const states[] = {"ok", "slow", "failed", "unknown"};
    return states[exit_code];
}

static char *format_json(const struct check_report *report)
{
    g_autoptr(cJSON) json = cJSON_CreateObject();
    g_autofree char *started = clock_wall_format(report->started);
    json_add_text(json, "erpwatch", ERPWATCH_VERSION);
    json_add_text(json, "started", started);
    json_add_text(json, "state", overall_state(report->exit_code));
    cJSON_AddItemToObject(json, "flows", cJSON_Duplicate(report->flows, true));
    char *text = json_print(json, false);
    GString *line = g_string_new(text);
    g_free(text);
    return g_string_free(g_string_append_c(line, '\n'), FALSE);
}

/* JUnit */

// XML 1.0 has no way to write most control characters.
static char *xml_text(const char *text)
{
    g_autofree char *line = one_line(text);
    return g_markup_escape_text(line, -1);
}

static void add_testcase(GString *text, const cJSON *flow, const cJSON *step)
{
    g_autofree char *class = xml_text(json_text(flow, "flow"));
    g_autofree char *name = xml_text(json_text(step, "step"));
    const char *state = json_text(step, "state");
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];
    double milliseconds = (double)json_integer(step, "duration_ms", 0);
    g_ascii_formatd(seconds, sizeof seconds, "%.3f", milliseconds / 1000);
    g_string_append_printf(text, "    <testcase classname=\"%s\" name=\"%s\" time=\"%s\"", class,
                           name, seconds);
    g_autofree char *what = what_failed(json_member(step, "verdict"));
    g_autofree char *message = xml_text(what);
    const char *kind = json_text(json_member(step, "verdict"), "class");
    if (strcmp(state, "failed") == 0)
        g_string_append_printf(text, "><failure type=\"%s\" message=\"%s\"/></testcase>\n",
                               or_empty(kind), message);
    else if (strcmp(state, "unknown") == 0)
        g_string_append_printf(text, "><error message=\"%s\"/></testcase>\n", message);
    else if (strcmp(state, "skipped") == 0)
        g_string_append(text, "><skipped/></testcase>\n");
    else
        g_string_append(text, "/>\n");
}

static int count_steps(const cJSON *flow, const char *state)
{
    int count = 0;
    const cJSON *step;
    cJSON_ArrayForEach(step, json_member(flow, "steps")) count +=
        !state || g_strcmp0(json_text(step, "state"), state) == 0;
    return count;
}

static void add_testsuite(GString *text, const cJSON *flow)
{
    g_autofree char *name = xml_text(json_text(flow, "flow"));
    const char *problem = json_text(flow, "problem");
    g_string_append_printf(
        text,
        "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"%d\" "
        "skipped=\"%d\">\n",
        name, count_steps(flow, NULL) + (problem ? 1 : 0), count_steps(flow, "failed"),
        count_steps(flow, "unknown") + (problem ? 1 : 0), count_steps(flow, "skipped"));
    if (problem) {
        g_autofree char *message = xml_text(problem);
        g_string_append_printf(text,
                               "    <testcase classname=\"%s\" name=\"start\"><error "
                               "message=\"%s\"/></testcase>\n",
                               name, message);
    }
    const cJSON *step;
    cJSON_ArrayForEach(step, json_member(flow, "steps")) add_testcase(text, flow, step);
    g_string_append(text, "  </testsuite>\n");
}

static char *format_junit(const struct check_report *report)
{
    GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    const cJSON *flow;
    cJSON_ArrayForEach(flow, report->flows) add_testsuite(text, flow);
    g_string_append(text, "</testsuites>\n");
    return g_string_free(text, FALSE);
}

/* Monitoring plugins: a short first line with performance data, then one line a flow */

// A path is enough here, and the line stays short.
static char *short_call(const cJSON *request)
{
    g_autoptr(GUri) uri =
        g_uri_parse(or_empty(json_text(request, "url")), G_URI_FLAGS_ENCODED, NULL);
    return g_strdup_printf("%s %s", or_empty(json_text(request, "method")),
                           uri ? g_uri_get_path(uri) : "");
}

// The first undo of a flow that did not remove what its step made; NULL: none.
static const cJSON *unpaid_undo(const cJSON *flow)
{
    const cJSON *undo;
    cJSON_ArrayForEach(undo, json_member(flow, "undo"))
    {
        if (!undo_state_is_settled(json_text(undo, "state")))
            return undo;
    }
    return NULL;
}

// A good flow is no reason for a warning; what it leaves behind is one.
static char *good_sentence(const cJSON *flow)
{
    const cJSON *undo = unpaid_undo(flow);
    if (!undo)
        return g_strdup_printf("%s is ok", json_text(flow, "flow"));
    return g_strdup_printf("%s is ok, but what its step \"%s\" made is not removed: the undo is %s",
                           json_text(flow, "flow"), json_text(undo, "step"),
                           json_text(undo, "state"));
}

static char *slow_sentence(const cJSON *flow, const cJSON *step, const char *call)
{
    return g_strdup_printf("%s slow: %s took %" G_GINT64_FORMAT " ms", json_text(flow, "flow"),
                           call, json_integer(step, "duration_ms", 0));
}

static char *flow_sentence(const cJSON *flow)
{
    const cJSON *step = decisive_step(flow);
    const char *state = json_text(flow, "state"), *problem = json_text(flow, "problem");
    if (g_strcmp0(state, "ok") == 0)
        return good_sentence(flow);
    if (problem || !step)
        return g_strdup_printf("%s is %s%s%s", json_text(flow, "flow"), state ? state : "cut off",
                               problem ? ": " : "", or_empty(problem));
    g_autofree char *call = short_call(json_member(step, "request"));
    if (g_strcmp0(state, "slow") == 0)
        return slow_sentence(flow, step, call);
    g_autofree char *what = what_failed(json_member(step, "verdict"));
    int status = (int)json_integer(step, "status", 0);
    g_autofree char *answered = status ? g_strdup_printf(" answered %d", status) : g_strdup("");
    g_autoptr(GString) system = g_string_new(NULL);
    add_system(system, flow, step);
    return g_strdup_printf("%s %s%s: %s%s %s", json_text(flow, "flow"), state,
                           system->len ? system->str + 1 : "", call, answered, what);
}

static char *plugin_text(const char *text)
{
    g_autofree char *line = one_line(text);
    return g_strdelimit(g_steal_pointer(&line), "|", '/');
}

static char *worst_sentence(const struct check_report *report)
{
    static const char *const order[] = {"failed", "unknown", "slow"};
    const cJSON *flow;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        cJSON_ArrayForEach(flow, report->flows)
        {
            const char *state = json_text(flow, "state");
            if (strcmp(state ? state : "unknown", order[i]) == 0)
                return flow_sentence(flow);
        }
    cJSON_ArrayForEach(flow, report->flows)
    {
        if (unpaid_undo(flow))
            return flow_sentence(flow);
    }
    int count = cJSON_GetArraySize(report->flows);
    return count == 1 ? good_sentence(report->flows->child)
                      : g_strdup_printf("%d flows are ok", count);
}

static char *format_nagios(const struct check_report *report)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    g_autofree char *worst = worst_sentence(report);
    g_autofree char *sentence = plugin_text(worst);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "ERPWATCH %s: %s |", words[report->exit_code], sentence);
    const cJSON *flow;
    cJSON_ArrayForEach(flow, report->flows)
    {
        g_auto(GStrv) parts = g_strsplit(json_text(flow, "flow"), "'", -1);
        g_autofree char *label = g_strjoinv("''", parts);
        g_string_append_printf(text, " '%s'=%dms;;;0", label,
                               (int)json_integer(flow, "duration_ms", 0));
    }
    g_string_append_c(text, '\n');
    cJSON_ArrayForEach(flow, report->flows)
    {
        g_autofree char *line = flow_sentence(flow);
        g_autofree char *clean = plugin_text(line);
        g_string_append_printf(text, "%s\n", clean);
    }
    return g_string_free(text, FALSE);
}

char *check_report_format(const struct check_report *report, const char *format)
{
    static const struct {
        const char *name;
        char *(*function)(const struct check_report *report);
    } formats[] = {
        {"table", format_table},
        {"json", format_json},
        {"junit", format_junit},
        {"nagios", format_nagios},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].function(report);
    return NULL;
}
