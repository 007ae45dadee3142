// SPDX-License-Identifier: MIT
// For tests of the transport: tests/servers/bad_http.py as a child, an engine on a
// loop for each test, and calls that are waited for.
#ifndef TESTS_UNIT_SUPPORT_TRANSFER_H
#define TESTS_UNIT_SUPPORT_TRANSFER_H

#include "../../base/transfer.h"

#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static GHashTable *server; // name -> port or file
static GPid server_pid;
static FILE *server_output;
static uv_loop_t *loop;
static struct transfer *engine;

// ---- the server ----

static G_GNUC_UNUSED int start_server(void **state)
{
    (void)state;
    g_autofree char *folder = g_path_get_dirname(__FILE__);
    g_autofree char *script = g_build_filename(folder, "../servers/bad_http.py", NULL);
    char interpreter[] = "/usr/bin/python3", tls[] = "--tls";
    char *argv[] = {interpreter, script, tls, NULL};
    int output;
    if (!g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                  &server_pid, NULL, &output, NULL, NULL))
        return -1;
    server = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    server_output = fdopen(output, "r");
    char line[512];
    while (fgets(line, sizeof line, server_output) && strcmp(line, "ready\n") != 0) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 2);
        if (words[0] && words[1])
            g_hash_table_insert(server, g_strdup(words[0]), g_strdup(words[1]));
    }
    return g_hash_table_size(server) == 8 ? 0 : -1;
}

static G_GNUC_UNUSED int stop_server(void **state)
{
    (void)state;
    kill(server_pid, SIGTERM);
    waitpid(server_pid, NULL, 0);
    g_spawn_close_pid(server_pid);
    fclose(server_output);
    g_hash_table_unref(server);
    return 0;
}

static G_GNUC_UNUSED const char *port(const char *name)
{
    return g_hash_table_lookup(server, name);
}

static G_GNUC_UNUSED char *plain_url(const char *path)
{
    return g_strdup_printf("http://127.0.0.1:%s%s", port("http"), path);
}

// ---- calls ----

struct result {
    struct transfer_request *request;
    struct transfer_response *response;
    int told;
};

static G_GNUC_UNUSED void on_done(struct transfer_response *response, void *context)
{
    struct result *result = context;
    result->response = response;
    result->told++;
}

static G_GNUC_UNUSED struct transfer_request *request_to(const char *method, const char *url)
{
    struct transfer_request *request = transfer_request_new(method, url);
    request->timeout_ms = 30000;
    request->max_body = 1 << 20;
    return request;
}

static G_GNUC_UNUSED void set_body(struct transfer_request *request, const char *text)
{
    request->body = g_bytes_new(text, strlen(text));
}

// Starts the request (taken) and waits for its end.
static G_GNUC_UNUSED struct transfer_response *run(struct transfer_request *request)
{
    struct result result = {.request = request};
    transfer_start(engine, request, on_done, &result);
    assert_int_equal(result.told, 0);
    while (result.told == 0)
        uv_run(loop, UV_RUN_ONCE);
    transfer_request_free(request);
    return result.response;
}

static G_GNUC_UNUSED struct transfer_response *get(const char *path, bool may_reuse)
{
    g_autofree char *url = plain_url(path);
    struct transfer_request *request = request_to("GET", url);
    request->may_reuse = may_reuse;
    return run(request);
}

static G_GNUC_UNUSED char *body_text(const struct transfer_response *response)
{
    gsize length;
    const char *data = g_bytes_get_data(response->body, &length);
    return g_strndup(data, length);
}

static G_GNUC_UNUSED int start_engine(void **state)
{
    (void)state;
    loop = uv_loop_new();
    engine = transfer_new(loop);
    return 0;
}

static G_GNUC_UNUSED int stop_engine(void **state)
{
    (void)state;
    transfer_free(engine);
    while (uv_run(loop, UV_RUN_DEFAULT) != 0)
        ;
    int closed = uv_loop_close(loop); // refuses where a handle is left
    g_free(loop);
    return closed;
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, start_engine, stop_engine)

#endif
