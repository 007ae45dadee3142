// SPDX-License-Identifier: MIT
// The log: one line an event, nothing secret, nothing that a terminal obeys.
#include "../../base/log.h"
#include "../../base/redact.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void write_lines(void)
{
    log_error("cannot open %s", "a\nb\tc\x1b[31m\xC2\x9B\xFF é");
    log_warning("password is %s", "correct horse");
    log_info("%s", "100% plain %s %n");
    log_debug("not shown");
    log_set_level(LOG_LEVEL_WARNING);
    log_info("not shown either");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("shown");
}

// What a process writes; JOURNAL_STREAM names its stderr where `journal` says so.
static char *lines_of(bool journal)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        struct stat status;
        fstat(STDERR_FILENO, &status);
        g_autofree char *stream = g_strdup_printf("%ju:%ju", (uintmax_t)status.st_dev,
                                                  (uintmax_t)status.st_ino + (journal ? 0 : 1));
        g_setenv("JOURNAL_STREAM", stream, TRUE);
        struct redact *redact = redact_new();
        redact_add(redact, "correct horse");
        log_set_redact(redact);
        write_lines();
        log_set_redact(NULL);
        redact_free(redact);
        _exit(0);
    }
    close(fds[1]);
    GString *text = g_string_new(NULL);
    char buffer[4096];
    ssize_t count;
    while ((count = read(fds[0], buffer, sizeof buffer)) > 0)
        g_string_append_len(text, buffer, count);
    close(fds[0]);
    waitpid(child, NULL, 0);
    return g_string_free(text, FALSE);
}

static void test_plain(void **state)
{
    (void)state;
    g_autofree char *lines = lines_of(false);
    assert_string_equal(lines, "error: cannot open a\\nb\\tc\\u001b[31m\\u009b\uFFFD é\n"
                               "warning: password is ***\n"
                               "100% plain %s %n\n"
                               "debug: shown\n");
}

static void test_journal(void **state)
{
    (void)state;
    g_autofree char *lines = lines_of(true);
    assert_string_equal(lines, "<3>cannot open a\\nb\\tc\\u001b[31m\\u009b\uFFFD é\n"
                               "<4>password is ***\n"
                               "<6>100% plain %s %n\n"
                               "<7>shown\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
