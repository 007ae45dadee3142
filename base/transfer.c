// SPDX-License-Identifier: MIT
// The engine: calls go into curl's multi handle and come out of it on the event
// loop. How a call is set up is in transfer_easy, what it came to in
// transfer_result, the waiting in transfer_socket. Called by probes/.
#include "transfer.h"

#include "transfer_dns.h"
#include "transfer_easy.h"
#include "transfer_result.h"
#include "transfer_socket.h"
#include "transfer_thread.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

enum {
    TRANSFER_POOL_MAX = 512,        // handles kept for further calls
    TRANSFER_CONNECTIONS_MAX = 4096 // idle connections kept, descriptors allowing
};

struct transfer_call {
    struct transfer_easy easy; // first: curl's private pointer is both
    struct transfer *transfer;
    transfer_done done;
    void *context;
    struct transfer_response *ended;     // waits for the next turn of the loop
    struct transfer_thread_call *thread; // has it in curl's place, or NULL
    GList link;                          // in `active` or `blocking`, then in `ended`
};

struct transfer {
    CURLM *multi; // NULL once the engine ends
    struct transfer_sockets *sockets;
    struct transfer_tls_stores *stores;
    struct transfer_dns *dns;
    struct transfer_threads *threads;
    GPtrArray *pool;      // of struct transfer_call, idle
    GQueue active;        // in curl's hands
    GQueue blocking;      // in threads of their own
    GQueue ended;         // done, but not yet told
    uv_timer_t next_turn; // runs while `ended` has calls
};

static void call_free(void *data)
{
    struct transfer_call *call = data;
    transfer_response_free(call->ended);
    transfer_easy_clear(&call->easy);
    g_free(call);
}

static struct transfer_call *call_take(struct transfer *transfer)
{
    if (transfer->pool->len > 0)
        return g_ptr_array_steal_index_fast(transfer->pool, transfer->pool->len - 1);
    struct transfer_call *call = g_new0(struct transfer_call, 1);
    call->transfer = transfer;
    call->link.data = call;
    const struct transfer_opener opener = {transfer_sockets_open, transfer_sockets_close,
                                           transfer->sockets};
    transfer_easy_init(&call->easy, &opener, transfer->stores);
    return call;
}

static void call_give_back(struct transfer_call *call)
{
    GPtrArray *pool = call->transfer->pool;
    if (transfer_easy_end(&call->easy) && pool->len < TRANSFER_POOL_MAX)
        g_ptr_array_add(pool, call);
    else
        call_free(call);
}

// Hands the response over. The engine may be gone when `done` comes back.
static void call_tell(struct transfer_call *call, struct transfer_response *response)
{
    transfer_done done = call->done;
    void *context = call->context;
    call_give_back(call);
    done(response, context);
}

static void on_next_turn(uv_timer_t *timer)
{
    struct transfer *transfer = timer->data;
    while (transfer->multi && transfer->ended.length > 0) {
        struct transfer_call *call = g_queue_peek_head(&transfer->ended);
        g_queue_unlink(&transfer->ended, &call->link);
        call_tell(call, g_steal_pointer(&call->ended));
    }
}

// Ends a call that curl does not have (any more) on the next turn of the loop.
static void end_later(struct transfer_call *call, enum transfer_outcome outcome,
                      enum transfer_phase phase, char *problem)
{
    struct transfer *transfer = call->transfer;
    call->ended = transfer_result_take_other(&call->easy, outcome, phase, problem);
    g_queue_push_tail_link(&transfer->ended, &call->link);
    uv_timer_start(&transfer->next_turn, on_next_turn, 0, 0);
}

static void end_call(struct transfer_call *call, struct transfer_response *response)
{
    struct transfer *transfer = call->transfer;
    const char *url = call->easy.request->url;
    if (response->outcome == TRANSFER_TIMEOUT && response->phase == TRANSFER_PHASE_DNS)
        transfer_dns_timed_out(transfer->dns, url);
    call_tell(call, response);
}

static void on_thread_done(struct transfer_response *response, void *context)
{
    struct transfer_call *call = context;
    call->thread = NULL;
    g_queue_unlink(&call->transfer->blocking, &call->link);
    end_call(call, response);
}

// Collects the calls that curl ended. `done` may start, cancel and free.
static void on_worked(void *context)
{
    struct transfer *transfer = context;
    int left;
    CURLMsg *message;
    while (transfer->multi && (message = curl_multi_info_read(transfer->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *handle = message->easy_handle;
        CURLcode code = message->data.result; // the message is gone after the removal
        curl_multi_remove_handle(transfer->multi, handle);
        struct transfer_call *call = NULL;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&call);
        g_queue_unlink(&transfer->active, &call->link);
        end_call(call, transfer_result_take(&call->easy, code));
    }
}

// curl opens its wake-up pair without close-on-exec; the lowest free descriptors
// before curl_multi_init are the ones that it took.
static CURLM *new_multi(void)
{
    int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (lowest >= 0)
        close(lowest);
    CURLM *multi = curl_multi_init();
    if (!multi)
        g_error("libcurl cannot start");
    for (int fd = lowest; lowest >= 0 && fd < lowest + 4; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
    return multi;
}

// A quarter of our descriptors may be idle connections.
static long connections_kept(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    return (long)CLAMP(limit.rlim_cur / 4, 16, TRANSFER_CONNECTIONS_MAX);
}

static void init_curl(void)
{
    static gsize ready;
    if (!g_once_init_enter(&ready))
        return;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        g_error("libcurl cannot start");
    signal(SIGPIPE, SIG_IGN); // OpenSSL writes to sockets that were closed
    g_once_init_leave(&ready, 1);
}

struct transfer *transfer_new(uv_loop_t *loop)
{
    init_curl();
    struct transfer *transfer = g_new0(struct transfer, 1);
    transfer->multi = new_multi();
    if (curl_multi_setopt(transfer->multi, CURLMOPT_MAXCONNECTS, connections_kept()) != CURLM_OK)
        g_error("libcurl cannot limit its connections");
    transfer->sockets = transfer_sockets_new(loop, transfer->multi, on_worked, transfer);
    transfer->stores = transfer_tls_stores_new();
    transfer->dns = transfer_dns_new();
    transfer->threads = transfer_threads_new(loop, transfer->stores);
    transfer->pool = g_ptr_array_new_with_free_func(call_free);
    uv_timer_init(loop, &transfer->next_turn);
    transfer->next_turn.data = transfer;
    return transfer;
}

// Negotiate asks a ticket server in the middle of the call.
static void start_blocking_call(struct transfer_call *call, const struct transfer_request *request)
{
    struct transfer *transfer = call->transfer;
    if (transfer_threads_is_held(transfer->threads, request->url)) {
        end_later(call, TRANSFER_TIMEOUT, TRANSFER_PHASE_CONNECT,
                  g_strdup("the ticket server (KDC) has not answered an earlier call to this "
                           "host"));
        return;
    }
    call->thread = transfer_threads_start(transfer->threads, request, on_thread_done, call);
    if (call->thread)
        g_queue_push_tail_link(&transfer->blocking, &call->link);
    else
        end_later(call, TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE,
                  g_strdup("no thread is left for a call with Negotiate"));
}

static void start_call(struct transfer_call *call, const struct transfer_request *request)
{
    struct transfer *transfer = call->transfer;
    if (!transfer_easy_begin(&call->easy, request)) {
        end_later(call, TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE, g_steal_pointer(&call->easy.ours));
    } else if (transfer_dns_is_held(transfer->dns, request->url)) {
        end_later(call, TRANSFER_TIMEOUT, TRANSFER_PHASE_DNS,
                  g_strdup("the name servers have not answered an earlier lookup of this name"));
    } else if (request->credentials.kind == TRANSFER_AUTH_NEGOTIATE) {
        start_blocking_call(call, request);
    } else {
        CURLMcode code = curl_multi_add_handle(transfer->multi, call->easy.handle);
        if (code == CURLM_OK)
            g_queue_push_tail_link(&transfer->active, &call->link);
        else
            end_later(call, TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE,
                      g_strdup(curl_multi_strerror(code)));
    }
}

struct transfer_call *transfer_start(struct transfer *transfer,
                                     const struct transfer_request *request, transfer_done done,
                                     void *context)
{
    struct transfer_call *call = call_take(transfer);
    call->done = done;
    call->context = context;
    start_call(call, request);
    return call;
}

void transfer_cancel(struct transfer_call *call)
{
    struct transfer *transfer = call->transfer;
    if (call->ended)
        return; // it has an outcome already
    if (call->thread) {
        transfer_threads_drop(g_steal_pointer(&call->thread));
        g_queue_unlink(&transfer->blocking, &call->link);
    } else {
        g_queue_unlink(&transfer->active, &call->link);
        curl_multi_remove_handle(transfer->multi, call->easy.handle);
    }
    end_later(call, TRANSFER_CANCELLED, TRANSFER_PHASE_NONE, g_strdup("the call was cancelled"));
}

unsigned transfer_active(const struct transfer *transfer)
{
    return transfer->active.length + transfer->blocking.length + transfer->ended.length;
}

static void drop_calls(GQueue *calls, CURLM *multi)
{
    while (calls->length > 0) {
        struct transfer_call *call = g_queue_peek_head(calls);
        g_queue_unlink(calls, &call->link);
        if (call->thread)
            transfer_threads_drop(call->thread);
        else if (multi)
            curl_multi_remove_handle(multi, call->easy.handle);
        call_free(call);
    }
}

static void on_engine_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void transfer_free(struct transfer *transfer)
{
    if (!transfer)
        return;
    drop_calls(&transfer->active, transfer->multi);
    drop_calls(&transfer->blocking, NULL);
    drop_calls(&transfer->ended, NULL);
    g_ptr_array_unref(transfer->pool);
    curl_multi_cleanup(transfer->multi);
    transfer->multi = NULL;
    transfer_sockets_free(transfer->sockets);
    transfer_threads_free(transfer->threads);
    transfer_tls_stores_free(transfer->stores);
    transfer_dns_free(transfer->dns);
    uv_close((uv_handle_t *)&transfer->next_turn, on_engine_closed);
}
