// SPDX-License-Identifier: MIT
// One word of shared memory, changed by compare-and-exchange. Comes after lock, whose errors
// it shares; db counts the commits of a store in one.
#include "tally.h"

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

struct tally {
    _Atomic int64_t *number;
};

// What is not there yet would be missed at its first use, by a signal.
static int map(int fd, _Atomic int64_t **number)
{
    int failed = fd < 0 ? errno : posix_fallocate(fd, 0, sizeof **number);
    if (failed)
        return failed;
    void *place = mmap(NULL, sizeof **number, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (place == MAP_FAILED)
        return errno;
    *number = place;
    return 0;
}

struct tally *tally_open(const char *path, GError **error)
{
    _Atomic int64_t *number = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = map(fd, &number);
    if (fd >= 0)
        close(fd);
    if (failed) {
        g_set_error(error, LOCK_ERROR, lock_error_of(failed), "%s cannot be used: %s", path,
                    g_strerror(failed));
        return NULL;
    }
    struct tally *tally = g_new(struct tally, 1);
    tally->number = number;
    return tally;
}

int64_t tally_read(const struct tally *tally)
{
    return atomic_load(tally->number);
}

void tally_raise(struct tally *tally, int64_t number)
{
    int64_t found = atomic_load(tally->number);
    while (found < number && !atomic_compare_exchange_weak(tally->number, &found, number)) {
    }
}

bool tally_replace(struct tally *tally, int64_t former, int64_t number)
{
    return atomic_compare_exchange_strong(tally->number, &former, number);
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    munmap(tally->number, sizeof *tally->number);
    g_free(tally);
}
