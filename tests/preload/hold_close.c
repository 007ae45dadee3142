// SPDX-License-Identifier: MIT
// Preloaded by tests that need a moment to last: before the process closes a file whose path ends
// in HOLD_PATH, for the first time, it makes the file HOLD_FILE and waits until that is gone.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_at(int fd, const char *end)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(end)) {
        return 0;
    }
    path[length] = '\0';
    return strcmp(path + length - strlen(end), end) == 0;
}

static void hold(int (*real)(int), const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        real(fd);
    }
    while (access(file, F_OK) == 0) {
        usleep(10000);
    }
}

int close(int fd)
{
    static atomic_flag held = ATOMIC_FLAG_INIT;
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    const char *end = getenv("HOLD_PATH"), *file = getenv("HOLD_FILE");
    if (end != NULL && file != NULL && is_at(fd, end) && !atomic_flag_test_and_set(&held)) {
        hold(real, file);
    }
    return real(fd);
}
