// SPDX-License-Identifier: MIT
// OAuth 1.0a against the published examples: RFC 5849, Twitter's, NetSuite's.
#include "../../probes/oauth1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// RFC 5849 section 3.4.1.1: duplicate names, empty values, + and %XX.
static void test_rfc_base_string(void **state)
{
    (void)state;
    const char *parameters[] = {"oauth_consumer_key",
                                "9djdj82h48djs9d2",
                                "oauth_token",
                                "kkk9d7dh3k39sjv7",
                                "oauth_signature_method",
                                "HMAC-SHA1",
                                "oauth_timestamp",
                                "137131201",
                                "oauth_nonce",
                                "7d8f3e4a",
                                NULL};
    g_autofree char *base =
        oauth1_base_string("post", "HTTP://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
                           "c2&a3=2+q", parameters);
    assert_string_equal(
        base, "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D"
              "%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_"
              "nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201"
              "%26oauth_token%3Dkkk9d7dh3k39sjv7");
    // The same request by HMAC-SHA256, as Faithlife's test suite has it.
    parameters[5] = "HMAC-SHA256";
    g_autofree char *other =
        oauth1_base_string("POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
                           "c2&a3=2+q", parameters);
    g_autofree char *signature = oauth1_signature(false, other, "j49sk3j29djd", "dh893hdasih9");
    assert_string_equal(signature, "ypAxjNip++Dm0fTM+gCl8wAo6ufSnseu1WHxL7py3BU=");
}

// RFC 5849 section 1.2: all three requests.
static void test_rfc_signatures(void **state)
{
    static const struct {
        const char *method, *url, *token, *token_secret, *timestamp, *nonce, *name, *value;
        const char *signature;
    } requests[] = {
        {"POST", "https://photos.example.net/initiate", NULL, NULL, "137131200", "wIjqoS",
         "oauth_callback", "http://printer.example.com/ready", "74KNZJeDHnMBp0EMJ9ZHt/XKycU="},
        {"POST", "https://photos.example.net/token", "hh5s93j4hdidpola", "hdhd0244k9j7ao03",
         "137131201", "walatlh", "oauth_verifier", "hfdp7dh39dks9884",
         "gKgrFCywp7rO0OXSjdot/IHF7IU="},
        {"GET", "http://photos.example.net/photos?file=vacation.jpg&size=original",
         "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00", "137131202", "chapoH", NULL, NULL,
         "MdpQcU8iPSUjWoN/UDMsK2sui9I="},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        const char *parameters[16] = {
            "oauth_consumer_key", "dpf43f3p2l4k3l03", "oauth_signature_method",
            "HMAC-SHA1",          "oauth_timestamp",  requests[i].timestamp,
            "oauth_nonce",        requests[i].nonce};
        size_t count = 8;
        const char *more[] = {requests[i].token ? "oauth_token" : NULL, requests[i].token,
                              requests[i].name, requests[i].value};
        for (size_t k = 0; k < G_N_ELEMENTS(more); k++)
            if (more[k])
                parameters[count++] = more[k];
        g_autofree char *base =
            oauth1_base_string(requests[i].method, requests[i].url, NULL, parameters);
        g_autofree char *signature =
            oauth1_signature(true, base, "kd94hf93k423kf44", requests[i].token_secret);
        assert_string_equal(signature, requests[i].signature);
    }
}

static struct transfer_request *new_request(const char *method, const char *url, const char *type,
                                            const char *body)
{
    struct transfer_request *request = transfer_request_new(method, url);
    if (type)
        transfer_headers_add(request->headers, "content-type", type);
    if (body)
        request->body = g_bytes_new(body, strlen(body));
    return request;
}

// "Creating a signature" of Twitter's documentation: a query and a form.
static void test_twitter(void **state)
{
    const struct oauth1_keys keys = {
        .consumer_key = (char[]){"xvz1evFS4wEEPTGEFPHBog"},
        .consumer_secret = (char[]){"kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"},
        .token = (char[]){"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"},
        .token_secret = (char[]){"LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"},
        .sha1 = true,
    };
    (void)state;
    g_autoptr(transfer_request_t) request = new_request(
        "POST", "https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
        "application/x-www-form-urlencoded; charset=utf-8",
        "status=Hello%20Ladies%20%2b%20Gentlemen%2C%20a%20signed%20OAuth%20request%21");
    g_autofree char *header = oauth1_authorization(&keys, request, 1318622958,
                                                   "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg");
    assert_string_equal(header,
                        "OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "
                        "oauth_nonce=\"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg\", "
                        "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1318622958\", "
                        "oauth_version=\"1.0\", "
                        "oauth_token=\"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb\", "
                        "oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\"");
}

static struct oauth1_keys netsuite_keys(void)
{
    static char key[] = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4";
    static char secret[] = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5";
    static char token[] = "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc";
    static char token_secret[] = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295";
    static char realm[] = "1234567_SB1";
    return (struct oauth1_keys){.consumer_key = key,
                                .consumer_secret = secret,
                                .token = token,
                                .token_secret = token_secret,
                                .realm = realm};
}

// "The Signature for Web Services and RESTlets" of NetSuite's help. The realm stands
// first and is not signed; nor is a body that is no form.
static void test_netsuite(void **state)
{
    const char *url = "https://1234567.restlets.api.netsuite.com/app/site/hosting/restlet.nl?"
                      "script=6&deploy=1&customParam=someValue&testParam=someOtherValue";
    const struct oauth1_keys keys = netsuite_keys();
    (void)state;
    g_autoptr(transfer_request_t) request =
        new_request("POST", url, "application/json", "{\"a\":1}");
    g_autofree char *header =
        oauth1_authorization(&keys, request, 1508242306, "fjaLirsIcCGVZWzBX0pg");
    assert_true(g_str_has_prefix(header, "OAuth realm=\"1234567_SB1\", oauth_consumer_key="));
    assert_true(g_str_has_suffix(
        header, ", oauth_signature=\"i7MEtGwhCTIZbTsTrNGw9LdcERn4wsjt5C7TxmKWIfU%3D\""));
}

// The same signature for what means the same request, another for any other.
static void test_what_is_signed(void **state)
{
    static const struct {
        const char *url, *type, *body;
        bool same;
    } requests[] = {
        {"https://erp.example/a%20b?x=1", NULL, NULL, true},
        {"HTTPS://ERP.example:443/a%20b?x=1#part", NULL, NULL, true},
        {"https://erp.example/a%20b?x=%31", NULL, NULL, true},
        {"https://erp.example/a%20b?&x=1&", NULL, NULL, true},
        {"https://erp.example/a%20b?x=1", "application/json", "y=2", true},
        {"https://erp.example/a%20b?x=1", "application/x-www-form-urlencodedx", "y=2", true},
        {"https://erp.example/a%20b", "application/x-www-form-urlencoded", "x=1", true},
        {"https://erp.example:8443/a%20b?x=1", NULL, NULL, false},
        {"http://erp.example:443/a%20b?x=1", NULL, NULL, false},
        {"https://erp.example/a%2520b?x=1", NULL, NULL, false},
        {"https://erp.example/a%20b/?x=1", NULL, NULL, false},
        {"https://erp.example/a%20b?x=1&x=1", NULL, NULL, false},
        {"https://erp.example/a%20b?x=%001", NULL, NULL, false},
        {"https://erp.example/a%20b?x=1", "application/x-www-form-urlencoded", "y=2", false},
    };
    const struct oauth1_keys keys = netsuite_keys();
    g_autofree char *first = NULL;
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autoptr(transfer_request_t) request =
            new_request("GET", requests[i].url, requests[i].type, requests[i].body);
        g_autofree char *header = oauth1_authorization(&keys, request, 1, "n");
        if (i == 0)
            first = g_strdup(header);
        if ((strcmp(first, header) == 0) != requests[i].same)
            fail_msg("%s %s", requests[i].url, requests[i].body);
    }
}

// An empty path, a literal IPv6 address, a host outside ASCII, a name without value.
static void test_addresses(void **state)
{
    static const struct {
        const char *url, *base;
    } addresses[] = {
        {"https://erp.example", "GET&https%3A%2F%2Ferp.example%2F&"},
        {"https://erp.example?a", "GET&https%3A%2F%2Ferp.example%2F&a%3D"},
        {"http://[::1]:8080/x?b=2&b=1", "GET&http%3A%2F%2F%5B%3A%3A1%5D%3A8080%2Fx&b%3D1%26b%3D2"},
        {"https://b\xc3\xbc"
         "cher.example/",
         "GET&https%3A%2F%2Fxn--bcher-kva.example%2F&"},
        {"https://erp.example/x?a=%zz%4", "GET&https%3A%2F%2Ferp.example%2Fx&a%3D%2525zz%25254"},
    };
    const char *none[] = {NULL};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *base = oauth1_base_string("GET", addresses[i].url, NULL, none);
        assert_string_equal(base, addresses[i].base);
    }
}

static void test_realm_is_quoted(void **state)
{
    struct oauth1_keys keys = netsuite_keys();
    (void)state;
    keys.realm = (char[]){"a\"b\\c"};
    keys.token = keys.token_secret = NULL;
    g_autoptr(transfer_request_t) request = new_request("GET", "https://erp.example", NULL, NULL);
    g_autofree char *header = oauth1_authorization(&keys, request, 1, "n");
    assert_true(g_str_has_prefix(header, "OAuth realm=\"a\\\"b\\\\c\", oauth_consumer_key="));
    assert_null(strstr(header, "oauth_token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_base_string), cmocka_unit_test(test_rfc_signatures),
        cmocka_unit_test(test_twitter),         cmocka_unit_test(test_netsuite),
        cmocka_unit_test(test_what_is_signed),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_realm_is_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
