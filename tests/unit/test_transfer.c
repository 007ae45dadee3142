// SPDX-License-Identifier: MIT
// The transport against a server that misbehaves in every way that matters:
// each outcome and phase is told apart, nothing is sent twice, nothing leaks.
#include "support_transfer.h"

#include "../../base/transfer_dns.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/resource.h>

// The name server of these tests: names that begin with "stuck" are not answered
// while `resolver_stuck` is set; it has no answer for "broken.invalid", and others of
// .invalid do not exist, which it says of "slow.invalid" after 2.3 s.
static gint resolver_stuck;
static gint stuck_lookups;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    typedef int (*resolver)(const char *, const char *, const struct addrinfo *,
                            struct addrinfo **);
    static _Atomic(resolver) known; // several threads ask
    resolver real = known;
    if (!real)
        known = real = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && g_str_has_prefix(node, "stuck")) {
        g_atomic_int_inc(&stuck_lookups);
        while (g_atomic_int_get(&resolver_stuck))
            g_usleep(2000);
        return EAI_NONAME;
    }
    if (g_strcmp0(node, "slow.invalid") == 0)
        g_usleep(2300 * 1000);
    if (node && g_str_has_suffix(node, ".invalid"))
        return g_str_has_prefix(node, "broken") ? EAI_AGAIN : EAI_NONAME;
    return real(node, service, hints, result);
}

// ---- tests ----

static int open_descriptors(void)
{
    GDir *folder = g_dir_open("/proc/self/fd", 0, NULL);
    int count = 0;
    while (g_dir_read_name(folder))
        count++;
    g_dir_close(folder);
    return count;
}

static void test_answer(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = get("/ok", true);
    assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    assert_int_equal(response->phase, TRANSFER_PHASE_NONE);
    assert_null(response->problem);
    assert_int_equal(response->status, 200);
    assert_string_equal(response->http_version, "1.1");
    assert_string_equal(transfer_headers_find(response->headers, "content-type"),
                        "application/json");
    g_autofree char *body = body_text(response);
    assert_string_equal(body, "{\"ok\": true}");
    g_autofree char *peer = g_strconcat("127.0.0.1:", port("http"), NULL);
    assert_string_equal(response->peer, peer);
    assert_true(response->sent);
    const struct transfer_timing *timing = &response->timing;
    assert_true(timing->dns >= 0 && timing->connect >= timing->dns);
    assert_true(timing->tls == -1);
    assert_false(response->certified);
    assert_true(timing->sent >= timing->connect && timing->first_byte >= timing->sent);
    assert_true(timing->total >= timing->first_byte);
}

static void test_kept_connection(void **state)
{
    (void)state;
    transfer_response_free(get("/ok", true));
    g_autoptr(transfer_response_t) kept = get("/echo", true);
    assert_true(kept->timing.dns == -1 && kept->timing.connect == -1 && kept->timing.tls == -1);
    assert_true(kept->timing.first_byte >= 0);
    g_autofree char *first = body_text(kept);
    assert_non_null(strstr(first, "\"nth\": 2"));
    g_autoptr(transfer_response_t) fresh = get("/echo", false);
    assert_true(fresh->timing.connect >= 0);
    g_autofree char *second = body_text(fresh);
    assert_non_null(strstr(second, "\"nth\": 1"));
}

static void assert_kept(const char *path, bool kept)
{
    g_autoptr(transfer_response_t) response = get(path, true);
    assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    assert_true((response->timing.connect == -1) == kept);
}

// Where one kept connection went silent, its fellows will have, too: they are not tried.
static void test_silent_kept_connections(void **state)
{
    (void)state;
    enum { COUNT = 3 };
    struct result results[COUNT] = {0};
    g_autofree char *url = plain_url("/ok"), *hang = plain_url("/hang");
    for (int i = 0; i < COUNT; i++) {
        results[i].request = request_to("GET", url);
        results[i].request->may_reuse = true;
        transfer_start(engine, results[i].request, on_done, &results[i]);
    }
    while (transfer_active(engine) > 0)
        uv_run(loop, UV_RUN_ONCE);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].response->outcome, TRANSFER_ANSWERED);
        transfer_response_free(results[i].response);
        transfer_request_free(results[i].request);
    }
    assert_kept("/ok", true);
    struct transfer_request *silent = request_to("GET", hang);
    silent->timeout_ms = 300;
    silent->may_reuse = true;
    g_autoptr(transfer_response_t) response = run(silent);
    assert_int_equal(response->outcome, TRANSFER_TIMEOUT);
    assert_true(response->timing.connect == -1);
    assert_kept("/ok", false);
    assert_kept("/ok", false);
}

// A server that closes a kept connection after it read a POST: one order only.
static void test_post_is_never_sent_twice(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        transfer_response_free(get("/close-kept?key=twice", true));
        g_autofree char *url = plain_url("/close-kept?key=twice");
        struct transfer_request *request = request_to("POST", url);
        set_body(request, "order");
        g_autoptr(transfer_response_t) response = run(request);
        assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    }
    g_autoptr(transfer_response_t) log = get("/log?key=twice", true);
    g_autofree char *text = body_text(log);
    int posts = 0;
    for (const char *at = text; (at = strstr(at, "POST")); at++)
        posts++;
    assert_int_equal(posts, 3);
}

// A kept connection that the server closed meanwhile is no failure for a GET.
static void test_closed_meanwhile(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        g_autoptr(transfer_response_t) response = get("/close-next", true);
        assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    }
}

struct failure {
    const char *server, *path;
    enum transfer_outcome outcome;
    enum transfer_phase phase;
    bool sent;
    int status;
    const char *problem; // part of it
};

static const struct failure FAILURES[] = {
    {"silent", "/", TRANSFER_TIMEOUT, TRANSFER_PHASE_FIRST_BYTE, true, 0, "no answer from"},
    {"http", "/hang", TRANSFER_TIMEOUT, TRANSFER_PHASE_FIRST_BYTE, true, 0,
     "no answer from 127.0.0.1 within "},
    {"full", "/", TRANSFER_TIMEOUT, TRANSFER_PHASE_CONNECT, false, 0, "no connection to 127.0.0.1"},
    {"silent tls", "/", TRANSFER_TIMEOUT, TRANSFER_PHASE_TLS, false, 0, "no TLS session"},
    {"http", "/half-status", TRANSFER_TIMEOUT, TRANSFER_PHASE_TRANSFER, true, 0, "not complete"},
    {"http", "/slow-headers", TRANSFER_TIMEOUT, TRANSFER_PHASE_TRANSFER, true, 200, "not complete"},
    {"http", "/slow-body", TRANSFER_TIMEOUT, TRANSFER_PHASE_TRANSFER, true, 200, "not complete"},
    {"http", "/stalled-body", TRANSFER_TIMEOUT, TRANSFER_PHASE_TRANSFER, true, 200, "not complete"},
    {"tls tls", "/hang", TRANSFER_TIMEOUT, TRANSFER_PHASE_FIRST_BYTE, true, 0, "no answer"},
    {"http", "/reset", TRANSFER_UNREACHABLE, TRANSFER_PHASE_FIRST_BYTE, true, 0,
     "connection reset by 127.0.0.1"},
    {"http", "/close", TRANSFER_UNREACHABLE, TRANSFER_PHASE_FIRST_BYTE, true, 0,
     "closed without an answer"},
    {"http", "/reset-body", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200,
     "in the middle of the answer"},
    {"http", "/cut-head", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200,
     "closed in the middle of the headers by 127.0.0.1"},
    {"http", "/short", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200,
     "cut short after 8 bytes"},
    {"http", "/cut-chunk", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200, "cut short"},
    {"http", "/bad-chunk", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200, ""},
    {"http", "/garbage", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 0, "not HTTP"},
    {"http", "/bad-status", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 0, "not HTTP"},
    {"http", "/bad-zip", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200, "decoded"},
    {"http", "/many-headers?count=8000", TRANSFER_GARBLED, TRANSFER_PHASE_TRANSFER, true, 200, ""},
    {"refused", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_CONNECT, false, 0,
     "connection refused by 127.0.0.1:1"},
    {"no name", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_DNS, false, 0,
     "name not found: nobody.invalid"},
    {"slow name", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_DNS, false, 0,
     "name not found: slow.invalid"},
    {"no answer", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_DNS, false, 0,
     "the name servers have no answer for broken.invalid"},
    {"expired tls", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_TLS, false, 0,
     "certificate is not valid: certificate has expired"},
    {"wronghost tls", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_TLS, false, 0,
     "certificate is not valid: "},
    {"selfsigned tls", "/", TRANSFER_UNREACHABLE, TRANSFER_PHASE_TLS, false, 0,
     "certificate is not valid: self"},
    {"http tls", "/ok", TRANSFER_UNREACHABLE, TRANSFER_PHASE_TLS, false, 0, "no TLS session"},
};

static char *failure_url(const struct failure *failure)
{
    if (strcmp(failure->server, "refused") == 0)
        return g_strdup("http://127.0.0.1:1/");
    if (strcmp(failure->server, "no name") == 0)
        return g_strdup("http://nobody.invalid/");
    if (strcmp(failure->server, "slow name") == 0)
        return g_strdup("http://slow.invalid/");
    if (strcmp(failure->server, "no answer") == 0)
        return g_strdup("http://broken.invalid/");
    g_auto(GStrv) words = g_strsplit(failure->server, " ", 2);
    if (words[1])
        return g_strdup_printf("https://localhost:%s%s", port(words[0]), failure->path);
    return g_strdup_printf("http://127.0.0.1:%s%s", port(words[0]), failure->path);
}

static void check_failure(const struct failure *failure, const struct transfer_response *response)
{
    bool same = response->outcome == failure->outcome && response->phase == failure->phase &&
                response->sent == failure->sent && response->status == failure->status &&
                response->problem && strstr(response->problem, failure->problem);
    if (!same)
        fail_msg("%s %s: outcome %d phase %s sent %d status %d: %s", failure->server, failure->path,
                 response->outcome, transfer_phase_name(response->phase), response->sent,
                 response->status, response->problem);
    assert_non_null(response->headers);
    assert_non_null(response->body);
}

static struct transfer_request *failure_request(const struct failure *failure, const char *method,
                                                int64_t timeout_ms)
{
    g_autofree char *url = failure_url(failure);
    struct transfer_request *request = request_to(method, url);
    request->timeout_ms = failure->outcome == TRANSFER_TIMEOUT ? timeout_ms : 60000;
    request->tls.ca = port("ca");
    request->may_reuse = strcmp(method, "GET") == 0;
    if (!request->may_reuse)
        set_body(request, "{}");
    return request;
}

// On a busy machine the time may be over before the phase in which the server stalls.
static bool was_too_short(const struct failure *failure, const struct transfer_response *response)
{
    return failure->outcome == TRANSFER_TIMEOUT && response->outcome == TRANSFER_TIMEOUT &&
           response->phase < failure->phase;
}

enum { FAILURE_COUNT = G_N_ELEMENTS(FAILURES) };

// Runs all that are not yet `seen`, at once.
static void run_unseen(const char *method, int64_t timeout_ms, bool seen[FAILURE_COUNT])
{
    struct result results[FAILURE_COUNT] = {0};
    for (int i = 0; i < FAILURE_COUNT; i++) {
        if (seen[i])
            continue;
        results[i].request = failure_request(&FAILURES[i], method, timeout_ms);
        transfer_start(engine, results[i].request, on_done, &results[i]);
    }
    while (transfer_active(engine) > 0)
        uv_run(loop, UV_RUN_ONCE);
    for (int i = 0; i < FAILURE_COUNT; i++) {
        if (seen[i])
            continue;
        assert_int_equal(results[i].told, 1);
        seen[i] = timeout_ms > 20000 || !was_too_short(&FAILURES[i], results[i].response);
        if (seen[i])
            check_failure(&FAILURES[i], results[i].response);
        transfer_response_free(results[i].response);
        transfer_request_free(results[i].request);
    }
}

static void run_failures(const char *method)
{
    bool seen[FAILURE_COUNT] = {false};
    bool all = false;
    for (int64_t timeout_ms = 1000; !all; timeout_ms *= 3) {
        run_unseen(method, timeout_ms, seen);
        all = true;
        for (int i = 0; i < FAILURE_COUNT; i++)
            all = all && seen[i];
    }
}

// Twice, so that handles are used again: nothing of a former call may show.
static void test_failures(void **state)
{
    (void)state;
    run_failures("GET");
    transfer_response_free(get("/ok", true));
    run_failures("POST");
}

static void test_body_is_capped(void **state)
{
    (void)state;
    static const char *const paths[] = {"/huge", "/endless", "/bomb", "/bomb?levels=2"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *url = plain_url(paths[i]);
        struct transfer_request *request = request_to("GET", url);
        request->max_body = 100000;
        g_autoptr(transfer_response_t) response = run(request);
        assert_int_equal(response->outcome, TRANSFER_TOO_LARGE);
        assert_int_equal(g_bytes_get_size(response->body), 100000);
        assert_int_equal(response->status, 200);
        assert_string_equal(response->problem, "the body is larger than 100000 bytes");
    }
}

static void test_body_of_just_the_cap(void **state)
{
    (void)state;
    g_autofree char *url = plain_url("/ok");
    struct transfer_request *request = request_to("GET", url);
    request->max_body = 12;
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    assert_int_equal(g_bytes_get_size(response->body), 12);
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *path, *body;
        int status;
    } cases[] = {
        {"/zipped", "{\"zipped\": true}", 200},
        {"/chunked", "{\"a\":1}", 200},
        {"/no-content", "", 204},
        {"/redirect-loop", "", 302},
        {"/bom", "\xEF\xBB\xBF{\"bom\": true}", 200},
        {"/reply?status=503&body=busy", "busy", 503},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) response = get(cases[i].path, true);
        assert_int_equal(response->outcome, TRANSFER_ANSWERED);
        assert_int_equal(response->status, cases[i].status);
        g_autofree char *body = body_text(response);
        assert_string_equal(body, cases[i].body);
    }
}

static void test_response_headers(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = get("/early-hints", true);
    assert_int_equal(response->status, 200);
    assert_null(transfer_headers_find(response->headers, "Link")); // of the 103
    assert_string_equal(transfer_headers_find(response->headers, "x-folded"), "one two");
    assert_string_equal(transfer_headers_find(response->headers, "X-Empty"), "");
    GString *cookies = g_string_new(NULL);
    for (guint i = 0; i < response->headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(response->headers, i);
        if (strcmp(header->name, "Set-Cookie") == 0)
            g_string_append_printf(cookies, "%s;", header->value);
    }
    assert_string_equal(cookies->str, "a=1;b=2;");
    g_string_free(cookies, TRUE);
}

static void test_methods(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *seen; // in the order in which handles are used again
    } cases[] = {
        {"POST", "a=1", "\"body\": \"a=1\""},
        {"GET", NULL, "\"body\": \"\""},
        {"DELETE", NULL, "\"body\": \"\""},
        {"PUT", "{}", "\"body\": \"{}\""},
        {"HEAD", NULL, NULL},
        {"PATCH", NULL, "[\"Content-Length\", \"0\"]"},
        {"DELETE", "{}", "\"body\": \"{}\""},
        {"HEAD", "ignored", NULL},
        {"GET", "{\"q\":1}", "\\\"q\\\":1"},
        {"POST", NULL, "[\"Content-Length\", \"0\"]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = plain_url("/echo");
        struct transfer_request *request = request_to(cases[i].method, url);
        if (cases[i].body)
            set_body(request, cases[i].body);
        g_autoptr(transfer_response_t) response = run(request);
        assert_int_equal(response->outcome, TRANSFER_ANSWERED);
        g_autofree char *body = body_text(response);
        g_autofree char *method = g_strdup_printf("\"method\": \"%s\"", cases[i].method);
        if (!cases[i].seen)
            continue;
        assert_non_null(strstr(body, method));
        assert_non_null(strstr(body, cases[i].seen));
        assert_null(strstr(body, "Expect"));
        assert_null(strstr(body, "x-www-form-urlencoded"));
    }
}

// Of a URL at the place of the one before, only what is behind the host is told to curl.
static void test_urls_in_turn(void **state)
{
    (void)state;
    static const struct {
        const char *host, *path, *target;
    } cases[] = {
        {"127.0.0.1", "/echo?a=1&b=/%3F", "/echo?a=1&b=/%3F"},
        {"127.0.0.1", "/echo", "/echo"},
        {"127.0.0.1", "/echo?a=1", "/echo?a=1"},
        {"localhost", "/echo", "/echo"},
        {"localhost", "/echo?", "/echo?"},
        {"localhost", "/echo?b=%C3%a9", "/echo?b=%C3%a9"},
        {"localhost", "/echo?b=2?3", "/echo?b=2?3"},
        {"127.0.0.1", "/echo?c=3#part", "/echo?c=3"},
        {"127.0.0.1", "/echo#part?d", "/echo"},
        {"127.0.0.1", "/echo", "/echo"},
        {"127.0.0.1", "?x", NULL},
        {"127.0.0.1", "/ok", NULL},
        {"127.0.0.1", "/echo", "/echo"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *place = g_strconcat(cases[i].host, ":", port("http"), NULL);
        g_autofree char *url = g_strconcat("http://", place, cases[i].path, NULL);
        g_autoptr(transfer_response_t) response = run(request_to("GET", url));
        g_autofree char *body = body_text(response);
        g_autofree char *target = g_strdup_printf("\"target\": \"%s\"", cases[i].target);
        assert_int_equal(response->outcome, TRANSFER_ANSWERED);
        if (cases[i].target && (!strstr(body, target) || !strstr(body, place)))
            fail_msg("%s: %s", url, body);
        assert_true(cases[i].target || !strstr(body, "target"));
    }
}

static void test_request_headers(void **state)
{
    (void)state;
    g_autofree char *url = plain_url("/echo/../echo");
    struct transfer_request *request = request_to("GET", url);
    transfer_headers_add(request->headers, "X-One", "1");
    transfer_headers_add(request->headers, "X-Empty", "");
    transfer_headers_add(request->headers, "X-One", "again");
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->status, 404); // the path goes out as it is
    g_free(url);
    url = plain_url("/echo");
    request = request_to("POST", url);
    set_body(request, "x");
    transfer_headers_add(request->headers, "X-One", "1");
    transfer_headers_add(request->headers, "X-Empty", "");
    transfer_headers_add(request->headers, "X-One", "again");
    transfer_headers_add(request->headers, "Content-Type", "text/x");
    g_autoptr(transfer_response_t) second = run(request);
    g_autofree char *body = body_text(second);
    assert_non_null(strstr(body, "[\"X-One\", \"1\"]"));
    assert_non_null(strstr(body, "[\"X-One\", \"again\"]"));
    assert_non_null(strstr(body, "[\"X-Empty\", \"\"]"));
    assert_non_null(strstr(body, "[\"Content-Type\", \"text/x\"]"));
}

static void check_our_fault(struct transfer_request *request, const char *problem)
{
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->outcome, TRANSFER_OUR_FAULT);
    assert_false(response->sent);
    if (!strstr(response->problem, problem))
        fail_msg("%s", response->problem);
}

static void test_our_faults(void **state)
{
    (void)state;
    check_our_fault(request_to("GET", "file:///etc/passwd"), "not an http or https address");
    check_our_fault(request_to("GET", "http://"), "not a valid address");
    check_our_fault(request_to("GET", "http://127.0.0.1:99999/"), "not a valid address");
    check_our_fault(request_to("GET", "http://127.0.0.1/\r\nX: y"), "line break");
    struct transfer_request *request = request_to("GET", "http://127.0.0.1:1/");
    transfer_headers_add(request->headers, "X", "a\nb");
    check_our_fault(request, "a header has a line break: X");
    g_autofree char *url = g_strdup_printf("https://localhost:%s/ok", port("tls"));
    request = request_to("GET", url);
    request->tls.ca = "/nowhere/ca.pem";
    check_our_fault(request, "/nowhere/ca.pem cannot be read: No such file");
    request = request_to("GET", url);
    request->tls.ca = "/dev/null";
    check_our_fault(request, "no PEM certificates");
}

static struct transfer_response *get_tls(const char *name, const char *path, const char *ca)
{
    g_autofree char *url = g_strdup_printf("https://localhost:%s%s", port(name), path);
    struct transfer_request *request = request_to("GET", url);
    request->may_reuse = true;
    request->tls.ca = ca;
    request->tls.no_verify = ca == NULL && strcmp(name, "selfsigned") == 0;
    return run(request);
}

static void test_tls(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) first = get_tls("tls", "/ok", port("ca"));
    assert_int_equal(first->outcome, TRANSFER_ANSWERED);
    assert_true(first->timing.tls > first->timing.connect);
    g_autoptr(transfer_response_t) kept = get_tls("tls", "/ok", port("ca"));
    assert_true(kept->timing.tls == -1);
    assert_true(first->certified && kept->certified);
    int64_t ten_days = INT64_C(864000000); // of which at most an hour has gone
    assert_true(first->certificate_left_ms <= ten_days);
    assert_true(kept->certificate_left_ms <= first->certificate_left_ms);
    assert_true(kept->certificate_left_ms > ten_days - 3600000);
    // Neither the connection nor its session serves a system with another CA.
    g_autoptr(transfer_response_t) other = get_tls("tls", "/ok", NULL);
    assert_int_equal(other->outcome, TRANSFER_UNREACHABLE);
    assert_int_equal(other->phase, TRANSFER_PHASE_TLS);
    g_autoptr(transfer_response_t) unverified = get_tls("selfsigned", "/ok", NULL);
    assert_int_equal(unverified->outcome, TRANSFER_ANSWERED);
}

// A cancelled call says whether its request may have gone out: a debt hangs on it.
static void test_cancel_after_sending(void **state)
{
    (void)state;
    g_autofree char *url = plain_url("/hang?key=cancel");
    struct result result = {.request = request_to("POST", url)};
    set_body(result.request, "order");
    struct transfer_call *call = transfer_start(engine, result.request, on_done, &result);
    bool arrived = false;
    while (!arrived) {
        g_autoptr(transfer_response_t) log = get("/log?key=cancel", true);
        g_autofree char *text = body_text(log);
        arrived = strstr(text, "POST") != NULL;
    }
    transfer_cancel(call);
    while (result.told == 0)
        uv_run(loop, UV_RUN_ONCE);
    assert_int_equal(result.response->outcome, TRANSFER_CANCELLED);
    assert_true(result.response->sent);
    transfer_response_free(result.response);
    transfer_request_free(result.request);
}

static void test_cancel(void **state)
{
    (void)state;
    static const char *const paths[] = {"/hang", "/slow-body", "/ok"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *url = plain_url(paths[i]);
        struct result result = {.request = request_to("GET", url)};
        struct transfer_call *call = transfer_start(engine, result.request, on_done, &result);
        uv_run(loop, UV_RUN_NOWAIT);
        if (result.told == 0) {
            transfer_cancel(call);
            transfer_cancel(call);
            assert_int_equal(result.told, 0);
            assert_int_equal(transfer_active(engine), 1);
        }
        while (transfer_active(engine) > 0)
            uv_run(loop, UV_RUN_ONCE);
        assert_int_equal(result.told, 1);
        assert_int_equal(result.response->outcome, TRANSFER_CANCELLED);
        transfer_response_free(result.response);
        transfer_request_free(result.request);
    }
    g_autoptr(transfer_response_t) after = get("/ok", true);
    assert_int_equal(after->outcome, TRANSFER_ANSWERED);
}

// A dead name server stops neither the loop nor the other calls, and is asked
// once more only.
static void test_stuck_resolver(void **state)
{
    (void)state;
    g_atomic_int_set(&resolver_stuck, 1);
    struct result stuck = {.request = request_to("GET", "http://stuck.example/")};
    stuck.request->timeout_ms = 1000;
    transfer_start(engine, stuck.request, on_done, &stuck);
    g_autoptr(transfer_response_t) other = get("/ok", true);
    assert_int_equal(other->outcome, TRANSFER_ANSWERED);
    while (stuck.told == 0)
        uv_run(loop, UV_RUN_ONCE);
    assert_int_equal(stuck.response->outcome, TRANSFER_TIMEOUT);
    assert_int_equal(stuck.response->phase, TRANSFER_PHASE_DNS);
    assert_false(stuck.response->sent);
    assert_string_equal(stuck.response->problem,
                        "the name stuck.example was not resolved within 1s");
    while (g_atomic_int_get(&stuck_lookups) < 2)
        g_usleep(1000);
    for (int i = 0; i < 3; i++) { // held back: no thread of curl's for these
        g_autoptr(transfer_response_t) held = run(request_to("GET", "http://stuck.example/x"));
        assert_int_equal(held->outcome, TRANSFER_TIMEOUT);
        assert_int_equal(held->phase, TRANSFER_PHASE_DNS);
    }
    assert_int_equal(g_atomic_int_get(&stuck_lookups), 2);
    g_atomic_int_set(&resolver_stuck, 0);
    enum transfer_outcome outcome = TRANSFER_TIMEOUT;
    while (outcome == TRANSFER_TIMEOUT) { // until the answer has reached the breaker
        g_autoptr(transfer_response_t) free_again = run(request_to("GET", "http://stuck.example/"));
        outcome = free_again->outcome;
    }
    assert_int_equal(outcome, TRANSFER_UNREACHABLE);
    transfer_response_free(stuck.response);
    transfer_request_free(stuck.request);
}

// More than one of curl's multi handles takes; and all of them once more.
static void run_many(enum transfer_outcome outcome)
{
    enum { COUNT = 600 };
    g_autofree struct result *results = g_new0(struct result, COUNT);
    g_autofree char *url = plain_url("/ok");
    for (int i = 0; i < COUNT; i++) {
        results[i].request = request_to("GET", url);
        results[i].request->may_reuse = i % 2;
        transfer_start(engine, results[i].request, on_done, &results[i]);
    }
    assert_int_equal(transfer_active(engine), COUNT);
    while (transfer_active(engine) > 0)
        uv_run(loop, UV_RUN_ONCE);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].told, 1);
        assert_int_equal(results[i].response->outcome, outcome);
        transfer_response_free(results[i].response);
        transfer_request_free(results[i].request);
    }
}

static void test_many_at_once(void **state)
{
    (void)state;
    run_many(TRANSFER_ANSWERED);
    run_many(TRANSFER_ANSWERED);
}

static void test_out_of_descriptors(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *url = g_strdup_printf("http://%s:%s/ok", hosts[i], port("http"));
        struct rlimit old, small;
        getrlimit(RLIMIT_NOFILE, &old);
        int lowest = dup(0);
        close(lowest);
        small = (struct rlimit){(rlim_t)lowest, old.rlim_max};
        setrlimit(RLIMIT_NOFILE, &small);
        g_autoptr(transfer_response_t) response = run(request_to("GET", url));
        run_many(TRANSFER_OUR_FAULT);
        setrlimit(RLIMIT_NOFILE, &old);
        assert_int_equal(response->outcome, TRANSFER_OUR_FAULT);
        assert_false(response->sent);
        assert_non_null(response->problem);
    }
    g_autoptr(transfer_response_t) after = get("/ok", true);
    assert_int_equal(after->outcome, TRANSFER_ANSWERED);
}

// The engine ends with calls in flight, ended and cancelled: no `done`, no leak.
static void test_engine_ends(void **state)
{
    (void)state;
    int before = open_descriptors();
    start_engine(NULL);
    transfer_response_free(get("/ok", true));
    g_autofree char *url = plain_url("/hang");
    struct result results[8] = {0};
    for (int i = 0; i < 8; i++) {
        results[i].request = request_to("GET", i == 7 ? "bad" : url);
        struct transfer_call *call =
            transfer_start(engine, results[i].request, on_done, &results[i]);
        if (i == 6)
            transfer_cancel(call);
    }
    uv_run(loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 3; i++)
        transfer_start(engine, results[0].request, on_done, &results[0]);
    assert_int_equal(stop_engine(NULL), 0);
    for (int i = 0; i < 8; i++) {
        if (results[i].response)
            transfer_response_free(results[i].response);
        else
            assert_int_equal(results[i].told, 0);
        transfer_request_free(results[i].request);
    }
    assert_int_equal(open_descriptors(), before);
}

static void end_engine(struct transfer_response *response, void *context)
{
    transfer_response_free(response);
    transfer_free(engine);
    *(bool *)context = true;
}

// As `check` does when its last call is done.
static void test_engine_ends_in_done(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://127.0.0.1:1/", "bad"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        loop = uv_loop_new();
        engine = transfer_new(loop);
        g_autoptr(transfer_request_t) request = request_to("GET", urls[i]);
        bool ended = false;
        transfer_start(engine, request, end_engine, &ended);
        transfer_start(engine, request, end_engine, &ended);
        assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
        assert_true(ended);
        assert_int_equal(uv_loop_close(loop), 0);
        g_free(loop);
    }
}

// Sockets of ours are not inherited by child processes.
static void test_close_on_exec(void **state)
{
    (void)state;
    enum { HIGHEST = 64 };
    bool was_open[HIGHEST];
    for (int fd = 0; fd < HIGHEST; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    start_engine(NULL);
    transfer_response_free(get("/ok", true));
    for (int fd = 0; fd < HIGHEST; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC) && !was_open[fd])
            fail_msg("descriptor %d would be inherited", fd);
    }
    assert_int_equal(stop_engine(NULL), 0);
}

// The loop ends by itself when no call is in flight, kept connections or not.
static void test_loop_is_not_kept(void **state)
{
    (void)state;
    g_autofree char *url = plain_url("/ok");
    struct result result = {.request = request_to("GET", url)};
    result.request->may_reuse = true;
    transfer_start(engine, result.request, on_done, &result);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(result.told, 1);
    transfer_response_free(result.response);
    transfer_request_free(result.request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENGINE(test_answer),
        WITH_ENGINE(test_kept_connection),
        WITH_ENGINE(test_silent_kept_connections),
        WITH_ENGINE(test_post_is_never_sent_twice),
        WITH_ENGINE(test_closed_meanwhile),
        WITH_ENGINE(test_failures),
        WITH_ENGINE(test_body_is_capped),
        WITH_ENGINE(test_body_of_just_the_cap),
        WITH_ENGINE(test_bodies),
        WITH_ENGINE(test_response_headers),
        WITH_ENGINE(test_methods),
        WITH_ENGINE(test_urls_in_turn),
        WITH_ENGINE(test_request_headers),
        WITH_ENGINE(test_our_faults),
        WITH_ENGINE(test_tls),
        WITH_ENGINE(test_cancel),
        WITH_ENGINE(test_cancel_after_sending),
        WITH_ENGINE(test_stuck_resolver),
        WITH_ENGINE(test_out_of_descriptors),
        WITH_ENGINE(test_many_at_once),
        cmocka_unit_test(test_engine_ends),
        cmocka_unit_test(test_engine_ends_in_done),
        cmocka_unit_test(test_close_on_exec),
        WITH_ENGINE(test_loop_is_not_kept),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
