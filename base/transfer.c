// SPDX-License-Identifier: MIT
// The engine: calls go into curl's multi handle and come out of it on the event
// loop. How a call is set up is in transfer_easy, what it came to in
// transfer_result, the waiting in transfer_socket. Called by probes/.
#include "transfer.h"

#include "transfer_dns.h"
#include "transfer_doubt.h"
#include "transfer_easy.h"
#include "transfer_result.h"
#include "transfer_socket.h"
#include "transfer_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

enum {
    TRANSFER_POOL_MAX = 512,         // handles kept for further calls
    TRANSFER_CONNECTIONS_MAX = 4096, // idle connections kept, descriptors allowing
    TRANSFER_LANE_CALLS = 256        // that share one multi handle
};

struct transfer_call {
    struct transfer_easy easy; // first: curl's private pointer is both
    struct lane *lane;
    transfer_done done;
    void *context;
    struct transfer_response *ended;     // waits to be told
    struct transfer_thread_call *thread; // has it in curl's place, or NULL
    GList link;                          // in `active` or `blocking`, then in `asking` or `ended`
};

// One of curl's multi handles. For each call curl looks through all connections to its host,
// those in use too: ten thousand in one handle took a core at a thousand calls a second.
struct lane {
    struct transfer *transfer;
    CURLM *multi; // NULL once the engine ends
    struct transfer_sockets *sockets;
    GPtrArray *pool; // of struct transfer_call, idle
    unsigned calls;  // taken
};

struct transfer {
    uv_loop_t *loop;
    GPtrArray *lanes; // of struct lane; a call goes into the first that has room
    struct transfer_tls_stores *stores;
    struct transfer_dns *dns;
    struct transfer_doubt *doubt;
    struct transfer_threads *threads;
    unsigned idle;        // in the lanes' pools
    GQueue active;        // in curl's hands
    GQueue blocking;      // in threads of their own
    GQueue asking;        // done, but it is asked why their name was not resolved
    GQueue ended;         // done, but not yet told
    uv_timer_t next_turn; // runs while `ended` has calls
    bool over;
};

static void call_free(void *data)
{
    struct transfer_call *call = data;
    transfer_response_free(call->ended);
    transfer_easy_clear(&call->easy);
    g_free(call);
}

static struct lane *lane_new(struct transfer *transfer);

// Where no descriptor is left for another lane, the last one takes more.
static struct lane *find_lane(struct transfer *transfer)
{
    struct lane *lane = NULL;
    for (guint i = 0; i < transfer->lanes->len; i++) {
        lane = transfer->lanes->pdata[i];
        if (lane->calls < TRANSFER_LANE_CALLS)
            return lane;
    }
    struct lane *another = lane_new(transfer);
    return another ? another : lane;
}

static struct transfer_call *call_take(struct transfer *transfer)
{
    struct lane *lane = find_lane(transfer);
    lane->calls++;
    if (lane->pool->len > 0) {
        transfer->idle--;
        return g_ptr_array_steal_index_fast(lane->pool, lane->pool->len - 1);
    }
    struct transfer_call *call = g_new0(struct transfer_call, 1);
    call->lane = lane;
    call->link.data = call;
    const struct transfer_opener opener = {transfer_sockets_open, transfer_sockets_close,
                                           lane->sockets};
    transfer_easy_init(&call->easy, &opener, transfer->stores);
    return call;
}

static void call_give_back(struct transfer_call *call)
{
    struct lane *lane = call->lane;
    lane->calls--;
    if (transfer_easy_end(&call->easy) && lane->transfer->idle < TRANSFER_POOL_MAX) {
        lane->transfer->idle++;
        g_ptr_array_add(lane->pool, call);
    } else {
        call_free(call);
    }
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
    while (!transfer->over && transfer->ended.length > 0) {
        struct transfer_call *call = g_queue_peek_head(&transfer->ended);
        g_queue_unlink(&transfer->ended, &call->link);
        call_tell(call, g_steal_pointer(&call->ended));
    }
}

// Ends a call that curl does not have (any more) on the next turn of the loop.
static void end_later(struct transfer_call *call, enum transfer_outcome outcome,
                      enum transfer_phase phase, char *problem)
{
    struct transfer *transfer = call->lane->transfer;
    call->ended = transfer_result_take_other(&call->easy, outcome, phase, problem);
    g_queue_push_tail_link(&transfer->ended, &call->link);
    uv_timer_start(&transfer->next_turn, on_next_turn, 0, 0);
}

static void on_why(bool no_such_name, void *context)
{
    struct transfer_call *call = context;
    struct transfer_response *response = g_steal_pointer(&call->ended);
    g_queue_unlink(&call->lane->transfer->asking, &call->link);
    if (!no_such_name)
        transfer_result_blame_name_servers(response, call->easy.request);
    call_tell(call, response);
}

static void end_call(struct transfer_call *call, struct transfer_response *response)
{
    struct transfer *transfer = call->lane->transfer;
    const char *url = call->easy.request->url;
    bool unresolved = response->phase == TRANSFER_PHASE_DNS;
    if (response->outcome == TRANSFER_TIMEOUT && transfer_easy_was_kept(&call->easy))
        transfer_doubt_note(transfer->doubt, url);
    if (unresolved && response->outcome == TRANSFER_TIMEOUT)
        transfer_dns_timed_out(transfer->dns, url);
    if (unresolved && response->outcome == TRANSFER_UNREACHABLE) {
        call->ended = response;
        g_queue_push_tail_link(&transfer->asking, &call->link);
        transfer_dns_ask_why(transfer->dns, url, response->timing.total, on_why, call);
        return;
    }
    call_tell(call, response);
}

static void on_thread_done(struct transfer_response *response, void *context)
{
    struct transfer_call *call = context;
    call->thread = NULL;
    g_queue_unlink(&call->lane->transfer->blocking, &call->link);
    end_call(call, response);
}

// Collects the calls that curl ended. `done` may start, cancel and free.
static void on_worked(void *context)
{
    const struct lane *lane = context;
    int left;
    CURLMsg *message;
    while (lane->multi && (message = curl_multi_info_read(lane->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *handle = message->easy_handle;
        CURLcode code = message->data.result; // the message is gone after the removal
        curl_multi_remove_handle(lane->multi, handle);
        struct transfer_call *call = NULL;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&call);
        g_queue_unlink(&lane->transfer->active, &call->link);
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

// The usual limit is 1,024, for programs that use select(); the administrator's is the hard one.
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void init_curl(void)
{
    static gsize ready;
    if (!g_once_init_enter(&ready))
        return;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        g_error("libcurl cannot start");
    signal(SIGPIPE, SIG_IGN); // OpenSSL writes to sockets that were closed
    raise_descriptors();
    g_once_init_leave(&ready, 1);
}

static struct lane *lane_new(struct transfer *transfer)
{
    struct lane *lane = g_new0(struct lane, 1);
    lane->transfer = transfer;
    lane->multi = new_multi();
    lane->sockets = transfer_sockets_new(transfer->loop, lane->multi, on_worked, lane);
    if (!lane->sockets) {
        curl_multi_cleanup(lane->multi);
        g_free(lane);
        return NULL;
    }
    long kept = connections_kept();
    if (transfer->lanes->len > 0)
        kept = MIN(kept, TRANSFER_LANE_CALLS);
    if (curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, kept) != CURLM_OK)
        g_error("libcurl cannot limit its connections");
    lane->pool = g_ptr_array_new_with_free_func(call_free);
    g_ptr_array_add(transfer->lanes, lane);
    return lane;
}

struct transfer *transfer_new(uv_loop_t *loop)
{
    init_curl();
    struct transfer *transfer = g_new0(struct transfer, 1);
    transfer->loop = loop;
    transfer->lanes = g_ptr_array_new_with_free_func(g_free);
    transfer->stores = transfer_tls_stores_new();
    transfer->dns = transfer_dns_new(loop);
    transfer->doubt = transfer_doubt_new();
    transfer->threads = transfer_threads_new(loop, transfer->stores);
    uv_timer_init(loop, &transfer->next_turn);
    transfer->next_turn.data = transfer;
    if (!lane_new(transfer))
        g_error("no epoll set can be made: %s", g_strerror(errno));
    return transfer;
}

// Negotiate asks a ticket server in the middle of the call.
static void start_blocking_call(struct transfer_call *call, const struct transfer_request *request)
{
    struct transfer *transfer = call->lane->transfer;
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
    struct transfer *transfer = call->lane->transfer;
    call->easy.fresh = transfer_doubt_holds(transfer->doubt, request->url);
    if (!transfer_easy_begin(&call->easy, request)) {
        end_later(call, TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE, g_steal_pointer(&call->easy.ours));
    } else if (transfer_dns_is_held(transfer->dns, request->url)) {
        end_later(call, TRANSFER_TIMEOUT, TRANSFER_PHASE_DNS,
                  g_strdup("the name servers have not answered an earlier lookup of this name"));
    } else if (request->credentials.kind == TRANSFER_AUTH_NEGOTIATE) {
        start_blocking_call(call, request);
    } else {
        CURLMcode code = curl_multi_add_handle(call->lane->multi, call->easy.handle);
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
    struct transfer *transfer = call->lane->transfer;
    if (call->ended)
        return; // it has an outcome already
    if (call->thread) {
        transfer_threads_drop(g_steal_pointer(&call->thread));
        g_queue_unlink(&transfer->blocking, &call->link);
    } else {
        g_queue_unlink(&transfer->active, &call->link);
        curl_multi_remove_handle(call->lane->multi, call->easy.handle);
    }
    end_later(call, TRANSFER_CANCELLED, TRANSFER_PHASE_NONE, g_strdup("the call was cancelled"));
}

unsigned transfer_active(const struct transfer *transfer)
{
    return transfer->active.length + transfer->blocking.length + transfer->asking.length +
           transfer->ended.length;
}

static void drop_calls(GQueue *calls)
{
    while (calls->length > 0) {
        struct transfer_call *call = g_queue_peek_head(calls);
        g_queue_unlink(calls, &call->link);
        if (call->thread)
            transfer_threads_drop(call->thread);
        else // of one that is not in it, curl says so
            curl_multi_remove_handle(call->lane->multi, call->easy.handle);
        call_free(call);
    }
}

// on_worked and on_next_turn may still look at it.
static void end_lane(struct lane *lane)
{
    g_ptr_array_unref(lane->pool);
    curl_multi_cleanup(lane->multi);
    lane->multi = NULL;
    transfer_sockets_free(lane->sockets);
}

static void on_engine_closed(uv_handle_t *handle)
{
    struct transfer *transfer = handle->data;
    g_ptr_array_unref(transfer->lanes);
    g_free(transfer);
}

void transfer_free(struct transfer *transfer)
{
    if (!transfer)
        return;
    transfer->over = true;
    drop_calls(&transfer->active);
    drop_calls(&transfer->blocking);
    drop_calls(&transfer->asking);
    drop_calls(&transfer->ended);
    for (guint i = 0; i < transfer->lanes->len; i++)
        end_lane(transfer->lanes->pdata[i]);
    transfer_threads_free(transfer->threads);
    transfer_tls_stores_free(transfer->stores);
    transfer_doubt_free(transfer->doubt);
    transfer_dns_free(transfer->dns);
    uv_close((uv_handle_t *)&transfer->next_turn, on_engine_closed);
}
