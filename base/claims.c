// SPDX-License-Identifier: MIT
// A table of holders in shared memory, changed by compare-and-exchange alone. Two of our own
// things may fall into one place: they are counted. Above lock, which tells who is alive.
#include "claims.h"

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PLACES = 65536 };

typedef _Atomic uint64_t place_t;

struct claims {
    struct claims_holder holder;
    place_t *places;  // the number of each one's holder, or 0
    GHashTable *more; // place -> how often we hold it beyond once
};

static place_t *map(const char *path, int fd, GError **error)
{
    size_t size = PLACES * sizeof(place_t);
    // What is not there yet would be missed at its first use, by a signal.
    int failed = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)size);
    place_t *places = MAP_FAILED;
    if (!failed) {
        places = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        failed = places == MAP_FAILED ? errno : 0;
    }
    if (failed) {
        g_set_error(error, LOCK_ERROR, lock_error_of(failed), "%s cannot be used: %s", path,
                    g_strerror(failed));
        return NULL;
    }
    return places;
}

struct claims *claims_open(const char *path, const struct claims_holder *holder, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    place_t *places = map(path, fd, error);
    if (fd >= 0)
        close(fd);
    if (!places)
        return NULL;
    struct claims *claims = g_new0(struct claims, 1);
    claims->holder = *holder;
    claims->places = places;
    claims->more = g_hash_table_new(NULL, NULL);
    return claims;
}

static guint count_more(const struct claims *claims, guint place)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(claims->more, GUINT_TO_POINTER(place)));
}

static void set_more(struct claims *claims, guint place, guint count)
{
    if (count)
        g_hash_table_insert(claims->more, GUINT_TO_POINTER(place), GUINT_TO_POINTER(count));
    else
        g_hash_table_remove(claims->more, GUINT_TO_POINTER(place));
}

bool claims_take(struct claims *claims, uint64_t number)
{
    guint place = (guint)(number % PLACES);
    uint64_t found = 0, own = claims->holder.number;
    if (atomic_compare_exchange_strong(&claims->places[place], &found, own))
        return true;
    if (found == own) {
        set_more(claims, place, count_more(claims, place) + 1);
        return true;
    }
    return !claims->holder.is_alive(claims->holder.context, found) &&
           atomic_compare_exchange_strong(&claims->places[place], &found, own);
}

void claims_release(struct claims *claims, uint64_t number)
{
    guint place = (guint)(number % PLACES), more = count_more(claims, place);
    uint64_t own = claims->holder.number;
    if (more)
        set_more(claims, place, more - 1);
    else
        atomic_compare_exchange_strong(&claims->places[place], &own, 0);
}

void claims_free(struct claims *claims)
{
    if (!claims)
        return;
    munmap(claims->places, PLACES * sizeof(place_t));
    g_hash_table_unref(claims->more);
    g_free(claims);
}
