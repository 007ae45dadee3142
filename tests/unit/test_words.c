// SPDX-License-Identifier: MIT
// Sentences, spans and moments in the reader's language, without any locale of
// the machine; and words for each class and cause that a verdict can have.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../alerts/tell_failure.h"
#include "../../alerts/words.h"
#include "../../probes/verdict.h"

#include <stdlib.h>
#include <string.h>

static void texts_are_translated_whatever_the_locale(void **state)
{
    (void)state;
    setenv("LC_ALL", "C", 1);
    setenv("LANGUAGE", "fr", 1);
    assert_string_equal(words_get(words_for("nl"), "Since"), "Sinds");
    assert_string_equal(words_get(words_for("en"), "Since"), "Since");
    assert_string_equal(words_get(words_for("xx"), "Since"), "Since");
    assert_string_equal(words_get(words_for(NULL), "Since"), "Since");
    assert_string_equal(words_get(words_for("nl"), "of no catalogue"), "of no catalogue");
    assert_string_equal(words_get(words_for("fr"), "Since"), "Depuis");
    assert_string_equal(words_get(words_for("de"), "Since"), "Seit");
    assert_true(words_has_language("nl") && words_has_language("en"));
    assert_true(words_has_language("fr") && words_has_language("de"));
    assert_false(words_has_language("xx"));
}

static void a_value_is_never_read_as_a_template(void **state)
{
    g_autofree char *text = words_fill(words_for("en"), "{flows} fails {unknown} {", "flows",
                                       "{flows} %s {by}", "by", "nobody", NULL);

    (void)state;
    assert_string_equal(text, "{flows} %s {by} fails {unknown} {");
}

static void numbers_choose_their_form(void **state)
{
    g_autofree char *none = words_count(words_for("nl"), "{n} run", "{n} runs", 0);
    g_autofree char *one = words_count(words_for("nl"), "{n} run", "{n} runs", 1);
    g_autofree char *many = words_count(words_for("en"), "{n} run", "{n} runs", 7);

    (void)state;
    assert_string_equal(none, "0 runs");
    assert_string_equal(one, "1 run");
    assert_string_equal(many, "7 runs");
}

static void french_counts_nothing_as_one(void **state)
{
    static const struct {
        const char *language;
        gint64 n;
        const char *expected;
    } cases[] = {
        {"fr", 0, "0 exécution a échoué"},       {"fr", 1, "1 exécution a échoué"},
        {"fr", 2, "2 exécutions ont échoué"},    {"de", 0, "0 Durchläufe fehlgeschlagen"},
        {"de", 1, "1 Durchlauf fehlgeschlagen"}, {"en", 0, "0 runs failed"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = words_count(words_for(cases[i].language), "{n} run failed",
                                            "{n} runs failed", cases[i].n);
        assert_string_equal(text, cases[i].expected);
    }
}

static void spans_are_rounded_as_people_say_them(void **state)
{
    static const struct {
        gint64 ms;
        const char *en, *nl, *fr, *de;
    } cases[] = {
        {0, "0 s", "0 s", "0 s", "0 s"},
        {59499, "59 s", "59 s", "59 s", "59 s"},
        {2532000, "42 min", "42 min", "42 min", "42 Min."},
        {3600000, "1 h 0 min", "1 u 0 min", "1 h 0 min", "1 Std. 0 Min."},
        {90000000, "1 d 1 h", "1 d 1 u", "1 j 1 h", "1 Tg. 1 Std."},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *en = words_duration(words_for("en"), cases[i].ms);
        g_autofree char *nl = words_duration(words_for("nl"), cases[i].ms);
        assert_string_equal(en, cases[i].en);
        g_autofree char *fr = words_duration(words_for("fr"), cases[i].ms);
        g_autofree char *de = words_duration(words_for("de"), cases[i].ms);
        assert_string_equal(nl, cases[i].nl);
        assert_string_equal(fr, cases[i].fr);
        assert_string_equal(de, cases[i].de);
    }
}

static void moments_are_in_the_readers_zone_and_in_utc(void **state)
{
    static const struct {
        const char *time, *zone, *local, *utc;
    } cases[] = {
        {"2026-11-21T09:30:05.120Z", "Europe/Brussels", "Sat 21 Nov 2026, 10:30:05 CET",
         "09:30:05 UTC"},
        {"2026-07-01T22:30:05Z", "Europe/Brussels", "Thu 2 Jul 2026, 00:30:05 CEST",
         "Wed 1 Jul, 22:30:05 UTC"},
        {"2026-11-21T09:30:05Z", "UTC", "Sat 21 Nov 2026, 09:30:05 UTC", NULL},
        {"2026-11-21T09:30:05Z", "No/Such", "Sat 21 Nov 2026, 09:30:05 UTC", NULL},
        {"2026-11-21T09:30:05Z", NULL, "Sat 21 Nov 2026, 09:30:05 UTC", NULL},
        {"yesterday", "UTC", NULL, NULL},
        {NULL, "UTC", NULL, NULL},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *utc = NULL;
        g_autofree char *local = words_time(words_for("en"), cases[i].time, cases[i].zone, &utc);
        assert_int_equal(g_strcmp0(local, cases[i].local), 0);
        assert_int_equal(g_strcmp0(utc, cases[i].utc), 0);
    }
}

static void dates_are_written_as_the_language_writes_them(void **state)
{
    static const struct {
        const char *language, *time, *local, *brief;
    } cases[] = {
        {"fr", "2026-08-01T08:05:00Z", "sam. 1er août 2026, 10:05:00 CEST", "sam. 1er août, 10:05"},
        {"fr", "2026-02-02T08:05:00Z", "lun. 2 févr. 2026, 09:05:00 CET", "lun. 2 févr., 09:05"},
        {"de", "2026-03-01T08:05:00Z", "So., 1. März 2026, 09:05:00 CET", "So., 1. März, 09:05"},
        {"nl", "2026-03-01T08:05:00Z", "zo 1 mrt 2026, 09:05:00 CET", "zo 1 mrt, 09:05"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct words *words = words_for(cases[i].language);
        g_autofree char *local = words_time(words, cases[i].time, "Europe/Brussels", NULL);
        g_autofree char *brief = words_short_time(words, cases[i].time, "Europe/Brussels");
        assert_string_equal(local, cases[i].local);
        assert_string_equal(brief, cases[i].brief);
    }
}

static void each_class_and_cause_of_a_verdict_has_its_words(void **state)
{
    (void)state;
    for (int class = 0; verdict_class_word((enum verdict_class) class) != NULL; class ++) {
        for (int cause = 1; verdict_cause_word((enum verdict_cause)cause) != NULL; cause++) {
            g_autoptr(cJSON) verdict = cJSON_CreateObject();
            g_autofree char *text = NULL;
            json_add_text(verdict, "class", verdict_class_word((enum verdict_class) class));
            json_add_text(verdict, "cause", verdict_cause_word((enum verdict_cause)cause));
            text = tell_class(words_for("nl"), verdict);
            assert_true(strlen(text) > 5 && strstr(text, ", ") != NULL);
            assert_int_not_equal(*text, ',');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_translated_whatever_the_locale),
        cmocka_unit_test(a_value_is_never_read_as_a_template),
        cmocka_unit_test(numbers_choose_their_form),
        cmocka_unit_test(french_counts_nothing_as_one),
        cmocka_unit_test(spans_are_rounded_as_people_say_them),
        cmocka_unit_test(dates_are_written_as_the_language_writes_them),
        cmocka_unit_test(moments_are_in_the_readers_zone_and_in_utc),
        cmocka_unit_test(each_class_and_cause_of_a_verdict_has_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
