// SPDX-License-Identifier: MIT
// Templates: what each name, filter and place makes of a value, and what is
// refused in which words.
#include "../../base/json.h"
#include "../../config/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// The names of these tests, as JSON; `key` is a secret.
static const char names[] =
    "{\"customer\":\"O'Hara & <Sons>\",\"id\":\"a/b ?#%\",\"n\":9007199254740993,\"d\":12.10,"
    "\"yes\":true,\"nil\":null,\"list\":[1,\"x\"],\"quote\":\"say \\\"hi\\\"\\n\\\\\","
    "\"lines\":\"a\\r\\nX-Evil: 1\",\"run.id\":\"0abc\",\"day\":\"2026-11-21\","
    "\"at\":\"2026-11-21T10:30:00+01:00\",\"key\":\"s3cr3t\",\"e\":\"\\u00e9\","
    "\"url\":\"https://h.example:8443/a "
    "b/%2F?q=1\",\"host\":\"h.example:81\",\"digits\":\"000123\","
    "\"signed\":[\"networkid\",\"an9900000100\",\"networkid\",\"an9900000100\","
    "\"2003-01-15T08:42:46-08:00\",\"2003-01-15T11:42:46-08:00\"],"
    "\"empty\":\"\",\"map\":{\"a<b\":1,\"c\":\"d & e\"},"
    "\"amount\":\"12.10\",\"plus\":\"a+b=c&d\"}";

struct fixture {
    cJSON *tree;
    struct value value;
};

static const struct value *find_value(const char *name, void *user)
{
    struct fixture *fixture = user;
    const cJSON *node = json_member(fixture->tree, name);
    if (!node)
        return NULL;
    fixture->value.json = (cJSON *)(uintptr_t)node;
    fixture->value.secret = strcmp(name, "key") == 0;
    return &fixture->value;
}

static const char *find_reference(const struct template_reference *reference, void *user)
{
    (void)user;
    if (reference->kind == TEMPLATE_REFERENCE_ENV && strcmp(reference->name, "SET") == 0)
        return "it's \"set\"";
    if (reference->kind == TEMPLATE_REFERENCE_FILE && strcmp(reference->name, "/etc/pw") == 0)
        return "from file";
    if (reference->kind == TEMPLATE_REFERENCE_CREDENTIAL && strcmp(reference->name, "cred") == 0)
        return "from credential";
    return NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture->tree = json_parse(names, strlen(names), NULL);
    assert_non_null(fixture->tree);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    cJSON_Delete(fixture->tree);
    g_free(fixture);
    return 0;
}

static struct template_context context_of(struct fixture *fixture)
{
    struct template_context context = {.value = find_value,
                                       .reference = find_reference,
                                       .user = fixture,
                                       .timezone = "Europe/Brussels"};
    // 2026-11-21T09:30:00.5Z
    context.now.us = INT64_C(1795253400500000);
    return context;
}

struct render_case {
    enum template_place place;
    const char *text;
    const char *expected;
};

static const struct render_case renders[] = {
    {TEMPLATE_PLACE_TEXT, "", ""},
    {TEMPLATE_PLACE_TEXT, "plain { } $ $$ }} text", "plain { } $ $$ }} text"},
    {TEMPLATE_PLACE_TEXT, "x{{customer}}y", "xO'Hara & <Sons>y"},
    {TEMPLATE_PLACE_TEXT, "{{ n }}/{{d}}/{{yes}}/{{nil}}/{{list}}",
     "9007199254740993/12.10/true/null/[1,\"x\"]"},
    {TEMPLATE_PLACE_TEXT, "{{run.id}}", "0abc"},
    {TEMPLATE_PLACE_TEXT, "$${env:SET} $$${env:SET} ${env:SET}",
     "${env:SET} $${env:SET} it's \"set\""},
    {TEMPLATE_PLACE_TEXT, "${env:UNSET:-fall: back} ${env:SET:-x} ${env:UNSET:-}",
     "fall: back it's \"set\" "},
    {TEMPLATE_PLACE_TEXT, "${file:/etc/pw} ${credential:cred}", "from file from credential"},
    // filters
    {TEMPLATE_PLACE_TEXT, "{{customer | base64}}", "TydIYXJhICYgPFNvbnM+"},
    {TEMPLATE_PLACE_TEXT, "{{id | url}}", "a%2Fb%20%3F%23%25"},
    {TEMPLATE_PLACE_TEXT, "{{quote | json}} {{n | json}} {{list|json}}",
     "\"say \\\"hi\\\"\\n\\\\\" 9007199254740993 [1,\"x\"]"},
    {TEMPLATE_PLACE_TEXT, "{{customer | xml}}", "O&#39;Hara &amp; &lt;Sons&gt;"},
    {TEMPLATE_PLACE_TEXT, "{{customer | odata}}", "O''Hara & <Sons>"},
    {TEMPLATE_PLACE_TEXT, "{{customer | upper}} {{customer | lower}} {{e | upper}}",
     "O'HARA & <SONS> o'hara & <sons> \xc3\x89"},
    {TEMPLATE_PLACE_TEXT, "{{customer | lower | base64}}", "bydoYXJhICYgPHNvbnM+"},
    {TEMPLATE_PLACE_TEXT, "{{customer | hmac_sha256: key}}",
     "c1ffc115181b95a984caaeb048fa64a77e638d7f318b17b419a208eb70920815"},
    {TEMPLATE_PLACE_TEXT, "{{'a:b' | base64}} {{'it''s {{'}}", "YTpi it's {{"},
    {TEMPLATE_PLACE_TEXT, "{{'${env:SET}' | upper}}", "IT'S \"SET\""},
    {TEMPLATE_PLACE_TEXT,
     "{{empty | default: digits}} {{none | default: 'x''y'}} {{e | default: n}}",
     "000123 x'y \xc3\xa9"},
    {TEMPLATE_PLACE_TEXT, "{{none | default: '${env:SET}' | upper}}", "IT'S \"SET\""},
    {TEMPLATE_PLACE_PATH, "/x/{{none | default: id}}", "/x/a%2Fb%20%3F%23%25"},
    {TEMPLATE_PLACE_TEXT, "{{digits | if: customer}}{{n | if: empty}}{{n | if: 'false'}}",
     "000123"},
    {TEMPLATE_PLACE_TEXT, "{{n | unless: customer}}{{digits | unless: empty}}", "000123"},
    {TEMPLATE_PLACE_TEXT, "{{none | if: n}}{{none | unless: empty}}", ""},
    {TEMPLATE_PLACE_TEXT, "{{list | if: n}}{{list | unless: empty | element: i}}",
     "[1,\"x\"]<i>1</i><i>x</i>"},
    // cXML: a CredentialMac over the credentials and dates; RFC 2202 case 2, cut
    {TEMPLATE_PLACE_TEXT, "{{signed | hmac_sha1_96: 'abracadabra'}}", "cR6Jpz58nriXERDN"},
    {TEMPLATE_PLACE_TEXT, "{{signed | hmac_sha1_96: 'password'}}", "5KMM/p4KtK5oAf/B"},
    {TEMPLATE_PLACE_TEXT, "{{'what do ya want for nothing?' | hmac_sha1_96: 'Jefe'}}",
     "7/zfauXrL6LSdBbV"},
    {TEMPLATE_PLACE_TEXT, "{{none | hmac_sha1_96: key}}", ""},
    // XML elements: nothing for nothing
    {TEMPLATE_PLACE_TEXT, "{{customer | element: Name}}{{none | element: Name}}{{empty|element:X}}",
     "<Name>O&#39;Hara &amp; &lt;Sons&gt;</Name>"},
    {TEMPLATE_PLACE_TEXT, "{{digits | element: 'cm:Mac algorithm=\"x\" to=\"{{host}}\"'}}",
     "<cm:Mac algorithm=\"x\" to=\"h.example:81\">000123</cm:Mac>"},
    {TEMPLATE_PLACE_TEXT, "{{list | element: i}}", "<i>1</i><i>x</i>"},
    {TEMPLATE_PLACE_TEXT, "{{map | element: Extrinsic}}",
     "<Extrinsic name=\"a&lt;b\">1</Extrinsic><Extrinsic name=\"c\">d &amp; e</Extrinsic>"},
    {TEMPLATE_PLACE_PATH, "/{{n | element: i}}", "/<i>9007199254740993</i>"},
    // times
    {TEMPLATE_PLACE_TEXT, "{{now}}", "2026-11-21T10:30:00+01:00"},
    {TEMPLATE_PLACE_TEXT, "{{now | zone: UTC}}", "2026-11-21T09:30:00Z"},
    {TEMPLATE_PLACE_TEXT, "{{now - 24h | zone: UTC}} {{now + 1h30m | zone: UTC}}",
     "2026-11-20T09:30:00Z 2026-11-21T11:00:00Z"},
    {TEMPLATE_PLACE_TEXT, "{{now | date}} {{now - 11h | date}}", "2026-11-21 2026-11-20"},
    {TEMPLATE_PLACE_TEXT, "{{now | epoch}}", "1795253400"},
    {TEMPLATE_PLACE_TEXT, "{{now | time: '%Y-%m-%d %H:%M:%S'}}", "2026-11-21 10:30:00"},
    {TEMPLATE_PLACE_TEXT, "{{now | zone: America/New_York | time: \"%H:%M\"}}", "04:30"},
    {TEMPLATE_PLACE_TEXT, "{{now | time: %Y}}", "2026"},
    {TEMPLATE_PLACE_TEXT, "{{at - 30m | zone: UTC}} {{day | epoch}} {{day + 1d | date}}",
     "2026-11-21T09:00:00Z 1795215600 2026-11-22"},
    // places
    {TEMPLATE_PLACE_PATH, "/c({{id}})/{{e}}", "/c(a%2Fb%20%3F%23%25)/%C3%A9"},
    {TEMPLATE_PLACE_PATH, "/c('{{customer | odata}}')", "/c('O%27%27Hara%20%26%20%3CSons%3E')"},
    {TEMPLATE_PLACE_PATH, "/c/{{id | raw}}", "/c/a/b ?#%"},
    {TEMPLATE_PLACE_PATH, "{{url}}/{{id}}", "https://h.example:8443/a b/%2F?q=1/a%2Fb%20%3F%23%25"},
    {TEMPLATE_PLACE_PATH, "https://{{host}}/{{host}}", "https://h.example:81/h.example%3A81"},
    {TEMPLATE_PLACE_PATH, "https://{{run.id}}.{{host}}/x", "https://0abc.h.example:81/x"},
    {TEMPLATE_PLACE_PATH, "/%2F%20a", "/%2F%20a"},
    {TEMPLATE_PLACE_QUERY, "name eq '{{customer | odata}}'",
     "name%20eq%20'O''Hara%20%26%20%3CSons%3E'"},
    {TEMPLATE_PLACE_QUERY, "{{plus}}", "a%2Bb%3Dc%26d"},
    {TEMPLATE_PLACE_QUERY, "{{plus | raw}}", "a+b=c&d"},
    {TEMPLATE_PLACE_QUERY, "a&b ${env:SET}", "a%26b%20it's%20%22set%22"},
    {TEMPLATE_PLACE_FORM, "a b&{{plus}}", "a+b%26a%2Bb%3Dc%26d"},
    {TEMPLATE_PLACE_HEADER, "Bearer {{id}}", "Bearer a/b ?#%"},
    {TEMPLATE_PLACE_JSON, "{{n}}", "9007199254740993"},
    {TEMPLATE_PLACE_JSON, "n {{n}}", "\"n 9007199254740993\""},
};

static void test_render(void **state)
{
    struct template_context context = context_of(*state);
    for (size_t i = 0; i < G_N_ELEMENTS(renders); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(template_t) template =
            template_new(renders[i].text, renders[i].place, false, &error);
        if (!template)
            fail_msg("%s: %s", renders[i].text, error->message);
        g_autofree char *text = template_render(template, &context, NULL, &error);
        if (!text)
            fail_msg("%s: %s", renders[i].text, error->message);
        assert_string_equal(text, renders[i].expected);
        if (renders[i].place != TEMPLATE_PLACE_JSON)
            assert_string_equal(template_source(template), renders[i].text);
    }
}

// A document as it is written, and as it is sent.
static const char *const documents[][2] = {
    {"{\"a\":\"{{n}}\",\"b\":[\"{{yes}}\",\"{{nil}}\",\"{{list}}\"],\"c\":1.50,\"d\":true}",
     "{\"a\":9007199254740993,\"b\":[true,null,[1,\"x\"]],\"c\":1.50,\"d\":true}"},
    {"{\"a\":\"{{quote}}\",\"b\":\"q: {{quote}}\"}",
     "{\"a\":\"say \\\"hi\\\"\\n\\\\\",\"b\":\"q: say \\\"hi\\\"\\n\\\\\"}"},
    {"[\"{{digits}}\",\"{{digits | number | text}}x\"]", NULL},
    {"[\"{{digits}}\",\"{{amount | number}}\",\"{{n | text}}\",\"{{now | epoch}}\"]",
     "[\"000123\",12.10,\"9007199254740993\",1795253400]"},
    {"[\"${env:SET}\",\"{{list | json}}\",\"{{list | raw}}\",\"{{customer}}{{n}}\"]",
     "[\"it's \\\"set\\\"\",\"[1,\\\"x\\\"]\",[1,\"x\"],\"O'Hara & <Sons>9007199254740993\"]"},
    {"{\"k {{n}}\":{},\"e\":[],\"s\":\"$${x}\"}",
     "{\"k 9007199254740993\":{},\"e\":[],\"s\":\"${x}\"}"},
    {"[\"{{'{{'}}\",\"{{n}}{{n}}\",\"{{n}} \"]",
     "[\"{{\",\"90071992547409939007199254740993\",\"9007199254740993 \"]"},
};

static void test_json(void **state)
{
    struct template_context context = context_of(*state);
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(cJSON) tree = json_parse(documents[i][0], strlen(documents[i][0]), NULL);
        g_autoptr(template_t) template = template_new_json(tree, false, &error);
        assert_non_null(template);
        g_autofree char *text = template_render(template, &context, NULL, &error);
        if (!documents[i][1]) {
            assert_null(text);
            assert_true(g_error_matches(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE));
            continue;
        }
        assert_non_null(text);
        assert_string_equal(text, documents[i][1]);
    }
}

// What is no template, and a word of the message that says so.
static const char *const malformed[][2] = {
    {"{{", "}}"},
    {"a {{name", "}}"},
    {"{{}}", "begins with a letter"},
    {"{{1a}}", "begins with a letter"},
    {"{{a b}}", "write a name, then filters"},
    {"{{a | nofilter}}", "there is no filter \"nofilter\"; there are: base64 url json xml raw"},
    {"{{a |}}", "there is no filter"},
    {"{{a | upper: x}}", "takes no argument"},
    {"{{a | time}}", "needs an argument"},
    {"{{a | time: }}", "argument is missing"},
    {"{{a | hmac_sha256}}", "needs a key"},
    {"{{a | default}}", "needs a key"},
    {"{{a | element}}", "needs a name"},
    {"{{a | element: <a>}}", "write a name"},
    {"{{a | element: '1a'}}", "write a name"},
    {"{{a | element: 'a b=\"{{c\"'}}", "}}"},
    {"{{a | zone: Mars/Base}}", "is not a time zone"},
    {"{{a | random: 0}}", "from 1 to 1024"},
    {"{{a | random: 1025}}", "from 1 to 1024"},
    {"{{random: x}}", "from 1 to 1024"},
    {"{{now - 24}}", "no duration"},
    {"{{now-24h}}", "{{now - 24h}}"},
    {"{{'a}}", "}}"},
    {"${env:A", "without its \"}\""},
    {"${env:}", "no variable's name"},
    {"${env:A B}", "no variable's name"},
    {"${file:}", "name is missing"},
    {"${credential:../x}", "not a path"},
    {"${HOME}", "write $${ for a literal ${"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(template_t) template =
            template_new(malformed[i][0], TEMPLATE_PLACE_TEXT, false, &error);
        if (template)
            fail_msg("accepted: %s", malformed[i][0]);
        assert_true(g_error_matches(error, TEMPLATE_ERROR, TEMPLATE_ERROR_SYNTAX));
        if (!strstr(error->message, malformed[i][1]))
            fail_msg("%s: %s", malformed[i][0], error->message);
    }
}

struct fail_case {
    enum template_place place;
    const char *text;
    enum template_error code;
    const char *word;
};

static const struct fail_case failures[] = {
    {TEMPLATE_PLACE_TEXT, "{{nobody}}", TEMPLATE_ERROR_VALUE, "{{nobody}} has no value"},
    {TEMPLATE_PLACE_TEXT, "${env:UNSET}", TEMPLATE_ERROR_VALUE, "${env:UNSET} is not set"},
    {TEMPLATE_PLACE_TEXT, "${file:/none}", TEMPLATE_ERROR_VALUE, "${file:/none} is not set"},
    {TEMPLATE_PLACE_TEXT, "{{customer | number}}", TEMPLATE_ERROR_VALUE, "is not a number"},
    {TEMPLATE_PLACE_TEXT, "{{customer | date}}", TEMPLATE_ERROR_VALUE, "is not a time"},
    {TEMPLATE_PLACE_TEXT, "{{customer - 1h}}", TEMPLATE_ERROR_VALUE, "is not a time"},
    {TEMPLATE_PLACE_TEXT, "{{none | default: nobody}}", TEMPLATE_ERROR_VALUE, "{{nobody}}"},
    {TEMPLATE_PLACE_TEXT, "{{none | upper | default: n}}", TEMPLATE_ERROR_VALUE, "{{none}}"},
    {TEMPLATE_PLACE_TEXT, "{{n | element: 'a b=\"{{nobody}}\"'}}", TEMPLATE_ERROR_VALUE,
     "{{nobody}}"},
    {TEMPLATE_PLACE_TEXT, "{{n | hmac_sha256: none}}", TEMPLATE_ERROR_VALUE, "{{none}}"},
    {TEMPLATE_PLACE_HEADER, "x {{lines}}", TEMPLATE_ERROR_UNSAFE, "line break"},
    {TEMPLATE_PLACE_HEADER, "x {{lines | raw}}", TEMPLATE_ERROR_UNSAFE, "line break"},
    {TEMPLATE_PLACE_PATH, "{{lines}}", TEMPLATE_ERROR_UNSAFE, "line break"},
    {TEMPLATE_PLACE_PATH, "/{{lines | raw}}", TEMPLATE_ERROR_UNSAFE, "line break"},
    {TEMPLATE_PLACE_QUERY, "{{lines | raw}}", TEMPLATE_ERROR_UNSAFE, "line break"},
};

static void test_failures(void **state)
{
    struct template_context context = context_of(*state);
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(template_t) template =
            template_new(failures[i].text, failures[i].place, false, &error);
        assert_non_null(template);
        g_autofree char *text = template_render(template, &context, NULL, &error);
        if (text)
            fail_msg("%s gave %s", failures[i].text, text);
        assert_true(g_error_matches(error, TEMPLATE_ERROR, (int)failures[i].code));
        if (!strstr(error->message, failures[i].word))
            fail_msg("%s: %s", failures[i].text, error->message);
    }
}

static void test_header_literal(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(template_t) template = template_new("a\r\nb", TEMPLATE_PLACE_HEADER, false, &error);
    assert_null(template);
    assert_true(g_error_matches(error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE));
}

// A secret never reaches a message.
static void test_no_secret_in_messages(void **state)
{
    struct template_context context = context_of(*state);
    g_autoptr(GError) error = NULL;
    g_autoptr(template_t) template =
        template_new("{{key | number}}", TEMPLATE_PLACE_TEXT, false, &error);
    assert_null(template_render(template, &context, NULL, &error));
    assert_null(strstr(error->message, "s3cr3t"));
}

struct secret_case {
    const char *text;
    bool env_secret, secret;
};

static void test_secret(void **state)
{
    static const struct secret_case cases[] = {
        {"{{key}}", false, true},
        {"a {{key | base64}}", false, true},
        {"{{n | hmac_sha256: key}}", false, true},
        {"{{none | default: key}}", false, true},
        {"{{n | default: key}}", false, false},
        {"{{list | hmac_sha1_96: key}}", false, true},
        {"{{key | unless: n}}", false, true},
        {"{{key | element: SharedSecret}}", false, true},
        {"{{n | element: 'a b=\"{{key}}\"'}}", false, true},
        {"{{n}}", false, false},
        {"${env:SET}", false, false},
        {"${env:SET}", true, true},
        {"${file:/etc/pw}", false, true},
        {"${credential:cred}", false, true},
        {"{{'${credential:cred}' | base64}}", false, true},
        {"{{n | hmac_sha256: '${env:SET}'}}", false, true},
    };
    struct template_context context = context_of(*state);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool secret = false;
        g_autoptr(template_t) template =
            template_new(cases[i].text, TEMPLATE_PLACE_TEXT, cases[i].env_secret, NULL);
        assert_non_null(template);
        g_autofree char *text = template_render(template, &context, &secret, NULL);
        assert_non_null(text);
        assert_int_equal(secret, cases[i].secret);
        g_autoptr(value_t) value = template_evaluate(template, &context, NULL);
        assert_int_equal(value->secret, cases[i].secret);
    }
}

// RFC 4231, test case 2.
static void test_hmac(void **state)
{
    struct template_context context = context_of(*state);
    g_autoptr(template_t) hex =
        template_new("{{'what do ya want for nothing?' | hmac_sha256: 'Jefe'}}",
                     TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *text = template_render(hex, &context, NULL, NULL);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    g_autoptr(template_t) base64 =
        template_new("{{'what do ya want for nothing?' | hmac_sha256: 'Jefe' | base64}}",
                     TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *encoded = template_render(base64, &context, NULL, NULL);
    assert_string_equal(encoded, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

static void test_evaluate(void **state)
{
    struct template_context context = context_of(*state);
    static const char *const cases[][2] = {
        {"{{n}}", "9007199254740993"},
        {"{{d}}", "12.10"},
        {"{{list}}", "[1,\"x\"]"},
        {"{{nil}}", "null"},
        {"x {{n}}", "\"x 9007199254740993\""},
        {"{{now | epoch}}", "1795253400"},
        {"{{d | text}}", "\"12.10\""},
        {"12", "\"12\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(template_t) template =
            template_new(cases[i][0], TEMPLATE_PLACE_TEXT, false, NULL);
        g_autoptr(value_t) value = template_evaluate(template, &context, NULL);
        assert_non_null(value);
        g_autofree char *text = json_print(value->json, false);
        assert_string_equal(text, cases[i][1]);
    }
    g_autoptr(cJSON) tree = json_parse("{\"a\":[\"{{n}}\"],\"b\":2.0}", 23, NULL);
    g_autoptr(template_t) template = template_new_json(tree, false, NULL);
    g_autoptr(value_t) value = template_evaluate(template, &context, NULL);
    g_autofree char *text = json_print(value->json, false);
    assert_string_equal(text, "{\"a\":[9007199254740993],\"b\":2.0}");
}

// uuid and random are the template's own, new at each hole.
static void test_own_names(void **state)
{
    struct template_context context = context_of(*state);
    g_autoptr(template_t) template =
        template_new("{{uuid}} {{uuid}} {{random}} {{random: 8}} {{random: 8}} {{n | random: 40}}",
                     TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *text = template_render(template, &context, NULL, NULL);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    assert_int_equal(g_strv_length(words), 6);
    assert_int_equal(strlen(words[0]), 36);
    assert_string_not_equal(words[0], words[1]);
    assert_int_equal(strlen(words[2]), 32);
    assert_int_equal(strlen(words[3]), 8);
    assert_string_not_equal(words[3], words[4]);
    assert_int_equal(strlen(words[5]), 40);
    assert_int_equal(strspn(words[5], "0123456789abcdefghijklmnopqrstuvwxyz"), 40);
}

static void note_need(const char *name, const struct template_reference *reference, void *user)
{
    g_string_append_printf(user, "%s%s ", name ? name : "$", reference ? reference->name : "");
}

static void test_foreach(void **state)
{
    (void)state;
    g_autoptr(template_t) template =
        template_new("{{a | hmac_sha256: k}} {{now}} {{uuid}} ${env:E:-x} {{'${file:f}{{z'}}",
                     TEMPLATE_PLACE_TEXT, false, NULL);
    assert_non_null(template);
    g_autoptr(GString) needs = g_string_new(NULL);
    template_foreach(template, note_need, needs);
    assert_string_equal(needs->str, "a k $E $f ");
}

static void test_questions(void **state)
{
    struct template_context context = context_of(*state);
    g_autoptr(template_t) plain = template_new("a $${b}", TEMPLATE_PLACE_TEXT, false, NULL);
    assert_string_equal(template_constant(plain), "a ${b}");
    assert_false(template_begins_with_hole(plain));
    g_autoptr(template_t) empty = template_new("", TEMPLATE_PLACE_TEXT, false, NULL);
    assert_string_equal(template_constant(empty), "");
    g_autoptr(template_t) hole = template_new("{{url}}", TEMPLATE_PLACE_PATH, false, NULL);
    assert_null(template_constant(hole));
    assert_true(template_begins_with_hole(hole));
    template_append(hole, template_new("/{{id}}", TEMPLATE_PLACE_PATH, false, NULL));
    g_autofree char *text = template_render(hole, &context, NULL, NULL);
    assert_string_equal(text, "https://h.example:8443/a b/%2F?q=1/a%2Fb%20%3F%23%25");
    assert_string_equal(template_source(hole), "{{url}}/{{id}}");
    template_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),         cmocka_unit_test(test_json),
        cmocka_unit_test(test_malformed),      cmocka_unit_test(test_failures),
        cmocka_unit_test(test_header_literal), cmocka_unit_test(test_no_secret_in_messages),
        cmocka_unit_test(test_secret),         cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_evaluate),       cmocka_unit_test(test_own_names),
        cmocka_unit_test(test_foreach),        cmocka_unit_test(test_questions),
    };
    return cmocka_run_group_tests_name("template", tests, set_up, tear_down);
}
