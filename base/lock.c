// SPDX-License-Identifier: MIT
// Open-file-description locks, on files that nothing else uses: closing any
// descriptor of such a file in this process does not drop them, unlike POSIX locks.
// Used for owners, the agent and deliver.
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct lock {
    int fd;
    char *path;
};

G_DEFINE_QUARK(erpwatch - lock - error, lock_error)

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

enum lock_error lock_error_of(int number)
{
    return number == ENOSPC || number == EDQUOT ? LOCK_ERROR_FULL : LOCK_ERROR_FAILED;
}

static struct lock *open_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, LOCK_ERROR, lock_error_of(errno), "%s cannot be opened: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    struct lock *lock = g_new0(struct lock, 1);
    lock->fd = fd;
    lock->path = g_strdup(path);
    return lock;
}

// True where the file at the path is still the one that was opened: its former
// holder may have removed it in between.
static bool is_still_there(const struct lock *lock)
{
    g_autofree char *by_fd = g_strdup_printf("/proc/self/fd/%d", lock->fd);
    g_autofree char *target = g_file_read_link(by_fd, NULL);
    return target == NULL || !g_str_has_suffix(target, " (deleted)");
}

// Locks the whole file. False where it is held or cannot be locked.
static bool lock_whole(const struct lock *lock, GError **error)
{
    struct flock all = whole_file();
    if (fcntl(lock->fd, F_OFD_SETLK, &all) == 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, LOCK_ERROR, LOCK_ERROR_HELD, "%s is held by another process",
                    lock->path);
    } else {
        g_set_error(error, LOCK_ERROR, LOCK_ERROR_FAILED, "%s cannot be locked: %s", lock->path,
                    g_strerror(errno));
    }
    return false;
}

struct lock *lock_take(const char *path, GError **error)
{
    for (;;) {
        struct lock *lock = open_file(path, error);
        if (lock == NULL) {
            return NULL;
        }
        bool locked = lock_whole(lock, error);
        if (locked && is_still_there(lock)) {
            return lock;
        }
        lock_free(lock);
        if (!locked) {
            return NULL;
        }
    }
}

bool lock_is_held(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct flock all = whole_file();
    bool held = fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
    close(fd);
    return held;
}

void lock_free(struct lock *lock)
{
    if (lock == NULL) {
        return;
    }
    close(lock->fd);
    g_free(lock->path);
    g_free(lock);
}

void lock_free_and_remove(struct lock *lock)
{
    unlink(lock->path);
    lock_free(lock);
}
