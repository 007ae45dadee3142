// SPDX-License-Identifier: MIT
// Delivery without a mail server: a file for each notice. A reader of the
// directory never sees half a mail, and a power cut loses none that counts.
#include "delivery_clients.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, GBytes *bytes)
{
    gsize length = 0;
    const char *rest = g_bytes_get_data(bytes, &length);
    while (length > 0) {
        ssize_t written = write(fd, rest, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        rest += written;
        length -= (gsize)written;
    }
    return fsync(fd) == 0;
}

static bool write_file(int folder, const char *name, GBytes *bytes)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, 0600) == 0 && write_all(fd, bytes);
    return close(fd) == 0 && ok;
}

// The file's first name is this process's own, lest another one that sends the same notice, from
// memory while the store could not be written, writes into it.
static bool write_renamed(int folder, const char *name, GBytes *bytes)
{
    g_autofree char *hidden = g_strdup_printf(".%s.%d.new", name, (int)getpid());
    return write_file(folder, hidden, bytes) && renameat(folder, hidden, folder, name) == 0 &&
           fsync(folder) == 0;
}

static void accept_all(struct delivery_report *report, const char *name)
{
    for (guint i = 0; i < report->count; i++) {
        delivery_reply_set(&report->replies[i], DELIVERY_STAGE_DOT, 0, name);
        report->replies[i].accepted = true;
    }
}

// A descriptor of the directory, which is made where it is not there yet, and then kept through a
// power cut with all folders above it.
static int open_folder(const char *path)
{
    bool was_there = g_file_test(path, G_FILE_TEST_IS_DIR);
    if (!was_there && g_mkdir_with_parents(path, 0700) != 0)
        return -1;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0 && !was_there && syncfs(folder) != 0) {
        close(folder);
        return -1;
    }
    return folder;
}

void delivery_directory_send(const struct delivery_session *session)
{
    const char *path = session->delivery->directory;
    g_autofree char *name = g_strdup_printf("%s.eml", session->mail->name);
    int folder = open_folder(path);
    if (folder >= 0 && write_renamed(folder, name, session->mail->bytes)) {
        accept_all(session->report, name);
    } else {
        g_autofree char *text = g_strdup_printf("%s: %s", path, g_strerror(errno));
        delivery_report_close(session->report, DELIVERY_STAGE_CONNECT, 0, text);
    }
    if (folder >= 0)
        close(folder);
}
