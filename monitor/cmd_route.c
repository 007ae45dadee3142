// SPDX-License-Identifier: MIT
// `route`: says who would be told of a failure of a flow, and in what words. The
// same route and the same phrases as of a real one, on a failure made up from the
// arguments; nothing is stored and nothing is sent.
#include "command.h"

#include "../alerts/route.h"
#include "../alerts/tell.h"
#include "../base/duration.h"
#include "../probes/lexicon.h"

#include <stdio.h>
#include <string.h>

struct failure {
    enum verdict_class class;
    enum verdict_cause cause;
};

// The HTTP status that usually comes with a cause.
static const int statuses[] = {
    [VERDICT_CAUSE_NONE] = 500,        [VERDICT_CAUSE_AUTH] = 401,
    [VERDICT_CAUSE_PERMISSION] = 403,  [VERDICT_CAUSE_VALIDATION] = 400,
    [VERDICT_CAUSE_NOT_FOUND] = 404,   [VERDICT_CAUSE_CONFLICT] = 409,
    [VERDICT_CAUSE_LOCKED] = 423,      [VERDICT_CAUSE_RATE_LIMIT] = 429,
    [VERDICT_CAUSE_UNAVAILABLE] = 503, [VERDICT_CAUSE_SERVER_FAULT] = 500,
    [VERDICT_CAUSE_CONTRACT] = 400,    [VERDICT_CAUSE_LICENSE] = 402,
    [VERDICT_CAUSE_NETWORK] = 0,       [VERDICT_CAUSE_UNKNOWN] = 500,
};

static int status_of(const struct failure *failure)
{
    if (failure->class == VERDICT_CLASS_TIMEOUT || failure->class == VERDICT_CLASS_UNREACHABLE)
        return 0;
    return failure->class == VERDICT_CLASS_UNEXPECTED ? 200 : statuses[failure->cause];
}

static struct verdict *make_verdict(const struct failure *failure)
{
    struct verdict *verdict = verdict_new();

    verdict->class = failure->class;
    verdict->cause = failure->cause;
    if (failure->class == VERDICT_CLASS_TIMEOUT)
        verdict->phase = VERDICT_PHASE_FIRST_BYTE;
    if (failure->class == VERDICT_CLASS_UNREACHABLE)
        verdict->phase = VERDICT_PHASE_CONNECT;
    lexicon_apply(lexicon_common(), status_of(failure), verdict);
    if (failure->class == VERDICT_CLASS_ERROR_CODE)
        verdict->code = g_strdup("CODE");
    if (failure->class == VERDICT_CLASS_UNEXPECTED)
        verdict->failed_expectation = g_strdup("EXPECTATION");
    return verdict;
}

// What the flow is about at that system: its last step there that writes, else its last one.
static const struct step *main_step(const struct config_flow *flow,
                                    const struct config_system *system)
{
    const struct step *last = NULL;

    for (guint i = flow->steps->len; i-- > 0;) {
        const struct step *step = g_ptr_array_index(flow->steps, i);
        if (config_step_system(flow, step) != system)
            continue;
        if (!call_is_safe(step->call))
            return step;
        if (last == NULL)
            last = step;
    }
    return last;
}

// The systems that the flow's steps call, its own first; of struct config_system, borrowed.
static GPtrArray *systems_of(const struct config_flow *flow)
{
    GPtrArray *systems = g_ptr_array_new();

    if (main_step(flow, flow->system) != NULL || flow->steps->len == 0)
        g_ptr_array_add(systems, flow->system);
    for (guint i = 0; i < flow->steps->len; i++) {
        const struct config_system *system =
            config_step_system(flow, g_ptr_array_index(flow->steps, i));
        if (!g_ptr_array_find(systems, system, NULL))
            g_ptr_array_add(systems, (gpointer)(uintptr_t)system);
    }
    return systems;
}

// The call as the configuration writes it, holes and all.
static void add_request(cJSON *made, const struct config_system *system, const struct step *step)
{
    cJSON *request = cJSON_AddObjectToObject(made, "request");
    const char *path = template_source(step->call->path);
    const char *base = template_source(system->url);
    g_autofree char *url = step->call->whole_url || *path == '/'
                               ? g_strconcat(step->call->whole_url ? "" : base, path, NULL)
                               : g_strconcat(base, "/", path, NULL);

    json_add_text(request, "method", step->call->method);
    json_add_text(request, "url", url);
}

static cJSON *make_result(const struct config_flow *flow, const struct config_system *system,
                          const struct failure *failure)
{
    const struct step *step = main_step(flow, system);
    g_autoptr(verdict_t) verdict = make_verdict(failure);
    cJSON *result = cJSON_CreateObject();
    cJSON *steps = cJSON_AddArrayToObject(result, "steps");
    cJSON *made = cJSON_CreateObject();

    if (step != NULL && step->act != NULL) {
        g_free(verdict->act);
        verdict->act = g_strdup(step->act);
    }
    json_add_text(made, "step", step != NULL ? step->name : flow->id);
    json_add_text(made, "system", system->id);
    json_add_text(made, "state", "failed");
    json_add_integer(made, "status", status_of(failure));
    if (step != NULL)
        add_request(made, system, step);
    cJSON_AddItemToObject(made, "verdict", verdict_to_json(verdict));
    cJSON_AddItemToArray(steps, made);
    return result;
}

static struct transition *make_transition(const struct config_flow *flow,
                                          const struct config_system *system)
{
    struct transition *transition = transition_new(TRANSITION_OPENED, "ROUTE");
    struct transition_flow *member = g_new0(struct transition_flow, 1);

    transition->system = g_strdup(system->id);
    member->flow = g_strdup(flow->id);
    member->failing = true;
    g_ptr_array_add(transition->flows, member);
    return transition;
}

static char *join(const GPtrArray *texts)
{
    GString *joined = g_string_new(NULL);

    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "",
                               (const char *)g_ptr_array_index(texts, i));
    return g_string_free(joined, FALSE);
}

static void print_notice(const struct notice *notice, const struct config *config)
{
    const struct config_contact *contact = config_find_contact(config, notice->contact);
    g_autofree char *addresses = join(contact->email);
    g_autofree char *subject = NULL;
    struct tell tell;

    tell_init(&tell, notice->facts);
    subject = tell_subject(&tell);
    printf("%s <%s> (%s, %s)\n    %s\n", contact->id, addresses, contact->language,
           contact->style == CONFIG_STYLE_BUSINESS ? "business" : "technical", subject);
}

// In English: it is for whoever sits at the terminal.
static void print_act(const struct notice *notice)
{
    g_autofree char *act = NULL;
    struct tell tell;

    tell_init(&tell, notice->facts);
    tell.words = words_for("en");
    act = tell_act(&tell);
    if (act != NULL)
        printf("\n%s can mend it.", act);
}

static void print_when(const struct config_flow *flow)
{
    g_autofree char *after = duration_format(flow->confirm_after_ms);
    g_autofree char *group = duration_format(flow->group_ms);

    printf("\nIt goes out after %d failed run%s in a row", flow->confirm_runs,
           flow->confirm_runs == 1 ? "" : "s");
    if (flow->confirm_runs > 1)
        printf(" (the next one %s after a failure)", after);
    if (flow->group_ms > 0)
        printf(", and waits %s for other flows with the same cause", group);
    printf(". Nothing was sent now.\n");
}

// Who is told of a failure at one of the flow's systems; false where that is nobody.
static bool print_system(const struct config_flow *flow, const struct config_system *system,
                         const struct config *config, const struct failure *failure)
{
    g_autoptr(transition_t) transition = make_transition(flow, system);
    g_autoptr(cJSON) result = make_result(flow, system, failure);
    g_autoptr(GPtrArray) notices = route(transition, config, result);

    for (guint i = 0; i < notices->len; i++)
        print_notice(g_ptr_array_index(notices, i), config);
    if (notices->len > 0)
        print_act(g_ptr_array_index(notices, 0));
    else
        printf("Nobody would be told: %s has no contact in notify, and there is no mail.fallback\n",
               flow->id);
    return notices->len > 0;
}

static int print_route(const struct config_flow *flow, const struct config *config,
                       const struct failure *failure)
{
    g_autoptr(GPtrArray) systems = systems_of(flow);
    bool told = true;

    for (guint i = 0; i < systems->len; i++) {
        const struct config_system *system = g_ptr_array_index(systems, i);
        if (systems->len > 1)
            printf("%sA failure at the system %s:\n", i > 0 ? "\n" : "", system->id);
        told &= print_system(flow, system, config, failure);
        if (systems->len > 1)
            printf("\n");
    }
    if (!told)
        return COMMAND_FAILED;
    print_when(flow);
    return COMMAND_OK;
}

static char *list_words(const char *(*word)(int index))
{
    GString *words = g_string_new(NULL);

    for (int i = 0; i < 32; i++) {
        const char *one = word(i);
        if (one != NULL && strcmp(one, "ok") != 0)
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", one);
    }
    return g_string_free(words, FALSE);
}

static const char *class_word(int index)
{
    return verdict_class_word((enum verdict_class)index);
}

static const char *cause_word(int index)
{
    return verdict_cause_word((enum verdict_cause)index);
}

// False, said on stderr, where a word is none of the closed list.
static bool read_failure(const char *class, const char *cause, struct failure *failure)
{
    int class_index = class != NULL ? verdict_class_of(class) : VERDICT_CLASS_ERROR_CODE;
    int cause_index = cause != NULL ? verdict_cause_of(cause) : VERDICT_CAUSE_NONE;
    g_autofree char *classes = list_words(class_word);
    g_autofree char *causes = list_words(cause_word);

    if (class_index < 0 || class_index == VERDICT_CLASS_OK) {
        command_fail("route", "%s is no class of a failure: write one of %s", class, classes);
        return false;
    }
    if (cause_index < 0) {
        command_fail("route", "%s is no cause: write one of %s", cause, causes);
        return false;
    }
    failure->class = (enum verdict_class)class_index;
    failure->cause = (enum verdict_cause)cause_index;
    return true;
}

int cmd_route(int argc, char **argv)
{
    g_autofree char *path = NULL, *class = NULL, *cause = NULL;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"class", 0, 0, G_OPTION_ARG_STRING, &class,
         "Its class, such as timeout or unexpected (default error_code)", "C"},
        {"cause", 0, 0, G_OPTION_ARG_STRING, &cause,
         "Its cause, such as auth or validation (default none)", "X"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(config_t) config = NULL;
    const struct config_flow *flow;
    struct failure failure;
    int code = command_parse(&argc, &argv, entries, 1, 1);

    if (code != COMMAND_PARSED)
        return code;
    if (!read_failure(class, cause, &failure))
        return COMMAND_UNKNOWN;
    config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    if (config == NULL)
        return COMMAND_UNKNOWN;
    flow = command_find_flow("route", config, argv[1]);
    if (flow == NULL)
        return COMMAND_UNKNOWN;
    return print_route(flow, config, &failure);
}
