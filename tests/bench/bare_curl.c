// SPDX-License-Identifier: MIT
// The measure of all calls: libcurl's multi interface with nothing around it,
// bodies thrown away, handles used again. What erpwatch adds is judged by it. The
// request is the one that transfer_calls sends, byte for byte.
#include "bench_use.h"

#include <curl/curl.h>

static struct bench bench;
static struct curl_slist *headers;

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

// Takes the calls that ended and starts as many; returns how many ended.
static long turn_over(CURLM *multi, long *started)
{
    long ended = 0;
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *handle = message->easy_handle;
        bench.failed += message->data.result != CURLE_OK;
        ended++;
        curl_multi_remove_handle(multi, handle);
        if (*started < bench.calls) {
            ++*started;
            curl_multi_add_handle(multi, handle);
        } else {
            curl_easy_cleanup(handle);
        }
    }
    return ended;
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
    bench_begin(&bench);
    long started = 0, ended = 0;
    for (; started < bench.concurrent && started < bench.calls; started++)
        curl_multi_add_handle(multi, new_handle());
    while (ended < bench.calls) {
        int running;
        curl_multi_perform(multi, &running);
        long now_ended = turn_over(multi, &started);
        ended += now_ended;
        if (now_ended == 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    int code = bench_end(&bench);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return code;
}
