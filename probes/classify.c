// SPDX-License-Identifier: MIT
// From a response to a verdict: transport, envelope, expectations, status, shape
// of the body, then the lexicon for cause, explanation and owner. After transfer
// and expect; before the incident. Pure.
#include "classify.h"

#include "correlation.h"
#include "envelope.h"
#include "lexicon.h"

#include <string.h>

// What is known while the steps of the order are taken.
struct state {
    const struct classify_input *input;
    const struct transfer_response *response;
    struct envelope *envelope; // NULL where nothing came
    struct verdict *verdict;
};

static void say(struct verdict *verdict, enum verdict_class class, enum verdict_cause cause,
                const char *act, enum lexicon_explanation explanation)
{
    verdict->class = class;
    verdict->cause = cause;
    verdict->act = g_strdup(act);
    verdict->explanation = g_strdup(lexicon_explain(explanation));
}

static enum verdict_phase phase_of(enum transfer_phase phase)
{
    static const enum verdict_phase phases[] = {
        [TRANSFER_PHASE_NONE] = VERDICT_PHASE_NONE,
        [TRANSFER_PHASE_DNS] = VERDICT_PHASE_DNS,
        [TRANSFER_PHASE_CONNECT] = VERDICT_PHASE_CONNECT,
        [TRANSFER_PHASE_TLS] = VERDICT_PHASE_TLS,
        [TRANSFER_PHASE_FIRST_BYTE] = VERDICT_PHASE_FIRST_BYTE,
        [TRANSFER_PHASE_TRANSFER] = VERDICT_PHASE_TRANSFER,
    };
    return phases[phase];
}

static enum lexicon_explanation explain_phase(enum transfer_phase phase, bool timeout)
{
    switch (phase) {
    case TRANSFER_PHASE_DNS:
        return LEXICON_DNS;
    case TRANSFER_PHASE_TLS:
        return LEXICON_TLS;
    case TRANSFER_PHASE_FIRST_BYTE:
    case TRANSFER_PHASE_TRANSFER:
        return timeout ? LEXICON_SLOW : LEXICON_CUT;
    case TRANSFER_PHASE_NONE:
    case TRANSFER_PHASE_CONNECT:
        break;
    }
    return LEXICON_CONNECT;
}

static char *describe_timeout(const struct classify_input *input)
{
    static const char *const what[] = {
        [TRANSFER_PHASE_NONE] = "no answer",
        [TRANSFER_PHASE_DNS] = "the host name was not found",
        [TRANSFER_PHASE_CONNECT] = "no connection",
        [TRANSFER_PHASE_TLS] = "no secure connection",
        [TRANSFER_PHASE_FIRST_BYTE] = "no answer",
        [TRANSFER_PHASE_TRANSFER] = "the answer did not end",
    };
    const char *begin = what[input->response->phase];
    if (input->timeout_ms <= 0)
        return g_strdup_printf("%s in time", begin);
    if (input->timeout_ms % 1000 == 0)
        return g_strdup_printf("%s within %" G_GINT64_FORMAT " s", begin, input->timeout_ms / 1000);
    return g_strdup_printf("%s within %" G_GINT64_FORMAT " ms", begin, input->timeout_ms);
}

static void judge_failed_transport(struct state *state, enum verdict_class class)
{
    const struct transfer_response *response = state->response;
    bool timeout = class == VERDICT_CLASS_TIMEOUT;
    // One cause for all of them: whether a host that is down refuses or keeps
    // silent, it is one incident.
    if (response->refused)
        say(state->verdict, class, VERDICT_CAUSE_AUTH, "client",
            response->phase == TRANSFER_PHASE_TLS ? LEXICON_CERTIFICATE : LEXICON_CREDENTIALS);
    else
        say(state->verdict, class, VERDICT_CAUSE_NETWORK, "hosting",
            explain_phase(response->phase, timeout));
    state->verdict->phase = phase_of(response->phase);
    state->verdict->message = response->refused   ? g_strdup(response->refused)
                              : response->problem ? g_strdup(response->problem)
                                                  : describe_timeout(state->input);
}

static void judge_own_fault(struct state *state)
{
    state->verdict->ours = true;
    state->verdict->class = VERDICT_CLASS_UNREACHABLE;
    state->verdict->cause = VERDICT_CAUSE_UNKNOWN;
    state->verdict->message =
        g_strdup(state->response->problem ? state->response->problem : "the call was ended by us");
}

static void take_envelope(struct state *state, enum verdict_class class)
{
    state->verdict->class = class;
    state->verdict->partial = state->envelope->partial;
    state->verdict->code = g_strdup(state->envelope->code);
    state->verdict->message = g_strdup(state->envelope->message);
}

// The status that counts: of the part that failed, else of the answer.
static int status_of(const struct state *state)
{
    return state->envelope->status ? state->envelope->status : state->response->status;
}

// True where the text is the code once more: THROTTLED and "Throttled".
static bool repeats_code(const struct envelope *envelope)
{
    const char *code = envelope->code, *text = envelope->message;
    while (*code && *text) {
        if (!g_ascii_isalnum(*code))
            code++;
        else if (!g_ascii_isalnum(*text))
            text++;
        else if (g_ascii_tolower(*code++) != g_ascii_tolower(*text++))
            return false;
    }
    code += strspn(code, "_-. ");
    text += strspn(text, "_-. ");
    return !*code && !*text;
}

// A specific text or a specific code states what failed; a page never does.
static enum verdict_class class_of_failure(const struct state *state)
{
    const struct envelope *envelope = state->envelope;
    bool coded = !lexicon_code_is_generic(envelope->code, status_of(state));
    bool unreadable = envelope->kind == ENVELOPE_HTML || envelope->kind == ENVELOPE_BROKEN;
    if (unreadable && !envelope->told)
        return VERDICT_CLASS_CRYPTIC;
    switch (lexicon_weigh(envelope->message)) {
    case LEXICON_SPECIFIC:
        return VERDICT_CLASS_ERROR_CODE;
    case LEXICON_EMPTY:
    case LEXICON_STATUS:
        return coded ? VERDICT_CLASS_ERROR_CODE : VERDICT_CLASS_CRYPTIC;
    case LEXICON_GENERIC:
        return coded && repeats_code(envelope) ? VERDICT_CLASS_ERROR_CODE : VERDICT_CLASS_CRYPTIC;
    }
    return VERDICT_CLASS_CRYPTIC;
}

// The cut body: what was read may still say why; else the cut is what failed.
static bool judge_cut(struct state *state)
{
    enum transfer_outcome outcome = state->response->outcome;
    if (outcome == TRANSFER_ANSWERED)
        return false;
    if (outcome == TRANSFER_GARBLED) {
        say(state->verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_SERVER_FAULT, "hosting",
            LEXICON_CUT);
    } else {
        if (state->response->status >= 400 || state->envelope->failure ||
            (state->input->expectations_given && !state->input->failed_expectation))
            return false;
        say(state->verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT, "integrator",
            LEXICON_TOO_LARGE);
    }
    state->verdict->message = g_strdup(state->response->problem);
    return true;
}

// A lone text with a good status, where nothing else judges it.
static bool judge_suspect(struct state *state, const struct lexicon *lexicon)
{
    const struct envelope *envelope = state->envelope;
    if (!envelope->suspect || state->input->expectations_given || !state->input->data_due ||
        !lexicon_tells_failure(lexicon, envelope->message))
        return false;
    take_envelope(state, class_of_failure(state));
    return true;
}

// False and nothing else, where the flow did not say that it wants it.
static bool judge_refusal(struct state *state)
{
    if (!state->envelope->refusal ||
        (state->input->expectations_given && !state->input->failed_expectation))
        return false;
    state->verdict->class = VERDICT_CLASS_CRYPTIC;
    return true;
}

static bool judge_envelope(struct state *state)
{
    int status = state->response->status;
    // A step that expects an error status and got it has what it wants.
    bool wanted = state->input->status_expected && status >= 400;
    if (!state->envelope->failure || wanted)
        return false;
    take_envelope(state, class_of_failure(state));
    return true;
}

// True where the header says that data came.
static bool announced(const struct state *state)
{
    const char *type = transfer_headers_find(state->response->headers, "Content-Type");
    g_autofree char *lower = type ? g_ascii_strdown(type, -1) : NULL;
    return lower && (strstr(lower, "json") || strstr(lower, "xml"));
}

static bool is_wrong_page(const struct state *state, bool due)
{
    const struct envelope *envelope = state->envelope;
    if (envelope->kind != ENVELOPE_HTML)
        return false;
    // the right shape, where a page was due: what stands in it is not what was expected
    return envelope->login || (due && !state->input->page_due);
}

static bool is_no_data(const struct state *state)
{
    enum envelope_kind kind = state->envelope->kind;
    return kind == ENVELOPE_BROKEN || (kind == ENVELOPE_XML && state->input->xml_broken) ||
           (kind == ENVELOPE_TEXT && announced(state));
}

static bool is_silence(const struct state *state, bool due)
{
    return state->envelope->kind == ENVELOPE_EMPTY && state->response->status == 200 &&
           (state->input->failed_expectation || (due && announced(state)));
}

// A page, nothing, or something unreadable, where data was due.
static bool judge_shape(struct state *state)
{
    const struct envelope *envelope = state->envelope;
    bool due = state->input->data_due || state->input->failed_expectation;
    enum lexicon_explanation explanation;
    if (state->response->status >= 300 && state->response->status < 400)
        return false; // the page of a redirect is read by nobody
    if (is_wrong_page(state, due))
        explanation = LEXICON_PAGE;
    else if (is_no_data(state))
        explanation = LEXICON_NOT_DATA;
    else if (is_silence(state, due))
        explanation = LEXICON_NO_BODY;
    else
        return false;
    if (envelope->login)
        say(state->verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_AUTH, "client", explanation);
    else if (envelope->protection)
        say(state->verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_PERMISSION, "hosting",
            LEXICON_PROTECTED);
    else
        say(state->verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT, "integrator",
            explanation);
    state->verdict->message = g_strdup(envelope->message);
    state->verdict->code = g_strdup(envelope->code);
    return true;
}

static bool judge_status(struct state *state)
{
    int status = state->response->status;
    const struct classify_input *input = state->input;
    if (input->status_expected || status == 0 || (status >= 200 && status < 300))
        return false;
    // Expectations that hold decide over the status, unless the server says that
    // it failed, or the body is an error page or silence.
    bool answered = state->envelope->kind == ENVELOPE_JSON || state->envelope->kind == ENVELOPE_XML;
    if (input->expectations_given && !input->failed_expectation &&
        (status < 400 || (status < 500 && answered)))
        return false;
    if (status >= 400) {
        take_envelope(state, class_of_failure(state));
        return true;
    }
    say(state->verdict, VERDICT_CLASS_UNEXPECTED, VERDICT_CAUSE_CONTRACT, "integrator",
        LEXICON_EXPECTATION);
    if (!input->failed_expectation)
        state->verdict->failed_expectation = g_strdup_printf("status is 2xx: was %d", status);
    return true;
}

static void judge_expectation(struct state *state)
{
    say(state->verdict, VERDICT_CLASS_UNEXPECTED, VERDICT_CAUSE_CONTRACT, "integrator",
        LEXICON_EXPECTATION);
}

static void judge_answer(struct state *state, const struct lexicon *lexicon)
{
    const struct classify_input *input = state->input;
    bool plain = state->response->status < 400 || input->status_expected;
    if (judge_cut(state) || judge_envelope(state) || judge_refusal(state))
        return;
    if (input->failed_expectation && plain) {
        if (!judge_shape(state))
            judge_expectation(state);
        return;
    }
    if (judge_status(state) || input->expectations_given)
        return;
    if (!judge_suspect(state, lexicon))
        judge_shape(state);
}

static void add_correlation(struct state *state)
{
    cJSON *ids = state->verdict->correlation;
    correlation_add_headers(ids, state->response->headers);
    if (!state->envelope || state->verdict->class == VERDICT_CLASS_OK)
        return;
    for (cJSON *id = state->envelope->ids->child; id; id = id->next)
        if (!json_member(ids, id->string))
            json_add_text(ids, id->string, cJSON_GetStringValue(id));
    correlation_add_text(ids, state->verdict->message);
    correlation_add_text(ids, state->envelope->context);
}

// Nearly every answer: its expectations hold, where there are any, and its document admits
// no failure. All that envelope_read would find besides is asked for by failures only.
static bool is_plainly_good(const struct state *state)
{
    const struct classify_input *input = state->input;
    int status = state->response->status;
    if (state->response->outcome != TRANSFER_ANSWERED || status < 200 || status >= 300 ||
        input->failed_expectation || !input->document)
        return false;
    return input->expectations_given ? !envelope_says_failure(input->document, input->pack)
                                     : envelope_is_clear(input->document, input->pack);
}

// A page says nothing, but the handshake before it does: who is refused by the
// transport's own authentication is refused for that.
static void judge_refused(struct state *state)
{
    struct verdict *verdict = state->verdict;
    if (!state->response->refused || verdict->class != VERDICT_CLASS_CRYPTIC)
        return;
    g_clear_pointer(&verdict->explanation, g_free);
    g_clear_pointer(&verdict->act, g_free);
    g_free(verdict->message);
    verdict->class = VERDICT_CLASS_ERROR_CODE;
    verdict->cause = VERDICT_CAUSE_AUTH; // the lexicon says the rest
    verdict->message = g_strdup(state->response->refused);
}

static void judge(struct state *state, const struct lexicon *lexicon)
{
    switch (state->response->outcome) {
    case TRANSFER_TIMEOUT:
        judge_failed_transport(state, VERDICT_CLASS_TIMEOUT);
        return;
    case TRANSFER_UNREACHABLE:
        judge_failed_transport(state, VERDICT_CLASS_UNREACHABLE);
        return;
    case TRANSFER_OUR_FAULT:
    case TRANSFER_CANCELLED:
        judge_own_fault(state);
        return;
    case TRANSFER_ANSWERED:
    case TRANSFER_GARBLED:
    case TRANSFER_TOO_LARGE:
        break;
    }
    if (is_plainly_good(state))
        return;
    gsize length = 0;
    const char *body =
        state->response->body ? g_bytes_get_data(state->response->body, &length) : "";
    state->envelope = envelope_read(body ? body : "", length,
                                    transfer_headers_find(state->response->headers, "Content-Type"),
                                    state->input->document, state->input->pack);
    if (state->response->status >= 400 || state->envelope->failure)
        envelope_read_headers(state->envelope, state->response->headers, state->response->status);
    judge_answer(state, lexicon);
    judge_refused(state);
}

static void explain(const struct state *state, const struct lexicon *lexicon)
{
    const struct lexicon_answer answer = {
        .status = status_of(state),
        .context = state->envelope->context,
        .family = state->envelope->family,
        .pack = state->input->pack,
    };
    lexicon_apply_answer(lexicon, &answer, state->verdict);
}

struct verdict *classify(const struct classify_input *input, const struct lexicon *lexicon)
{
    struct verdict *verdict = verdict_new();
    struct state state = {.input = input, .response = input->response, .verdict = verdict};
    judge(&state, lexicon);
    // Who says what failed is not asked whether that was expected.
    if (input->failed_expectation && !verdict->failed_expectation &&
        verdict->class != VERDICT_CLASS_ERROR_CODE)
        verdict->failed_expectation = g_strdup(input->failed_expectation);
    if (state.envelope && !verdict->ours)
        explain(&state, lexicon);
    add_correlation(&state);
    envelope_free(state.envelope);
    return verdict;
}
