// SPDX-License-Identifier: MIT
// The glue between curl's multi socket interface and libuv. The sockets are in an
// epoll set of our own, and libuv watches that set alone: a poll handle for each
// socket takes seven system calls a connection instead of two, and libuv aborts
// where curl closes a socket without a word, as it does with attempts to connect.
// transfer.c, told by `worked`, collects the calls that ended.
#include "transfer_socket.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS_BATCH = 256 }; // taken from the set in one turn of the loop

// One descriptor of curl's.
struct watch {
    uint32_t events; // that the set has for it, 0 where it is not in the set
    bool ours;       // opened by transfer_sockets_open
    bool idle;       // curl does not wait for it: a kept connection
};

struct transfer_sockets {
    CURLM *multi;
    int set;          // epoll
    uv_poll_t ready;  // of `set`
    uv_timer_t timer; // the one deadline that curl is waiting for
    GArray *by_fd;    // of struct watch
    transfer_sockets_worked worked;
    void *context;
    int open_handles; // of the loop
};

// Room for `fd` in the table; valid until the next call.
static struct watch *find_watch(struct transfer_sockets *sockets, curl_socket_t fd)
{
    if ((guint)fd >= sockets->by_fd->len)
        g_array_set_size(sockets->by_fd, (guint)fd + 1);
    return &g_array_index(sockets->by_fd, struct watch, fd);
}

// Watches `events`, at no cost where they are watched already. The set may know
// more than the table or less, where curl closed a descriptor by itself.
static void set_events(struct transfer_sockets *sockets, curl_socket_t fd, uint32_t events)
{
    struct watch *watch = find_watch(sockets, fd);
    if (events == watch->events)
        return;
    struct epoll_event event = {.events = events, .data.fd = fd};
    int how = watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (events == 0)
        epoll_ctl(sockets->set, EPOLL_CTL_DEL, fd, &event);
    else if (epoll_ctl(sockets->set, how, fd, &event) != 0 && (errno == ENOENT || errno == EEXIST))
        epoll_ctl(sockets->set, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    watch->events = events;
}

// curl's socket function: what it waits for on `fd` from now on.
static int on_curl_socket(CURL *handle, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)handle;
    (void)unused;
    struct transfer_sockets *sockets = context;
    struct watch *watch = find_watch(sockets, fd);
    watch->idle = what == CURL_POLL_REMOVE;
    if (!watch->idle)
        set_events(sockets, fd,
                   (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                       (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0));
    else if (!watch->ours)
        set_events(sockets, fd, 0); // the resolver's: it is about to be closed
    return 0;
}

// What curl has no memory for, it neither does nor ends: no call of it would ever come back.
static void act(struct transfer_sockets *sockets, curl_socket_t fd, int flags)
{
    int running;
    CURLMcode code = curl_multi_socket_action(sockets->multi, fd, flags, &running);
    if (code == CURLM_OUT_OF_MEMORY || code == CURLM_INTERNAL_ERROR)
        g_error("libcurl cannot go on: %s", curl_multi_strerror(code));
}

static void act_on(struct transfer_sockets *sockets, const struct epoll_event *event)
{
    curl_socket_t fd = event->data.fd;
    if (find_watch(sockets, fd)->idle) {
        // The server closed a kept connection: curl finds out when it wants it again.
        set_events(sockets, fd, 0);
        return;
    }
    // Told of an error, curl would not look which one: let it read and see.
    bool failed = event->events & (EPOLLERR | EPOLLHUP);
    int flags = (failed || event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (failed || event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    act(sockets, fd, flags);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    struct transfer_sockets *sockets = handle->data;
    struct epoll_event batch[SOCKETS_BATCH];
    int count = epoll_wait(sockets->set, batch, SOCKETS_BATCH, 0);
    for (int i = 0; i < count; i++)
        act_on(sockets, &batch[i]);
    sockets->worked(sockets->context);
}

static void on_timer(uv_timer_t *timer)
{
    struct transfer_sockets *sockets = timer->data;
    act(sockets, CURL_SOCKET_TIMEOUT, 0);
    sockets->worked(sockets->context);
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

// The set does not keep the loop running: the timer does while curl has calls.
static void watch_set(struct transfer_sockets *sockets, uv_loop_t *loop)
{
    if (uv_poll_init(loop, &sockets->ready, sockets->set) != 0)
        g_error("an epoll set cannot be watched");
    sockets->ready.data = sockets;
    uv_poll_start(&sockets->ready, UV_READABLE, on_ready);
    uv_unref((uv_handle_t *)&sockets->ready);
}

struct transfer_sockets *transfer_sockets_new(uv_loop_t *loop, CURLM *multi,
                                              transfer_sockets_worked worked, void *context)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0)
        return NULL;
    struct transfer_sockets *sockets = g_new0(struct transfer_sockets, 1);
    sockets->set = set;
    sockets->multi = multi;
    sockets->worked = worked;
    sockets->context = context;
    sockets->by_fd = g_array_new(FALSE, TRUE, sizeof(struct watch));
    sockets->open_handles = 2;
    uv_timer_init(loop, &sockets->timer);
    sockets->timer.data = sockets;
    watch_set(sockets, loop);
    set_multi(sockets);
    return sockets;
}

curl_socket_t transfer_sockets_open(void *sockets, const struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    *find_watch(sockets, fd) = (struct watch){.ours = true};
    return fd;
}

int transfer_sockets_close(void *sockets, curl_socket_t fd)
{
    *find_watch(sockets, fd) = (struct watch){0};
    return close(fd); // which takes it out of the set
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct transfer_sockets *sockets = handle->data;
    if (--sockets->open_handles == 0)
        g_free(sockets);
}

void transfer_sockets_free(struct transfer_sockets *sockets)
{
    uv_close((uv_handle_t *)&sockets->ready, on_handle_closed);
    uv_close((uv_handle_t *)&sockets->timer, on_handle_closed);
    close(sockets->set);
    g_array_unref(sockets->by_fd);
}
