// SPDX-License-Identifier: MIT
// What the benches of single calls share: their options and their figures.
#ifndef TESTS_BENCH_USE_H
#define TESTS_BENCH_USE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct bench {
    long calls;       // -n: in all
    long concurrent;  // -c: in flight at once
    double rate;      // --rate: calls started a second, of bare_curl; 0: as fast as it goes
    bool fresh;       // -r: a new connection for each call
    const char *body; // -d: what is posted; NULL: GET
    const char *url;
    long failed;
    long long bytes;
    double wall_s, cpu_s; // when it began; after bench_end how long it took
};

static inline double bench_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline bool bench_options(struct bench *bench, int argc, char **argv)
{
    *bench = (struct bench){.calls = 100000, .concurrent = 50};
    static const struct option rate[] = {{"rate", required_argument, NULL, 'R'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "n:c:rd:", rate, NULL)) != -1) {
        if (option == 'n')
            bench->calls = strtol(optarg, NULL, 10);
        else if (option == 'c')
            bench->concurrent = strtol(optarg, NULL, 10);
        else if (option == 'R')
            bench->rate = strtod(optarg, NULL);
        else if (option == 'r')
            bench->fresh = true;
        else if (option == 'd')
            bench->body = optarg;
        else
            return false;
    }
    bench->url = argv[optind];
    if (bench->url && bench->calls >= 1 && bench->concurrent >= 1)
        return true;
    fprintf(stderr, "usage: %s [-n CALLS] [-c CONCURRENT] [--rate A_SECOND] [-r] [-d BODY] URL\n",
            argv[0]);
    return false;
}

static inline void bench_begin(struct bench *bench)
{
    bench->wall_s = bench_clock(CLOCK_MONOTONIC);
    bench->cpu_s = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

// Prints the figures as name=value; returns the exit code.
static inline int bench_end(struct bench *bench)
{
    struct rusage use;
    bench->wall_s = bench_clock(CLOCK_MONOTONIC) - bench->wall_s;
    bench->cpu_s = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - bench->cpu_s;
    getrusage(RUSAGE_SELF, &use);
    printf("cpu_us=%.2f per_s=%.0f failed=%ld bytes=%lld rss_kb=%ld\n",
           bench->cpu_s * 1e6 / (double)bench->calls, (double)bench->calls / bench->wall_s,
           bench->failed, bench->bytes / bench->calls, use.ru_maxrss);
    return bench->failed == 0 ? 0 : 1;
}

#endif
