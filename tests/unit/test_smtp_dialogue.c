// SPDX-License-Identifier: MIT
// What is read out of an SMTP dialogue, however its bytes are cut.
#include "../../alerts/smtp_dialogue.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int set_up(void **state)
{
    struct smtp_dialogue *dialogue = g_new0(struct smtp_dialogue, 1);
    smtp_dialogue_init(dialogue);
    *state = dialogue;
    return 0;
}

static int tear_down(void **state)
{
    smtp_dialogue_clear(*state);
    g_free(*state);
    return 0;
}

static void sent(struct smtp_dialogue *dialogue, const char *text)
{
    smtp_dialogue_sent(dialogue, text, strlen(text));
}

static bool received(struct smtp_dialogue *dialogue, const char *text)
{
    return smtp_dialogue_received(dialogue, text, strlen(text));
}

static void stages_follow_the_commands(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_CONNECT);
    smtp_dialogue_connected(dialogue);
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_GREETING);
    assert_true(received(dialogue, "220 mail.example ESMTP\r\n"));
    assert_int_equal(dialogue->code, 220);
    sent(dialogue, "EHLO me\r\n");
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_EHLO);
    assert_int_equal(dialogue->code, 0);
    sent(dialogue, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"); // pipelined
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_DATA);
}

static void an_answer_may_come_in_pieces_and_lines(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    smtp_dialogue_connected(dialogue);
    sent(dialogue, "EHLO me\r\n");
    assert_false(received(dialogue, "250-mail.example\r\n250-SI"));
    assert_false(received(dialogue, "ZE 1000\r"));
    assert_true(received(dialogue, "\n250 AUTH PLAIN\r\n"));
    assert_int_equal(dialogue->code, 250);
    assert_string_equal(dialogue->text->str, "mail.example SIZE 1000 AUTH PLAIN");
    assert_true(received(dialogue, "421 4.4.2 bye\r\n")); // unasked: the next answer
    assert_int_equal(dialogue->code, 421);
    assert_string_equal(dialogue->text->str, "4.4.2 bye");
}

static void auth_counts_only_by_235(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    smtp_dialogue_connected(dialogue);
    received(dialogue, "235 welcome before it was asked\r\n");
    assert_false(dialogue->authenticated);
    sent(dialogue, "AUTH PLAIN AGEAYg==\r\n");
    received(dialogue, "334 \r\n");
    assert_false(dialogue->authenticated);
    sent(dialogue, "AGEAYg==\r\n"); // no command: the stage stays
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_AUTH);
    received(dialogue, "235 2.7.0 welcome\r\n");
    assert_true(dialogue->authenticated);
    smtp_dialogue_connected(dialogue); // a new connection has to begin anew
    assert_false(dialogue->authenticated);
}

static void nothing_may_come_between_starttls_and_the_handshake(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    const char *const honest[] = {"220 go\r\n", "220-well\r\n220 go\r\n"};
    const char *const injected[] = {"220 go\r\n250 x\r\n", "220 go\r\nx",
                                    "220-a\r\n220 go\r\n\r\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(honest); i++) {
        smtp_dialogue_connected(dialogue);
        sent(dialogue, "STARTTLS\r\n");
        received(dialogue, honest[i]);
        assert_false(dialogue->injected);
        dialogue->tls = true;
        received(dialogue, "250 within TLS\r\n");
        assert_false(dialogue->injected);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(injected); i++) {
        smtp_dialogue_connected(dialogue);
        sent(dialogue, "STARTTLS\r\n");
        received(dialogue, injected[i]);
        assert_true(dialogue->injected);
    }
    smtp_dialogue_connected(dialogue);
    sent(dialogue, "STARTTLS\r\n");
    received(dialogue, "220 go\r\n");
    received(dialogue, "250 later\r\n"); // in a packet of its own
    assert_true(dialogue->injected);
}

static void the_last_answer_stays_when_quitting(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    smtp_dialogue_connected(dialogue);
    sent(dialogue, "MAIL FROM:<a@b>\r\n");
    received(dialogue, "554 5.7.1 no\r\n");
    sent(dialogue, "QUIT\r\n");
    received(dialogue, "221 bye\r\n");
    assert_int_equal(dialogue->stage, DELIVERY_STAGE_MAIL);
    assert_int_equal(dialogue->code, 554);
    assert_string_equal(dialogue->text->str, "5.7.1 no");
}

static void what_is_no_answer_is_bounded_and_harmless(void **state)
{
    struct smtp_dialogue *dialogue = *state;
    g_autofree char *endless = g_strnfill(1024 * 1024, 'x');
    smtp_dialogue_connected(dialogue);
    assert_false(received(dialogue, endless));
    assert_true(dialogue->partial->len <= 8192);
    assert_false(received(dialogue, "\n\n12\n"));
    assert_false(smtp_dialogue_received(dialogue, "\0\0\n", 3));
    assert_int_equal(dialogue->code, 0);
    assert_true(received(dialogue, "554\r\n"));
    assert_int_equal(dialogue->code, 554);
    for (int i = 0; i < 1000; i++)
        received(dialogue, "250-a line of an answer that does not end\r\n");
    assert_true(dialogue->text->len < 9000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stages_follow_the_commands),
        TEST(an_answer_may_come_in_pieces_and_lines),
        TEST(auth_counts_only_by_235),
        TEST(nothing_may_come_between_starttls_and_the_handshake),
        TEST(the_last_answer_stays_when_quitting),
        TEST(what_is_no_answer_is_bounded_and_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
