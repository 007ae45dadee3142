// SPDX-License-Identifier: MIT
// Ids are the same everywhere: the expected values come from sha256sum and a
// Crockford encoder, not from this program.
#include "../../base/ids.h"

#include <glib.h>
#include <string.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_known_values(void **state)
{
    (void)state;
    g_autofree char *one = ids_hash(26, "order", NULL);
    assert_string_equal(one, "0ZX2TG578WM834VRY08CXTAMW3");
    g_autofree char *two = ids_hash(12, "order", "2026-11-21", NULL);
    assert_string_equal(two, "ZYWTS75S4YSZ");
    assert_true(ids_number("order") == UINT64_C(0x07fa2d40a7472881));
}

static void test_ends_are_marked(void **state)
{
    (void)state;
    g_autofree char *left = ids_hash(26, "ab", "c", NULL);
    g_autofree char *right = ids_hash(26, "a", "bc", NULL);
    g_autofree char *whole = ids_hash(26, "abc", NULL);
    g_autofree char *empty = ids_hash(26, "abc", "", NULL);
    assert_string_not_equal(left, right);
    assert_string_not_equal(left, whole);
    assert_string_not_equal(whole, empty);
}

static void test_length_and_alphabet(void **state)
{
    (void)state;
    g_autofree char *capped = ids_hash(100, "x", NULL);
    assert_int_equal(strlen(capped), 26);
    g_autofree char *none = ids_hash(0, "x", NULL);
    assert_string_equal(none, "");
    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("flow-%d", i);
        g_autofree char *id = ids_hash(26, name, NULL);
        assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
    }
}

static void test_uuid(void **state)
{
    (void)state;
    g_autofree char *one = ids_uuid();
    g_autofree char *two = ids_uuid();
    assert_true(g_uuid_string_is_valid(one));
    assert_int_equal(one[14], '4');
    assert_string_not_equal(one, two);
}

static void test_uuid_of(void **state)
{
    (void)state;
    // python3: uuid.uuid5(uuid.UUID('c27e1f5a-0d84-4b36-9e21-6fa8d370b915'), 'run\0step\0')
    g_autofree char *known = ids_uuid_of("run", "step", NULL);
    g_autofree char *other = ids_uuid_of("runs", "tep", NULL);
    assert_string_equal(known, "817b3c59-bf9c-596b-b511-c5f0c0d5aa57");
    assert_string_not_equal(known, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_ends_are_marked),
        cmocka_unit_test(test_length_and_alphabet),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_uuid_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
