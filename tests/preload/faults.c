// SPDX-License-Identifier: MIT
// A library to be preloaded, that makes calls fail in a program that knows nothing of it.
//
//   FAULT_LIB=libsqlite3  allocations that this library asks for fail ("main": the program):
//   FAULT_AT=N            the Nth of them,
//   FAULT_FOR=M           and those after it, M in all (1; -1: all)
//   FAULT_WRITE=PREFIX    what changes files whose path begins so fails likewise (FAULT_AT …)
//   FAULT_ERRNO=E         with this number (ENOSPC)
//   FAULT_REPORT=FILE     at its end, the process adds how many calls there were
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    uintptr_t from, to; // the library's code
    long at, for_how_many;
    int number;
    const char *prefix, *report;
    atomic_long calls;
} fault;

// Whether this call, one more of those that count, is to fail.
static int is_its_turn(void)
{
    long call = atomic_fetch_add(&fault.calls, 1) + 1;
    return fault.at > 0 && call >= fault.at &&
           (fault.for_how_many < 0 || call < fault.at + fault.for_how_many);
}

static int allocation_fails(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    return at >= fault.from && at < fault.to && is_its_turn();
}

#define ORIGINAL(name)                                                                             \
    static __typeof__(&name) original;                                                             \
    if (original == NULL) {                                                                        \
        original = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                     \
    }

void *malloc(size_t size)
{
    ORIGINAL(malloc)
    if (allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return original(size);
}

void *calloc(size_t count, size_t size)
{
    ORIGINAL(calloc)
    if (allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return original(count, size);
}

void *realloc(void *old, size_t size)
{
    ORIGINAL(realloc)
    if (size > 0 && allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return original(old, size);
}

static int file_fails(int fd)
{
    char link[64], path[4096];
    if (fault.prefix == NULL) {
        return 0;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (strncmp(path, fault.prefix, strlen(fault.prefix)) != 0 || !is_its_turn()) {
        return 0;
    }
    errno = fault.number;
    return 1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    ORIGINAL(write)
    return file_fails(fd) ? -1 : original(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    ORIGINAL(pwrite64)
    return file_fails(fd) ? -1 : original(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ORIGINAL(pwrite)
    return file_fails(fd) ? -1 : original(fd, data, size, at);
}

int fsync(int fd)
{
    ORIGINAL(fsync)
    return file_fails(fd) ? -1 : original(fd);
}

int fdatasync(int fd)
{
    ORIGINAL(fdatasync)
    return file_fails(fd) ? -1 : original(fd);
}

int ftruncate64(int fd, off64_t size)
{
    ORIGINAL(ftruncate64)
    return file_fails(fd) ? -1 : original(fd, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
    ORIGINAL(posix_fallocate64)
    return file_fails(fd) ? errno : original(fd, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    ORIGINAL(posix_fallocate)
    return file_fails(fd) ? errno : original(fd, at, size);
}

static int look(struct dl_phdr_info *about, size_t size, void *wanted)
{
    (void)size;
    const char *name = strrchr(about->dlpi_name, '/');
    name = name == NULL ? about->dlpi_name : name + 1;
    int found = strcmp(wanted, "main") == 0 ? *about->dlpi_name == '\0'
                                            : strncmp(name, wanted, strlen(wanted)) == 0;
    for (int i = 0; found && i < about->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &about->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            fault.from = about->dlpi_addr + part->p_vaddr;
            fault.to = fault.from + part->p_memsz;
        }
    }
    return found;
}

static long number_of(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

__attribute__((constructor)) static void begin(void)
{
    char *library = getenv("FAULT_LIB");
    fault.at = number_of("FAULT_AT", 0);
    fault.for_how_many = number_of("FAULT_FOR", 1);
    fault.number = (int)number_of("FAULT_ERRNO", ENOSPC);
    fault.report = getenv("FAULT_REPORT");
    fault.prefix = getenv("FAULT_WRITE");
    if (library != NULL) {
        dl_iterate_phdr(look, library);
    }
}

__attribute__((destructor)) static void end(void)
{
    char line[32];
    long calls = atomic_load(&fault.calls);
    fault.from = fault.to = 0;
    fault.prefix = NULL;
    int fd = fault.report == NULL
                 ? -1
                 : open(fault.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        int length = snprintf(line, sizeof line, "%ld\n", calls);
        (void)!write(fd, line, (size_t)length);
        close(fd);
    }
}
