// SPDX-License-Identifier: MIT
// Captures, set, expectations, verdict: the fixed inner order of a step. Comes
// after call_run; used for steps, logins, lookups and undos alike.
#include "judge.h"

#include "../base/duration.h"
#include "capture.h"
#include "classify.h"
#include "expect.h"
#include "lexicon.h"

struct verdict *judge_our_fault(const char *message)
{
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_UNEXPECTED;
    verdict->cause = VERDICT_CAUSE_UNKNOWN;
    verdict->message = g_strdup(message);
    verdict->ours = true;
    return verdict;
}

struct verdict *judge_overdue(int64_t waited_ms)
{
    // to the nearest 0.1 s: a person reads it
    g_autofree char *span = duration_format((waited_ms + 50) / 100 * 100);
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_TIMEOUT;
    verdict->phase = VERDICT_PHASE_FIRST_BYTE;
    verdict->cause = VERDICT_CAUSE_NETWORK;
    verdict->message = g_strdup_printf("no answer within %s, then the flow's time was over", span);
    verdict->explanation = g_strdup(lexicon_explain(LEXICON_SLOW));
    verdict->act = g_strdup("hosting");
    return verdict;
}

struct verdict *judge_unsendable(const char *message)
{
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_UNEXPECTED;
    verdict->cause = VERDICT_CAUSE_CONTRACT;
    verdict->message = g_strdup(message);
    verdict->explanation = g_strdup("A value that this call needs cannot be sent as it is, so "
                                    "nothing was sent. It came from an earlier answer or from "
                                    "the configuration.");
    verdict->act = g_strdup("integrator");
    return verdict;
}

static void init_subject(struct subject *subject, const struct judge_input *input)
{
    subject_init_response(subject, input->response);
    subject->elapsed_ms = input->elapsed_ms;
}

// A failing expectation says more than a capture that failed for the same
// reason, so it is told first.
static enum expect_outcome judge_flow(const struct judge_input *input, struct subject *subject,
                                      char **failed)
{
    const struct call *call = input->call;
    g_autofree char *failed_capture = NULL;
    bool captured = capture_take(call->captures, subject, input->values, input->url, input->now,
                                 &failed_capture) &&
                    capture_set(call->set, input->values, input->now, &failed_capture);
    enum expect_outcome outcome =
        expect_judge(call->expect, subject, input->values, input->now, failed);
    if (outcome != EXPECT_HOLDS || captured)
        return outcome;
    *failed = g_steal_pointer(&failed_capture);
    return EXPECT_FAILS;
}

// Who sends data gets data.
static bool is_data_due(const struct call *call)
{
    return call->body_kind == CALL_BODY_JSON || call->body_kind == CALL_BODY_XML ||
           call->body_kind == CALL_BODY_SOAP;
}

// A redirect that led nowhere is what failed, unless the answer was wanted as it is.
static struct verdict *judge_unfollowed(const char *why)
{
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_UNEXPECTED;
    verdict->cause = VERDICT_CAUSE_CONTRACT;
    verdict->message = g_strdup(why);
    verdict->explanation = g_strdup("The answer sends the caller on, to where this call does not "
                                    "go: nothing was sent there.");
    verdict->act = g_strdup("erp-partner");
    return verdict;
}

static struct verdict *tell_redirects(struct verdict *verdict, const struct judge_input *input)
{
    if (verdict->class == VERDICT_CLASS_OK || verdict->ours)
        return verdict;
    if (input->unfollowed) {
        struct verdict *redirect = judge_unfollowed(input->unfollowed);
        cJSON_Delete(redirect->correlation);
        redirect->correlation = g_steal_pointer(&verdict->correlation);
        verdict_free(verdict);
        return redirect;
    }
    if (input->became_get) {
        g_autofree char *former = verdict->message;
        verdict->message = g_strdup_printf("%s%sa redirect turned the POST into a GET",
                                           former ? former : "", former ? "; " : "");
    }
    return verdict;
}

struct verdict *judge(const struct judge_input *input)
{
    const struct transfer_response *response = input->response;
    struct classify_input facts = {
        .response = response,
        .timeout_ms = input->timeout_ms,
        .pack = input->pack,
    };
    if (response->outcome != TRANSFER_ANSWERED)
        return classify(&facts, lexicon_common());
    struct subject subject;
    init_subject(&subject, input);
    g_autofree char *failed = NULL;
    enum expect_outcome outcome = judge_flow(input, &subject, &failed);
    struct verdict *verdict;
    if (outcome == EXPECT_OUR_FAULT) {
        verdict = judge_our_fault(failed);
    } else {
        facts.document = subject_document(&subject);
        facts.failed_expectation = failed;
        facts.page_due = expect_names_kind(input->call->expect, SELECTOR_HTML);
        facts.xml_broken = subject.xml.problem != NULL;
        facts.data_due = is_data_due(input->call);
        facts.expectations_given = expect_names_content(input->call->expect);
        facts.status_expected = !failed && expect_names_status(input->call->expect);
        verdict = classify(&facts, lexicon_common());
    }
    subject_clear(&subject);
    return tell_redirects(verdict, input);
}

bool judge_holds(const GPtrArray *expectations, const struct judge_input *input)
{
    if (expectations->len == 0 || input->response->outcome != TRANSFER_ANSWERED)
        return false;
    struct subject subject;
    init_subject(&subject, input);
    g_autofree char *failed = NULL;
    bool holds =
        expect_judge(expectations, &subject, input->values, input->now, &failed) == EXPECT_HOLDS;
    subject_clear(&subject);
    return holds;
}
