// SPDX-License-Identifier: MIT
// Requests from calls: URLs joined and made fit, origins held, headers and
// bodies, authentication.
#include "../../base/json.h"
#include "../../probes/request.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct config_system system;
    struct call *call;
    struct values *values;
    GError *error;
};

static struct template *compile(const char *text, enum template_place place)
{
    struct template *template = template_new(text, place, true, NULL);
    assert_non_null(template);
    return template;
}

static void free_field(void *field)
{
    call_field_free(field);
}

static int set_up(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture->system.url = compile("https://erp.example/api/v2.0", TEMPLATE_PLACE_PATH);
    fixture->system.headers = g_ptr_array_new_with_free_func(free_field);
    fixture->system.auth = g_ptr_array_new();
    fixture->system.timeout_ms = 30000;
    fixture->call = call_new("GET");
    fixture->values = values_new(NULL, "UTC");
    values_set_text(fixture->values, "id", "a/b 1%", false);
    values_set_text(fixture->values, "abs", "https://ERP.example:443/x y?a=%2F&b=|", false);
    values_set_text(fixture->values, "evil", "https://erp.example@evil.example/", false);
    values_set_text(fixture->values, "other", "http://erp.example/", false);
    values_set_text(fixture->values, "relative", "/x", false);
    values_set_text(fixture->values, "lines", "a\r\nX: y", false);
    values_set_text(fixture->values, "empty", "", false);
    values_set_text(fixture->values, "user", "shop", false);
    values_set_text(fixture->values, "colon", "a:b", false);
    values_set_text(fixture->values, "key", "p\xc3\xa9:x", true);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    template_free(fixture->system.url);
    g_ptr_array_unref(fixture->system.headers);
    g_ptr_array_unref(fixture->system.auth);
    call_free(fixture->call);
    values_free(fixture->values);
    g_clear_error(&fixture->error);
    g_free(fixture);
    return 0;
}

static struct transfer_request *build(struct fixture *fixture)
{
    g_clear_error(&fixture->error);
    return request_build(fixture->call, &fixture->system, fixture->values,
                         (struct clock_wall){INT64_C(1795253400000000)}, &fixture->error);
}

static void set_path(struct fixture *fixture, const char *path)
{
    template_free(fixture->call->path);
    fixture->call->path = compile(path, TEMPLATE_PLACE_PATH);
    fixture->call->whole_url =
        template_begins_with_hole(fixture->call->path) || g_str_has_prefix(path, "http");
}

struct url_case {
    const char *system, *path, *expected; // NULL: refused
};

static const struct url_case urls[] = {
    {"https://e.example/api", "/orders", "https://e.example/api/orders"},
    {"https://e.example/api/", "/orders", "https://e.example/api/orders"},
    {"https://e.example/api/", "orders", "https://e.example/api/orders"},
    {"https://e.example/api", "orders/", "https://e.example/api/orders/"},
    {"https://e.example/api//", "//orders", "https://e.example/api/orders"},
    {"https://e.example", "/orders", "https://e.example/orders"},
    {"https://e.example/api/", "", "https://e.example/api/"},
    {"https://e.example/api", "", "https://e.example/api"},
    {"https://e.example/api", "/", "https://e.example/api/"},
    {"https://e.example/api", "?a=b", "https://e.example/api?a=b"},
    {"https://e.example/api?tenant=1", "/x", "https://e.example/api/x?tenant=1"},
    {"https://e.example/api?tenant=1", "/x?a=b", "https://e.example/api/x?a=b&tenant=1"},
    {"https://e.example/api#f", "/x#g", "https://e.example/api/x"},
    {"http://10.0.0.1:65535", "/x", "http://10.0.0.1:65535/x"},
    {"https://e.example:8080?tenant=1", "/x", "https://e.example:8080/x?tenant=1"},
    // only what may not stand in a URL is encoded
    {"https://e.example/a b", "/%2F%20x y/\xc3\xa9?q=a b&c=\"|",
     "https://e.example/a%20b/%2F%20x%20y/%C3%A9?q=a%20b&c=%22%7C"},
    {"https://e.example", "/100%/%zz/%4", "https://e.example/100%25/%25zz/%254"},
    {"https://e.example", "/a(b='c',d=1)/$x;y@z:!*~", "https://e.example/a(b='c',d=1)/$x;y@z:!*~"},
    {"https://e.example", "/c({{id}})", "https://e.example/c(a%2Fb%201%25)"},
    {"https://e.example", "/c/{{empty}}", "https://e.example/c/"},
    {"http://[::1]:8080/api", "/x", "http://[::1]:8080/api/x"},
    {"https://b\xc3\xbc\x63her.example/api", "/x", "https://b\xc3\xbc\x63her.example/api/x"},
    // whole URLs, of the system's own origin
    {"https://erp.example/api", "{{abs}}", "https://ERP.example:443/x%20y?a=%2F&b=%7C"},
    {"https://erp.example/api", "{{abs}}&c={{id}}",
     "https://ERP.example:443/x%20y?a=%2F&b=%7C&c=a%2Fb%201%25"},
    {"https://erp.example:443/api", "https://erp.example/{{id}}",
     "https://erp.example/a%2Fb%201%25"},
    {"http://[::1]/api", "http://[::1]:80/x", "http://[::1]:80/x"},
    {"https://b\xc3\xbc\x63her.example", "https://xn--bcher-kva.example/x",
     "https://xn--bcher-kva.example/x"},
    {"https://erp.example/api", "{{evil}}", NULL},
    {"https://erp.example/api", "{{other}}", NULL},
    {"https://erp.example/api", "https://erp.example:8443/", NULL},
    {"https://erp.example/api", "https://erp.example.evil.example/", NULL},
    {"https://erp.example/api", "https://erp.example\\@evil.example/", NULL},
    {"https://erp.example/api", "http:/x", NULL},
    {"https://erp.example/api", "{{relative}}", NULL},
    {"https://erp.example/api", "{{empty}}", NULL},
    {"https://erp.example/api", "{{lines}}", NULL},
    {"https://erp.example/api", "{{nobody}}", NULL},
    {"ftp://erp.example/api", "/x", NULL},
    {"erp.example/api", "/x", NULL},
    {"https://a b.example/api", "/x", NULL},
    {"https:///api", "/x", NULL},
    {"https://e.example:65536/api", "/x", NULL},
    {"https://e.example:80a/api", "/x", NULL},
    {"https://e.example:99999999999999999999/api", "/x", NULL},
};

static void test_urls(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        template_free(fixture->system.url);
        fixture->system.url = compile(urls[i].system, TEMPLATE_PLACE_PATH);
        set_path(fixture, urls[i].path);
        g_autoptr(transfer_request_t) request = build(fixture);
        if (!urls[i].expected) {
            if (request)
                fail_msg("%s was taken as %s", urls[i].path, request->url);
            assert_non_null(fixture->error);
            continue;
        }
        if (!request)
            fail_msg("%s %s: %s", urls[i].system, urls[i].path, fixture->error->message);
        assert_string_equal(request->url, urls[i].expected);
    }
}

static void test_origin_error(void **state)
{
    struct fixture *fixture = *state;
    set_path(fixture, "{{evil}}");
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_ORIGIN));
    assert_non_null(strstr(fixture->error->message, "https://***@evil.example/ was not called"));
}

static void add(GPtrArray *fields, const char *name, const char *value, enum template_place place)
{
    g_ptr_array_add(fields, call_field_new(name, compile(value, place)));
}

static void test_query(void **state)
{
    struct fixture *fixture = *state;
    set_path(fixture, "/x");
    add(fixture->call->query, "$filter", "name eq '{{id}}' & more", TEMPLATE_PLACE_QUERY);
    add(fixture->call->query, "page[size]", "1", TEMPLATE_PLACE_QUERY);
    add(fixture->call->query, "page[size]", "{{empty}}", TEMPLATE_PLACE_QUERY);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_string_equal(request->url,
                        "https://erp.example/api/v2.0/x?$filter=name%20eq%20'a/b%201%25'%20%26%20"
                        "more&page%5Bsize%5D=1&page%5Bsize%5D=");
    set_path(fixture, "/x?a=b");
    g_autoptr(transfer_request_t) second = build(fixture);
    assert_true(g_str_has_prefix(second->url, "https://erp.example/api/v2.0/x?a=b&$filter="));
}

static void add_map(GPtrArray *fields, const char *hole)
{
    g_autoptr(cJSON) json = cJSON_CreateString(hole);
    g_ptr_array_add(fields, call_field_new(CALL_FIELDS, template_new_json(json, false, NULL)));
}

// The fields of a map, in the query and in a form; none of an empty one.
static void test_map_of_fields(void **state)
{
    struct fixture *fixture = *state;
    const char *text = "{\"~OkCode\":\"ADDI\",\"a b\":\"c&d\",\"n\":4.0}";
    values_set(fixture->values, "extra", value_new(json_parse(text, strlen(text), NULL), false));
    values_set(fixture->values, "none", value_new(cJSON_CreateObject(), false));
    set_path(fixture, "/x");
    add_map(fixture->call->query, "{{none}}");
    add_map(fixture->call->query, "{{empty}}");
    g_autoptr(transfer_request_t) bare = build(fixture);
    assert_string_equal(bare->url, "https://erp.example/api/v2.0/x");
    add_map(fixture->call->query, "{{extra}}");
    add(fixture->call->query, "z", "1", TEMPLATE_PLACE_QUERY);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_string_equal(request->url,
                        "https://erp.example/api/v2.0/x?~OkCode=ADDI&a%20b=c%26d&n=4.0&z=1");
    g_ptr_array_set_size(fixture->call->query, 0);
    fixture->call->body_kind = CALL_BODY_FORM;
    add_map(fixture->call->form, "{{extra}}");
    g_autoptr(transfer_request_t) form = build(fixture);
    size_t length = 0;
    const char *body = g_bytes_get_data(form->body, &length);
    assert_int_equal(length, strlen("%7EOkCode=ADDI&a+b=c%26d&n=4.0"));
    assert_memory_equal(body, "%7EOkCode=ADDI&a+b=c%26d&n=4.0", length);
    add_map(fixture->call->form, "{{user}}");
    assert_null(build(fixture));
}

// The headers as one text, in order.
static char *header_text(const struct transfer_request *request)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < request->headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(request->headers, i);
        g_string_append_printf(out, "%s: %s\n", header->name, header->value);
    }
    return g_string_free(out, FALSE);
}

static void test_headers(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(transfer_request_t) plain = build(fixture);
    g_autofree char *defaults = header_text(plain);
    assert_string_equal(defaults, "Accept: application/json, */*\n");
    add(fixture->system.headers, "Accept-Language", "en-US", TEMPLATE_PLACE_HEADER);
    add(fixture->system.headers, "X-Two", "system", TEMPLATE_PLACE_HEADER);
    add(fixture->call->headers, "x-two", "{{id}}", TEMPLATE_PLACE_HEADER);
    add(fixture->call->headers, "x-two", "again", TEMPLATE_PLACE_HEADER);
    add(fixture->call->headers, "accept", "text/plain", TEMPLATE_PLACE_HEADER);
    g_autoptr(transfer_request_t) request = build(fixture);
    g_autofree char *text = header_text(request);
    assert_string_equal(text, "Accept-Language: en-US\nx-two: a/b 1%\nx-two: again\n"
                              "accept: text/plain\n");
}

// No place of a template lets a second line into a header.
static void test_header_lines(void **state)
{
    struct fixture *fixture = *state;
    add(fixture->call->headers, "X-A", "{{lines}}", TEMPLATE_PLACE_HEADER);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE));
    g_ptr_array_set_size(fixture->call->headers, 0);
    add(fixture->call->headers, "X-A", "{{lines}}", TEMPLATE_PLACE_TEXT);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_HEADER));
    g_ptr_array_set_size(fixture->call->headers, 0);
    add(fixture->call->headers, "X A", "b", TEMPLATE_PLACE_TEXT);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_HEADER));
}

static void expect_body(struct fixture *fixture, const char *body, const char *content_type)
{
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_non_null(request);
    gsize length = 0;
    const char *data = g_bytes_get_data(request->body, &length);
    assert_int_equal(length, strlen(body));
    if (length > 0)
        assert_memory_equal(data, body, length);
    assert_string_equal(transfer_headers_find(request->headers, "Content-Type"), content_type);
}

static void test_bodies(void **state)
{
    struct fixture *fixture = *state;
    static const char document[] = "{\"a\":\"{{id}}\",\"n\":1.10}";
    g_autoptr(cJSON) tree = json_parse(document, strlen(document), NULL);
    fixture->call->body_kind = CALL_BODY_JSON;
    fixture->call->body = template_new_json(tree, false, NULL);
    expect_body(fixture, "{\"a\":\"a/b 1%\",\"n\":1.10}", "application/json");
    add(fixture->call->headers, "content-type", "application/vnd.x+json", TEMPLATE_PLACE_HEADER);
    expect_body(fixture, "{\"a\":\"a/b 1%\",\"n\":1.10}", "application/vnd.x+json");
    g_ptr_array_set_size(fixture->call->headers, 0);

    template_free(fixture->call->body);
    fixture->call->body = compile("t {{id}}", TEMPLATE_PLACE_TEXT);
    fixture->call->body_kind = CALL_BODY_TEXT;
    expect_body(fixture, "t a/b 1%", "text/plain; charset=utf-8");

    fixture->call->body_kind = CALL_BODY_FORM;
    add(fixture->call->form, "a b", "{{id}}&c", TEMPLATE_PLACE_FORM);
    add(fixture->call->form, "d", "x y", TEMPLATE_PLACE_FORM);
    expect_body(fixture, "a+b=a%2Fb+1%25%26c&d=x+y", "application/x-www-form-urlencoded");
}

// Values become XML's text; what it cannot carry is not sent.
static void test_xml_body(void **state)
{
    struct fixture *fixture = *state;
    values_set_text(fixture->values, "text", "a<b> & \"c\" 'd'\r\n\te\xc3\xa9", false);
    values_set_text(fixture->values, "bell", "a\x07", false);
    fixture->call->body_kind = CALL_BODY_XML;
    fixture->call->body = compile("<a b='{{text}}'>{{text}}{{user | raw}}</a>", TEMPLATE_PLACE_XML);
    expect_body(fixture,
                "<a b='a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;&#13;&#10;&#9;e\xc3\xa9'>"
                "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;&#13;&#10;&#9;e\xc3\xa9shop</a>",
                "application/xml; charset=utf-8");
    template_free(fixture->call->body);
    fixture->call->body = compile("<a>{{bell}}</a>", TEMPLATE_PLACE_XML);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE));
    assert_string_equal(fixture->error->message,
                        "{{bell}} holds a control character, which XML cannot carry");
}

static void expect_soap(struct fixture *fixture, const char *type, const char *action)
{
    expect_body(fixture, "<e/>", type);
    g_autoptr(transfer_request_t) request = build(fixture);
    const char *sent = transfer_headers_find(request->headers, "SOAPAction");
    assert_string_equal(sent ? sent : "none", action);
}

static void test_soap_body(void **state)
{
    struct fixture *fixture = *state;
    struct call *call = fixture->call;
    call->body_kind = CALL_BODY_SOAP;
    call->body = compile("<e/>", TEMPLATE_PLACE_XML);
    expect_soap(fixture, "text/xml; charset=utf-8", "\"\"");
    call->soap = CALL_SOAP_1_2;
    expect_soap(fixture, "application/soap+xml; charset=utf-8", "none");
    call->soap_action = compile("urn:{{user}}", TEMPLATE_PLACE_HEADER);
    expect_soap(fixture, "application/soap+xml; charset=utf-8; action=\"urn:shop\"", "none");
    call->soap = CALL_SOAP_1_1;
    expect_soap(fixture, "text/xml; charset=utf-8", "\"urn:shop\"");
    add(call->headers, "soapaction", "own", TEMPLATE_PLACE_HEADER);
    add(call->headers, "content-type", "text/xml", TEMPLATE_PLACE_HEADER);
    expect_soap(fixture, "text/xml", "own");
    g_ptr_array_set_size(call->headers, 0);
    values_set_text(fixture->values, "user", "a\"; x=\"", false);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_HEADER));
}

static void test_file_body(void **state)
{
    struct fixture *fixture = *state;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("body-XXXXXX", &path, NULL);
    assert_true(fd >= 0);
    g_close(fd, NULL);
    assert_true(g_file_set_contents(path, "a\0b{{id}}", 9, NULL));
    fixture->call->body_kind = CALL_BODY_FILE;
    fixture->call->body_file = g_strdup(path);
    g_autoptr(transfer_request_t) request = build(fixture);
    gsize length = 0;
    const char *data = g_bytes_get_data(request->body, &length);
    assert_int_equal(length, 9);
    assert_memory_equal(data, "a\0b{{id}}", 9);
    g_unlink(path);
    assert_null(build(fixture));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_BODY));
}

static void test_limits(void **state)
{
    struct fixture *fixture = *state;
    fixture->system.tls_ca = (char *)(uintptr_t) "/ca.pem";
    fixture->system.tls_no_verify = true;
    g_autoptr(transfer_request_t) reading = build(fixture);
    assert_string_equal(reading->method, "GET");
    assert_int_equal(reading->timeout_ms, 30000);
    assert_int_equal(reading->max_body, 4 * 1024 * 1024);
    assert_true(reading->may_reuse);
    assert_null(reading->body);
    assert_string_equal(reading->tls.ca, "/ca.pem");
    assert_true(reading->tls.no_verify);
    call_free(fixture->call);
    fixture->call = call_new("POST");
    fixture->call->timeout_ms = 5000;
    g_autoptr(transfer_request_t) writing = build(fixture);
    assert_int_equal(writing->timeout_ms, 5000);
    assert_false(writing->may_reuse);
}

static bool authenticate(struct fixture *fixture, struct transfer_request *request)
{
    g_clear_error(&fixture->error);
    return request_authenticate(request, &fixture->system, fixture->values, (struct clock_wall){0},
                                &fixture->error);
}

static void test_basic(void **state)
{
    struct fixture *fixture = *state;
    struct config_auth auth = {.kind = CONFIG_AUTH_BASIC};
    g_autoptr(template_t) username = compile("{{user}}", TEMPLATE_PLACE_TEXT);
    g_autoptr(template_t) password = compile("{{key}}", TEMPLATE_PLACE_TEXT);
    g_autoptr(template_t) colon = compile("{{colon}}", TEMPLATE_PLACE_TEXT);
    auth.username = username;
    auth.password = password;
    g_ptr_array_add(fixture->system.auth, &auth);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_true(authenticate(fixture, request));
    // shop:pé:x
    assert_string_equal(transfer_headers_find(request->headers, "Authorization"),
                        "Basic c2hvcDpww6k6eA==");
    auth.username = colon;
    g_autoptr(transfer_request_t) refused = build(fixture);
    assert_false(authenticate(fixture, refused));
    assert_true(g_error_matches(fixture->error, REQUEST_ERROR, REQUEST_ERROR_AUTH));
}

// The transport gets a copy of its own; `Authorization` of the call itself wins.
static void test_transport(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(template_t) username = compile("{{user}}", TEMPLATE_PLACE_TEXT);
    g_autoptr(template_t) password = compile("{{key}}", TEMPLATE_PLACE_TEXT);
    struct config_auth ntlm = {.kind = CONFIG_AUTH_NTLM, .username = username};
    struct config_auth cert = {
        .kind = CONFIG_AUTH_CLIENT_CERT, .cert = (char[]){"/c.pem"}, .key = (char[]){"/k.pem"}};
    ntlm.password = password;
    ntlm.domain = username;
    g_ptr_array_add(fixture->system.auth, &ntlm);
    g_ptr_array_add(fixture->system.auth, &cert);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_true(authenticate(fixture, request));
    assert_int_equal(request->credentials.kind, TRANSFER_AUTH_NTLM);
    assert_string_equal(request->credentials.username, "shop\\shop");
    assert_string_equal(request->credentials.password, "p\xc3\xa9:x");
    assert_string_equal(request->credentials.cert, "/c.pem");
    assert_string_equal(request->credentials.key, "/k.pem");
    assert_null(request->credentials.key_password);
    assert_null(transfer_headers_find(request->headers, "Authorization"));
    add(fixture->call->headers, "authorization", "own", TEMPLATE_PLACE_HEADER);
    g_autoptr(transfer_request_t) own = build(fixture);
    assert_true(authenticate(fixture, own));
    assert_int_equal(own->credentials.kind, TRANSFER_AUTH_NONE);
    assert_non_null(own->credentials.cert);
}

static void test_bearer(void **state)
{
    struct fixture *fixture = *state;
    struct config_auth auth = {.kind = CONFIG_AUTH_BEARER};
    g_autoptr(template_t) token = compile("{{user}}", TEMPLATE_PLACE_TEXT);
    g_autoptr(template_t) lines = compile("{{lines}}", TEMPLATE_PLACE_TEXT);
    auth.token = token;
    g_ptr_array_add(fixture->system.auth, &auth);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_true(authenticate(fixture, request));
    assert_string_equal(transfer_headers_find(request->headers, "Authorization"), "Bearer shop");
    auth.token = lines;
    g_autoptr(transfer_request_t) refused = build(fixture);
    assert_false(authenticate(fixture, refused));
    // what the call says itself stays
    add(fixture->call->headers, "Authorization", "own", TEMPLATE_PLACE_HEADER);
    g_autoptr(transfer_request_t) own = build(fixture);
    assert_true(authenticate(fixture, own));
    assert_string_equal(transfer_headers_find(own->headers, "Authorization"), "own");
}

static void test_auth_headers(void **state)
{
    struct fixture *fixture = *state;
    struct config_auth auth = {.kind = CONFIG_AUTH_HEADER};
    struct config_auth session = {.kind = CONFIG_AUTH_SESSION};
    auth.headers = g_ptr_array_new_with_free_func(free_field);
    add(auth.headers, "X-Api-Key", "{{key}}", TEMPLATE_PLACE_HEADER);
    add(auth.headers, "X-Api-Key", "second", TEMPLATE_PLACE_HEADER);
    g_ptr_array_add(fixture->system.auth, &auth);
    g_ptr_array_add(fixture->system.auth, &session);
    g_autoptr(transfer_request_t) request = build(fixture);
    assert_true(authenticate(fixture, request));
    g_autofree char *text = header_text(request);
    assert_non_null(strstr(text, "X-Api-Key: p\xc3\xa9:x\nX-Api-Key: second\n"));
    g_ptr_array_unref(auth.headers);
}

static void test_origin(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://Erp.Example/x", "https://erp.example:443"},
        {"HTTP://e.example:8080", "http://e.example:8080"},
        {"http://e.example", "http://e.example:80"},
        {"https://u:p@e.example:443/@x", "https://e.example:443"},
        {"http://[FE80::1]/x", "http://[fe80::1]:80"},
        {"http://127.0.0.1:1/", "http://127.0.0.1:1"},
        {"https://b\xc3\xbc\x63her.example/", "https://xn--bcher-kva.example:443"},
        {"ftp://e.example/", NULL},
        {"file:///etc/passwd", NULL},
        {"/x", NULL},
        {"", NULL},
        {"https://", NULL},
        {"https://e.example:99999/", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *origin = request_origin(cases[i][0]);
        if (g_strcmp0(origin, cases[i][1]) != 0)
            fail_msg("%s gave %s", cases[i][0], origin ? origin : "nothing");
    }
}

static void test_resolve(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"https://e.example/a/b?c", "d", "https://e.example/a/d"},
        {"https://e.example/a/b", "../d?x=1", "https://e.example/d?x=1"},
        {"https://e.example/a/b", "/d e", "https://e.example/d%20e"},
        {"https://e.example/a/b", "?x", "https://e.example/a/b?x"},
        {"https://e.example/a/b", "//f.example/x", "https://f.example/x"},
        {"https://e.example/a/b", " http://f.example/x%2Fy ", "http://f.example/x%2Fy"},
        {"https://e.example/a", "/%C3%A9/\xc3\xa9", "https://e.example/%C3%A9/%C3%A9"},
        {"not a url", "x", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = request_resolve(cases[i][0], cases[i][1]);
        if (g_strcmp0(url, cases[i][2]) != 0)
            fail_msg("%s %s gave %s", cases[i][0], cases[i][1], url ? url : "nothing");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_urls),
        TEST(test_origin_error),
        TEST(test_query),
        TEST(test_map_of_fields),
        TEST(test_headers),
        TEST(test_header_lines),
        TEST(test_bodies),
        TEST(test_file_body),
        TEST(test_xml_body),
        TEST(test_soap_body),
        TEST(test_limits),
        TEST(test_basic),
        TEST(test_transport),
        TEST(test_bearer),
        TEST(test_auth_headers),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_resolve),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
