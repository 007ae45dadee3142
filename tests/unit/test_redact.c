// SPDX-License-Identifier: MIT
// Redaction: each form of a secret is found, names and shapes give values away,
// and what is no secret stays as it was.
#include "../../base/json.h"
#include "../../base/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// Has whatever an encoding could change.
static const char secret[] = "p\"a/s's&<w>+ \\\xc3\xa9%\tZ";

static void expect_text(const struct redact *redact, const char *text, const char *expected)
{
    g_autofree char *out = redact_text(redact, text, -1);
    assert_string_equal(out, expected);
}

static struct redact *knows(const char *first, ...)
{
    struct redact *redact = redact_new();
    va_list arguments;
    va_start(arguments, first);
    for (const char *text = first; text; text = va_arg(arguments, const char *))
        assert_true(redact_add(redact, text));
    va_end(arguments);
    return redact;
}

// The secret in a form, between two words, is masked to exactly its bytes.
static void expect_form(const char *form)
{
    g_autoptr(redact_t) redact = knows(secret, NULL);
    g_autofree char *text = g_strconcat("before ", form, " after", NULL);
    g_autofree char *out = redact_text(redact, text, -1);
    if (strcmp(out, "before *** after") != 0)
        fail_msg("%s gave %s", text, out);
}

static void test_raw(void **state)
{
    (void)state;
    expect_form(secret);
}

static void test_json_escaped(void **state)
{
    (void)state;
    expect_form("p\\\"a/s's&<w>+ \\\\\xc3\xa9%\\tZ");
    expect_form("p\\\"a\\/s's&<w>+ \\\\\\u00e9%\\tZ");
    expect_form("p\\u0022a\\u002fs\\u0027s\\u0026\\u003Cw\\u003E\\u002B \\u005C\\u00E9%\\u0009Z");
    expect_form("\\u0070\\u0022\\u0061\\u002F\\u0073\\u0027\\u0073\\u0026\\u003c\\u0077\\u003e"
                "\\u002b\\u0020\\u005c\\u00e9\\u0025\\u0009\\u005a");
    // a JSON text within a JSON text
    expect_form("p\\\\\\\"a/s's&<w>+ \\\\\\\\\xc3\xa9%\\\\tZ");
    // a pair of surrogates
    g_autoptr(redact_t) redact = knows("abc\xf0\x9f\x98\x80xyz", NULL);
    expect_text(redact, "\"abc\\ud83d\\ude00xyz\"", "\"***\"");
    expect_text(redact, "\"abc\\uD83D\\uDE00xyz\"", "\"***\"");
}

static void test_url_encoded(void **state)
{
    (void)state;
    expect_form("p%22a%2Fs%27s%26%3Cw%3E%2B%20%5C%C3%A9%25%09Z");
    expect_form("p%22a%2fs%27s%26%3cw%3e%2b%20%5c%c3%a9%25%09Z");
    expect_form("p%22a%2Fs%27s%26%3Cw%3E%2B+%5C%C3%A9%25%09Z");
    expect_form("p%22a%2fs's%26%3cw%3e%2b+%5c%C3%a9%25%09%5A");
    // encoded twice
    expect_form("p%2522a%252Fs%2527s%2526%253Cw%253E%252B%2520%255C%25C3%25A9%2525%2509Z");
}

static void test_entities(void **state)
{
    (void)state;
    expect_form("p&quot;a/s&apos;s&amp;&lt;w&gt;+ \\\xc3\xa9%\tZ");
    expect_form("p&#34;a&#47;s&#39;s&#38;&#60;w&#62;&#43;&#32;&#92;&#233;&#37;&#9;&#90;");
    expect_form("p&#x22;a&#x2F;s&#X27;s&#x0026;&#x3c;w&#x3E;&#x2b; &#x5c;&#xe9;%&#x9;Z");
    expect_form("p&QUOT;a&sol;s&#0039;s&AMP;&LT;w&GT;&plus; &bsol;&eacute;&percnt;&Tab;Z");
    expect_form("p&#34a/s&#39s&amp;&lt;w&gt;+ \\&#233%\tZ");
}

static void test_hex(void **state)
{
    (void)state;
    expect_form("702261"
                "2f73277326"
                "3c773e2b205c"
                "c3a925095a");
    expect_form("702261"
                "2F73277326"
                "3C773E2B205C"
                "C3A925095A");
}

// The secret behind `before` and in front of `after` other bytes: no character
// of the base64 that holds a bit of it is left.
static void expect_base64(size_t before, size_t after, bool url)
{
    g_autoptr(redact_t) redact = knows(secret, NULL);
    size_t length = strlen(secret);
    g_autofree guchar *bytes = g_malloc0(before + length + after + 1);
    memset(bytes, 'x', before + length + after);
    memcpy(bytes + before, secret, length);
    g_autofree char *encoded = g_base64_encode(bytes, before + length + after);
    if (url)
        g_strdelimit(g_strdelimit(encoded, "+", '-'), "/", '_');
    size_t first = before * 8 / 6, last = ((before + length) * 8 + 5) / 6;
    GString *expected = g_string_new_len(encoded, (gssize)first);
    g_string_append(expected, "***");
    g_string_append(expected, encoded + last);
    g_autofree char *out = redact_text(redact, encoded, -1);
    assert_string_equal(out, expected->str);
    g_string_free(expected, TRUE);
}

static void test_base64(void **state)
{
    (void)state;
    for (size_t before = 0; before < 7; before++) {
        for (size_t after = 0; after < 4; after++) {
            expect_base64(before, after, false);
            expect_base64(before, after, true);
        }
    }
}

// Base64 that is itself escaped: / as \/ in JSON, + and = as %2B and %3D in a form.
static void test_base64_escaped(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = knows("\xff\xef\xbf\xfe\xfb\xf0", NULL);
    g_autofree char *encoded = g_base64_encode((const guchar *)"\xff\xef\xbf\xfe\xfb\xf0", 6);
    assert_string_equal(encoded, "/++//vvw");
    expect_text(redact, "a \\/++\\/\\/vvw b", "a *** b");
    expect_text(redact, "a %2f%2B%2B%2F%2Fvvw b", "a *** b");
    expect_text(redact, "a _--__vvw b", "a *** b");
}

static void test_overlaps(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = knows("abcdefgh", "efghijkl", "cdefgh", NULL);
    expect_text(redact, "-abcdefghijkl-", "-***-");
    expect_text(redact, "-abcdefgh-", "-***-");
    expect_text(redact, "-xcdefgh-", "-x***-");
    expect_text(redact, "-abcdefg-", "-abcdefg-");
    expect_text(redact, "abcdefghabcdefgh", "***");
    g_autoptr(redact_t) same = knows("aaaaaa", NULL);
    expect_text(same, "aaaaaaaaaaaaab aaaaa", "***b aaaaa");
}

static void test_boundaries(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = knows("secret", NULL);
    expect_text(redact, "", "");
    expect_text(redact, "secret", "***");
    expect_text(redact, "secre", "secre");
    expect_text(redact, "xsecret", "x***");
    expect_text(redact, "secretx", "***x");
    expect_text(redact, "secre\\u0074", "***");
    expect_text(redact, "secre\\u007", "secre\\u007");
    expect_text(redact, "%73ecret%", "***%");
    expect_text(redact, "a\\", "a\\");
    expect_text(redact, "&#; &#x; & &amp &nothing; %zz %2", "&#; &#x; & &amp &nothing; %zz %2");
    g_autofree char *part = redact_text(redact, "secretsecret", 6);
    assert_string_equal(part, "***");
    g_autofree char *zero = redact_text(redact, "a\0secret", 8);
    assert_string_equal(zero, "a\xef\xbf\xbd***");
}

static void test_short_and_empty(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = redact_new();
    assert_false(redact_add(redact, ""));
    assert_false(redact_add(redact, "12345"));
    assert_true(redact_add(redact, "123456"));
    assert_true(redact_add(redact, "123456"));
    expect_text(redact, "12345 x", "12345 x");
    expect_text(NULL, "plain", "plain");
    redact_free(NULL);
}

// A copy knows what its parent knew, and neither learns from the other after.
static void test_copy(void **state)
{
    (void)state;
    struct redact *parent = knows("first-secret", NULL);
    g_autoptr(redact_t) copy = redact_copy(parent);
    redact_add(copy, "second-secret");
    redact_add(parent, "third-secret");
    expect_text(copy, "first-secret second-secret third-secret", "*** *** third-secret");
    expect_text(parent, "first-secret second-secret third-secret", "*** second-secret ***");
    redact_free(parent);
    expect_text(copy, "first-secret", "***");
    g_autoptr(redact_t) none = redact_copy(NULL);
    expect_text(none, "first-secret", "first-secret");
}

static void test_names(void **state)
{
    (void)state;
    static const char *const secret_names[] = {
        "password",
        "Passwd",
        "client_secret",
        "api_key",
        "X-Api-Key",
        "apikey",
        "auth",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "set_cookie",
        "credentials",
        "mysql_pwd",
        "privatekey",
        "private_key",
        "token",
        "access_token",
        "refreshToken",
        "id_token",
        "session",
        "SessionId",
        "csrftoken",
        "PHPSESSID",
        "connect.sid",
        "XSRF-TOKEN",
        "X-CSRF-Token",
        "ip_address",
        "x_forwarded_for",
        "X-Real-IP",
        "Ocp-Apim-Subscription-Key",
        "X-Auth-Token",
        "X-Access-Token",
        "stripe-signature",
        "B1SESSION",
        "ROUTEID",
        "SAP_SESSIONID_ERP_100",
        "MYSAPSSO2",
        ".AspNetCore.Antiforgery",
        "assertion",
        "SharedSecret",
        "CredentialMac",
        "pin",
        "otp",
        "cvv",
        "cvc",
        "customerIban",
        "bic",
        "bank_bic",
        "card",
        "pan",
        "cardNumber",
        "secretkey",
        "websiteKey",
        "HOOK_URL",
        "sid",
        "sessionResult",
        "sig",
        "userPin",
        "user[password]",
    };
    static const char *const plain_names[] = {
        "company",
        "author",
        "authorized",
        "authority",
        "shipping",
        "design",
        "inside",
        "discard",
        "description",
        "code",
        "spinner",
        "cubic",
        "panel",
        "WWW-Authenticate",
        "username",
        "$skiptoken",
        "token_type",
        "SessionTimeout",
        "Access-Control-Allow-Credentials",
        "key",
        "",
        "BuyerCookie",
        "ETag",
        "Content-Type",
        "pincode_area",
        "possible",
        "assigned",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(secret_names); i++) {
        if (!redact_is_secret_name(secret_names[i]))
            fail_msg("not secret: %s", secret_names[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(plain_names); i++) {
        if (redact_is_secret_name(plain_names[i]))
            fail_msg("secret: %s", plain_names[i]);
    }
}

struct body_case {
    const char *type, *body, *expected;
};

static const struct body_case bodies[] = {
    {"application/json", "{\"Password\" : \"x\", \"n\": 12.10 }",
     "{\"Password\" : \"***\", \"n\": 12.10 }"},
    {"application/json", "{\"pin\":1234,\"a\":{\"pin\":-1.5e3}}",
     "{\"pin\":\"***\",\"a\":{\"pin\":\"***\"}}"},
    {"application/json", "{\"token\":null,\"secret\":true,\"password\":\"\"}",
     "{\"token\":null,\"secret\":true,\"password\":\"\"}"},
    {"application/json", "{\"auth\":{\"u\":\"a\",\"n\":[1,\"b\",{\"c\":\"d\"}]},\"x\":\"y\"}",
     "{\"auth\":{\"u\":\"***\",\"n\":[\"***\",\"***\",{\"c\":\"***\"}]},\"x\":\"y\"}"},
    {"application/json", "{\"pass\\u0077ord\":\"a\\\"b\"}", "{\"pass\\u0077ord\":\"***\"}"},
    {"text/html", "[{\"access_token\":\"a\"},2]", "[{\"access_token\":\"***\"},2]"},
    {"application/json", "{\"in\":\"{\\\"password\\\":\\\"a b\\\",\\\"c\\\":1}\"}",
     "{\"in\":\"{\\\"password\\\":\\\"***\\\",\\\"c\\\":1}\"}"},
    // cut in the middle
    {"application/json", "{\"a\":1,\"password\":\"geh", "{\"a\":1,\"password\":\"***"},
    {"application/json", "{\"password\":", "{\"password\":"},
    {"application/json", "{\"password\":\"x\\", "{\"password\":\"***"},
    {"application/json", "{\"next\":\"https://h/x?a=1\\u0026access_token=zzz\\u0026b=2\"}",
     "{\"next\":\"https://h/x?a=1\\u0026access_token=***\\u0026b=2\"}"},
    {"application/x-www-form-urlencoded; charset=UTF-8", "password=a%20b&user=u&PIN=12",
     "password=***&user=u&PIN=***"},
    {"application/x-www-form-urlencoded", "grant_type=password&client_secret=x&scope=a",
     "grant_type=password&client_secret=***&scope=a"},
    {"text/plain", "password=a", "password=a"},
    {"text/xml", "<a:Password b='1'>x</a:Password><User>u</User>",
     "<a:Password b='1'>***</a:Password><User>u</User>"},
    {"text/xml", "<Cred sharedSecret=\"x\" d='y'/><pwd><![CDATA[a<b]]></pwd><token/>t",
     "<Cred sharedSecret=\"***\" d='y'/><pwd><![CDATA[***]]></pwd><token/>t"},
    {"text/html", "<html><a href=\"/x?a=1&amp;sid=99&amp;b=2\">t</a>",
     "<html><a href=\"/x?a=1&amp;sid=***&amp;b=2\">t</a>"},
    {NULL, "plain", "plain"},
    {NULL, "{", "{"},
    {"text/xml", "<", "<"},
    {"text/xml", "<password", "<password"},
    {"text/xml", "<password>", "<password>"},
};

static void test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *out = redact_body(NULL, bodies[i].type, bodies[i].body, -1);
        assert_string_equal(out, bodies[i].expected);
    }
}

static void test_headers_and_urls(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = knows("s3cret-value", NULL);
    static const char *const headers[][3] = {
        {"authorization", "Basic abc", "***"},
        {"Cookie", "a=b; c=d", "***"},
        {"Set-Cookie", "a=b; Path=/", "***"},
        {"Authorization", "", ""},
        {"X-Trace", "has s3cret-value", "has ***"},
        {"Location", "https://u:p@h/x?token=1&a=2", "https://***@h/x?token=***&a=2"},
        {"WWW-Authenticate", "Basic realm=\"x\"", "Basic realm=\"x\""},
        {"WWW-Authenticate", "NTLM", "NTLM"},
        {"www-authenticate", "ntlm TlRMTVNTUAACAAAA", "NTLM ***"},
        {"WWW-Authenticate", "Negotiate oYG2MIGzoAMKAQ==", "Negotiate ***"},
        {"Authentication-Info", "rspauth=\"0123\", cnonce=\"a\"", "***"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autofree char *out = redact_header(redact, headers[i][0], headers[i][1]);
        assert_string_equal(out, headers[i][2]);
    }
    static const char *const urls[][2] = {
        {"https://h.example/a?b=c", "https://h.example/a?b=c"},
        {"https://user@h.example/", "https://***@h.example/"},
        {"https://u:p@ss@h.example/a@b", "https://***@h.example/a@b"},
        {"https://h/?USERNAME=u&PASSWORD=p&HOOK_URL=x&code=12",
         "https://h/?USERNAME=***&PASSWORD=***&HOOK_URL=***&code=12"},
        {"https://h/?code=0123456789abcdefghij#f", "https://h/?code=***#f"},
        {"https://h/s3cret%2Dvalue/x", "https://h/***/x"},
        {"https://h/?$skiptoken=7&sig=8", "https://h/?$skiptoken=7&sig=***"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *out = redact_url(redact, urls[i][0]);
        assert_string_equal(out, urls[i][1]);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    expect_text(NULL, "t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "t ***!");
    expect_text(NULL, "t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0", "t ***");
    expect_text(NULL, "eyJhbGci eyJ.a.b xeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0",
                "eyJhbGci eyJ.a.b xeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0");
    expect_text(NULL, "sk_live_0123456789abc sk_live_1", "*** sk_live_1");
    expect_text(NULL, "live_0123456789abcdefghijklmnopqrst", "***");
    expect_text(NULL, "see ftp://u:p@h/x and http://h/@x", "see ftp://***@h/x and http://h/@x");
    expect_text(NULL,
                "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\nx "
                "-----BEGIN RSA PRIVATE KEY-----\nBB",
                "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\nx "
                "-----BEGIN RSA PRIVATE KEY-----***");
}

static void test_json_tree(void **state)
{
    (void)state;
    static const char text[] = "{\"password\":\"x\",\"pin\":12,\"list\":[\"has "
                               "s3cret-value\",7654321,12.10],\"token\":null,"
                               "\"cookies\":{\"a\":[1,\"b\",\"\"]},\"s3cret-value\":true,\"in\":\"{"
                               "\\\"otp\\\":\\\"1\\\"}\"}";
    g_autoptr(redact_t) redact = knows("s3cret-value", "7654321", NULL);
    g_autoptr(cJSON) tree = json_parse(text, strlen(text), NULL);
    redact_json(redact, tree);
    g_autofree char *out = json_print(tree, false);
    assert_string_equal(
        out, "{\"password\":\"***\",\"pin\":\"***\",\"list\":[\"has ***\",\"***\",12.10],"
             "\"token\":null,\"cookies\":{\"a\":[\"***\",\"***\",\"\"]},\"***\":true,"
             "\"in\":\"{\\\"otp\\\":\\\"***\\\"}\"}");
    redact_json(redact, NULL);
}

// Many secrets, each found among the others; a set finds nothing in what has none.
static void test_many(void **state)
{
    (void)state;
    g_autoptr(redact_t) redact = redact_new();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) expected = g_string_new(NULL);
    for (int i = 0; i < 500; i++) {
        g_autofree char *one = g_strdup_printf("eyJhbGciOi-%05d-%x", i * 7919, i);
        redact_add(redact, one);
        g_string_append_printf(text, "%d %s,", i, one);
        g_string_append_printf(expected, "%d ***,", i);
    }
    expect_text(redact, text->str, expected->str);
    expect_text(redact, "eyJhbGciOi-99999-0 and so on", "eyJhbGciOi-99999-0 and so on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_json_escaped),
        cmocka_unit_test(test_url_encoded),
        cmocka_unit_test(test_entities),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_escaped),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_short_and_empty),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_headers_and_urls),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_json_tree),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
