// SPDX-License-Identifier: MIT
// Authentication by the transport, against a server that goes wrong between its
// legs: what writes is sent once, and each leg's answer is its own.
#include "support_transfer.h"

#include "../../base/transfer_auth.h"

static struct transfer_request *ntlm_request(const char *method, const char *path)
{
    g_autofree char *url = plain_url(path);
    struct transfer_request *request = request_to(method, url);
    request->credentials.kind = TRANSFER_AUTH_NTLM;
    request->credentials.username = g_strdup("ACME\\a:b");
    request->credentials.password = g_strdup("pass:word");
    request->may_reuse = strcmp(method, "GET") == 0;
    return request;
}

static int count(const char *text, const char *what)
{
    int found = 0;
    for (; (text = strstr(text, what)); text++)
        found++;
    return found;
}

static char *log_of(const char *key)
{
    g_autofree char *path = g_strconcat("/log?key=", key, NULL);
    g_autoptr(transfer_response_t) log = get(path, true);
    return body_text(log);
}

static void test_last_leg_is_the_answer(void **state)
{
    (void)state;
    struct transfer_request *request = ntlm_request("POST", "/ntlm?key=last");
    set_body(request, "order");
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->outcome, TRANSFER_ANSWERED);
    assert_int_equal(response->status, 200);
    assert_null(response->refused);
    assert_null(transfer_headers_find(response->headers, "X-Leg"));
    g_autofree char *body = body_text(response);
    assert_non_null(strstr(body, "\"nth\": 2"));
    assert_non_null(strstr(body, "\"body\": \"order\""));
    g_autofree char *log = log_of("last");
    assert_int_equal(count(log, "order"), 1);
    assert_true(response->timing.first_byte <= response->timing.total);
}

// curl would repeat the leg that was dropped, and with it the order.
static void test_dropped_leg_is_not_repeated(void **state)
{
    (void)state;
    struct transfer_request *request = ntlm_request("POST", "/ntlm?then=drop&key=drop");
    set_body(request, "order");
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->outcome, TRANSFER_UNREACHABLE);
    assert_int_equal(response->phase, TRANSFER_PHASE_FIRST_BYTE);
    assert_int_equal(response->status, 0);
    assert_true(response->sent);
    assert_string_equal(response->problem, "connection closed without an answer by 127.0.0.1");
    g_autofree char *log = log_of("drop");
    assert_int_equal(count(log, "order"), 1);
}

static void test_silent_leg_is_a_timeout(void **state)
{
    (void)state;
    struct transfer_request *request = ntlm_request("POST", "/ntlm?then=hang&key=hang");
    set_body(request, "order");
    request->timeout_ms = 1500;
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->outcome, TRANSFER_TIMEOUT);
    assert_int_equal(response->phase, TRANSFER_PHASE_FIRST_BYTE);
    assert_int_equal(response->status, 0);
    assert_int_equal(response->headers->len, 0);
    assert_int_equal(g_bytes_get_size(response->body), 0);
}

static void test_refused(void **state)
{
    (void)state;
    struct transfer_request *request = ntlm_request("POST", "/ntlm?then=again&key=again");
    set_body(request, "order");
    g_autoptr(transfer_response_t) response = run(request);
    assert_int_equal(response->status, 401);
    assert_string_equal(response->refused,
                        "NTLM authentication did not come to its end: the server, or a proxy "
                        "before it, does not keep the connection");
    g_autofree char *log = log_of("again");
    assert_int_equal(count(log, "order"), 1);
    assert_int_equal(count(log, "POST"), 2);
}

// No connection that was authenticated is kept, nor a handle that knows a user.
static void test_nothing_is_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        g_autoptr(transfer_response_t) known = run(ntlm_request("GET", "/ntlm"));
        assert_int_equal(known->status, 200);
        g_autofree char *body = body_text(known);
        assert_non_null(strstr(body, "\"nth\": 2"));
        g_autoptr(transfer_response_t) unknown = get("/ntlm", true);
        assert_int_equal(unknown->status, 401);
        assert_null(unknown->refused);
        g_autoptr(transfer_response_t) plain = get("/echo", true);
        g_autofree char *echoed = body_text(plain);
        assert_null(strstr(echoed, "Authorization"));
    }
}

static void test_sentences(void **state)
{
    static const struct {
        enum transfer_auth_kind kind;
        int status;
        const char *offers[3];
        const char *sentence;
    } cases[] = {
        {TRANSFER_AUTH_NONE, 401, {"Basic realm=x"}, NULL},
        {TRANSFER_AUTH_NTLM, 403, {"NTLM"}, NULL},
        {TRANSFER_AUTH_NTLM,
         401,
         {"Negotiate", "ntlm"},
         "NTLM authentication was refused: wrong user or password"},
        {TRANSFER_AUTH_DIGEST,
         401,
         {"Basic realm=\"a, Digest b\"", "NTLM"},
         "the server does not take Digest authentication here; it offers Basic, NTLM"},
        {TRANSFER_AUTH_DIGEST,
         401,
         {"Digest realm=\"a\", nonce=\"b\""},
         "Digest authentication was refused: wrong user or password"},
        {TRANSFER_AUTH_NTLM,
         401,
         {"NTLM TlRMTVNTUAAC"},
         "NTLM authentication did not come to its end: the server, or a proxy before it, does not "
         "keep the connection"},
        {TRANSFER_AUTH_DIGEST,
         401,
         {NULL},
         "the server does not take Digest authentication here; it offers none"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_request_t) request = transfer_request_new("GET", "http://erp.example/");
        g_autoptr(transfer_response_t) response = transfer_response_new();
        request->credentials.kind = cases[i].kind;
        response->outcome = TRANSFER_ANSWERED;
        response->status = cases[i].status;
        for (size_t k = 0; k < 3 && cases[i].offers[k]; k++)
            transfer_headers_add(response->headers, "www-authenticate", cases[i].offers[k]);
        g_autofree char *sentence = transfer_auth_refused(request, response);
        if (g_strcmp0(sentence, cases[i].sentence) != 0)
            fail_msg("%zu: %s", i, sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENGINE(test_last_leg_is_the_answer),  WITH_ENGINE(test_dropped_leg_is_not_repeated),
        WITH_ENGINE(test_silent_leg_is_a_timeout), WITH_ENGINE(test_refused),
        WITH_ENGINE(test_nothing_is_kept),         cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
