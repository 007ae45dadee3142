// SPDX-License-Identifier: MIT
// Chooses the mail client, runs SMTP sessions in a child process with a
// deadline, and brings the replies back in shared memory. Comes after deliver,
// before the three clients.
#include "delivery.h"
#include "delivery_clients.h"

#include "../base/lock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// A session's process gets this much longer than its own deadline, and this long for QUIT.
enum { KILL_AFTER_MS = 1000, QUIT_MS = 2000 };

struct client {
    const char *name;
    void (*send)(const struct delivery_session *session);
    bool own_process;
};

static const struct client clients[] = {
    [DELIVERY_DIRECTORY] = {"directory", delivery_directory_send, false},
    [DELIVERY_LIBESMTP] = {"libesmtp", smtp_esmtp_send, true},
    [DELIVERY_LIBCURL] = {"libcurl", smtp_curl_send, true},
};

const char *delivery_client_name(enum delivery_client client)
{
    return clients[client].name;
}

// --- the child process

static size_t report_size(guint count)
{
    return sizeof(struct delivery_report) + count * sizeof(struct delivery_reply);
}

// It ends with its parent, which may have been killed before that was asked for.
static void run_child(struct delivery_session *session, pid_t parent)
{
    const struct delivery *delivery = session->delivery;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    signal(SIGPIPE, SIG_IGN);
    lock_free(delivery->child_frees);
    clients[delivery->client].send(session);
    delivery_session_done(session);
    _exit(EXIT_SUCCESS);
}

// True where the child said that the report is complete within `timeout_ms`.
static bool wait_done(int fd, int64_t timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;
    int ready;
    do
        ready = poll(&poll_fd, 1, (int)MIN(timeout_ms, G_MAXINT));
    while (ready < 0 && errno == EINTR);
    return ready > 0 && read(fd, &byte, 1) == 1;
}

// Waits for the child's end, ends it where it takes too long; its wait status.
static int end_child(pid_t child, int fd, int64_t grace_ms)
{
    int status = 0;
    if (grace_ms > 0)
        wait_done(fd, grace_ms); // an end of file: it has ended by itself
    kill(child, SIGKILL);        // not yet waited for, so that the id is still its own
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void watch_child(struct delivery_session *session, pid_t child, int fd)
{
    int64_t timeout_ms = session->delivery->timeout_ms;
    bool done = wait_done(fd, timeout_ms + KILL_AFTER_MS);
    int status = end_child(child, fd, done ? QUIT_MS : 0);
    if (done)
        return;
    g_autofree char *text =
        WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL
            ? g_strdup_printf("the mail client ended with signal %d", WTERMSIG(status))
            : g_strdup_printf("no end of the session within %.1f s", (double)timeout_ms / 1000);
    delivery_report_close(session->report, MAX(session->report->stage, DELIVERY_STAGE_CONNECT), 0,
                          text);
}

static void send_in_child(struct delivery_session *session)
{
    int fds[2];
    if (pipe(fds) != 0) {
        delivery_report_close(session->report, DELIVERY_STAGE_CONNECT, 0, g_strerror(errno));
        return;
    }
    session->done_fd = fds[1];
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(fds[0]);
        run_child(session, parent);
    }
    int problem = errno;
    close(fds[1]);
    if (child < 0)
        delivery_report_close(session->report, DELIVERY_STAGE_CONNECT, 0, g_strerror(problem));
    else
        watch_child(session, child, fds[0]);
    close(fds[0]);
}

static void *map_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        g_error("no memory for a mail session: %s", g_strerror(errno));
    return memory;
}

// --- sending

// An address that may not stand in a command is refused here, in the server's place.
static GPtrArray *select_safe(const GPtrArray *recipients, struct delivery_report *report)
{
    GPtrArray *safe = g_ptr_array_new();
    for (guint i = 0; i < recipients->len; i++) {
        if (delivery_address_is_safe(recipients->pdata[i]))
            g_ptr_array_add(safe, recipients->pdata[i]);
        else
            delivery_reply_set(&report->replies[i], DELIVERY_STAGE_RCPT, 553,
                               "not an address that can be sent to (not asked of the server)");
    }
    return safe;
}

static void copy_replies(struct delivery_report *report, const struct delivery_report *of_safe)
{
    guint next = 0;
    report->stage = of_safe->stage;
    for (guint i = 0; i < report->count && next < of_safe->count; i++)
        if (report->replies[i].code != 553 || report->replies[i].stage != DELIVERY_STAGE_RCPT)
            report->replies[i] = of_safe->replies[next++];
}

// A lone CR or LF could end the message early on a lenient server, and what follows would be
// commands there. Neither library mends that.
static bool has_bare_line_end(GBytes *mail)
{
    gsize length = 0;
    const char *bytes = g_bytes_get_data(mail, &length);
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '\r' && (i + 1 == length || bytes[i + 1] != '\n'))
            return true;
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
            return true;
    }
    return false;
}

static void send_safe(const struct delivery *delivery, const struct delivery_mail *mail,
                      struct delivery_report *report)
{
    size_t size = report_size(mail->recipients->len);
    struct delivery_session session = {
        .delivery = delivery, .mail = mail, .report = map_shared(size), .done_fd = -1};
    session.report->count = mail->recipients->len;
    session.deadline.us = clock_transport_now().us + delivery->timeout_ms * 1000;
    if (has_bare_line_end(mail->bytes))
        delivery_report_close(session.report, DELIVERY_STAGE_DATA, 0,
                              "the mail has line ends that are not CR LF");
    else if (clients[delivery->client].own_process)
        send_in_child(&session);
    else
        clients[delivery->client].send(&session);
    // Nobody is left without an answer, whatever a client forgot.
    for (guint i = 0; i < session.report->count; i++)
        if (session.report->replies[i].stage == DELIVERY_STAGE_NONE)
            delivery_reply_set(&session.report->replies[i], DELIVERY_STAGE_CONNECT, 0, "no answer");
    copy_replies(report, session.report);
    munmap(session.report, size);
}

struct delivery_report *delivery_send(const struct delivery *delivery,
                                      const struct delivery_mail *mail)
{
    struct delivery_report *report = g_malloc0(report_size(mail->recipients->len));
    report->count = mail->recipients->len;
    g_autoptr(GPtrArray) safe = select_safe(mail->recipients, report);
    const struct delivery_mail reduced = {mail->name, safe, mail->bytes};
    if (safe->len > 0)
        send_safe(delivery, &reduced, report);
    return report;
}
