// SPDX-License-Identifier: MIT
// A number that is shared: it grows, it stays, and it is set back only by who knows it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../base/lock.h"
#include "../../base/tally.h"

#include <glib/gstdio.h>

static void test_shared(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("erpwatch-tally-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t", NULL);
    {
        g_autoptr(tally_t) one = tally_open(path, NULL);
        g_autoptr(tally_t) two = tally_open(path, NULL);
        assert_int_equal(tally_read(one), 0);
        tally_raise(one, 7);
        tally_raise(two, 5);
        assert_int_equal(tally_read(two), 7);
        assert_false(tally_replace(two, 6, 3));
        assert_true(tally_replace(two, 7, 3));
        assert_int_equal(tally_read(one), 3);
    }
    g_autoptr(tally_t) later = tally_open(path, NULL);
    assert_int_equal(tally_read(later), 3);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_cannot_be_used(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    assert_null(tally_open("/dev", &error));
    assert_true(g_error_matches(error, LOCK_ERROR, LOCK_ERROR_FAILED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_cannot_be_used),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
