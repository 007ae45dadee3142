// SPDX-License-Identifier: MIT
// Mails from facts: the same each time, the right subject for each kind, no way
// out of the body for what an ERP says. What a mail program makes of the bytes is
// checked by tests/e2e/test_mail_format.py.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../alerts/compose_html.h"
#include "../../alerts/compose_mail.h"
#include "../../alerts/compose_text.h"
#include "../../alerts/safe_text.h"
#include "../../alerts/tell.h"
#include "../../alerts/view_notice.h"
#include "sample_facts.h"

static const char *const hostile[] = {
    "x\r\nBcc: evil@attacker.example\r\n\r\nbody",
    "\xff\xfe bad \xc3 bytes \x80",
    "</td><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\xe2\x80\xae gnp.exe \xe2\x81\xa6 turned \xd8\x9c",
    "\x1b[31mred\x07\x7f",
    "\r\n.\r\nQUIT\r\n",
    "",
};

static char *subject_of(const cJSON *facts)
{
    struct tell tell;

    tell_init(&tell, facts);
    return tell_subject(&tell);
}

static char *html_of(const cJSON *facts)
{
    g_autoptr(view_t) view = NULL;
    struct tell tell;

    tell_init(&tell, facts);
    view = view_notice(&tell);
    return compose_html(view);
}

static char *text_of(const cJSON *facts)
{
    g_autoptr(view_t) view = NULL;
    struct tell tell;

    tell_init(&tell, facts);
    view = view_notice(&tell);
    return compose_text(view);
}

static char *mail_text(const cJSON *facts)
{
    g_autoptr(GBytes) mail = compose_mail(facts, NULL);
    gsize length = 0;
    const char *bytes;

    assert_non_null(mail);
    bytes = g_bytes_get_data(mail, &length);
    assert_null(memchr(bytes, '\0', length));
    return g_strndup(bytes, length);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in: %.2000s", part, text);
}

static void subjects_are_as_the_design_has_them(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *opened = subject_of(facts);
    g_autofree char *recovered = NULL;

    (void)state;
    assert_string_equal(opened, "[P1] Acme: Submit an order fails: POST /salesOrders answered 400 "
                                "Application_DialogException");
    sample_set(facts, "kind", "recovered");
    cJSON_DeleteItemFromObjectCaseSensitive(facts, "duration_ms");
    json_add_integer(facts, "duration_ms", 2532000);
    recovered = subject_of(facts);
    assert_string_equal(recovered, "[P1] Acme: Submit an order works again after 42 min");
}

static void each_kind_has_its_subject_in_each_language(void **state)
{
    static const struct {
        const char *kind, *texts[4];
    } expected[] = {
        {"changed",
         {"[P1] Acme: Submit an order still fails, now differently: POST",
          "[P1] Acme: Submit an order werkt nog steeds niet, nu anders: POST",
          "[P1] Acme\u00a0: Submit an order ne fonctionne toujours pas, autre erreur\u00a0: POST",
          "[P1] Acme: Submit an order funktioniert weiterhin nicht, jetzt mit anderem Fehler: "}},
        {"acknowledged",
         {"[P1] Acme: Jan takes care of it: Submit an order",
          "[P1] Acme: Jan pakt het op: Submit an order",
          "[P1] Acme\u00a0: Jan s'en occupe\u00a0: Submit an order",
          "[P1] Acme: Jan kümmert sich darum: Submit an order"}},
        {"recovered",
         {"[P1] Acme: Submit an order works again after 21 s",
          "[P1] Acme: Submit an order werkt weer na 21 s",
          "[P1] Acme\u00a0: Submit an order fonctionne de nouveau après 21 s",
          "[P1] Acme: Submit an order funktioniert wieder nach 21 s"}},
        {"withdrawn",
         {"[P1] Acme: Submit an order is no longer watched",
          "[P1] Acme: Submit an order wordt niet meer bewaakt",
          "[P1] Acme\u00a0: Submit an order n'est plus surveillé",
          "[P1] Acme: Submit an order wird nicht mehr überwacht"}},
        {"test",
         {"[test] [P1] Acme: Submit an order fails: POST",
          "[test] [P1] Acme: Submit an order werkt niet: POST",
          "[test] [P1] Acme\u00a0: Submit an order ne fonctionne pas\u00a0: POST",
          "[test] [P1] Acme: Submit an order funktioniert nicht: POST"}},
    };
    static const char *const languages[] = {"en", "nl", "fr", "de"};
    g_autoptr(cJSON) facts = sample_facts();

    (void)state;
    sample_set(facts, "by", "Jan");
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        sample_set(facts, "kind", expected[i].kind);
        for (gsize j = 0; j < G_N_ELEMENTS(languages); j++) {
            g_autofree char *subject = NULL;
            sample_set(sample_member_of(facts, "contact"), "language", languages[j]);
            subject = subject_of(facts);
            if (!g_str_has_prefix(subject, expected[i].texts[j]))
                fail_msg("\"%s\" begins \"%s\"", expected[i].texts[j], subject);
        }
    }
}

static void one_subject_goes_through_an_incident_where_that_is_asked(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *opened = NULL, *recovered = NULL;

    (void)state;
    sample_set(sample_member_of(facts, "thread"), "mode", "subject");
    opened = subject_of(facts);
    sample_set(facts, "kind", "recovered");
    cJSON_DeleteItemFromObjectCaseSensitive(facts, "result");
    recovered = subject_of(facts);
    assert_string_equal(opened, recovered);
    assert_contains(opened, "Acme");
}

static void classes_are_told_in_words(void **state)
{
    static const struct {
        const char *class, *phase, *expected;
    } cases[] = {
        {"timeout", "dns", ": erp.acme.example: the name was not found in time"},
        {"timeout", "first_byte", ": POST /salesOrders did not answer in time"},
        {"unreachable", "tls", ": erp.acme.example gives no valid TLS connection"},
        {"unreachable", "connect", ": erp.acme.example takes no connection"},
        {"unexpected", NULL, "answered 400, not as expected: $.status equals Draft: was Open"},
        {"cryptic", NULL, ": POST /salesOrders answered 400: Internal error"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) facts = sample_facts();
        cJSON *verdict = sample_member_of(sample_step(facts), "verdict");
        g_autofree char *subject = NULL;
        sample_set(verdict, "class", cases[i].class);
        if (cases[i].phase != NULL)
            sample_set(verdict, "phase", cases[i].phase);
        sample_set(verdict, "failed_expectation", "$.status equals Draft: was Open");
        sample_set(verdict, "message", "Internal error");
        cJSON_DeleteItemFromObjectCaseSensitive(verdict, "code");
        subject = subject_of(facts);
        assert_contains(subject, cases[i].expected);
    }
}

static void a_call_is_told_by_the_end_of_its_path(void **state)
{
    static const struct {
        const char *url, *expected;
    } cases[] = {
        {"https://erp.example", "POST / answered"},
        {"https://erp.example/", "POST / answered"},
        {"https://erp.example/rest/V1/orders/123?x=/secret", "POST /orders/123 answered"},
        {"https://erp.example/b1s/v1/Orders(4711)", "POST /Orders(4711) answered"},
        {"https://erp.example/a(3f1d6c1a-8b0e-ec11-bb7d-000d3a2a6f3c)/", "POST /a(…) answered"},
        {"no url at all", "POST / answered"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) facts = sample_facts();
        g_autofree char *subject = NULL;
        sample_set(sample_member_of(sample_step(facts), "request"), "url", cases[i].url);
        subject = subject_of(facts);
        assert_contains(subject, cases[i].expected);
    }
}

static void the_technical_body_is_in_the_order_of_the_design(void **state)
{
    static const char *const order[] = {
        "The call that failed",
        "POST https://erp.acme.example",
        "What came back",
        "Application_DialogException",
        "The answer, as it came",
        "{\"error\":{\"code\"",
        "-- When --",
        "10:30:05 CET (09:30:05 UTC)",
        "Last success",
        "error code, validation",
        "Who can act",
        "create customer",
        "The request, as sent",
        "Authorization: ***",
        "curl ",
        "request-id",
        "Time by phase",
        "last good run: 240 ms",
        "Against the last good",
        "missing: $.number (string)",
    };
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *text = text_of(facts);
    const char *at = text;

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        const char *found = strstr(at, order[i]);
        if (found == NULL)
            fail_msg("\"%s\" does not follow in: %s", order[i], at);
        at = found;
    }
}

static void the_business_body_is_in_the_order_of_the_design(void **state)
{
    static const char *const order[] = {
        "Werkt niet  ",
        "Submit an order (Acme Business Central)",
        "Sinds ",
        "za 21 nov 2026, 10:30:05 CET (09:30:05 UTC)",
        "Gevolg ",
        "Orders are sold but not processed.",
        "Wie bericht kreeg",
        "Acme, ERP Partner",
        "Hoe het verder gaat",
        "ERP Partner (de ERP-partner) kan dit herstellen",
        "Technische details",
        "You must specify Salesperson Code",
    };
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *text = NULL;
    const char *at;

    (void)state;
    sample_set(sample_member_of(facts, "contact"), "style", "business");
    sample_set(sample_member_of(facts, "contact"), "language", "nl");
    text = text_of(facts);
    at = text;
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        const char *found = strstr(at, order[i]);
        if (found == NULL)
            fail_msg("\"%s\" does not follow in: %s", order[i], at);
        at = found;
    }
}

static void a_recovery_says_how_long_and_what_is_not_known(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *text = NULL, *wrapped = NULL;

    (void)state;
    sample_set(facts, "kind", "recovered");
    sample_set(facts, "at", "2026-11-21T10:12:17Z");
    wrapped = text_of(facts);
    text = safe_text_line(wrapped, 10000);
    assert_contains(text, "2 runs failed");
    assert_contains(text, "between Sat 21 Nov, 10:30 and Sat 21 Nov, 11:12");
}

static void the_same_facts_give_the_same_bytes(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *first = mail_text(facts);
    g_autofree char *second = mail_text(facts);

    (void)state;
    assert_string_equal(first, second);
    assert_contains(first, "Date: Sat, 21 Nov 2026 09:30:26 +0000\r\n");
    assert_contains(first, "<4D0X9K7Q2M8Z5T1B6N3RVCWHYE@agency.example>\r\n");
}

// Header names as they stand in the mail, in order.
static char *header_names(const char *mail)
{
    g_autofree char *head = g_strndup(mail, (gsize)(strstr(mail, "\r\n\r\n") - mail));
    g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
    GString *names = g_string_new(NULL);

    for (char **line = lines; *line != NULL; line++) {
        if (**line != ' ' && **line != '\t')
            g_string_append_len(names, *line, (gssize)strcspn(*line, ":") + 1);
    }
    return g_string_free(names, FALSE);
}

static void assert_good_lines(const char *mail)
{
    gsize length = 0;

    for (const char *c = mail; *c != '\0'; c++) {
        if (*c == '\n')
            fail_msg("a bare line feed in: %.200s", c > mail + 80 ? c - 80 : mail);
        if (*c == '\r') {
            assert_int_equal(c[1], '\n');
            c++;
            length = 0;
        } else {
            assert_true(++length <= 998);
        }
        assert_true((unsigned char)*c < 0x80);
    }
}

static void hostile_texts_change_no_header(void **state)
{
    g_autoptr(cJSON) plain = sample_facts();
    g_autofree char *plain_mail = mail_text(plain);
    g_autofree char *expected = header_names(plain_mail);

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autoptr(cJSON) facts = sample_facts();
        g_autofree char *mail = NULL, *names = NULL;
        sample_spoil(facts, hostile[i]);
        mail = mail_text(facts);
        names = header_names(mail);
        if (*hostile[i] != '\0')
            assert_string_equal(names, expected);
        assert_good_lines(mail);
    }
}

static void hostile_texts_show_as_text(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autoptr(cJSON) facts = sample_facts();
        g_autofree char *html = NULL, *text = NULL;
        sample_spoil(facts, hostile[i]);
        html = html_of(facts);
        text = text_of(facts);
        assert_true(g_utf8_validate(html, -1, NULL));
        assert_true(g_utf8_validate(text, -1, NULL));
        assert_null(strstr(html, "<script"));
        assert_null(strstr(html, "<img"));
        assert_null(strstr(html, "\xe2\x80\xae"));
        assert_null(strstr(text, "\xe2\x80\xae"));
        assert_null(strpbrk(text, "\x1b\x07\x7f\r"));
    }
}

static void a_huge_text_makes_no_huge_mail(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *huge = g_strnfill(1024 * 1024, 'A');
    g_autofree char *mail = NULL;

    (void)state;
    sample_spoil(facts, huge);
    mail = mail_text(facts);
    assert_true(strlen(mail) <= COMPOSE_MAIL_MAX_BYTES);
    assert_good_lines(mail);
}

static void a_bare_mail_has_no_attachment_and_does_not_speak_of_one(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(GBytes) bare = compose_mail_bare(facts, NULL);
    g_autofree char *whole = mail_text(facts);
    g_autofree char *text = NULL;
    gsize length = 0;
    const char *bytes = g_bytes_get_data(bare, &length);

    (void)state;
    text = g_strndup(bytes, length);
    assert_contains(whole, "exchange.har");
    assert_null(strstr(text, "exchange.har"));
}

static void what_cannot_be_mailed_is_refused(void **state)
{
    static const struct {
        const char *member, *key, *value;
    } cases[] = {
        {NULL, "notice", "x>\r\nBcc: evil@x"},
        {NULL, "domain", ""},
        {NULL, "at", "yesterday"},
        {NULL, "from", "nobody"},
        {"thread", "root", "a@b>\r\nBcc: evil@x"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) facts = sample_facts();
        g_autoptr(GError) error = NULL;
        cJSON *object = cases[i].member ? sample_member_of(facts, cases[i].member) : facts;
        sample_set(object, cases[i].key, cases[i].value);
        assert_null(compose_mail(facts, &error));
        assert_non_null(error);
    }
}

static void bad_recipients_are_left_out_and_none_is_an_error(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(GError) error = NULL;
    g_autofree char *mail = NULL;
    cJSON *email = sample_member_of(sample_member_of(facts, "contact"), "email");

    (void)state;
    cJSON_AddItemToArray(email, cJSON_CreateString("a@b>\r\nRCPT TO:<evil@c"));
    mail = mail_text(facts);
    assert_null(strstr(mail, "evil"));
    cJSON_DeleteItemFromArray(email, 0);
    assert_null(compose_mail(facts, &error));
    assert_int_equal(error->code, COMPOSE_MAIL_ERROR_ADDRESS);
}

static void a_plain_notice_is_mailed_as_it_is(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *subject = NULL, *text = NULL;

    (void)state;
    cJSON_DeleteItemFromObjectCaseSensitive(facts, "flows");
    cJSON_DeleteItemFromObjectCaseSensitive(facts, "result");
    sample_set(facts, "kind", "debt");
    sample_set(facts, "subject", "A record is\r\nleft over");
    sample_set(facts, "text", "Delete order 1.\nIt is in the way.");
    subject = subject_of(facts);
    text = text_of(facts);
    assert_string_equal(subject, "[erpwatch] A record is left over");
    assert_contains(text, "Delete order 1.\nIt is in the way.");
}

static void facts_with_nothing_in_them_crash_nothing(void **state)
{
    g_autoptr(cJSON) facts = cJSON_CreateObject();
    g_autofree char *subject = subject_of(facts);
    g_autofree char *html = html_of(facts);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_non_null(subject);
    assert_non_null(html);
    assert_null(compose_mail(facts, &error));
    assert_int_equal(error->code, COMPOSE_MAIL_ERROR_FACTS);
}

static void a_clean_line_is_one_line_of_known_length(void **state)
{
    g_autofree char *line = safe_text_line(" a\r\n\tb  c ", 100);
    g_autofree char *cut = safe_text_line("äöüß und mehr", 4);
    gboolean is_cut = FALSE;
    g_autofree char *block = safe_text_block("a\r\nb\rc\xe2\x80\xa8"
                                             "d\x01",
                                             100, &is_cut);

    (void)state;
    assert_string_equal(line, "a b c");
    assert_string_equal(cut, "äöüß…");
    assert_string_equal(block, "a\nb\nc\nd\xef\xbf\xbd");
    assert_false(is_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_are_as_the_design_has_them),
        cmocka_unit_test(each_kind_has_its_subject_in_each_language),
        cmocka_unit_test(one_subject_goes_through_an_incident_where_that_is_asked),
        cmocka_unit_test(classes_are_told_in_words),
        cmocka_unit_test(a_call_is_told_by_the_end_of_its_path),
        cmocka_unit_test(the_technical_body_is_in_the_order_of_the_design),
        cmocka_unit_test(the_business_body_is_in_the_order_of_the_design),
        cmocka_unit_test(a_recovery_says_how_long_and_what_is_not_known),
        cmocka_unit_test(the_same_facts_give_the_same_bytes),
        cmocka_unit_test(hostile_texts_change_no_header),
        cmocka_unit_test(hostile_texts_show_as_text),
        cmocka_unit_test(a_huge_text_makes_no_huge_mail),
        cmocka_unit_test(a_bare_mail_has_no_attachment_and_does_not_speak_of_one),
        cmocka_unit_test(what_cannot_be_mailed_is_refused),
        cmocka_unit_test(bad_recipients_are_left_out_and_none_is_an_error),
        cmocka_unit_test(a_plain_notice_is_mailed_as_it_is),
        cmocka_unit_test(facts_with_nothing_in_them_crash_nothing),
        cmocka_unit_test(a_clean_line_is_one_line_of_known_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
