// SPDX-License-Identifier: MIT
// What a good configuration becomes: values, defaults, templates, namespaces,
// anchors, steps and undos.
#include "../../config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SYSTEM                                                                                     \
    "contacts: {ops: {email: ops@b.example}}\n"                                                    \
    "systems: {erp: {url: https://erp.example/api, act: {integrator: ops}}}\n"
#define FLOW SYSTEM "flows:\n  orders:\n    system: erp\n    notify: ops\n"

// Loads `text` from a file of its own; `problems` may be NULL.
static struct config *load_as(const char *text, enum config_missing missing, GPtrArray *problems)
{
    g_autoptr(GPtrArray) own = config_problems_new();
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("erpwatch-config-XXXXXX.yaml", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    struct config *config = config_load(path, missing, problems != NULL ? problems : own);

    for (unsigned i = 0; config == NULL && problems == NULL && i < own->len; i++) {
        g_autofree char *line = config_problem_format(own->pdata[i]);

        print_error("%s\n", line);
    }
    unlink(path);
    return config;
}

static struct config *load(const char *text)
{
    struct config *config = load_as(text, CONFIG_MISSING_IS_ERROR, NULL);

    assert_non_null(config);
    return config;
}

static const struct config_flow *flow_of(const struct config *config, const char *id)
{
    const struct config_flow *flow = config_find_flow(config, id);

    assert_non_null(flow);
    return flow;
}

static const struct step *step_of(const struct config *config, unsigned number)
{
    const struct config_flow *flow = flow_of(config, "orders");

    assert_true(flow->steps->len > number);
    return flow->steps->pdata[number];
}

static void test_defaults(void **state)
{
    g_autoptr(config_t) config = load(FLOW "    steps: [{step: read, get: /items}]\n");
    const struct config_flow *flow = flow_of(config, "orders");
    const struct config_system *system = flow->system;

    (void)state;
    assert_int_equal(config->agent.parallel, 256);
    assert_int_equal(config->agent.stop_ms, 30000);
    assert_int_equal(config->agent.keep_runs_ms, (int64_t)90 * 86400 * 1000);
    assert_int_equal(config->agent.max_body, 4 * 1024 * 1024);
    assert_string_equal(config->agent.mark, "ERPW-");
    assert_non_null(config->agent.timezone);
    assert_false(config->mail.given);
    assert_int_equal(config->mail.limit, 20);
    assert_int_equal(flow->priority, 3);
    assert_int_equal(flow->timeout_ms, 120000);
    assert_int_equal(flow->confirm_runs, 2);
    assert_int_equal(flow->confirm_after_ms, 20000);
    assert_int_equal(flow->recover, 1);
    assert_int_equal(flow->group_ms, 30000);
    assert_int_equal(flow->every_ms, 0);
    assert_string_equal(flow->title, "orders");
    assert_int_equal(system->timeout_ms, 30000);
    assert_int_equal(system->parallel, 4);
    assert_false(system->uat);
    assert_int_equal(flow->place.line, 4);
    assert_int_equal(flow->place.column, 3);
    assert_int_equal(strlen(config->digest), 64);
}

static void test_settings(void **state)
{
    g_autoptr(config_t) config =
        load("agent: {timezone: Europe/Brussels, store: runs.db, keep: {runs: 5d, evidence: 4h},\n"
             "  parallel: 7, stop: 1m30s, online: https://one.example, mark: T-, max_body: 64KiB}\n"
             "mail: {server: smtp.example.com, security: tls, username: u, thread: subject,\n"
             "  password: '${env:UNSET:-secret}', from: A <a@b.example>, limit: 3, fallback: ops,\n"
             "  library: libcurl}\n"
             "contacts: {ops: {email: [a@b.example, c@d.example], style: business, language: nl,\n"
             "  evidence: none, timezone: UTC}}\n");
    const struct config_contact *contact = config_find_contact(config, "ops");

    (void)state;
    assert_string_equal(config->agent.timezone, "Europe/Brussels");
    assert_true(g_path_is_absolute(config->agent.store));
    assert_true(g_str_has_suffix(config->agent.store, "/runs.db"));
    assert_int_equal(config->agent.keep_runs_ms, 5 * 86400 * 1000);
    assert_int_equal(config->agent.stop_ms, 90000);
    assert_int_equal(config->agent.max_body, 65536);
    assert_string_equal(config->agent.online->pdata[0], "https://one.example");
    assert_string_equal(config->mail.server, "smtp.example.com:465");
    assert_int_equal(config->mail.security, CONFIG_SECURITY_TLS);
    assert_int_equal(config->mail.library, CONFIG_LIBRARY_LIBCURL);
    assert_int_equal(config->mail.thread, CONFIG_THREAD_SUBJECT);
    assert_string_equal(config->mail.fallback, "ops");
    assert_int_equal(contact->email->len, 2);
    assert_int_equal(contact->style, CONFIG_STYLE_BUSINESS);
    assert_int_equal(contact->evidence, CONFIG_EVIDENCE_NONE);
    assert_string_equal(contact->language, "nl");
    assert_string_equal(contact->timezone, "UTC");
}

static void test_step(void **state)
{
    g_autoptr(config_t) config = load(
        FLOW
        "    every: 90s\n    vars: {sku: A1, seen: 12.10}\n    steps:\n"
        "      - step: create\n"
        "        post: '/items?a={{sku}}'\n"
        "        query: {$top: 1, tag: [a, b]}\n"
        "        headers: {X-Sku: '{{sku}}'}\n"
        "        json: {id: 12345678901234567890, price: 12.10, sku: '{{sku}}', a: yes}\n"
        "        expect: {status: [201, 2xx], time: {below: 5s}, header: {Location: {exists: "
        "true}},\n"
        "          json: {$.id: {not: {matches: '^0'}}, $.n: 12.10}, body: {contains: ok}}\n"
        "        capture: {item: {json: $.id, secret: false}, place: {header: Location, as: url,\n"
        "          then: {regex: 'id=(\\d+)'}, decode: url, default: none}, page: body}\n"
        "        set: {both: '{{item}}-{{place}}'}\n"
        "        timeout: 3s\n        slow: 500ms\n        follow: 2\n        cookies: new\n"
        "        auth: none\n        until: {every: 2s, for: 60s}\n"
        "        retry: {times: 2, after: 5s, on: any}\n        idempotency: Order-Key\n        "
        "only_if: {sku: {exists: true}}\n"
        "        act: integrator\n        means: Nothing is sold.\n"
        "        undo: {none: they expire}\n");
    const struct step *step = step_of(config, 0);
    const struct call *call = step->call;

    (void)state;
    assert_string_equal(call->method, "POST");
    assert_false(call->whole_url);
    assert_int_equal(call->query->len, 3);
    assert_string_equal(((struct call_field *)call->query->pdata[2])->name, "tag");
    assert_int_equal(call->headers->len, 1);
    assert_int_equal(call->body_kind, CALL_BODY_JSON);
    assert_string_equal(template_source(call->body),
                        "{\"id\":12345678901234567890,\"price\":12.10,\"sku\":\"{{sku}}\",\"a\":"
                        "\"yes\"}");
    assert_int_equal(call->timeout_ms, 3000);
    assert_int_equal(call->follow, 2);
    assert_true(call->cookies_new);
    assert_true(call->no_auth);
    assert_int_equal(call->captures->len, 3);
    assert_int_equal(call->set->len, 1);
    assert_int_equal(call->expect->len, 6);
    assert_int_equal(step->slow_ms, 500);
    assert_int_equal(step->until_every_ms, 2000);
    assert_int_equal(step->until_for_ms, 60000);
    assert_int_equal(step->retry_times, 2);
    assert_int_equal(step->retry_after_ms, 5000);
    assert_true(step->retry_on_any);
    assert_string_equal(step->idempotency, "Order-Key");
    assert_string_equal(step->only_if_name, "sku");
    assert_int_equal(step->only_if->len, 1);
    assert_string_equal(step->act, "integrator");
    assert_string_equal(step->undo->none, "they expire");
    assert_int_equal(flow_of(config, "orders")->vars->len, 2);
    assert_int_equal(flow_of(config, "orders")->every_ms, 90000);
}

static const struct check *check_of(const struct call *call, unsigned expectation)
{
    const struct expectation *found = call->expect->pdata[expectation];

    assert_true(found->checks->len > 0);
    return found->checks->pdata[0];
}

static void test_expectations(void **state)
{
    g_autoptr(config_t) config = load(
        FLOW "    vars: {sku: A1}\n    steps:\n      - step: read\n        get: /items\n"
             "        expect:\n          status: [201, 2xx]\n          time: {below: 5s}\n"
             "          size: {at_most: 2KiB}\n"
             "          json: {$.a: {one_of: [1, 'x']}, $.b: '{{sku}}', $.c: {count: {above: 2}}, "
             "$.d: {type: [string, null]}, $.e: {matches: '^{{sku}}'}, $.f: [1]}\n");
    const struct call *call = step_of(config, 0)->call;
    const struct check *status = check_of(call, 0), *size = check_of(call, 2);
    const struct check *count = check_of(call, 5), *types = check_of(call, 6);
    const cJSON *first = status->constants->pdata[0];

    (void)state;
    assert_int_equal(status->operator, CHECK_ONE_OF);
    assert_int_equal(status->operands->len, 2);
    assert_true(cJSON_IsNumber(first));
    assert_string_equal(((cJSON *)status->constants->pdata[1])->valuestring, "2xx");
    assert_int_equal(((cJSON *)check_of(call, 1)->constants->pdata[0])->valueint, 5000);
    assert_int_equal(((cJSON *)size->constants->pdata[0])->valueint, 2048);
    assert_int_equal(size->operator, CHECK_AT_MOST);
    assert_null(check_of(call, 4)->constants); // a hole
    assert_int_equal(check_of(call, 4)->operands->len, 1);
    assert_int_equal(count->nested->len, 1);
    assert_int_equal(((struct check *)count->nested->pdata[0])->operator, CHECK_ABOVE);
    assert_int_equal(types->constants->len, 2);
    assert_null(check_of(call, 7)->regex);
    assert_true(cJSON_IsArray((cJSON *)check_of(call, 8)->constants->pdata[0]));
    assert_string_equal(check_of(call, 3)->source, "one_of [1,\"x\"]");
}

static void test_whole_url(void **state)
{
    g_autoptr(config_t) config = load(
        FLOW "    vars: {next: /x}\n    steps:\n      - {step: a, get: https://ERP.example:443/x}\n"
             "      - {step: b, get: '{{next}}'}\n      - {step: c, call: PROPFIND /dav}\n"
             "      - {step: d, get: ''}\n");

    (void)state;
    assert_true(step_of(config, 0)->call->whole_url);
    assert_true(step_of(config, 1)->call->whole_url);
    assert_string_equal(step_of(config, 2)->call->method, "PROPFIND");
    assert_string_equal(template_constant(step_of(config, 2)->call->path), "/dav");
    assert_string_equal(template_constant(step_of(config, 3)->call->path), "");
}

static void test_templates(void **state)
{
    g_autoptr(config_t) config =
        load(SYSTEM "defaults: {flow: {system: erp, notify: integrator, priority: P4, every: 5m}}\n"
                    "templates:\n  read:\n    with: {path: required, top: 1}\n    title: Read\n"
                    "    priority: P2\n    steps: [{step: read, get: '/{{path}}', query: {top: "
                    "'{{top}}'}}]\n"
                    "flows:\n  a: {use: read, with: {path: x}}\n"
                    "  b: {use: read, with: {path: y, top: 5}, cron: '0 5 * * *', title: B}\n");
    const struct config_flow *a = flow_of(config, "a"), *b = flow_of(config, "b");

    (void)state;
    assert_string_equal(a->title, "Read");
    assert_string_equal(b->title, "B");
    assert_int_equal(a->priority, 2);
    assert_int_equal(a->every_ms, 300000);
    assert_int_equal(b->every_ms, 0);
    assert_string_equal(b->cron, "0 5 * * *");
    assert_string_equal(a->notify->pdata[0], "ops");
    assert_ptr_equal(a->steps, b->steps); // compiled once
    assert_int_equal(a->vars->len, 2);
    assert_string_equal(template_source(((struct call_field *)b->vars->pdata[1])->value), "5");
}

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    unlink(path);
}

static void test_namespaces(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("erpwatch-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "main.yaml", NULL);
    g_autoptr(GPtrArray) problems = config_problems_new();

    (void)state;
    write_file(
        folder, "main.yaml",
        "include: ['?.yaml', main.yaml]\ncontacts: {it: {email: global@b.example}, ops: {email: "
        "ops@b.example}}\ndefaults: {flow: {priority: P4}}\n");
    write_file(
        folder, "a.yaml",
        "namespace: acme\ncontacts: {it: {email: it@acme.example}}\ndefaults: {flow: {every: "
        "7m}}\nsystems: {erp: {url: https://a.example, act: {client: it, integrator: ops}}}\n"
        "flows: {orders: {system: erp, notify: [client, integrator, it, ops], steps: [{step: "
        "r, get: /}]}}\n");
    g_autoptr(config_t) config = config_load(path, CONFIG_MISSING_IS_ERROR, problems);

    assert_non_null(config);
    const struct config_flow *flow = flow_of(config, "acme/orders");

    assert_string_equal(flow->system->id, "acme/erp");
    assert_int_equal(flow->notify->len, 2);
    assert_string_equal(flow->notify->pdata[0], "acme/it");
    assert_string_equal(flow->notify->pdata[1], "ops");
    assert_int_equal(flow->every_ms, 420000);
    assert_int_equal(flow->priority, 4);
    assert_string_equal(config_role_contact(flow->system, "client"), "acme/it");
    remove_file(folder, "main.yaml");
    remove_file(folder, "a.yaml");
    rmdir(folder);
}

static void test_anchors(void **state)
{
    g_autoptr(config_t) config =
        load(SYSTEM "x-base: &base {system: erp, notify: ops, priority: P1, every: 1h}\n"
                    "x-more: &more {priority: P2, impact: Much.}\n"
                    "flows:\n  orders:\n    <<: [*base, *more]\n    every: 5m\n"
                    "    steps: [{step: r, get: /}]\n");
    const struct config_flow *flow = flow_of(config, "orders");

    (void)state;
    assert_int_equal(flow->priority, 1);
    assert_int_equal(flow->every_ms, 300000);
    assert_string_equal(flow->impact, "Much.");
}

static void test_merged_place(void **state)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config =
        load_as(SYSTEM "x-base: &base\n  every: 12\nflows:\n  orders:\n    <<: *base\n    system: "
                       "erp\n    notify: ops\n    steps: [{step: r, get: /}]\n",
                CONFIG_MISSING_IS_ERROR, problems);
    const struct config_problem *problem = problems->pdata[0];

    (void)state;
    assert_null(config);
    assert_int_equal(problem->place.line, 4); // where the anchor has it
    assert_int_equal(problem->place.column, 10);
}

static void test_session(void **state)
{
    g_autoptr(config_t) config = load(
        "contacts: {ops: {email: ops@b.example}}\n"
        "systems:\n  erp:\n    url: https://erp.example\n    with: {company: C1}\n    auth:\n"
        "      session:\n        login: {post: /Login, json: {c: '{{company}}'}, capture: {sid: "
        "{json: "
        "$.id}}, set: {both: '{{sid}}!'}}\n"
        "        cookies: B1SESSION\n        headers: {Authorization: 'Session {{sid | base64}}'}\n"
        "        idle: 25m\n        lasts: 12h\n        expired: {status: 401}\n"
        "        logout: {post: /Logout, json: {s: '{{sid}}'}}\n"
        "flows: {orders: {system: erp, notify: ops, steps: [{step: r, get: '/{{company}}', "
        "headers: "
        "{X: '{{login.sid}}{{login.both}}'}}]}}\n");
    const struct config_system *system = g_hash_table_lookup(config->systems, "erp");
    const struct config_auth *auth = system->auth->pdata[0];
    const struct config_session *session = auth->session;

    (void)state;
    assert_int_equal(auth->kind, CONFIG_AUTH_SESSION);
    assert_string_equal(session->login->method, "POST");
    assert_true(((struct capture *)session->login->captures->pdata[0])->secret);
    assert_string_equal(session->cookies->pdata[0], "B1SESSION");
    assert_int_equal(session->idle_ms, 25 * 60000);
    assert_int_equal(session->lasts_ms, 12 * 3600000);
    assert_int_equal(session->expired->len, 1);
    assert_non_null(session->logout);
    assert_int_equal(system->vars->len, 1);
}

static const char undo_flow[] = FLOW
    "    steps:\n      - step: create\n        post: /items\n        file: body.json\n"
    "        capture: {item: {json: $.id}}\n"
    "        lookup: {get: /items, mark: {json: '$[*].ref'}, capture: {item: {json: '$[*].id'}}}\n"
    "        undo:\n          - {delete: '/items/{{item}}', expect: {status: 204}, gone: {status: "
    "410},\n             else: {patch: '/items/{{item}}', json: {state: 12.10, text: '12.10'}}}\n"
    "          - {post: /done, file: body.json, timeout: 5s}\n";

static void test_undo(void **state)
{
    g_autofree char *body = g_build_filename(g_get_tmp_dir(), "body.json", NULL);

    (void)state;
    assert_true(g_file_set_contents(body, "{}", -1, NULL));
    g_autoptr(config_t) config = load(undo_flow);
    const struct undo *undo = step_of(config, 0)->undo;
    struct lookup *lookup = NULL;
    g_autoptr(GError) error = NULL;
    struct undo *again = undo_parse(undo->source, &lookup, &error);

    assert_null(error);
    assert_non_null(again);
    assert_non_null(lookup);
    assert_int_equal(again->calls->len, 2);
    const struct call *first = again->calls->pdata[0], *second = again->calls->pdata[1];

    assert_string_equal(first->method, "DELETE");
    assert_string_equal(template_source(first->path), "/items/{{item}}");
    assert_int_equal(first->expect->len, 1);
    assert_int_equal(first->gone->len, 1);
    assert_string_equal(template_source(first->otherwise->body),
                        "{\"state\":12.10,\"text\":\"12.10\"}");
    assert_string_equal(second->body_file, body);
    assert_int_equal(second->timeout_ms, 5000);
    assert_string_equal(lookup->mark->argument, "$[*].ref");
    assert_string_equal(again->source, undo->source); // a second reading changes nothing
    undo_free(again);
    lookup_free(lookup);
    unlink(body);
}

// The envelope around what is written; a whole one stays as it is.
static void test_soap(void **state)
{
    static const char text[] = FLOW
        "    steps:\n"
        "      - {step: old, post: /, undo: {none: reads}, soap: {action: 'urn:a', body: <a/>}}\n"
        "      - {step: new, post: /, undo: {none: reads}, soap: {version: 1.2, header: <h/>, "
        "body: "
        "'<a b=\"{{mark}}\"/><c/>'}}\n"
        "      - step: whole\n        post: /\n        undo: {none: reads}\n        soap:\n"
        "          body: |\n            <?xml version=\"1.0\"?>\n            <!-- x --><e:Envelope "
        "xmlns:e='urn:e'><e:Body>{{mark}}</e:Body></e:Envelope>\n"
        "      - {step: hole, post: /, undo: {none: reads}, soap: {body: '{{mark | raw}}'}}\n";

    (void)state;
    g_autoptr(config_t) config = load(text);
    const struct call *old = step_of(config, 0)->call, *new = step_of(config, 1)->call;

    assert_int_equal(old->soap, CALL_SOAP_1_1);
    assert_string_equal(template_source(old->soap_action), "urn:a");
    assert_string_equal(template_source(old->body),
                        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<soap:Envelope "
                        "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><a/>"
                        "</soap:Body></soap:Envelope>");
    assert_int_equal(new->soap, CALL_SOAP_1_2);
    assert_null(new->soap_action);
    assert_non_null(strstr(template_source(new->body),
                           "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">"
                           "<soap:Header><h/></soap:Header><soap:Body><a b=\"{{mark}}\"/><c/>"));
    assert_true(g_str_has_prefix(template_source(step_of(config, 2)->call->body),
                                 "<?xml version=\"1.0\"?>\n<!-- x --><e:Envelope"));
}

// What prefixes stand for: at the system, the step, the selector; the undo keeps it.
static void test_prefixes(void **state)
{
    static const char text[] =
        "contacts: {ops: {email: ops@b.example}}\n"
        "systems: {erp: {url: https://erp.example, act: {integrator: ops},\n"
        "  namespaces: {s: 'urn:soap', n: 'urn:system'}}}\n"
        "flows:\n  orders:\n    system: erp\n    notify: ops\n    steps:\n"
        "      - step: create\n        post: /items\n        namespaces: {n: 'urn:step'}\n"
        "        expect: {xml: {//s:Body/n:No: '1'}}\n"
        "        capture: {item: {xml: '//m:Id', namespaces: {m: 'urn:capture'}}}\n"
        "        undo: {post: '/x{{item}}', gone: {xml: {//s:Fault: {exists: true}}}}\n";

    (void)state;
    g_autoptr(config_t) config = load(text);
    const struct step *step = step_of(config, 0);
    const struct expectation *expectation = step->call->expect->pdata[0];
    const struct capture *capture = step->call->captures->pdata[0];
    GHashTable *namespaces = expectation->selector->namespaces;

    assert_string_equal(g_hash_table_lookup(namespaces, "n"), "urn:step");
    assert_string_equal(g_hash_table_lookup(namespaces, "s"), "urn:soap");
    namespaces = capture->selector->namespaces;
    assert_string_equal(g_hash_table_lookup(namespaces, "m"), "urn:capture");
    assert_string_equal(g_hash_table_lookup(namespaces, "n"), "urn:step");
    struct undo *undo = undo_parse(step->undo->source, NULL, NULL);

    assert_non_null(undo);
    const struct call *call = undo->calls->pdata[0];

    expectation = call->gone->pdata[0];
    assert_string_equal(g_hash_table_lookup(expectation->selector->namespaces, "s"), "urn:soap");
    assert_string_equal(undo->source, step->undo->source);
    undo_free(undo);
}

static void test_undo_parse_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"delete\": [1]}",
                                      "{\"undo\": {\"x\": 1}}",
                                      "{\"delete\": \"/{{\"}",
                                      "just text"};

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(undo_parse(bad[i], NULL, &error));
        assert_non_null(error);
    }
    struct undo *plain = undo_parse("{\"delete\": \"/items/{{item}}\"}", NULL, NULL);

    assert_non_null(plain);
    assert_int_equal(plain->calls->len, 1);
    undo_free(plain);
}

static void test_needs(void **state)
{
    static const char text[] =
        "contacts: {ops: {email: ops@b.example}}\n"
        "systems: {erp: {url: https://erp.example, auth: {bearer: {token: "
        "'${env:ERPWATCH_TEST_UNSET}'}}},\n"
        "  crm: {url: https://crm.example}}\n"
        "flows:\n  orders: {system: erp, notify: ops, steps: [{step: r, get: /}]}\n"
        "  items: {system: crm, notify: ops, steps: [{step: r, get: /, headers: {A: "
        "'${file:no-such}'}}]}\n"
        "  good: {system: crm, notify: ops, steps: [{step: r, get: /}]}\n";
    g_autoptr(GPtrArray) problems = config_problems_new();

    (void)state;
    g_unsetenv("ERPWATCH_TEST_UNSET");
    assert_null(load_as(text, CONFIG_MISSING_IS_ERROR, problems));
    g_autoptr(config_t) config = load_as(text, CONFIG_MISSING_IS_NEED, NULL);

    assert_non_null(config);
    const struct config_flow *orders = flow_of(config, "orders"), *items = flow_of(config, "items");

    assert_int_equal(orders->needs->len, 1);
    assert_string_equal(((struct template_reference *)orders->needs->pdata[0])->name,
                        "ERPWATCH_TEST_UNSET");
    assert_int_equal(items->needs->len, 1);
    assert_int_equal(flow_of(config, "good")->needs->len, 0);
}

static void test_literal_secret(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("erpwatch-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "main.yaml", NULL);
    g_autoptr(GPtrArray) problems = config_problems_new();

    (void)state;
    write_file(folder, "main.yaml",
               "systems: {erp: {url: https://erp.example, auth: {basic: {username: a, password: "
               "hunter22}}}}\n");
    g_autoptr(config_t) config = config_load(path, CONFIG_MISSING_IS_ERROR, problems);

    assert_non_null(config);
    assert_int_equal(problems->len, 1);
    assert_int_equal(config->secret_names->len, 1);
    assert_int_equal(chmod(path, 0604), 0);
    g_autofree char *readable = config_literal_secret_readable(config);

    assert_non_null(readable);
    assert_non_null(strstr(readable, "chmod o-rwx"));
    assert_int_equal(chmod(path, 0640), 0);
    g_autofree char *fine = config_literal_secret_readable(config);

    assert_null(fine);
    remove_file(folder, "main.yaml");
    rmdir(folder);
}

static void test_methods(void **state)
{
    struct call get = {.method = (char[]){"GET"}}, put = {.method = (char[]){"PUT"}};
    struct call post = {.method = (char[]){"POST"}};

    (void)state;
    assert_true(call_is_safe(&get));
    assert_false(call_is_safe(&put));
    assert_true(call_is_idempotent(&put));
    assert_false(call_is_idempotent(&post));
}

static const GPtrArray *expected_by(const struct config *config, unsigned number)
{
    return step_of(config, number)->call->expect;
}

static void test_shared_expectations(void **state)
{
    g_autoptr(config_t) config = load(
        FLOW "    vars: {name: x}\n"
             "    steps:\n"
             "      - {step: a, get: /a, expect: {status: 200, json: {$.b: c}}}\n"
             "      - {step: b, get: /b, expect: {status: 200, json: {$.b: c}}}\n"
             "      - {step: c, get: /c, expect: {status: 200, json: {$.b: d}}}\n"
             "      - {step: d, get: /d, expect: {json: {$.b: '{{name}}'}}}\n"
             "      - {step: e, get: /e, expect: {json: {$.b: '{{name}}'}}}\n"
             "      - {step: f, get: /f, namespaces: {n: urn:1}, expect: {xml: {//n:a: b}}}\n"
             "      - {step: g, get: /g, namespaces: {n: urn:2}, expect: {xml: {//n:a: b}}}\n");

    (void)state;
    assert_ptr_equal(expected_by(config, 0), expected_by(config, 1));
    assert_ptr_not_equal(expected_by(config, 0), expected_by(config, 2));
    assert_ptr_not_equal(expected_by(config, 3), expected_by(config, 4)); // each knows its names
    assert_ptr_not_equal(expected_by(config, 5), expected_by(config, 6)); // n is another one
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) wrong =
        load_as(FLOW "    steps:\n      - {step: a, get: /a, expect: {json: {'$[': 1}}}\n"
                     "      - {step: b, get: /b, expect: {json: {'$[': 1}}}\n",
                CONFIG_MISSING_IS_ERROR, problems);
    assert_null(wrong);
    assert_int_equal(problems->len, 3); // each place is told of, and that there is no mail
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_settings),
        cmocka_unit_test(test_step),         cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_whole_url),    cmocka_unit_test(test_templates),
        cmocka_unit_test(test_namespaces),   cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_merged_place), cmocka_unit_test(test_session),
        cmocka_unit_test(test_undo),         cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_soap),         cmocka_unit_test(test_undo_parse_refuses),
        cmocka_unit_test(test_needs),        cmocka_unit_test(test_literal_secret),
        cmocka_unit_test(test_methods),      cmocka_unit_test(test_shared_expectations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
