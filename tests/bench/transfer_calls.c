// SPDX-License-Identifier: MIT
// The same calls as bare_curl makes, through base/transfer: request with three
// headers, response with headers, body and timings, all owned and freed.
#include "../../base/transfer.h"
#include "bench_use.h"

static struct bench bench;
static struct transfer *engine;
static long started, ended;

struct slot {
    struct transfer_request *request;
};

static void start(struct slot *slot);

static void on_done(struct transfer_response *response, void *context)
{
    bool good = response->outcome == TRANSFER_ANSWERED && response->status == 200;
    if (!good && bench.failed++ < 3)
        fprintf(stderr, "status %d: %s\n", response->status, response->problem);
    bench.bytes += (long long)g_bytes_get_size(response->body);
    transfer_response_free(response);
    struct slot *slot = context;
    transfer_request_free(slot->request);
    ended++;
    if (started < bench.calls)
        start(slot);
    else if (ended == bench.calls)
        transfer_free(engine);
}

static void start(struct slot *slot)
{
    started++;
    slot->request = transfer_request_new(bench.body ? "POST" : "GET", bench.url);
    slot->request->timeout_ms = 30000;
    slot->request->max_body = 4 << 20;
    slot->request->may_reuse = !bench.fresh;
    transfer_headers_add(slot->request->headers, "Accept", "application/json");
    transfer_headers_add(slot->request->headers, "Authorization", "Basic c2hvcDpzZWNyZXQ=");
    if (bench.fresh)
        transfer_headers_add(slot->request->headers, "Connection", "close");
    if (bench.body) {
        slot->request->body = g_bytes_new_static(bench.body, strlen(bench.body));
        transfer_headers_add(slot->request->headers, "Content-Type", "application/json");
    }
    transfer_request_complete(slot->request);
    transfer_start(engine, slot->request, on_done, slot);
}

int main(int argc, char **argv)
{
    if (!bench_options(&bench, argc, argv))
        return 3;
    uv_loop_t *loop = uv_default_loop();
    engine = transfer_new(loop);
    g_autofree struct slot *slots = g_new0(struct slot, (gsize)bench.concurrent);
    bench_begin(&bench);
    for (long i = 0; i < bench.concurrent && i < bench.calls; i++)
        start(&slots[i]);
    uv_run(loop, UV_RUN_DEFAULT);
    return bench_end(&bench);
}
