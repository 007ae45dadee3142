// SPDX-License-Identifier: MIT
// A call in a thread: first the ticket, then curl on a handle and a connection of its
// own, which nobody else ever uses. The loop keeps the deadline, since nothing can end
// a thread that waits for a ticket server: it is forgotten, and its sockets are shut
// first, so that it sends nothing when it wakes. Used by transfer.c.
#include "transfer_thread.h"

#include "duration.h"
#include "handover.h"
#include "transfer_dns.h"
#include "transfer_easy.h"
#include "transfer_kerberos.h"
#include "transfer_result.h"

#include <errno.h>
#include <unistd.h>

// curl ends its part of a call itself; only where it does not, the loop does.
enum { TRANSFER_THREAD_GRACE_MS = 500 };

// What the loop and one thread share.
struct job {
    struct handover *to_loop;         // takes it when it has finished
    struct transfer_request *request; // own, with the CA file's name beside it
    char *ca, *host;
    struct transfer_tls_stores *stores;
    uint64_t started_ns;
    struct transfer_thread_call *call;  // of the loop alone; NULL once dropped
    struct transfer_response *response; // of the thread until it has finished
    GMutex lock;
    GArray *sockets; // that curl has open: under the lock
    bool calling;    // the ticket is there: under the lock
    bool dropped;    // under the lock
    gint finished;   // atomic
};

struct transfer_thread_call {
    struct transfer_threads *threads;
    struct job *job;
    transfer_thread_done done;
    void *context;
    uv_timer_t timer;
    bool in_grace;
};

struct transfer_threads {
    uv_loop_t *loop;
    struct handover *finished; // of struct job
    struct transfer_tls_stores *stores;
    GHashTable *stuck; // host -> struct job that still waits for a ticket
};

static void clear_job(void *data)
{
    struct job *job = data;
    handover_unref(job->to_loop);
    transfer_request_free(job->request);
    transfer_response_free(job->response);
    transfer_tls_stores_free(job->stores);
    g_array_unref(job->sockets);
    g_mutex_clear(&job->lock);
    g_free(job->ca);
    g_free(job->host);
}

static void job_unref(void *job)
{
    g_atomic_rc_box_release_full(job, clear_job);
}

// ---- in the thread ----

static curl_socket_t open_socket(void *self, const struct curl_sockaddr *address)
{
    struct job *job = self;
    int fd = -1;
    g_mutex_lock(&job->lock);
    if (job->dropped)
        errno = ECANCELED;
    else
        fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        g_array_append_val(job->sockets, fd);
    g_mutex_unlock(&job->lock);
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int close_socket(void *self, curl_socket_t fd)
{
    struct job *job = self;
    g_mutex_lock(&job->lock);
    for (guint i = 0; i < job->sockets->len; i++) {
        if (g_array_index(job->sockets, int, i) == fd) {
            g_array_remove_index_fast(job->sockets, i);
            break;
        }
    }
    g_mutex_unlock(&job->lock);
    return close(fd);
}

static int64_t elapsed_ms(const struct job *job)
{
    return (int64_t)((uv_hrtime() - job->started_ns) / 1000000);
}

static struct transfer_response *perform(struct job *job)
{
    const struct transfer_opener opener = {open_socket, close_socket, job};
    struct transfer_easy easy = {0};
    struct transfer_response *response;
    transfer_easy_init(&easy, &opener, job->stores);
    if (transfer_easy_begin(&easy, job->request)) {
        // What the ticket took is part of the call.
        long left_ms = (long)MAX(job->request->timeout_ms - elapsed_ms(job), 1);
        curl_easy_setopt(easy.handle, CURLOPT_TIMEOUT_MS, left_ms);
        response = transfer_result_take(&easy, curl_easy_perform(easy.handle));
    } else {
        response = transfer_result_take_other(&easy, TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE,
                                              g_steal_pointer(&easy.ours));
    }
    transfer_easy_clear(&easy);
    return response;
}

static struct transfer_response *new_failure(enum transfer_outcome outcome, char *problem)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = outcome;
    response->phase = TRANSFER_PHASE_CONNECT;
    response->problem = problem;
    return response;
}

static struct transfer_response *without_ticket(enum transfer_kerberos meaning, char *problem)
{
    if (meaning == TRANSFER_KERBEROS_NO_LOGIN)
        return new_failure(TRANSFER_OUR_FAULT, problem);
    struct transfer_response *response = new_failure(TRANSFER_UNREACHABLE, problem);
    if (meaning == TRANSFER_KERBEROS_REFUSED)
        response->refused = g_strdup(problem);
    return response;
}

// False where nobody waits for the call any more.
static bool begin_call(struct job *job)
{
    g_mutex_lock(&job->lock);
    job->calling = true;
    bool wanted = !job->dropped;
    g_mutex_unlock(&job->lock);
    return wanted;
}

static void *run(void *data)
{
    struct job *job = data;
    const char *service = job->request->credentials.service;
    char *problem;
    enum transfer_kerberos meaning =
        transfer_kerberos_prepare(service ? service : "HTTP", job->host, &problem);
    if (!begin_call(job))
        g_free(problem);
    else if (meaning == TRANSFER_KERBEROS_READY)
        job->response = perform(job);
    else
        job->response = without_ticket(meaning, problem);
    g_atomic_int_set(&job->finished, 1);
    handover_give(job->to_loop, job);
    return NULL;
}

// ---- on the loop ----

static void on_timer_closed(uv_handle_t *timer)
{
    g_free(timer->data);
}

// Takes the call from its job; the call is freed on a later turn.
static void close_call(struct transfer_thread_call *call)
{
    struct job *job = call->job;
    job->call = NULL;
    call->job = NULL;
    job_unref(job);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

// Nothing goes out from now on; true where the ticket had not come yet.
static bool shut(struct job *job)
{
    g_mutex_lock(&job->lock);
    job->dropped = true;
    bool waits = !job->calling;
    for (guint i = 0; i < job->sockets->len; i++)
        shutdown(g_array_index(job->sockets, int, i), SHUT_RDWR);
    g_mutex_unlock(&job->lock);
    return waits;
}

void transfer_threads_drop(struct transfer_thread_call *call)
{
    shut(call->job);
    close_call(call);
}

static bool is_calling(struct job *job)
{
    g_mutex_lock(&job->lock);
    bool calling = job->calling;
    g_mutex_unlock(&job->lock);
    return calling;
}

static struct transfer_response *new_timeout(const struct job *job, bool waits)
{
    g_autofree char *span = duration_format(job->request->timeout_ms);
    char *problem =
        waits ? g_strdup_printf("no Kerberos ticket for %s within %s: the ticket server (KDC) of "
                                "its realm does not answer",
                                job->host, span)
              : g_strdup_printf("no answer from %s within %s", job->host, span);
    struct transfer_response *response = new_failure(TRANSFER_TIMEOUT, problem);
    response->timing.total = (double)elapsed_ms(job);
    response->sent = !waits;
    if (!waits)
        response->phase = TRANSFER_PHASE_FIRST_BYTE;
    return response;
}

static void on_timer(uv_timer_t *timer)
{
    struct transfer_thread_call *call = timer->data;
    struct job *job = call->job;
    if (!call->in_grace && is_calling(job)) {
        call->in_grace = true;
        uv_timer_start(timer, on_timer, TRANSFER_THREAD_GRACE_MS, 0);
        return;
    }
    bool waits = shut(job);
    struct transfer_response *response = new_timeout(job, waits);
    if (waits)
        g_hash_table_replace(call->threads->stuck, g_strdup(job->host),
                             g_atomic_rc_box_acquire(job));
    transfer_thread_done done = call->done;
    void *context = call->context;
    close_call(call);
    done(response, context);
}

static void on_finished(void *item, void *context)
{
    struct job *job = item;
    struct transfer_thread_call *call = job->call;
    (void)context;
    if (!call)
        return;
    transfer_thread_done done = call->done;
    void *done_context = call->context;
    struct transfer_response *response = g_steal_pointer(&job->response);
    close_call(call);
    done(response, done_context);
}

static struct job *job_new(struct transfer_threads *threads, const struct transfer_request *request)
{
    struct job *job = g_atomic_rc_box_new0(struct job);
    job->to_loop = handover_ref(threads->finished);
    job->stores = transfer_tls_stores_ref(threads->stores);
    job->request = transfer_request_copy(request);
    job->ca = g_strdup(request->tls.ca);
    job->request->tls.ca = job->ca;
    job->host = transfer_dns_host(request->url);
    if (!job->host)
        job->host = g_strdup(request->url); // curl says what is wrong with it
    job->sockets = g_array_new(FALSE, FALSE, sizeof(int));
    job->started_ns = uv_hrtime();
    g_mutex_init(&job->lock);
    return job;
}

bool transfer_threads_is_held(struct transfer_threads *threads, const char *url)
{
    g_autofree char *host = transfer_dns_host(url);
    struct job *job = host ? g_hash_table_lookup(threads->stuck, host) : NULL;
    if (!job || !g_atomic_int_get(&job->finished))
        return job != NULL;
    g_hash_table_remove(threads->stuck, host);
    return false;
}

struct transfer_thread_call *transfer_threads_start(struct transfer_threads *threads,
                                                    const struct transfer_request *request,
                                                    transfer_thread_done done, void *context)
{
    struct job *job = job_new(threads, request);
    if (!handover_start_thread("call", run, g_atomic_rc_box_acquire(job))) {
        job_unref(job); // the thread's
        job_unref(job);
        return NULL;
    }
    struct transfer_thread_call *call = g_new0(struct transfer_thread_call, 1);
    *call = (struct transfer_thread_call){
        .threads = threads, .job = job, .done = done, .context = context};
    job->call = call;
    uv_timer_init(threads->loop, &call->timer);
    call->timer.data = call;
    uv_timer_start(&call->timer, on_timer, (uint64_t)MAX(request->timeout_ms, 1), 0);
    return call;
}

struct transfer_threads *transfer_threads_new(uv_loop_t *loop, struct transfer_tls_stores *stores)
{
    struct transfer_threads *threads = g_new0(struct transfer_threads, 1);
    threads->loop = loop;
    threads->finished = handover_new(loop, on_finished, job_unref, NULL);
    threads->stores = transfer_tls_stores_ref(stores);
    threads->stuck = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, job_unref);
    return threads;
}

void transfer_threads_free(struct transfer_threads *threads)
{
    handover_close(threads->finished);
    g_hash_table_unref(threads->stuck);
    transfer_tls_stores_free(threads->stores);
    g_free(threads);
}
