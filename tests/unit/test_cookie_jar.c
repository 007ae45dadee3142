// SPDX-License-Identifier: MIT
// Cookies: what is kept of a Set-Cookie line, and where it is sent.
#include "../../base/json.h"
#include "../../base/transfer.h"
#include "../../probes/cookie_date.h"
#include "../../probes/cookie_jar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// 2026-11-21T09:30:00Z
#define NOW INT64_C(1795253400000000)

static void store_at(struct cookie_jar *jar, const char *url, const char *line, int64_t now)
{
    g_autoptr(GPtrArray) headers = transfer_headers_new();
    transfer_headers_add(headers, "Content-Type", "x=y");
    transfer_headers_add(headers, "set-cookie", line);
    cookie_jar_store(jar, url, headers, (struct clock_wall){now});
}

static void store(struct cookie_jar *jar, const char *url, const char *line)
{
    store_at(jar, url, line, NOW);
}

static void expect_header(const struct cookie_jar *jar, const char *url, const char *expected)
{
    g_autofree char *header = cookie_jar_header(jar, url, (struct clock_wall){NOW});
    if (g_strcmp0(header, expected) != 0)
        fail_msg("%s gets %s", url, header ? header : "nothing");
}

struct cookie_case {
    const char *from, *line, *to, *header;
};

static const struct cookie_case cases[] = {
    {"https://e.example/", "a=b", "https://e.example/x", "a=b"},
    {"https://e.example/", " a = b c ; x", "https://e.example/", "a=b c"},
    {"https://e.example/", "a=\"b=c\"", "https://e.example/", "a=\"b=c\""},
    {"https://e.example/", "a=", "https://e.example/", "a="},
    {"https://e.example/", "=b", "https://e.example/", NULL},
    {"https://e.example/", "novalue; Path=/", "https://e.example/", NULL},
    {"https://e.example/", "", "https://e.example/", NULL},
    {"https://e.example/", "a=b\x01", "https://e.example/", NULL},
    // hosts
    {"https://e.example/", "a=b", "https://E.EXAMPLE/", "a=b"},
    {"https://e.example/", "a=b", "https://e.example:8443/", "a=b"},
    {"https://e.example/", "a=b", "https://x.e.example/", NULL},
    {"https://e.example/", "a=b", "https://example/", NULL},
    {"https://e.example/", "a=b; Domain=e.example", "https://x.e.example/", "a=b"},
    {"https://e.example/", "a=b; domain=.E.Example", "https://x.e.example/", "a=b"},
    {"https://e.example/", "a=b; Domain=e.example", "https://xe.example/", NULL},
    {"https://x.e.example/", "a=b; Domain=e.example", "https://e.example/", "a=b"},
    {"https://x.e.example/", "a=b; Domain=e.example", "https://y.e.example/", "a=b"},
    {"https://e.example/", "a=b; Domain=", "https://e.example/", "a=b"},
    // a domain without a dot leaves the cookie with its host
    {"https://e.example/", "a=b; Domain=example", "https://e.example/", NULL},
    {"https://e.com/", "a=b; Domain=com", "https://e.com/", NULL},
    {"https://e.com/", "a=b; Domain=.com.", "https://e.com/", NULL},
    {"https://e.co.uk/", "a=b; Domain=co.uk", "https://e.co.uk/", NULL},
    {"https://e.co.uk/", "a=b; Domain=co.uk", "https://f.co.uk/", NULL},
    {"https://e.co.uk/", "a=b; Domain=e.co.uk", "https://x.e.co.uk/", "a=b"},
    {"https://shop.co.example/", "a=b; Domain=co.example", "https://x.co.example/", "a=b"},
    {"https://e.example/", "a=b; Domain=example", "https://f.example/", NULL},
    {"http://localhost/", "a=b; Domain=localhost", "http://localhost/", "a=b"},
    // one that the host is not in loses it
    {"https://e.example/", "a=b; Domain=f.example", "https://e.example/", NULL},
    {"https://e.example/", "a=b; Domain=f.example", "https://f.example/", NULL},
    {"https://e.example/", "a=b; Domain=x.e.example", "https://x.e.example/", NULL},
    {"http://10.0.0.1/", "a=b; Domain=10.0.0.1", "http://10.0.0.1/", "a=b"},
    {"http://10.0.0.1/", "a=b; Domain=0.0.1", "http://10.0.0.1/", NULL},
    {"http://[::1]/", "a=b", "http://[::1]:81/", "a=b"},
    // paths
    {"https://e.example/b1s/v1/Login", "a=b", "https://e.example/b1s/v1/Orders", "a=b"},
    {"https://e.example/b1s/v1/Login", "a=b", "https://e.example/b1s/v1", "a=b"},
    {"https://e.example/b1s/v1/Login", "a=b", "https://e.example/b1s/v10/", NULL},
    {"https://e.example/b1s/v1/Login", "a=b; Path=/", "https://e.example/other", "a=b"},
    {"https://e.example/b1s/v1/Login", "a=b; Path=/b1s/", "https://e.example/b1s/x", "a=b"},
    {"https://e.example/b1s/v1/Login", "a=b; Path=/b1s/", "https://e.example/b1s", NULL},
    {"https://e.example/x", "a=b; Path=relative", "https://e.example/y", "a=b"},
    {"https://e.example", "a=b", "https://e.example", "a=b"},
    {"https://e.example?x=/y/z", "a=b", "https://e.example/q", "a=b"},
    // secure
    {"https://e.example/", "a=b; Secure; HttpOnly; SameSite=Lax", "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; secure", "http://e.example/", NULL},
    // time
    {"https://e.example/", "a=b; Max-Age=1", "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; Max-Age=0", "https://e.example/", NULL},
    {"https://e.example/", "a=b; Max-Age=-1", "https://e.example/", NULL},
    {"https://e.example/", "a=b; Max-Age=99999999999999999999", "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; Max-Age=x", "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; Expires=Sat, 21 Nov 2026 09:30:01 GMT", "https://e.example/",
     "a=b"},
    {"https://e.example/", "a=b; Expires=Sat, 21 Nov 2026 09:30:00 GMT", "https://e.example/",
     NULL},
    {"https://e.example/", "a=b; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "https://e.example/",
     NULL},
    {"https://e.example/", "a=b; Expires=never", "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; Max-Age=9; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
     "https://e.example/", "a=b"},
    {"https://e.example/", "a=b; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=9",
     "https://e.example/", "a=b"},
    {"not a url", "a=b", "https://e.example/", NULL},
    {"https://e.example/", "a=b", "not a url", NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cookie_jar_t) jar = cookie_jar_new();
        store(jar, cases[i].from, cases[i].line);
        g_autofree char *header = cookie_jar_header(jar, cases[i].to, (struct clock_wall){NOW});
        if (g_strcmp0(header, cases[i].header) != 0)
            fail_msg("%s of %s: %s gets %s", cases[i].line, cases[i].from, cases[i].to,
                     header ? header : "nothing");
    }
}

static void test_order_and_replacement(void **state)
{
    (void)state;
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    store(jar, "https://e.example/", "a=1");
    store(jar, "https://e.example/", "b=2");
    store(jar, "https://e.example/", "long=3; Path=/x/y");
    expect_header(jar, "https://e.example/x/y/z", "long=3; a=1; b=2");
    store(jar, "https://e.example/", "a=4");
    expect_header(jar, "https://e.example/", "a=4; b=2");
    store(jar, "https://e.example/", "a=; Max-Age=0");
    expect_header(jar, "https://e.example/", "b=2");
}

static void test_expiry_later(void **state)
{
    (void)state;
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    store_at(jar, "https://e.example/", "a=1; Max-Age=10", NOW - INT64_C(10000000));
    store_at(jar, "https://e.example/", "b=2; Max-Age=11", NOW - INT64_C(10000000));
    expect_header(jar, "https://e.example/", "b=2");
}

static void test_find(void **state)
{
    (void)state;
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    assert_null(cookie_jar_find(jar, "a"));
    store(jar, "https://e.example/", "a=1");
    store(jar, "https://e.example/x/y", "a=2");
    assert_string_equal(cookie_jar_find(jar, "a"), "2");
    store(jar, "https://e.example/", "a=3");
    assert_string_equal(cookie_jar_find(jar, "a"), "3");
    assert_null(cookie_jar_find(jar, "A"));
}

// A server cannot fill the memory.
static void test_bounds(void **state)
{
    (void)state;
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    for (int i = 0; i < 1000; i++) {
        g_autofree char *line = g_strdup_printf("c%d=v", i);
        store(jar, "https://e.example/", line);
    }
    assert_null(cookie_jar_find(jar, "c0"));
    assert_non_null(cookie_jar_find(jar, "c999"));
    g_autoptr(cJSON) array = cookie_jar_to_json(jar);
    assert_int_equal(cJSON_GetArraySize(array), 64);
    g_autofree char *large = g_strnfill(9000, 'x');
    g_autofree char *line = g_strconcat("large=", large, NULL);
    store(jar, "https://e.example/", line);
    assert_null(cookie_jar_find(jar, "large"));
}

static void test_json(void **state)
{
    (void)state;
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    store(jar, "https://x.e.example/p/q", "a=1; Domain=e.example; Secure; HttpOnly; Max-Age=60");
    store(jar, "https://x.e.example/p/q", "b=2");
    g_autoptr(cJSON) array = cookie_jar_to_json(jar);
    g_autofree char *text = json_print(array, false);
    assert_string_equal(
        text, "[{\"name\":\"a\",\"value\":\"1\",\"domain\":\"e.example\",\"host_only\":false,"
              "\"path\":\"/p\",\"secure\":true,\"http_only\":true,\"expires_us\":1795253460000000},"
              "{\"name\":\"b\",\"value\":\"2\",\"domain\":\"x.e.example\",\"host_only\":true,"
              "\"path\":\"/p\",\"secure\":false,\"http_only\":false}]");
    g_autoptr(cookie_jar_t) back = cookie_jar_new();
    cookie_jar_add_json(back, array);
    g_autoptr(cJSON) again = cookie_jar_to_json(back);
    g_autofree char *same = json_print(again, false);
    assert_string_equal(same, text);
    expect_header(back, "https://y.e.example/p", "a=1");
    static const char bad[] = "[{},1,{\"name\":\"a\",\"value\":\"b\\r\\nX: y\",\"domain\":\"e\","
                              "\"path\":\"/\"}]";
    g_autoptr(cJSON) wrong = json_parse(bad, strlen(bad), NULL);
    g_autoptr(cookie_jar_t) empty = cookie_jar_new();
    cookie_jar_add_json(empty, wrong);
    assert_null(cookie_jar_find(empty, "a"));
    cookie_jar_free(NULL);
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; // -1: none
    } dates[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"6 november 1994 8:49:37", 784111777},
        {"Tue, 19-Jan-2038 03:14:08 GMT", INT64_C(2147483648)},
        {"01-Jan-69 00:00:00", INT64_C(3124224000)},
        {"Sun, 32 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 25:49:37 GMT", -1},
        {"Sun, 06 Nov 1600 08:49:37 GMT", -1},
        {"06 Nov 1994", -1},
        {"08:49:37", -1},
        {"", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        int64_t seconds = -1;
        bool good = cookie_date_parse(dates[i].text, &seconds);
        assert_int_equal(good, dates[i].seconds >= 0);
        assert_int_equal(seconds, dates[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),        cmocka_unit_test(test_order_and_replacement),
        cmocka_unit_test(test_expiry_later), cmocka_unit_test(test_find),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_json),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests_name("cookie_jar", tests, NULL, NULL);
}
