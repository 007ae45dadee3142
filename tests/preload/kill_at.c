// SPDX-License-Identifier: MIT
// Preloaded by kills.py: the process kills itself at one of the moments that matter, before or
// after it has written, sent or synced something. KILL_AT=n is the n-th of them, counted in each
// process anew.
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long left;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("KILL_AT");
    left = at != NULL ? strtol(at, NULL, 10) : 0;
}

static void pass(void)
{
    if (atomic_fetch_sub(&left, 1) == 1) {
        kill(getpid(), SIGKILL);
    }
}

// A function of the C library, with a moment before and one after it.
#define MOMENTS(type, name, parameters, arguments)                                                 \
    type name parameters;                                                                          \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*_Atomic real) parameters;                                                     \
        if (real == NULL) {                                                                        \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                    \
        }                                                                                          \
        pass();                                                                                    \
        type result = real arguments;                                                              \
        pass();                                                                                    \
        return result;                                                                             \
    }

MOMENTS(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
MOMENTS(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
MOMENTS(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at),
        (fd, bytes, size, at))
MOMENTS(int, fsync, (int fd), (fd))
MOMENTS(int, fdatasync, (int fd), (fd))
MOMENTS(int, ftruncate64, (int fd, off64_t size), (fd, size))
MOMENTS(int, unlink, (const char *path), (path))
MOMENTS(ssize_t, send, (int fd, const void *bytes, size_t size, int flags),
        (fd, bytes, size, flags))
MOMENTS(ssize_t, sendto,
        (int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
         socklen_t length),
        (fd, bytes, size, flags, to, length))
MOMENTS(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
