// SPDX-License-Identifier: MIT
// A fast local ERP for benches: one thread, epoll, connections kept. Each request, whatever
// its method and path, gets 200 and the same 954 bytes of JSON. /wait/MS/... answers that
// much later; /counts gives the requests by method, and those that wait. With -l every
// request's arrival is a line of a file: microseconds of the wall clock, method, path. Prints
// its port, which the kernel chose; ends with the process that started it.
#include "../../base/heap.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_SIZE = 954, BUFFER_SIZE = 8192, EVENTS = 512, BACKLOG = 20000 };

struct connection {
    struct heap_node due; // first: when the answer that waits is sent
    int fd;
    bool last; // the client wants the connection closed after this answer
    size_t used;
    char buffer[BUFFER_SIZE]; // what was read of the next request
};

static struct {
    int epoll, listener;
    struct heap *waiting;
    FILE *log;
    char body[BODY_SIZE + 1], date[40];
    time_t dated;
    long long gets, posts, deletes, others, open;
} server;

static int64_t now_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// A sales order with as many lines, and then as long a note, as make up BODY_SIZE bytes.
static void write_body(void)
{
    g_autoptr(GString) body = g_string_new(
        "{\"id\": \"5d115c9c-44e3-ea11-bb43-000d3a2feca1\", \"number\": \"S-ORD101001\", "
        "\"status\": \"Draft\", \"customerNumber\": \"C00010\", \"currencyCode\": \"EUR\", "
        "\"totalAmountIncludingTax\": 4521.9, \"lines\": [");
    for (int i = 1; body->len < BODY_SIZE - 150; i++)
        g_string_append_printf(body,
                               "%s{\"sequence\": %d, \"itemNumber\": \"1896-S\", \"quantity\": 3, "
                               "\"unitPrice\": 1507.3, \"description\": \"ATHENS Desk\"}",
                               i > 1 ? ", " : "", i * 10000);
    g_string_append(body, "], \"note\": \"");
    while (body->len < BODY_SIZE - 2)
        g_string_append_c(body, 'x');
    g_string_append(body, "\"}");
    memcpy(server.body, body->str, sizeof server.body);
}

static const char *date_now(void)
{
    time_t now = time(NULL);
    if (now != server.dated) {
        struct tm utc;
        server.dated = now;
        strftime(server.date, sizeof server.date, "%a, %d %b %Y %H:%M:%S GMT",
                 gmtime_r(&now, &utc));
    }
    return server.date;
}

static void drop(struct connection *connection)
{
    heap_take(server.waiting, &connection->due);
    close(connection->fd);
    g_free(connection);
    server.open--;
}

// False where the connection is gone.
static bool send_answer(struct connection *connection, const char *body)
{
    char text[2048];
    int length =
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: %s\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                 "Connection: %s\r\n\r\n%s",
                 date_now(), strlen(body), connection->last ? "close" : "keep-alive", body);
    // it fits in an empty socket's buffer, so a part of it means that the client is gone
    bool sent = send(connection->fd, text, (size_t)length, MSG_NOSIGNAL) == length;
    if (sent && !connection->last)
        return true;
    drop(connection);
    return false;
}

static bool send_counts(struct connection *connection)
{
    char text[256];
    if (server.log)
        fflush(server.log);
    snprintf(text, sizeof text,
             "{\"get\":%lld,\"post\":%lld,\"delete\":%lld,\"other\":%lld,\"open\":%lld,"
             "\"waiting\":%u}",
             server.gets, server.posts, server.deletes, server.others, server.open,
             heap_count(server.waiting));
    return send_answer(connection, text);
}

static void count(const char *request)
{
    if (g_str_has_prefix(request, "GET "))
        server.gets++;
    else if (g_str_has_prefix(request, "POST "))
        server.posts++;
    else if (g_str_has_prefix(request, "DELETE "))
        server.deletes++;
    else
        server.others++;
    const char *path = strchr(request, ' ');
    const char *end = path ? strchr(path + 1, ' ') : NULL;
    if (server.log && end)
        fprintf(server.log, "%lld %.*s\n", (long long)now_us(CLOCK_REALTIME), (int)(end - request),
                request);
}

// The request as a text. False where the connection is gone.
static bool answer(struct connection *connection, const char *request)
{
    const char *path = strchr(request, ' ');
    connection->last = strcasestr(request, "\r\nConnection: close") != NULL;
    if (path && g_str_has_prefix(path, " /counts"))
        return send_counts(connection);
    count(request);
    if (path && g_str_has_prefix(path, " /wait/")) {
        int64_t wait_ms = strtoll(path + strlen(" /wait/"), NULL, 10);
        heap_put(server.waiting, &connection->due, now_us(CLOCK_MONOTONIC) + wait_ms * 1000);
        return true;
    }
    return send_answer(connection, server.body);
}

// How long the request at the buffer's start is; 0: not all of it is there.
static size_t request_size(const struct connection *connection)
{
    const char *end = strstr(connection->buffer, "\r\n\r\n");
    if (!end)
        return 0;
    size_t size = (size_t)(end - connection->buffer) + 4;
    const char *header = strcasestr(connection->buffer, "\r\nContent-Length:");
    if (header && header < end)
        size += strtoul(header + strlen("\r\nContent-Length:"), NULL, 10);
    return size <= connection->used ? size : 0;
}

static void read_requests(struct connection *connection)
{
    size_t room = BUFFER_SIZE - 1 - connection->used;
    ssize_t got = read(connection->fd, connection->buffer + connection->used, room);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            drop(connection);
        return;
    }
    connection->used += (size_t)got;
    connection->buffer[connection->used] = '\0';
    for (size_t size; connection->used > 0 && (size = request_size(connection)) > 0;) {
        if (!answer(connection, connection->buffer))
            return;
        connection->used -= size;
        memmove(connection->buffer, connection->buffer + size, connection->used + 1);
    }
    if (connection->used == BUFFER_SIZE - 1)
        drop(connection);
}

static void accept_clients(void)
{
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct connection *connection = g_new0(struct connection, 1);
        connection->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event);
        server.open++;
    }
}

// Sends what is due; returns how many milliseconds there are until the next.
static int send_due(void)
{
    for (;;) {
        struct heap_node *top = heap_top(server.waiting);
        int64_t left_us = top ? top->at - now_us(CLOCK_MONOTONIC) : 1000000;
        if (left_us > 0)
            return (int)(left_us / 1000) + 1;
        heap_take(server.waiting, top);
        send_answer((struct connection *)top, server.body);
    }
}

static bool listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (bind(server.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server.listener, BACKLOG) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&address, &size) != 0 ||
        epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event) != 0)
        return false;
    printf("%d\n", ntohs(address.sin_port));
    return fflush(stdout) == 0;
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-l") == 0)
        server.log = fopen(argv[2], "w");
    if (argc != 1 && !server.log) {
        fprintf(stderr, "usage: %s [-l FILE]\n", argv[0]);
        return 3;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    raise_descriptors();
    write_body();
    server.waiting = heap_new();
    if (!listen_anywhere()) {
        perror("json_server");
        return 3;
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(server.epoll, events, EVENTS, send_due());
        for (int i = 0; i < ready; i++)
            if (events[i].data.ptr)
                read_requests(events[i].data.ptr);
            else
                accept_clients();
    }
}
