// SPDX-License-Identifier: MIT
// Where calls may go: own origins, allowed hosts, and the many ways to write an
// address that is neither.
#include "../../config/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HTTPS "https://erp.example/api"
#define HTTP "http://127.0.0.1:8080/api"

// "allowed" is one text of rules; O own, A allowed, R refused.
static const struct {
    const char *base, *allowed, *url;
    char reach;
} cases[] = {
    {HTTPS, "", "https://erp.example/other", 'O'},
    {HTTPS, "", "https://ERP.example:443/other", 'O'},
    {HTTPS, "", "HTTPS://erp.example", 'O'},
    {HTTPS, "", "https://erp.example?q", 'O'},
    {HTTPS, "", "https://erp.example:/x", 'O'},
    {HTTPS, "", "https://erp.example:8443/", 'R'},
    {HTTPS, "", "http://erp.example/", 'R'},
    {HTTPS, "", "https://erp.example.evil.example/", 'R'},
    {HTTPS, "", "https://erp.example./", 'R'},
    {HTTPS, "", "https://evil.example/https://erp.example/", 'R'},
    {HTTPS, "", "https://erp.example@evil.example/", 'R'},
    {HTTPS, "", "https://user@erp.example/", 'R'},
    {HTTPS, "", "https://erp.example\\@evil.example/", 'R'},
    {HTTPS, "", "https://erp%2eexample/", 'R'},
    {HTTPS, "", "https://erp.example%00.evil.example/", 'R'},
    {HTTPS, "",
     "https://erp\xe3\x80\x82"
     "example/",
     'R'},
    {HTTPS, "", "https://erp.example:99999/", 'R'},
    {HTTPS, "", "https://erp.example:44 3/", 'R'},
    {HTTPS, "", "https:///x", 'R'},
    {HTTPS, "", "//erp.example/x", 'R'},
    {HTTPS, "", "/x://erp.example/", 'R'},
    {HTTPS, "", "", 'R'},
    {HTTPS, "*.example erp.example", "file:///etc/passwd", 'R'},
    {HTTPS, "erp.example", "gopher://erp.example/", 'R'},
    {HTTPS, "erp.example", "ftp://erp.example/", 'R'},
    {HTTPS, "", "javascript:alert(1)", 'R'},
    {HTTPS, "", "mailto:a@erp.example", 'R'},
    // odd forms of numbers are no other host's
    {HTTP, "", "http://127.0.0.1:8080/x", 'O'},
    {HTTP, "", "http://127.0.0.1:22/", 'R'},
    {HTTP, "", "http://127.1:8080/", 'R'},
    {HTTP, "", "http://0x7f.1:8080/", 'R'},
    {HTTP, "", "http://2130706433:8080/", 'R'},
    {HTTP, "", "http://017700000001:8080/", 'R'},
    {HTTP, "", "http://[::ffff:127.0.0.1]:8080/", 'R'},
    {HTTP, "", "http://[::1]:8080/", 'R'},
    {HTTP, "", "http://localhost:8080/", 'R'},
    {HTTP, "0x7f.1:8080", "http://0x7f.1:8080/", 'A'},
    {HTTP, "[::1]:8080", "http://[::1]:8080/", 'A'},
    {HTTP, "[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/", 'R'},
    {"http://[::1]:8080/", "", "http://[::1]:8080/x", 'O'},
    {"http://[::1]:8080/", "", "http://[::1]:8081/x", 'R'},
    {HTTP, "", "http://[::1/x", 'R'},
    // rules
    {HTTPS, "shop.example", "https://shop.example/x", 'A'},
    {HTTPS, "shop.example", "https://shop.example:443/x", 'A'},
    {HTTPS, "shop.example", "https://shop.example:8443/x", 'R'},
    {HTTPS, "shop.example", "http://shop.example/x", 'R'}, // no downgrade
    {HTTPS, "http://shop.example", "http://shop.example/x", 'A'},
    {HTTPS, "http://shop.example", "https://shop.example/x", 'R'},
    {HTTPS, "https://shop.example:8443", "https://shop.example:8443/x", 'A'},
    {HTTPS, "shop.example:8443", "https://shop.example:8443/x", 'A'},
    {HTTPS, "shop.example:8443", "http://shop.example:8443/x", 'R'},
    {HTTPS, "http://erp.example", "http://erp.example/x", 'A'},
    {HTTPS, "other.example, shop.example", "https://shop.example/x", 'A'},
    {HTTPS, "shop.example", "https://www.shop.example/x", 'R'},
    {HTTPS, "*.shop.example", "https://www.shop.example/x", 'A'},
    {HTTPS, "*.shop.example", "https://a.b.shop.example/x", 'A'},
    {HTTPS, "*.shop.example", "https://shop.example/x", 'R'},
    {HTTPS, "*.shop.example", "https://.shop.example/x", 'R'},
    {HTTPS, "*.shop.example", "https://evilshop.example/x", 'R'},
    {HTTPS, "*.shop.example", "https://www.shop.example:22/x", 'R'},
    {HTTPS, "*.shop.example:8443", "https://www.shop.example:8443/x", 'A'},
    {HTTPS, "*", "https://shop.example/x", 'R'},
    {HTTPS, "*.example", "https://shop.example/x", 'R'},
    {HTTPS, "*.0.0.1", "https://127.0.0.1/x", 'R'},
    {HTTP, "shop.example", "http://shop.example/x", 'A'},
    {HTTP, "shop.example", "https://shop.example/x", 'A'},
    {HTTP, "127.0.0.1:22", "http://127.0.0.1:22/", 'A'},
    // a base that is written oddly is still its own
    {"https://b\xc3\xbc"
     "cher.example/api",
     "",
     "https://b\xc3\xbc"
     "cher.example/x",
     'O'},
    {"https://b\xc3\xbc"
     "cher.example/api",
     "", "https://xn--bcher-kva.example/x", 'O'},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) allowed = g_ptr_array_new();
        g_autofree char *why = NULL;

        g_ptr_array_add(allowed, (gpointer)(uintptr_t)cases[i].allowed);
        enum reach reach = reach_judge(cases[i].base, allowed, cases[i].url, &why);

        if ("OAR"[reach] != cases[i].reach)
            print_error("%s for %s with \"%s\": %c\n", cases[i].url, cases[i].base,
                        cases[i].allowed, "OAR"[reach]);
        assert_int_equal("OAR"[reach], cases[i].reach);
        assert_int_equal(why != NULL, reach == REACH_REFUSED);
    }
}

static void test_why(void **state)
{
    static const struct {
        const char *base, *url, *why;
    } told[] = {
        {HTTPS, "gopher://x/", "it is no address that begins with http:// or https://"},
        {HTTPS, "https://a:b@x.example/", "it carries a user name or a password"},
        {HTTPS, "https://a%41.example/", "its host is none that can be called as it is written"},
        {HTTPS, "http://127.0.0.1:22/",
         "it is not at the system's own https://erp.example, and \"allow_hosts\" does not list it"},
        {"http://erp.example:80/", "https://erp.example/x",
         "it is not at the system's own http://erp.example: write https in the system's url"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
        g_autofree char *why = NULL;

        reach_judge(told[i].base, NULL, told[i].url, &why);
        assert_string_equal(why, told[i].why);
    }
    assert_int_equal(reach_judge(HTTPS, NULL, "https://x.example/", NULL), REACH_REFUSED);
}

static void test_rules(void **state)
{
    static const char *const good[] = {"a.example",
                                       "A.example:8443",
                                       "https://a.example",
                                       "http://a.example:81",
                                       "*.a.example",
                                       "*.a.example:9",
                                       "127.0.0.1:8080",
                                       "[::1]",
                                       "a.example, b.example",
                                       "localhost"};
    static const char *const bad[] = {"",
                                      " , ",
                                      "ftp://a.example",
                                      "https://a.example/x",
                                      "a.example/",
                                      "u@a.example",
                                      "*",
                                      "*.example",
                                      "*.0.0.1",
                                      "a.example:0",
                                      "a.example:65536",
                                      "a.example:x",
                                      "a example*",
                                      "http://",
                                      "[::1",
                                      "a.*.example",
                                      "*.*.example.com"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good) + G_N_ELEMENTS(bad); i++) {
        bool is_good = i < G_N_ELEMENTS(good);
        const char *text = is_good ? good[i] : bad[i - G_N_ELEMENTS(good)];
        g_autofree char *why = NULL;

        if (reach_rule_is_valid(text, &why) != is_good)
            print_error("%s\n", text);
        assert_int_equal(why == NULL, is_good);
    }
}

static void test_describe(void **state)
{
    static const char *const pairs[][2] = {
        {"https://Shop.example:443/a?b", "https://shop.example"},
        {"http://127.0.0.1:22", "http://127.0.0.1:22"},
        {"gopher://x", "gopher://x"},
        {"https://a:b@c@x.example/p", "https://***@x.example/p"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autofree char *text = reach_describe(pairs[i][0]);

        assert_string_equal(text, pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_describe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
