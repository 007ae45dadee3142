// SPDX-License-Identifier: MIT
// config_work: a configuration is read and freed in threads that give way to the loop's.
#include "../../base/handover.h"
#include "../../monitor/config_work.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char TEXT[] =
    "agent: {store: x.db}\n"
    "mail: {directory: mails, from: a@b.example, fallback: ops}\n"
    "contacts: {ops: {email: ops@b.example}}\n"
    "systems: {erp: {url: 'http://127.0.0.1:1', act: {client: ops, erp-partner: ops}}}\n"
    "flows:\n"
    "  orders: {system: erp, every: 5m, notify: [client], steps: [{step: a, get: /x}]}\n";

struct reading {
    uv_thread_t thread; // of the loop
    uv_timer_t alive;   // keeps the loop running
    struct config *config;
    unsigned done;
    bool elsewhere; // it was answered in another thread than the loop's
};

static void on_read(struct config *config, void *context)
{
    struct reading *reading = context;
    uv_thread_t self = uv_thread_self();
    reading->config = config;
    reading->done++;
    reading->elsewhere |= !uv_thread_equal(&self, &reading->thread);
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
}

static void run_until_read(uv_loop_t *loop, struct reading *reading)
{
    uv_timer_init(loop, &reading->alive);
    uv_timer_start(&reading->alive, on_alive, 60000, 60000);
    while (reading->done == 0)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&reading->alive, NULL);
}

// Runs what is left of the loop, and waits for the threads.
static void end(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
    while (handover_count_threads() > 0)
        g_usleep(1000);
}

// A pipe in place of a file: its reader waits for as long as the test likes.
static char *make_pipe(char *folder)
{
    assert_non_null(g_mkdtemp(folder));
    char *path = g_build_filename(folder, "pipe.yaml", NULL);
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

static void fill_pipe(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

// The threads of this process that give way to this one. Their nice value is the 19th field, the
// 17th behind the name.
static unsigned count_lower_threads(int own)
{
    unsigned count = 0;
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    for (const char *name; (name = g_dir_read_name(tasks));) {
        g_autofree char *path = g_build_filename("/proc/self/task", name, "stat", NULL);
        g_autofree char *stat = NULL;
        if (!g_file_get_contents(path, &stat, NULL, NULL))
            continue;
        g_auto(GStrv) fields = g_strsplit(strrchr(stat, ')') + 2, " ", 18);
        count += g_ascii_strtoll(fields[16], NULL, 10) > own;
    }
    return count;
}

static void test_reads_beside_the_loop(void **state)
{
    (void)state;
    uv_loop_t loop;
    int own = 0;
    assert_int_equal(uv_os_getpriority(0, &own), 0);
    if (own == UV_PRIORITY_LOW)
        skip(); // nothing is lower
    struct reading reading = {.thread = uv_thread_self()};
    char folder[] = "/tmp/erpwatch-work-XXXXXX";
    g_autofree char *path = make_pipe(folder);
    uv_loop_init(&loop);
    config_work_read(&loop, path, on_read, &reading);
    int fd = open(path, O_WRONLY); // returns when the thread has opened it, too
    assert_int_equal(reading.done, 0);
    assert_int_equal(count_lower_threads(own), 1);
    fill_pipe(fd, TEXT);
    run_until_read(&loop, &reading);
    assert_int_equal(reading.done, 1);
    assert_false(reading.elsewhere);
    assert_non_null(reading.config);
    assert_int_equal(reading.config->flows->len, 1);
    config_work_free(reading.config);
    end(&loop);
    unlink(path);
    rmdir(folder);
}

static void test_says_that_it_is_wrong(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct reading reading = {.thread = uv_thread_self()};
    uv_loop_init(&loop);
    config_work_read(&loop, "/nonexistent/erpwatch.yaml", on_read, &reading);
    run_until_read(&loop, &reading);
    assert_int_equal(reading.done, 1);
    assert_null(reading.config);
    end(&loop);
}

// The loop ends while the thread still reads, which frees what it has read.
static void test_is_dropped(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct reading reading = {.thread = uv_thread_self()};
    char folder[] = "/tmp/erpwatch-work-XXXXXX";
    g_autofree char *path = make_pipe(folder);
    uv_loop_init(&loop);
    struct config_work *work = config_work_read(&loop, path, on_read, &reading);
    int fd = open(path, O_WRONLY);
    config_work_drop(work);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(handover_count_threads(), 1);
    fill_pipe(fd, TEXT);
    while (handover_count_threads() > 0)
        g_usleep(1000);
    assert_int_equal(reading.done, 0);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_beside_the_loop),
        cmocka_unit_test(test_says_that_it_is_wrong),
        cmocka_unit_test(test_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
