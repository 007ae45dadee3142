// SPDX-License-Identifier: MIT
// Preloaded by resident.py: a thread that looks ten times a second how many bytes of the heap are
// in use, without what SQLite has. HEAP_FILE is a line for each second: the
// least and the most of it, what SQLite has, and what the heap has from the system. The least is
// what stays when calls are over; resident memory also holds what is free within it.
#include <dlfcn.h>
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOKS = 10, PAUSE_US = 100000 };

// SQLite's pages: as many as the file has, up to a bound of its own.
static size_t count_pages(void)
{
    static long long (*memory_used)(void);
    if (memory_used == NULL) {
        memory_used = (long long (*)(void))dlsym(RTLD_DEFAULT, "sqlite3_memory_used");
    }
    return memory_used != NULL ? (size_t)memory_used() : 0;
}

// What the allocator counts: it does so anew when the epoch is set.
static size_t read_count(const char *name)
{
    uint64_t epoch = 1;
    size_t count = 0, size = sizeof count;
    mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    mallctl(name, &count, &size, NULL, 0);
    return count;
}

static void *watch(void *data)
{
    FILE *file = data;
    for (;;) {
        size_t least = (size_t)-1, most = 0, pages = 0, whole = 0;
        for (int i = 0; i < LOOKS; i++) {
            pages = count_pages();
            size_t used = read_count("stats.allocated") - pages;
            least = used < least ? used : least;
            most = used > most ? used : most;
            whole = read_count("stats.active");
            usleep(PAUSE_US);
        }
        fprintf(file, "%zu %zu %zu %zu\n", least, most, pages, whole);
        fflush(file);
    }
    return NULL;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HEAP_FILE");
    FILE *file = path != NULL ? fopen(path, "ae") : NULL;
    pthread_t thread;
    sigset_t all, former;
    if (file == NULL) {
        return;
    }
    unsetenv("HEAP_FILE"); // not of the processes that this one starts
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former); // signals are the program's
    pthread_create(&thread, NULL, watch, file);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
}
