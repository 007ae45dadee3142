// SPDX-License-Identifier: MIT
// The glue between curl's multi socket interface and libuv. curl says here which
// descriptors and which moment it waits for; the loop says here that they came,
// and transfer.c, told by `worked`, collects the calls that ended.
#include "transfer_socket.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

// One descriptor that curl uses.
struct poll {
    uv_poll_t handle;
    struct transfer_sockets *sockets;
    curl_socket_t fd;
    int events;  // that libuv watches now
    bool inited; // `handle` is with the loop
    bool ours;   // opened by transfer_sockets_open
    bool kept;   // a request went out on it: from then on its closing is told
    bool idle;   // curl does not wait for it: a kept connection
};

struct transfer_sockets {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; // the one deadline that curl is waiting for
    GPtrArray *by_fd; // of struct poll, NULL where curl has none
    transfer_sockets_worked worked;
    void *context;
};

static struct poll *find_poll(const struct transfer_sockets *sockets, curl_socket_t fd)
{
    return (guint)fd < sockets->by_fd->len ? g_ptr_array_index(sockets->by_fd, fd) : NULL;
}

static struct poll *add_poll(struct transfer_sockets *sockets, curl_socket_t fd, bool ours)
{
    struct poll *poll = g_new0(struct poll, 1);
    poll->sockets = sockets;
    poll->fd = fd;
    poll->ours = ours;
    if ((guint)fd >= sockets->by_fd->len)
        g_ptr_array_set_size(sockets->by_fd, fd + 1);
    g_ptr_array_index(sockets->by_fd, fd) = poll;
    return poll;
}

static void on_poll_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

static void drop_poll(struct poll *poll)
{
    g_ptr_array_index(poll->sockets->by_fd, poll->fd) = NULL;
    if (poll->inited)
        uv_close((uv_handle_t *)&poll->handle, on_poll_closed);
    else
        g_free(poll);
}

static void act(struct transfer_sockets *sockets, curl_socket_t fd, int flags)
{
    int running;
    curl_multi_socket_action(sockets->multi, fd, flags, &running);
    sockets->worked(sockets->context);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct poll *poll = handle->data;
    if (status < 0)
        poll->events = 0; // libuv stopped it
    if (poll->idle) {
        // The server closed a kept connection: curl finds out when it wants it again.
        uv_poll_stop(handle);
        poll->events = 0;
        return;
    }
    // Told of an error, curl would not look which one: let it read and see.
    if (status < 0)
        events = UV_READABLE | UV_WRITABLE;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    act(poll->sockets, poll->fd, flags);
}

// Watches `events`, at no cost where they are watched already.
static void watch(struct poll *poll, int events)
{
    if (!poll->inited) {
        if (uv_poll_init_socket(poll->sockets->loop, &poll->handle, poll->fd) != 0)
            return; // the call ends by its deadline
        poll->handle.data = poll;
        poll->inited = true;
    }
    if (events != poll->events && uv_poll_start(&poll->handle, events, on_ready) == 0)
        poll->events = events;
}

// Sockets that never came to a request, and those of the resolver, are closed by
// curl without a word to transfer_sockets_close.
static bool is_kept(const struct poll *poll, CURL *handle)
{
    struct transfer_socket_user *user = NULL;
    if (!poll->ours || poll->kept)
        return poll->kept;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&user);
    return user && user->connected;
}

// An idle connection keeps its handle, but does not keep the loop running.
static void let_idle(struct poll *poll, CURL *handle)
{
    poll->kept = is_kept(poll, handle);
    if (!poll->kept) {
        drop_poll(poll);
        return;
    }
    poll->idle = true;
    if (!poll->inited)
        return;
    if (poll->events != 0)
        watch(poll, UV_READABLE);
    uv_unref((uv_handle_t *)&poll->handle);
}

// curl's socket function: what it waits for on `fd` from now on.
static int on_curl_socket(CURL *handle, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)unused;
    struct transfer_sockets *sockets = context;
    struct poll *poll = find_poll(sockets, fd);
    if (what == CURL_POLL_REMOVE) {
        if (poll)
            let_idle(poll, handle);
        return 0;
    }
    if (!poll)
        poll = add_poll(sockets, fd, false);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    watch(poll, events);
    if (poll->idle && poll->inited)
        uv_ref((uv_handle_t *)&poll->handle);
    poll->idle = false;
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

// curl's timer function. It never works from here: curl would be entered twice.
static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct transfer_sockets *sockets = context;
    if (timeout_ms < 0)
        uv_timer_stop(&sockets->timer);
    else
        uv_timer_start(&sockets->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void set_multi(struct transfer_sockets *sockets)
{
    CURLM *multi = sockets->multi;
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets) != CURLM_OK)
        g_error("libcurl has no multi socket interface");
}

struct transfer_sockets *transfer_sockets_new(uv_loop_t *loop, CURLM *multi,
                                              transfer_sockets_worked worked, void *context)
{
    struct transfer_sockets *sockets = g_new0(struct transfer_sockets, 1);
    sockets->loop = loop;
    sockets->multi = multi;
    sockets->worked = worked;
    sockets->context = context;
    sockets->by_fd = g_ptr_array_new();
    uv_timer_init(loop, &sockets->timer);
    sockets->timer.data = sockets;
    set_multi(sockets);
    return sockets;
}

curl_socket_t transfer_sockets_open(struct transfer_sockets *sockets,
                                    const struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct poll *stale = find_poll(sockets, fd);
    if (stale)
        drop_poll(stale);
    add_poll(sockets, fd, true);
    return fd;
}

int transfer_sockets_close(void *sockets, curl_socket_t fd)
{
    struct poll *poll = find_poll(sockets, fd);
    if (poll)
        drop_poll(poll);
    return close(fd);
}

static void on_timer_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void transfer_sockets_free(struct transfer_sockets *sockets)
{
    for (guint fd = 0; fd < sockets->by_fd->len; fd++) {
        struct poll *poll = g_ptr_array_index(sockets->by_fd, fd);
        if (poll)
            drop_poll(poll);
    }
    g_ptr_array_unref(sockets->by_fd);
    sockets->by_fd = NULL;
    uv_close((uv_handle_t *)&sockets->timer, on_timer_closed);
}
