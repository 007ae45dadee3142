// SPDX-License-Identifier: MIT
// What a pack knows of its system's answers: its envelopes before the common shapes,
// its entries before the common ones, codes before texts; and nothing else changes.
#include "../../config/config_file.h"
#include "../../config/config_keys.h"
#include "../../config/config_problem.h"
#include "../../config/pack_lexicon.h"
#include "../../probes/classify.h"
#include "../../probes/envelope.h"
#include "../../probes/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SAYS(word)                                                                                 \
    "    says: {en: " word " en, nl: " word " nl, fr: " word " fr, de: " word " de}\n"             \
    "    next: {en: do " word " en, nl: do " word " nl, fr: do " word " fr, de: do " word " de}\n" \
    "    source: a page\n"

static const char text[] =
    "envelopes:\n"
    "  - at: outcome.trouble\n"
    "    when: {level: error, place: ''}\n"
    "    failure: true\n"
    "    code: [kind/number, kind]\n"
    "    message: [detail, text]\n"
    "    ids: {ticket: 'ticket ([0-9]+)', area: '<<.*?>>'}\n"
    "    noise: ['^(?:Error|Fehler): *', ' *\\(ticket [0-9]+\\)', '\\.$']\n"
    "  - at: envelope.body.fault.detail\n"
    "    format: xml\n"
    "    code: errornumber\n"
    "    message: errortext\n"
    "  - at: lines.*\n"
    "    when: {severity: E}\n"
    "    message: ['.', line]\n"
    "lexicon:\n"
    "  - message: number series|Nummernserie\n"
    "    cause: validation\n"
    "    act: erp-partner\n" SAYS(
        "series") "  - code: Stock/.*\n"
                  "    cause: conflict\n"
                  "    act: client\n" SAYS(
                      "stock") "  - code: Dialog|Internal\n"
                               "    message: number series|Nummernserie\n"
                               "    cause: locked\n"
                               "    act: hosting\n" SAYS(
                                   "both") "  - code: Dialog\n"
                                           "    status: [409, 5xx]\n"
                                           "    cause: unavailable\n"
                                           "    act: hosting\n" SAYS(
                                               "busy") "  - status: 403\n"
                                                       "    cause: permission\n"
                                                       "    act: client\n" SAYS("silent");

// What a pack may write as a cause is what a verdict may have.
static void test_causes(void **state)
{
    static const char *const causes[] = {
#define VERDICT_CAUSE(name, word) word,
#include "../../probes/verdict.def"
    };
    g_autoptr(GString) words = g_string_new(NULL);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (causes[i] != NULL)
            g_string_append_printf(words, "%s%s", words->len > 0 ? "|" : "", causes[i]);
    }
    assert_string_equal(config_map_key(CONFIG_MAP_LEXICON, "cause")->argument, words->str);
}

static struct pack_lexicon *read_pack(void)
{
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(GPtrArray) problems = config_problems_new();
    const struct config_node *root =
        config_file_parse(arena, "test.yaml", text, strlen(text), problems);
    struct pack_lexicon *pack = pack_lexicon_read("test", root, problems);

    assert_int_equal(problems->len, 0);
    return pack;
}

static struct verdict *judge(const struct pack_lexicon *pack, int status, const char *body)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();

    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    g_bytes_unref(response->body);
    response->body = g_bytes_new_static(body, strlen(body));
    const struct classify_input input = {.response = response, .pack = pack};

    return classify(&input, lexicon_common());
}

static void test_envelope(void **state)
{
    static const char body[] =
        "{\"outcome\": {\"trouble\": {\"level\": \"ERROR\", \"place\": 3, \"kind\": \"Stock\","
        " \"number\": 12, \"text\": \"Error: Nothing <<left>> (ticket 4711).\"}},"
        " \"message\": \"it went on\"}";
    g_autoptr(pack_lexicon_t) pack = read_pack();
    g_autoptr(verdict_t) plain = judge(NULL, 200, body);
    g_autoptr(verdict_t) known = judge(pack, 200, body);

    (void)state;
    assert_int_equal(plain->class, VERDICT_CLASS_OK);
    assert_int_equal(known->class, VERDICT_CLASS_ERROR_CODE);
    assert_string_equal(known->code, "Stock/12");
    assert_string_equal(known->message, "Nothing <<left>>");
    assert_string_equal(json_text(known->correlation, "ticket"), "4711");
    assert_string_equal(json_text(known->correlation, "area"), "<<left>>");
    assert_string_equal(known->pack, "test");
    assert_int_equal(known->cause, VERDICT_CAUSE_CONFLICT);
    assert_string_equal(known->act, "client");
    assert_string_equal(known->explanation, "stock en");
    assert_string_equal(known->next, "do stock en");
    assert_string_equal(known->source, "a page");
    assert_string_equal(json_text(json_member(known->languages, "de"), "next"), "do stock de");
    assert_string_equal(json_text(json_member(known->languages, "nl"), "explanation"), "stock nl");
    assert_null(json_member(known->languages, "en"));
}

// What stands megabytes behind the beginning of a text is not looked for.
static void test_long_text(void **state)
{
    g_autoptr(pack_lexicon_t) pack = read_pack();
    g_autoptr(GString) body = g_string_new(
        "{\"outcome\": {\"trouble\": {\"level\": \"ERROR\", \"place\": 3, \"kind\": \"Stock\","
        " \"text\": \"Nothing (ticket 4711) left over");

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        g_string_append(body, " (ticket 12)é");
    g_string_append(body, " <<last>>\"}}}");
    g_autoptr(verdict_t) known = judge(pack, 200, body->str);
    assert_true(g_str_has_prefix(known->message, "Nothing left over"));
    assert_true(g_utf8_validate(known->message, -1, NULL));
    assert_string_equal(json_text(known->correlation, "ticket"), "4711");
    assert_null(json_member(known->correlation, "area"));
}

// One condition that does not hold, and it is no failure.
static void test_conditions(void **state)
{
    static const char *const good[] = {
        "{\"outcome\": {\"trouble\": {\"level\": \"info\", \"place\": 3, \"text\": \"x y\"}}}",
        "{\"outcome\": {\"trouble\": {\"level\": \"error\", \"text\": \"x y\"}}}",
        "{\"outcome\": {\"trouble\": []}}",
        "{\"outcome\": {}}",
        "{\"text\": \"the number series is fine\", \"id\": 1}",
        "{\"lines\": [{\"severity\": \"E\", \"line\": \"x y z\"}], \"id\": 1}",
    };
    g_autoptr(pack_lexicon_t) pack = read_pack();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(verdict_t) verdict = judge(pack, 200, good[i]);

        assert_int_equal(verdict->class, VERDICT_CLASS_OK);
        assert_null(verdict->pack);
        assert_null(verdict->explanation);
    }
}

static void test_only_xml(void **state)
{
    g_autoptr(pack_lexicon_t) pack = read_pack();
    g_autoptr(verdict_t) xml =
        judge(pack, 500,
              "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault>"
              "<faultcode>s:Server</faultcode><faultstring>see the detail</faultstring><detail>"
              "<ErrorNumber>Dialog</ErrorNumber><ErrorText>Keine Nummernserie da</ErrorText>"
              "</detail></s:Fault></s:Body></s:Envelope>");

    (void)state;
    assert_string_equal(xml->code, "Dialog");
    assert_string_equal(xml->message, "Keine Nummernserie da");
    assert_string_equal(xml->explanation, "both en");
}

// The code decides over the text, wherever they stand; then from top to bottom.
static void test_code_before_text(void **state)
{
    static const struct {
        int status;
        const char *code, *message, *says;
    } cases[] = {
        {400, "Dialog", "The number series is used up", "both en"},
        {400, "Other", "The NUMBER SERIES is used up", "series en"},
        {400, "Dialog2", "no such thing at all", NULL},
        {400, "dialog", "no such thing at all", NULL},
        {409, "dialog", "no such thing at all", "busy en"},
        {503, "Dialog", "no such thing at all", "busy en"},
        {400, "stock/x", "The number series is used up", "stock en"},
    };
    g_autoptr(pack_lexicon_t) pack = read_pack();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body =
            g_strdup_printf("{\"error\": {\"code\": \"%s\", \"message\": \"%s\"}}", cases[i].code,
                            cases[i].message);
        g_autoptr(verdict_t) plain = judge(NULL, cases[i].status, body);
        g_autoptr(verdict_t) verdict = judge(pack, cases[i].status, body);

        assert_int_equal(verdict->class, plain->class);
        assert_string_equal(verdict->code, plain->code);
        if (cases[i].says != NULL)
            assert_string_equal(verdict->explanation, cases[i].says);
        assert_int_equal(verdict->pack != NULL, cases[i].says != NULL);
        assert_int_equal(verdict->next != NULL, cases[i].says != NULL);
    }
}

// A status alone: only where the answer says nothing else.
static void test_status_alone(void **state)
{
    static const struct {
        int status;
        const char *body, *says; // NULL: no entry of the pack
    } cases[] = {
        {403, "", "silent en"},
        {403, "{\"message\": \"Forbidden\"}", "silent en"},
        {403, "{\"message\": \"The number series is used up\"}", "series en"},
        {403, "{\"message\": \"The branch of this user is closed\"}", NULL},
        {401, "", NULL},
    };
    g_autoptr(pack_lexicon_t) pack = read_pack();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge(pack, cases[i].status, cases[i].body);

        assert_int_equal(verdict->pack != NULL, cases[i].says != NULL);
        if (cases[i].says != NULL)
            assert_string_equal(verdict->explanation, cases[i].says);
    }
}

static void test_there_and_back(void **state)
{
    g_autoptr(pack_lexicon_t) pack = read_pack();
    g_autoptr(verdict_t) verdict =
        judge(pack, 400, "{\"error\": {\"code\": \"Stock/1\", \"message\": \"none is left\"}}");
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autoptr(verdict_t) back = verdict_from_json(json);
    g_autoptr(cJSON) again = verdict_to_json(back);
    g_autoptr(verdict_t) plain = judge(NULL, 400, "{\"error\": {\"code\": \"Stock/1\"}}");
    g_autoptr(cJSON) without = verdict_to_json(plain);

    (void)state;
    assert_true(cJSON_Compare(json, again, true));
    assert_string_equal(json_text(json_member(json_member(json, "languages"), "fr"), "next"),
                        "do stock fr");
    assert_null(json_member(without, "next"));
    assert_null(json_member(without, "languages"));
    assert_null(json_member(without, "source"));
    assert_null(json_member(without, "pack"));
}

// What the pack finds inside another answer, and in a part of a batch.
static void test_inside(void **state)
{
    g_autoptr(pack_lexicon_t) pack = read_pack();
    g_autoptr(verdict_t) nested =
        judge(pack, 200,
              "<string>{\"outcome\": {\"trouble\": {\"level\": \"error\", \"place\": 1, \"kind\": "
              "\"Stock\", \"text\": \"none is left\"}}}</string>");
    g_autoptr(verdict_t) batch =
        judge(pack, 200,
              "{\"responses\": [{\"id\": \"1\", \"status\": 200, \"body\": {\"outcome\": "
              "{\"trouble\": {\"level\": \"error\", \"place\": 1, \"kind\": \"Stock\", \"number\": "
              "2, \"text\": \"none is left\"}}}}]}");

    (void)state;
    assert_string_equal(nested->code, "Stock");
    assert_string_equal(batch->code, "Stock/2");
    assert_string_equal(batch->explanation, "stock en");
}

static struct pack_lexicon *pack_of(const char *name, const char *entries)
{
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(GPtrArray) problems = config_problems_new();
    const struct config_node *root =
        config_file_parse(arena, name, entries, strlen(entries), problems);

    return pack_lexicon_read(name, root, problems);
}

// Which product a pasted answer is of is told by its code alone, and only where the code
// is one of its own.
static void test_recognised(void **state)
{
    static const char one[] =
        "lexicon:\n"
        "  - code: Acme_(?:Dialog|Field).*\n    cause: validation\n    act: "
        "client\n" SAYS(
            "one") "  - code: invalid_grant\n    cause: locked\n "
                   "   act: client\n" SAYS(
                       "grant") "  - code: "
                                "'-?\\d+'\n  "
                                "  cause: "
                                "locked\n    "
                                "act: "
                                "client"
                                "\n" SAYS(
                                    "nu"
                                    "mb"
                                    "e"
                                    "r") "  - code: '-2028'\n    cause: locked\n    act: "
                                         "client\n" SAYS("bare") "  - code: '-2035'\n    message: "
                                                                 "already there\n    cause: "
                                                                 "conflict\n    act: "
                                                                 "client\n" SAYS(
                                                                     "both") "  - message: "
                                                                             "anything\n    cause: "
                                                                             "locked\n    act: "
                                                                             "client\n" SAYS("tex"
                                                                                             "t");
    static const char other[] =
        "lexicon:\n"
        "  - code: Acme_Field.*\n    cause: validation\n    act: client\n" SAYS(
            "other") "  - code: Acme_DialogTwo\n    cause: conflict\n    act: "
                     "client\n" SAYS("other") "  - code: '[A-Za-z_.]+'\n    cause: "
                                              "conflict\n    act: client\n" SAYS("any");
    static const struct {
        const char *code, *message, *pack;
    } cases[] = {
        {"Acme_DialogOne", "x went y", "one"}, {"Acme_FieldOne", "x went y", "one"},
        {"Acme_DialogTwo", "x went y", NULL},  {"invalid_grant", "anything", NULL},
        {"-2028", "anything else", NULL},      {"-2035", "it is already there", "one"},
        {"-2035", "anything else", NULL},      {"Unheard_Of", "anything else", NULL},
    };
    g_autoptr(GPtrArray) packs = g_ptr_array_new_with_free_func((GDestroyNotify)pack_lexicon_unref);

    (void)state;
    g_ptr_array_add(packs, pack_of("one", one));
    g_ptr_array_add(packs, pack_of("other", other));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = verdict_new();
        const struct pack_lexicon *found;

        verdict->class = VERDICT_CLASS_ERROR_CODE;
        verdict->code = g_strdup(cases[i].code);
        verdict->message = g_strdup(cases[i].message);
        found = lexicon_find_pack(lexicon_common(), packs, 400, verdict);
        if (g_strcmp0(found != NULL ? found->pack : NULL, cases[i].pack) != 0)
            fail_msg("%s: %s", cases[i].code, found != NULL ? found->pack : "none");
    }
}

// The common entries are compiled when they are needed: a wrong one would go unseen.
static void test_common_patterns(void **state)
{
    static const char *const patterns[] = {
#define LEXICON(where, pattern, cause, act, explanation) pattern,
#include "../../probes/lexicon.def"
#define MEANING(family, code, text, cause, act, explanation) code, text,
#include "../../probes/lexicon.def"
#define STATUS_PHRASE(pattern) pattern,
#include "../../probes/lexicon.def"
#define GENERIC(pattern) pattern,
#include "../../probes/lexicon.def"
#define TRACE(pattern) pattern,
#include "../../probes/lexicon.def"
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(regex_compiled_t) regex = regex_compile(patterns[i], REGEX_ONCE, &error);

        if (regex == NULL)
            fail_msg("%s: %s", patterns[i], error->message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope),        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_conditions),      cmocka_unit_test(test_only_xml),
        cmocka_unit_test(test_causes),          cmocka_unit_test(test_code_before_text),
        cmocka_unit_test(test_status_alone),    cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_inside),          cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_common_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
