// SPDX-License-Identifier: MIT
// undo_kept: an undo is read once for all debts of its text, and stays while one of them uses it.
#include "../../probes/undo_kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char orders[] = "{\"delete\": \"/orders/{{id}}\"}";
static const char looked_for[] =
    "{\"undo\": {\"delete\": \"/orders/{{id}}\"}, \"lookup\": {\"get\": \"/orders\","
    " \"mark\": {\"json\": \"$[*].ref\"}, \"capture\": {\"id\": {\"json\": \"$[*].id\"}}}}";

static void test_reads_a_text_once(void **state)
{
    (void)state;
    struct undo_kept *kept = undo_kept_new();
    struct undo_read *one = undo_kept_take(kept, orders, NULL);
    struct undo_read *two = undo_kept_take(kept, orders, NULL);
    struct undo_read *other = undo_kept_take(kept, looked_for, NULL);
    assert_non_null(one);
    assert_ptr_equal(one, two);
    assert_int_equal(one->undo->calls->len, 1);
    assert_null(one->lookup);
    assert_ptr_not_equal(one, other);
    assert_non_null(other->lookup);
    undo_kept_release(one);
    undo_kept_release(two);
    undo_kept_free(kept);
    assert_int_equal(other->undo->calls->len, 1); // a payment may outlive it
    undo_kept_release(other);
}

static void test_keeps_only_so_many(void **state)
{
    (void)state;
    struct undo_kept *kept = undo_kept_new();
    struct undo_read *first = undo_kept_take(kept, orders, NULL);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *text = g_strdup_printf("{\"delete\": \"/items/%d\"}", i);
        undo_kept_release(undo_kept_take(kept, text, NULL));
    }
    struct undo_read *again = undo_kept_take(kept, orders, NULL);
    assert_ptr_not_equal(again, first); // it was forgotten, though it is held
    assert_int_equal(first->undo->calls->len, 1);
    undo_kept_release(first);
    undo_kept_release(again);
    undo_kept_free(kept);
}

static void test_says_what_is_wrong(void **state)
{
    (void)state;
    struct undo_kept *kept = undo_kept_new();
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        assert_null(undo_kept_take(kept, "{\"delete\": [1]}", &error));
        assert_non_null(error);
    }
    undo_kept_release(NULL);
    undo_kept_free(kept);
    undo_kept_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_text_once),
        cmocka_unit_test(test_keeps_only_so_many),
        cmocka_unit_test(test_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
