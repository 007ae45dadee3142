// SPDX-License-Identifier: MIT
// Preloaded where the thread sanitizer judges the program (make tsan). GLib is built without it and
// makes its locks of futexes and atomics, which the sanitizer does not see: here it is told of each
// lock that is taken and given back, of what is made once, and of what is counted.
#include <dlfcn.h>
#include <glib.h>

// Of the sanitizer; not there in other programs that the tests start.
extern void __tsan_acquire(volatile void *address) __attribute__((weak));
extern void __tsan_release(volatile void *address) __attribute__((weak));

static void acquire(volatile void *address)
{
    if (__tsan_acquire) {
        __tsan_acquire(address);
    }
}

static void release(volatile void *address)
{
    if (__tsan_release) {
        __tsan_release(address);
    }
}

// The real function, as `real`.
#define REAL(type, name, parameters)                                                               \
    static type(*_Atomic found) parameters;                                                        \
    type(*real) parameters = found;                                                                \
    if (real == NULL) {                                                                            \
        found = real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                \
    }

void g_mutex_lock(GMutex *mutex)
{
    REAL(void, g_mutex_lock, (GMutex *))
    real(mutex);
    acquire(mutex);
}

void g_mutex_unlock(GMutex *mutex)
{
    REAL(void, g_mutex_unlock, (GMutex *))
    release(mutex);
    real(mutex);
}

gboolean(g_once_init_enter)(volatile void *location)
{
    REAL(gboolean, g_once_init_enter, (volatile void *))
    gboolean first = real(location);
    acquire(location);
    return first;
}

void(g_once_init_leave)(volatile void *location, gsize result)
{
    REAL(void, g_once_init_leave, (volatile void *, gsize))
    release(location);
    real(location, result);
}

// The last user clears what all others have written.
static _Thread_local struct {
    GDestroyNotify clear;
} last;

static void clear_last(gpointer data)
{
    acquire(data);
    last.clear(data);
}

void g_atomic_rc_box_release_full(gpointer data, GDestroyNotify clear)
{
    REAL(void, g_atomic_rc_box_release_full, (gpointer, GDestroyNotify))
    GDestroyNotify former = last.clear;
    release(data);
    last.clear = clear;
    real(data, clear_last);
    last.clear = former;
}
