// SPDX-License-Identifier: MIT
// Locks: exclusion within a process and between processes, and the kernel's
// dropping of them when a holder is killed.
#include "../../base/lock.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = g_dir_make_tmp("erpwatch-lock-XXXXXX", NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    g_autofree char *path = g_build_filename(*state, "a", NULL);
    g_unlink(path);
    g_rmdir(*state);
    g_free(*state);
    return 0;
}

static void test_exclusion(void **state)
{
    g_autofree char *path = g_build_filename(*state, "a", NULL);
    g_autoptr(GError) error = NULL;
    assert_false(lock_is_held(path));
    struct lock *lock = lock_take(path, &error);
    assert_non_null(lock);
    assert_true(lock_is_held(path));
    assert_null(lock_take(path, &error));
    assert_true(g_error_matches(error, LOCK_ERROR, LOCK_ERROR_HELD));
    assert_true(lock_is_held(path));
    lock_free(lock);
    assert_false(lock_is_held(path));
    lock = lock_take(path, NULL);
    assert_non_null(lock);
    lock_free_and_remove(lock);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_no_folder(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    assert_null(lock_take("/nonexistent/folder/a", &error));
    assert_true(g_error_matches(error, LOCK_ERROR, LOCK_ERROR_FAILED));
}

// A child holds the lock until it is killed.
static pid_t start_holder(const char *path)
{
    int ends[2];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lock *lock = lock_take(path, NULL);
        byte = lock != NULL ? 'y' : 'n';
        (void)!write(ends[1], &byte, 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void test_death_of_the_holder(void **state)
{
    g_autofree char *path = g_build_filename(*state, "a", NULL);
    pid_t child = start_holder(path);
    assert_true(lock_is_held(path));
    assert_null(lock_take(path, NULL));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(lock_is_held(path));
    g_autoptr(lock_t) lock = lock_take(path, NULL);
    assert_non_null(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exclusion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_death_of_the_holder, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
