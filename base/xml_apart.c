// SPDX-License-Identifier: MIT
// Evaluates a path in a child process. libxml2's own limit counts steps, but some
// of its steps (a node's parent, its siblings, two sets compared) take a time
// that grows with the square of the nodes: minutes, on a document of some MiB,
// for an ordinary path. Nothing but the end of a process ends them.
#include "xml_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

// Of the processor's time; ordinary paths need less than a tenth of a second for 5 MiB.
#define MILLISECONDS_OF_WORK 500
// Should the child hang without working.
#define SECONDS_TO_WAIT 10

// What goes through the pipe: a header, then that many bytes of text.
struct frame {
    uint32_t length;
    uint16_t kind;  // enum xml_result
    uint16_t ended; // 1 + enum xml_outcome; no more follows
};

// The child's end. Static memory: nothing is shared with the parent's threads.
struct writer {
    int fd;
    size_t used;
    char buffer[1 << 16];
};

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

static bool flush(struct writer *writer)
{
    size_t used = writer->used;

    writer->used = 0;
    return write_all(writer->fd, writer->buffer, used);
}

static bool put(struct writer *writer, const void *data, size_t length)
{
    if (writer->used + length > sizeof writer->buffer && !flush(writer))
        return false;
    if (length > sizeof writer->buffer)
        return write_all(writer->fd, data, length);
    memcpy(writer->buffer + writer->used, data, length);
    writer->used += length;
    return true;
}

static bool put_result(void *user, enum xml_result kind, const char *text)
{
    struct frame frame = {.length = (uint32_t)strlen(text), .kind = (uint16_t)kind};

    return put(user, &frame, sizeof frame) && put(user, text, frame.length);
}

static void work(int fd, const struct xml_question *question)
{
    static struct writer writer;
    const struct itimerval time = {.it_value.tv_usec = MILLISECONDS_OF_WORK * 1000};
    const struct rlimit none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPROF, SIG_DFL);
    setitimer(ITIMER_PROF, &time, NULL);
    writer.fd = fd;
    writer.used = 0;
    enum xml_outcome outcome = xml_evaluate(question, put_result, &writer);
    struct frame last = {.ended = (uint16_t)(1 + outcome)};

    put(&writer, &last, sizeof last);
    flush(&writer);
    _exit(0);
}

// Reads until the child ends or is silent for too long; false where it did not
// say all.
static bool read_all(int fd, GByteArray *all)
{
    char buffer[1 << 16];
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    for (;;) {
        int polled = poll(&ready, 1, SECONDS_TO_WAIT * 1000);

        if (polled == 0)
            return false;
        ssize_t length = polled > 0 ? read(fd, buffer, sizeof buffer) : -1;

        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return length == 0;
        g_byte_array_append(all, (const guint8 *)buffer, (guint)length);
    }
}

// Hands over what was read; a child that was ended says no outcome.
static enum xml_outcome take_all(const GByteArray *all, xml_take take, void *user)
{
    struct frame frame;

    for (size_t at = 0; all->len - at >= sizeof frame; at += frame.length) {
        memcpy(&frame, all->data + at, sizeof frame);
        at += sizeof frame;
        if (frame.ended > 0)
            return (enum xml_outcome)(frame.ended - 1);
        if (frame.length > all->len - at)
            break;
        g_autofree char *text = g_strndup((const char *)all->data + at, frame.length);

        if (!take(user, (enum xml_result)frame.kind, text))
            return XML_OUTCOME_FAILED;
    }
    return XML_OUTCOME_WORK;
}

enum xml_outcome xml_evaluate_apart(const struct xml_question *question, xml_take take, void *user)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return XML_OUTCOME_FAILED;
    pid_t child = fork();

    if (child == 0)
        work(ends[1], question);
    close(ends[1]);
    bool whole = child > 0 && read_all(ends[0], all);

    close(ends[0]);
    if (child < 0)
        return XML_OUTCOME_FAILED;
    if (!whole)
        kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return take_all(all, take, user);
}
