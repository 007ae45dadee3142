// SPDX-License-Identifier: MIT
// Open-file-description locks, on files that nothing else uses: closing any
// descriptor of such a file in this process does not drop them, unlike POSIX locks.
// Used for owners, runs of one flow, the agent and deliver.
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// The kernel looks through all locks of a file at each change: ten thousand in one took half a
// core at a thousand runs a second.
enum { SLOT_FILES = 16 };

struct lock {
    int fd;
    char *path;
};

struct lock_slots {
    char *path;
    struct lock *files[SLOT_FILES]; // each opened when a slot of it is first taken
};

G_DEFINE_QUARK(erpwatch - lock - error, lock_error)

// Slots are bytes; the offset has to stay positive.
static struct flock region(short type, uint64_t slot, bool whole)
{
    struct flock region = {.l_type = type, .l_whence = SEEK_SET};
    region.l_start = whole ? 0 : (off_t)(slot >> 2);
    region.l_len = whole ? 0 : 1;
    return region;
}

static struct lock *open_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, LOCK_ERROR, LOCK_ERROR_FAILED, "%s cannot be opened: %s", path,
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
    struct flock all = region(F_WRLCK, 0, true);
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

static struct lock *file_of_slot(struct lock_slots *slots, uint64_t slot, GError **error)
{
    unsigned number = slot % SLOT_FILES;
    if (slots->files[number] == NULL) {
        g_autofree char *path = g_strdup_printf("%s-%u", slots->path, number);
        slots->files[number] = open_file(path, error);
    }
    return slots->files[number];
}

struct lock_slots *lock_open_slots(const char *path, GError **error)
{
    struct lock_slots *slots = g_new0(struct lock_slots, 1);
    slots->path = g_strdup(path);
    if (file_of_slot(slots, 0, error) == NULL) {
        lock_free_slots(slots);
        return NULL;
    }
    return slots;
}

bool lock_take_slot(struct lock_slots *slots, uint64_t slot)
{
    struct flock one = region(F_WRLCK, slot, false);
    const struct lock *file = file_of_slot(slots, slot, NULL);
    return file != NULL && fcntl(file->fd, F_OFD_SETLK, &one) == 0;
}

void lock_release_slot(struct lock_slots *slots, uint64_t slot)
{
    struct flock one = region(F_UNLCK, slot, false);
    const struct lock *file = file_of_slot(slots, slot, NULL);
    if (file != NULL) {
        (void)fcntl(file->fd, F_OFD_SETLK, &one);
    }
}

void lock_free_slots(struct lock_slots *slots)
{
    for (unsigned i = 0; slots != NULL && i < SLOT_FILES; i++) {
        lock_free(slots->files[i]);
    }
    if (slots != NULL) {
        g_free(slots->path);
        g_free(slots);
    }
}

bool lock_is_held(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct flock all = region(F_WRLCK, 0, true);
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
