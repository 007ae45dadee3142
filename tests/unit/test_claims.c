// SPDX-License-Identifier: MIT
// Claims: one holder at a time, taken over from the dead, counted where two of one's own share
// a place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../base/claims.h"
#include "../../base/lock.h"

#include <glib/gstdio.h>

// A second number of the same place as 7.
#define BESIDE_SEVEN (UINT64_C(7) + 65536 * 1000)

static bool is_alive(void *context, uint64_t number)
{
    const uint64_t *dead = context;
    return number != *dead;
}

static struct claims *open_as(const char *path, uint64_t number, uint64_t *dead)
{
    const struct claims_holder holder = {number, is_alive, dead};
    g_autoptr(GError) error = NULL;
    struct claims *claims = claims_open(path, &holder, &error);
    assert_null(error);
    return claims;
}

static void test_one_holder(void **state)
{
    uint64_t dead = 0;
    g_autoptr(claims_t) one = open_as(*state, 1, &dead);
    g_autoptr(claims_t) two = open_as(*state, 2, &dead);
    assert_true(claims_take(one, 7));
    assert_false(claims_take(two, 7));
    assert_true(claims_take(two, UINT64_MAX));
    assert_false(claims_take(one, UINT64_MAX));
    claims_release(one, 7);
    assert_true(claims_take(two, 7));
    assert_false(claims_take(one, 7));
}

static void test_shared_place(void **state)
{
    uint64_t dead = 0;
    g_autoptr(claims_t) one = open_as(*state, 1, &dead);
    g_autoptr(claims_t) two = open_as(*state, 2, &dead);
    assert_true(claims_take(one, 7));
    assert_true(claims_take(one, BESIDE_SEVEN));
    claims_release(one, 7);
    assert_false(claims_take(two, 7));
    claims_release(one, BESIDE_SEVEN);
    assert_true(claims_take(two, 7));
}

static void test_dead_holder(void **state)
{
    uint64_t dead = 0;
    struct claims *one = open_as(*state, 1, &dead);
    g_autoptr(claims_t) two = open_as(*state, 2, &dead);
    g_autoptr(claims_t) three = open_as(*state, 3, &dead);
    assert_true(claims_take(one, 7));
    claims_free(one);
    assert_false(claims_take(two, 7));
    dead = 1;
    assert_true(claims_take(two, 7));
    assert_false(claims_take(three, 7));
}

// What is released late must not be another one's by then.
static void test_late_release(void **state)
{
    uint64_t dead = 0;
    g_autoptr(claims_t) one = open_as(*state, 1, &dead);
    g_autoptr(claims_t) two = open_as(*state, 2, &dead);
    g_autoptr(claims_t) three = open_as(*state, 3, &dead);
    assert_true(claims_take(one, 7));
    dead = 1;
    assert_true(claims_take(two, 7));
    claims_release(one, 7);
    assert_false(claims_take(three, 7));
}

static void test_unusable(void **state)
{
    (void)state;
    const struct claims_holder holder = {1, is_alive, NULL};
    g_autoptr(GError) error = NULL;
    assert_null(claims_open("/nonexistent/claims", &holder, &error));
    assert_true(g_error_matches(error, LOCK_ERROR, LOCK_ERROR_FAILED));
}

static int set_up(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("claims-XXXXXX", NULL);
    *state = g_build_filename(folder, "flows", NULL);
    return 0;
}

static int tear_down(void **state)
{
    g_autofree char *path = *state;
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    return g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shared_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_release, set_up, tear_down),
        cmocka_unit_test(test_unusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
