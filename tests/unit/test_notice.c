// SPDX-License-Identifier: MIT
// The facts of a notice: ids, thread, times, who can act, and what a contact
// may see of the evidence.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../alerts/facts.h"
#include "../../alerts/notice.h"
#include "sample_config.h"

#include <string.h>

static const char result_text[] =
    "{\"flow\":\"order\",\"steps\":["
    "{\"step\":\"log in\",\"state\":\"ok\",\"exchanges\":[]},"
    "{\"step\":\"submit\",\"state\":\"failed\",\"status\":400,"
    "\"request\":{\"method\":\"POST\",\"url\":\"https://erp.example/orders?who=jane\"},"
    "\"verdict\":{\"class\":\"error_code\",\"code\":\"E1\",\"message\":\"Jane is blocked\","
    "\"act\":\"erp-partner\",\"failed_expectation\":\"$.status equals Draft: was Jane\"},"
    "\"exchanges\":[{\"method\":\"POST\",\"request_body\":\"{\\\"ref\\\":\\\"ERPW-1\\\"}\","
    "\"response_headers\":[[\"Content-Type\",\"application/json\"],[\"X-Who\",\"Jane\"]],"
    "\"response_body\":\"{\\\"error\\\":{\\\"message\\\":{\\\"value\\\":\\\"bad\\\"},"
    "\\\"customer\\\":\\\"Jane\\\"},\\\"name\\\":\\\"Jane\\\",\\\"age\\\":41,"
    "\\\"ref\\\":\\\"ERPW-1\\\",\\\"tags\\\":[\\\"Jane\\\"]}\"}]}],"
    "\"last_good\":{\"steps\":[{\"step\":\"submit\",\"status\":201,\"timing_ms\":{\"total\":9},"
    "\"exchanges\":[{\"response_body\":\"{\\\"name\\\":\\\"Jane\\\",\\\"n\\\":1}\"}]}]}}";

static struct notice *make(struct sample *sample, enum config_evidence evidence)
{
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);
    g_autoptr(cJSON) result = json_parse(result_text, strlen(result_text), NULL);

    assert_non_null(result);
    sample->partner.evidence = evidence;
    return notice_new(transition, &sample->config, &sample->partner, result);
}

static void ids_are_hashes_of_incident_kind_number_and_contact(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);
    g_autoptr(notice_t) first = NULL, again = NULL, other = NULL, later = NULL;

    (void)state;
    sample_init(&sample);
    first = notice_new(transition, &sample.config, &sample.partner, NULL);
    again = notice_new(transition, &sample.config, &sample.partner, NULL);
    other = notice_new(transition, &sample.config, &sample.client, NULL);
    transition->number = 2;
    later = notice_new(transition, &sample.config, &sample.partner, NULL);
    assert_string_equal(first->id, again->id);
    assert_string_not_equal(first->id, other->id);
    assert_string_not_equal(first->id, later->id);
    assert_true(strlen(first->id) == 26);
    assert_true(json_equal(first->facts, again->facts));
    sample_clear(&sample);
}

static void a_thread_hangs_on_the_opening_of_the_same_contact(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) opened = sample_transition(TRANSITION_OPENED);
    g_autoptr(transition_t) recovered = sample_transition(TRANSITION_RECOVERED);
    g_autoptr(notice_t) first = NULL, last = NULL, other = NULL;
    g_autofree char *root = NULL;

    (void)state;
    sample_init(&sample);
    first = notice_new(opened, &sample.config, &sample.partner, NULL);
    last = notice_new(recovered, &sample.config, &sample.partner, NULL);
    other = notice_new(recovered, &sample.config, &sample.client, NULL);
    root = g_strdup_printf("%s@agency.example", first->id);
    assert_string_equal(facts_text(first->facts, "thread", "root"), root);
    assert_string_equal(facts_text(last->facts, "thread", "root"), root);
    assert_string_not_equal(facts_text(other->facts, "thread", "root"), root);
    sample_clear(&sample);
}

static void facts_say_who_what_and_since_when(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;

    (void)state;
    sample_init(&sample);
    notice = make(&sample, CONFIG_EVIDENCE_FULL);
    assert_string_equal(json_text(notice->facts, "client"), "Acme");
    assert_string_equal(json_text(notice->facts, "at"), "2026-11-21T09:30:26.000Z");
    assert_string_equal(facts_text(notice->facts, "act", "contact"), "ERP Partner");
    assert_string_equal(json_text(notice->facts, "domain"), "agency.example");
    assert_int_equal(json_integer(notice->facts, "duration_ms", 0), 21000);
    assert_string_equal(json_text(facts_item(notice->facts, "flows", 0), "title"),
                        "Submit an order");
    assert_true(cJSON_IsNull(json_member(facts_item(notice->facts, "flows", 0), "last_good")));
    assert_true(cJSON_IsNull(json_member(notice->facts, "ended")));
    sample_clear(&sample);
}

static void the_highest_priority_of_the_flows_counts(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = transition_new(TRANSITION_OPENED, "I");
    g_autoptr(notice_t) quote = NULL, both = NULL;

    (void)state;
    sample_init(&sample);
    sample_member(transition, "quote", "2026-11-21T09:30:05Z");
    quote = notice_new(transition, &sample.config, &sample.partner, NULL);
    sample_member(transition, "order", "2026-11-21T09:30:05Z");
    both = notice_new(transition, &sample.config, &sample.partner, NULL);
    assert_int_equal(quote->priority, 2);
    assert_int_equal(both->priority, 1);
    sample_clear(&sample);
}

static void full_evidence_is_kept(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;
    const cJSON *step;

    (void)state;
    sample_init(&sample);
    notice = make(&sample, CONFIG_EVIDENCE_FULL);
    step = facts_decisive_step(json_member(notice->facts, "result"));
    assert_non_null(strstr(json_text(facts_last_exchange(step), "response_body"), "\"Jane\""));
    sample_clear(&sample);
}

static void a_shape_keeps_keys_errors_and_what_was_sent(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;
    const cJSON *step, *exchange;
    const char *body;

    (void)state;
    sample_init(&sample);
    notice = make(&sample, CONFIG_EVIDENCE_SHAPE);
    step = facts_decisive_step(json_member(notice->facts, "result"));
    exchange = facts_last_exchange(step);
    body = json_text(exchange, "response_body");
    assert_null(strstr(body, "Jane"));
    assert_null(strstr(body, "41"));
    assert_non_null(strstr(body, "\"bad\""));
    assert_non_null(strstr(body, "ERPW-1"));
    assert_non_null(strstr(body, "\"customer\""));
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetArrayItem(facts_item(exchange, "response_headers", 1), 1)),
        "string");
    sample_clear(&sample);
}

static void without_evidence_nothing_is_quoted(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;
    g_autofree char *text = NULL;

    (void)state;
    sample_init(&sample);
    notice = make(&sample, CONFIG_EVIDENCE_NONE);
    text = json_print(notice->facts, false);
    assert_null(strstr(text, "Jane"));
    assert_null(strstr(text, "jane"));
    assert_non_null(strstr(text, "E1"));
    sample_clear(&sample);
}

static void of_a_last_good_answer_only_the_shape_is_kept(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;
    g_autofree char *text = NULL;

    (void)state;
    sample_init(&sample);
    notice = make(&sample, CONFIG_EVIDENCE_FULL);
    text = json_print(json_member(json_member(notice->facts, "result"), "last_good"), false);
    assert_string_equal(text, "{\"steps\":[{\"step\":\"submit\",\"status\":201,\"timing_ms\":"
                              "{\"total\":9},\"shape\":{\"name\":\"string\",\"n\":\"number\"}}]}");
    sample_clear(&sample);
}

static void a_plain_notice_has_one_subject_and_one_text(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) one = NULL, two = NULL;
    struct clock_wall at = clock_wall_parse("2026-11-21T09:30:26Z");

    (void)state;
    sample_init(&sample);
    one = notice_new_plain("debt", &sample.config, &sample.agency, "Left over", "Order 1", at);
    two = notice_new_plain("debt", &sample.config, &sample.agency, "Left over", "Order 2", at);
    assert_string_equal(json_text(one->facts, "subject"), "Left over");
    assert_string_equal(one->kind, "debt");
    assert_string_not_equal(one->id, two->id);
    assert_non_null(one->incident);
    sample_clear(&sample);
}

static void a_strange_sender_leaves_no_strange_domain(void **state)
{
    struct sample sample;
    g_autoptr(notice_t) notice = NULL;

    (void)state;
    sample_init(&sample);
    g_free(sample.config.mail.from);
    sample.config.mail.from = g_strdup("x@agency.example>\r\nBcc: evil@x");
    notice = make(&sample, CONFIG_EVIDENCE_FULL);
    assert_null(strpbrk(json_text(notice->facts, "domain"), "\r\n> "));
    sample_clear(&sample);
}

static void kinds_and_their_words_are_one_to_one(void **state)
{
    (void)state;
    for (int kind = TRANSITION_OPENED; kind <= TRANSITION_WITHDRAWN; kind++)
        assert_int_equal(transition_kind_of(transition_kind_word(kind)), kind);
    assert_int_equal(transition_kind_of("none of them"), -1);
    assert_int_equal(transition_kind_of(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_hashes_of_incident_kind_number_and_contact),
        cmocka_unit_test(a_thread_hangs_on_the_opening_of_the_same_contact),
        cmocka_unit_test(facts_say_who_what_and_since_when),
        cmocka_unit_test(the_highest_priority_of_the_flows_counts),
        cmocka_unit_test(full_evidence_is_kept),
        cmocka_unit_test(a_shape_keeps_keys_errors_and_what_was_sent),
        cmocka_unit_test(without_evidence_nothing_is_quoted),
        cmocka_unit_test(of_a_last_good_answer_only_the_shape_is_kept),
        cmocka_unit_test(a_plain_notice_has_one_subject_and_one_text),
        cmocka_unit_test(a_strange_sender_leaves_no_strange_domain),
        cmocka_unit_test(kinds_and_their_words_are_one_to_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
