// SPDX-License-Identifier: MIT
// The table of keys against what is made of it: the reference page is that of
// the table, the schema is JSON, and every key is described.
#include "../../base/json.h"
#include "../../config/config_keys.h"
#include "../../config/config_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_reference_is_fresh(void **state)
{
    g_autofree char *written = config_schema_markdown();
    g_autofree char *kept = NULL;

    (void)state;
    assert_true(g_file_get_contents("docs/reference.md", &kept, NULL, NULL));
    if (strcmp(kept, written) != 0)
        fail_msg("stale: erpwatch schema --format markdown >docs/reference.md");
}

static void test_schema_is_json(void **state)
{
    g_autofree char *text = config_schema_json();
    g_autoptr(cJSON) schema = json_parse(text, strlen(text), NULL);

    (void)state;
    assert_non_null(schema);
    const cJSON *definitions = json_member(schema, "definitions");

    assert_int_equal(cJSON_GetArraySize(definitions), CONFIG_MAP_COUNT - 1);
    assert_non_null(json_member(json_member(definitions, "STEP"), "properties"));
}

static void check_key(enum config_map map, const struct config_key *key)
{
    bool names_map = key->type == CONFIG_TYPE_MAP || key->type == CONFIG_TYPE_NAMES ||
                     key->type == CONFIG_TYPE_MAPS;

    assert_ptr_equal(config_map_key(map, key->name), key); // no name twice
    assert_true(g_str_has_suffix(key->sentence, ".") || g_str_has_suffix(key->sentence, "?"));
    assert_int_equal(names_map, key->argument[0] != '\0' &&
                                    config_map_by_name(key->argument) < CONFIG_MAP_COUNT);
    assert_int_equal(strchr(key->sentence, '|') == NULL, true); // it stands in a table
}

static void test_keys(void **state)
{
    (void)state;
    for (unsigned map = 0; map < CONFIG_MAP_COUNT; map++) {
        const GPtrArray *keys = config_map_keys(map);

        assert_true(keys->len > 0);
        assert_int_equal(config_map_by_name(config_map_info(map)->name), map);
        for (unsigned i = 0; i < keys->len; i++)
            check_key(map, keys->pdata[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_is_fresh),
        cmocka_unit_test(test_schema_is_json),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
