// SPDX-License-Identifier: MIT
// The measure of all calls: libcurl's multi interface with nothing around it,
// bodies thrown away, handles used again; as fast as it goes, or so many calls a second. What
// erpwatch adds is judged by it. The request is the one that transfer_calls sends, but for the
// order of its headers.
#include "bench_use.h"

#include <curl/curl.h>
#include <glib.h>

static struct bench bench;
static struct curl_slist *headers;
static CURL **idle; // handles that make no call
static long idle_count, started;

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    bench.bytes += (long long)(size * count);
    return size * count;
}

static CURL *new_handle(void)
{
    CURL *handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, bench.url);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    if (bench.body)
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, bench.body);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "erpwatch/" ERPWATCH_VERSION);
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, bench.fresh ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, bench.fresh ? 1L : 0L);
    return handle;
}

// Starts what is due: with a rate as many as the time that has passed asks for.
static void start_due(CURLM *multi)
{
    long due = bench.calls;
    if (bench.rate > 0)
        due = MIN(due, 1 + (long)((bench_clock(CLOCK_MONOTONIC) - bench.wall_s) * bench.rate));
    for (; started < due && idle_count > 0; started++)
        curl_multi_add_handle(multi, idle[--idle_count]);
}

// Takes the calls that ended; returns how many.
static long take_ended(CURLM *multi)
{
    long ended = 0;
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *handle = message->easy_handle;
        bench.failed += message->data.result != CURLE_OK;
        ended++;
        curl_multi_remove_handle(multi, handle);
        idle[idle_count++] = handle;
    }
    return ended;
}

// How long to wait for sockets: with a rate no longer than until the next start.
static int patience_ms(void)
{
    double due_s = bench.wall_s + (double)started / (bench.rate > 0 ? bench.rate : 1);
    double left_s = due_s - bench_clock(CLOCK_MONOTONIC);
    bool paced = bench.rate > 0 && idle_count > 0 && started < bench.calls && left_s < 1;
    return paced ? (int)(MAX(left_s, 0) * 1000) + 1 : 1000;
}

static void run(CURLM *multi)
{
    for (long ended = 0; ended < bench.calls;) {
        int running;
        start_due(multi);
        curl_multi_perform(multi, &running);
        long now_ended = take_ended(multi);
        ended += now_ended;
        if (now_ended == 0)
            curl_multi_poll(multi, NULL, 0, patience_ms(), NULL);
    }
}

int main(int argc, char **argv)
{
    if (!bench_options(&bench, argc, argv))
        return 3;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "Authorization: Basic c2hvcDpzZWNyZXQ=");
    if (bench.fresh)
        headers = curl_slist_append(headers, "Connection: close");
    if (bench.body)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, bench.concurrent);
    idle = calloc((size_t)bench.concurrent, sizeof(CURL *));
    bench_begin(&bench);
    while (idle_count < MIN(bench.concurrent, bench.calls))
        idle[idle_count++] = new_handle();
    run(multi);
    while (idle_count > 0)
        curl_easy_cleanup(idle[--idle_count]);
    int code = bench_end(&bench);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    free(idle);
    return code;
}
