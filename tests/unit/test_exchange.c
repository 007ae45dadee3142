// SPDX-License-Identifier: MIT
// The evidence: nothing secret in it, nothing half cut, and a command line that
// a shell reads back as it was meant.
#include "../../probes/exchange.h"

#include <string.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct exchange *sample(void)
{
    struct transfer_request *request =
        transfer_request_new("POST", "https://erp.acme.example/orders?x=1");
    transfer_headers_add(request->headers, "Content-Type", "application/json");
    transfer_headers_add(request->headers, "Authorization", "Basic c2hvcDpodW50ZXIyMw==");
    static const char body[] = "{\"sku\":\"1896-S\",\"note\":\"hunter23\"}";
    request->body = g_bytes_new_static(body, sizeof body - 1);
    struct exchange *exchange = exchange_new(request, clock_wall_parse("2026-11-21T09:30:00.120Z"));
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = 400;
    response->http_version = "1.1";
    response->peer = g_strdup("192.0.2.44:443");
    response->sent = true;
    response->timing = (struct transfer_timing){-1, -1, -1, 1.5, 305.25, 310};
    transfer_headers_add(response->headers, "Set-Cookie", "B1SESSION=hunter23; path=/");
    transfer_headers_add(response->headers, "Content-Type", "application/json; charset=utf-8");
    static const char answer[] = "{\"error\":{\"message\":\"wrong password hunter23 for shop\"}}";
    g_bytes_unref(response->body);
    response->body = g_bytes_new_static(answer, sizeof answer - 1);
    exchange->response = response;
    return exchange;
}

static void test_to_json(void **state)
{
    (void)state;
    g_autoptr(exchange_t) exchange = sample();
    g_autoptr(redact_t) redact = redact_new();
    assert_true(redact_add(redact, "hunter23"));
    g_autoptr(cJSON) json = exchange_to_json(exchange, redact, 65536);
    g_autofree char *text = json_print(json, false);
    assert_null(strstr(text, "hunter23"));
    assert_null(strstr(text, "c2hvcDpodW50ZXIyMw"));
    assert_string_equal(json_text(json, "method"), "POST");
    assert_string_equal(json_text(json, "url"), "https://erp.acme.example/orders?x=1");
    assert_non_null(strstr(json_text(json, "request_body"), "\"sku\":\"1896-S\""));
    assert_int_equal(json_integer(json, "status", 0), 400);
    assert_string_equal(json_text(json, "http_version"), "1.1");
    assert_non_null(strstr(json_text(json, "response_body"), "wrong password *** for shop"));
    assert_string_equal(json_text(json, "peer"), "192.0.2.44:443");
    assert_string_equal(json_text(json, "started"), "2026-11-21T09:30:00.120Z");
    assert_true(cJSON_IsNull(json_member(json, "problem")));
    const cJSON *timing = json_member(json, "timing_ms");
    assert_true(cJSON_IsNull(json_member(timing, "dns")));
    assert_true(json_member(timing, "first_byte")->valuedouble == 305.25);
    const cJSON *sizes = json_member(json, "sizes");
    assert_int_equal(json_integer(sizes, "request_body", -1), 34);
    assert_int_equal(json_integer(sizes, "response_body", -1), 56);
    const cJSON *pair = cJSON_GetArrayItem(json_member(json, "request_headers"), 0);
    assert_string_equal(cJSON_GetArrayItem(pair, 0)->valuestring, "Content-Type");
    assert_string_equal(cJSON_GetArrayItem(pair, 1)->valuestring, "application/json");
}

// A secret that the cut would halve is gone, at whatever length the cut falls.
static void test_redaction_is_before_cutting(void **state)
{
    (void)state;
    g_autoptr(exchange_t) exchange = sample();
    g_autoptr(redact_t) redact = redact_new();
    redact_add(redact, "hunter23");
    for (size_t max = 0; max < 60; max++) {
        g_autoptr(cJSON) json = exchange_to_json(exchange, redact, max);
        const char *body = json_text(json, "response_body");
        assert_true(strlen(body) <= max);
        assert_null(strstr(body, "hun"));
        assert_null(strstr(json_text(json, "request_body"), "hun"));
    }
}

static void test_cut_is_at_a_character(void **state)
{
    (void)state;
    g_autoptr(exchange_t) exchange = sample();
    g_bytes_unref(exchange->response->body);
    exchange->response->body = g_bytes_new_static("aé€😀z", 11);
    static const struct {
        size_t max;
        const char *text;
    } cases[] = {
        {0, ""},    {1, "a"},   {2, "a"},     {3, "aé"},     {5, "aé"},
        {6, "aé€"}, {9, "aé€"}, {10, "aé€😀"}, {11, "aé€😀z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) json = exchange_to_json(exchange, NULL, cases[i].max);
        assert_string_equal(json_text(json, "response_body"), cases[i].text);
        assert_int_equal(cJSON_IsTrue(json_member(json, "response_body_cut")), cases[i].max < 11);
        assert_int_equal(json_integer(json_member(json, "sizes"), "response_body", 0), 11);
    }
}

// The evidence has what the transport adds, and adds nothing twice.
static void test_complete(void **state)
{
    (void)state;
    struct transfer_request *request = transfer_request_new("GET", "http://h/");
    transfer_headers_add(request->headers, "accept", "application/json");
    g_autoptr(exchange_t) exchange = exchange_new(request, (struct clock_wall){0});
    assert_ptr_equal(exchange->request, request);
    assert_int_equal(request->headers->len, 3);
    assert_string_equal(transfer_headers_find(request->headers, "Accept"), "application/json");
    assert_string_equal(transfer_headers_find(request->headers, "User-Agent"),
                        "erpwatch/" ERPWATCH_VERSION);
    transfer_request_complete(request);
    assert_int_equal(request->headers->len, 3);
}

static void test_unfinished(void **state)
{
    (void)state;
    struct exchange *exchange =
        exchange_new(transfer_request_new("GET", "http://h/"), (struct clock_wall){0});
    g_autoptr(cJSON) json = exchange_to_json(exchange, NULL, 100);
    assert_true(cJSON_IsNull(json_member(json, "request_body")));
    assert_null(json_member(json, "status"));
    exchange->response = transfer_response_new();
    exchange->response->outcome = TRANSFER_TIMEOUT;
    exchange->response->phase = TRANSFER_PHASE_CONNECT;
    exchange->response->problem = g_strdup("no connection to h within 1s");
    g_autoptr(cJSON) failed = exchange_to_json(exchange, NULL, 100);
    assert_true(cJSON_IsNull(json_member(failed, "status")));
    assert_string_equal(json_text(failed, "phase"), "connect");
    assert_string_equal(json_text(failed, "problem"), "no connection to h within 1s");
    exchange_free(exchange);
    exchange_free(NULL);
}

// ---- body text ----

static void check_text(const char *type, const char *body, gssize length, const char *expected)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, length < 0 ? strlen(body) : (gsize)length);
    g_autofree char *text = exchange_body_text(response);
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_string_equal(text, expected);
}

static void test_charsets(void **state)
{
    (void)state;
    check_text("text/plain; charset=iso-8859-1",
               "Gr\xF6\xDF"
               "e",
               -1, "Größe");
    check_text("text/plain;charset=\"ISO-8859-15\"", "\xA4", -1, "€");
    check_text("text/html; Charset=Windows-1252", "\x80 5", -1, "€ 5");
    check_text("text/html; charset=iso-8859-1", "\x93x\x94", -1, "“x”");
    check_text("text/plain; charset=utf-16",
               "\xFF\xFE"
               "a\0\xE9\0",
               6, "aé");
    check_text(NULL, "\xFE\xFF\0a\0\xE9", 6, "aé");
    check_text(NULL, "<?xml version=\"1.0\" encoding='ISO-8859-1'?><a>\xE9</a>", -1,
               "<?xml version=\"1.0\" encoding='ISO-8859-1'?><a>é</a>");
    check_text("text/html", "<html><meta charset=windows-1252><p>\xE9", -1,
               "<html><meta charset=windows-1252><p>é");
    check_text("text/plain; charset=shift_jis", "\x93\xFA\x96\x7B", -1, "日本");
}

static void test_bad_text(void **state)
{
    (void)state;
    check_text("application/json", "{\"a\":\"\xE9\"}", -1, "{\"a\":\"é\"}");
    check_text("text/plain; charset=utf-8", "é ok \xC3(", -1, "é ok \uFFFD(");
    check_text("text/plain; charset=no-such-thing", "é", -1, "é");
    check_text("text/plain; charset=../../x", "é", -1, "é");
    check_text("text/plain; charset=", "é", -1, "é");
    check_text("text/plain; charset=utf-16", "abc", 3, "abc"); // an odd length is none
    check_text("application/json", "\xEF\xBB\xBF{}", -1, "{}");
    check_text(NULL, "a\0b", 3, "a\uFFFDb");
    check_text(NULL, "", 0, "");
    check_text("text/plain; charset=iso-8859-1", "", 0, "");
}

// ---- the command line ----

// What the words of the line are to a shell: each in brackets.
static char *shell_words(const char *line)
{
    assert_true(g_str_has_prefix(line, "curl "));
    g_autofree char *script = g_strconcat("printf '[%s]' ", line + strlen("curl "), NULL);
    char shell[] = "/bin/sh", option[] = "-c";
    char *argv[] = {shell, option, script, NULL};
    char *output = NULL;
    int status;
    assert_true(g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, &output, NULL, &status, NULL));
    assert_int_equal(status, 0);
    return output;
}

static char *line_of(const char *method, const char *url, const char *body)
{
    g_autoptr(exchange_t) exchange =
        exchange_new(transfer_request_new(method, url), (struct clock_wall){0});
    if (body) {
        transfer_headers_add(exchange->request->headers, "Content-Type", "application/json");
        exchange->request->body = g_bytes_new(body, strlen(body));
    }
    g_autoptr(cJSON) json = exchange_to_json(exchange, NULL, 65536);
    return exchange_curl_line(json);
}

static void check_line(const char *method, const char *url, const char *body, const char *expected)
{
    g_autofree char *line = line_of(method, url, body);
    g_autofree char *words = shell_words(line);
    // What every request carries stands between its own headers and the body.
    GString *text = g_string_new(words);
    assert_int_equal(
        g_string_replace(
            text, "[--header][User-Agent: erpwatch/" ERPWATCH_VERSION "][--compressed]", "", 0),
        1);
    assert_string_equal(text->str, expected);
    g_string_free(text, TRUE);
}

static void test_curl_line(void **state)
{
    (void)state;
    check_line("GET", "http://h/a?b=c&d=$e", NULL, "[--include][--url][http://h/a?b=c&d=$e]");
    check_line("HEAD", "http://h/", NULL, "[--include][--head][--url][http://h/]");
    check_line("DELETE", "http://h/o(1)", NULL,
               "[--include][--request][DELETE][--url][http://h/o(1)]");
    check_line("POST", "http://h/", "{\"a\":1}",
               "[--include][--url][http://h/][--header][Content-Type: application/json]"
               "[--data-raw][{\"a\":1}]");
    check_line("PATCH", "http://h/{x}[1]/../y", "{}",
               "[--include][--request][PATCH][--globoff][--path-as-is][--url]"
               "[http://h/{x}[1]/../y][--header][Content-Type: application/json]"
               "[--data-raw][{}]");
    check_line("POST", "http://h/'; rm -rf ~; '", "@/etc/passwd 'q' `id` $(id) \\ !x\n# two",
               "[--include][--url][http://h/'; rm -rf ~; '][--header]"
               "[Content-Type: application/json]"
               "[--data-raw][@/etc/passwd 'q' `id` $(id) \\ !x\n# two]");
    check_line("POST", "http://h/", NULL, "[--include][--request][POST][--url][http://h/]");
}

static void test_curl_line_headers(void **state)
{
    (void)state;
    g_autoptr(exchange_t) exchange =
        exchange_new(transfer_request_new("PUT", "http://h/"), (struct clock_wall){0});
    GPtrArray *headers = exchange->request->headers;
    transfer_headers_add(headers, "X-Quote", "it's");
    transfer_headers_add(headers, "X-Empty", "");
    transfer_headers_add(headers, "@file", "x");
    transfer_headers_add(headers, "X-Escape", "a\x1b[31m");
    exchange->request->body = g_bytes_new_static("x", 1);
    exchange->request->tls.no_verify = true;
    g_autoptr(cJSON) json = exchange_to_json(exchange, NULL, 100);
    g_autofree char *line = exchange_curl_line(json);
    g_autofree char *words = shell_words(line);
    assert_string_equal(words, "[--include][--insecure][--request][PUT][--url][http://h/]"
                               "[--header][User-Agent: erpwatch/" ERPWATCH_VERSION "]"
                               "[--compressed][--header][X-Quote: it's][--header][X-Empty;]"
                               "[--header][Content-Type:][--data-raw][x]");
}

// The password stays out: curl asks for it. What the transport adds is shown, masked.
static void test_curl_line_credentials(void **state)
{
    (void)state;
    g_autoptr(exchange_t) exchange =
        exchange_new(transfer_request_new("GET", "https://h/"), (struct clock_wall){0});
    struct transfer_credentials *credentials = &exchange->request->credentials;
    credentials->kind = TRANSFER_AUTH_NTLM;
    credentials->username = g_strdup("ACME\\o'neil");
    credentials->password = g_strdup("s3cret-pass");
    credentials->cert = g_strdup("/c.pem");
    credentials->key = g_strdup("/k.pem");
    credentials->key_password = g_strdup("s3cret-pass");
    g_autoptr(cJSON) json = exchange_to_json(exchange, NULL, 100);
    g_autofree char *text = json_print(json, false);
    assert_null(strstr(text, "s3cret"));
    assert_non_null(strstr(text, "[\"Authorization\",\"***\"]"));
    g_autofree char *line = exchange_curl_line(json);
    g_autofree char *words = shell_words(line);
    assert_string_equal(words, "[--include][--url][https://h/][--cert][/c.pem][--key][/k.pem]"
                               "[--ntlm][--user][ACME\\o'neil]"
                               "[--header][User-Agent: erpwatch/" ERPWATCH_VERSION "]"
                               "[--compressed]");
}

static void test_curl_line_without_body(void **state)
{
    (void)state;
    g_autofree char *large = g_strnfill(4097, 'x');
    static const char *const control = "a\x1b]0;x\x07";
    const char *bodies[] = {large, control, "a\tb"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *line = line_of("POST", "http://h/", bodies[i]);
        assert_null(strstr(line, "--data-raw"));
        assert_non_null(strstr(line, "exchange.har"));
        g_autofree char *words = shell_words(line);
        assert_true(g_str_has_suffix(words, "[--data-binary][@body]"));
    }
    g_autofree char *fits = g_strnfill(4096, 'x');
    g_autofree char *line = line_of("POST", "http://h/", fits);
    assert_non_null(strstr(line, fits));
    g_autoptr(exchange_t) exchange = sample();
    g_autoptr(cJSON) cut = exchange_to_json(exchange, NULL, 10);
    g_autofree char *short_line = exchange_curl_line(cut);
    assert_null(strstr(short_line, "--data-raw"));
}

// From a store that someone has edited: no crash.
static void test_curl_line_of_anything(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "{\"request_headers\":[1,[],[\"a\"],{}],\"request_body\":3}",
        "{\"method\":null,\"url\":7}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(cJSON) json = cJSON_Parse(texts[i]);
        g_autofree char *line = exchange_curl_line(json);
        assert_string_equal(line, "curl --include --url ''");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_json),
        cmocka_unit_test(test_redaction_is_before_cutting),
        cmocka_unit_test(test_cut_is_at_a_character),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_bad_text),
        cmocka_unit_test(test_curl_line),
        cmocka_unit_test(test_curl_line_headers),
        cmocka_unit_test(test_curl_line_credentials),
        cmocka_unit_test(test_curl_line_without_body),
        cmocka_unit_test(test_curl_line_of_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
