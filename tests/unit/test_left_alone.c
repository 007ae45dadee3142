// SPDX-License-Identifier: MIT
// The rows of systems that are left alone, on a store in memory.
#include "../../monitor/left_alone.h"
#include "../../monitor/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void save(struct db *db, const char *system, const struct backoff *state)
{
    g_autoptr(GError) error = NULL;
    assert_true(left_alone_save(db, system, state, &error));
    assert_null(error);
}

static void test_there_and_back(void **unused)
{
    (void)unused;
    g_autoptr(db_t) db = store_open_memory(NULL);
    struct backoff state = {.level = 3,
                            .since = {1790000000000001},
                            .until = {1790000900000001},
                            .flow = (char[]){"acme/orders"},
                            .allowed = 2,
                            .why = (char[]){"status 401 (auth) at \"it's\""},
                            .digest = (char[]){"d.001"}};
    const struct backoff other = {.until = {5}};
    save(db, "erp", &other);
    save(db, "erp", &state); // in its place
    save(db, "shop", &other);
    g_autoptr(GHashTable) states = left_alone_load(db, NULL);
    assert_int_equal(g_hash_table_size(states), 2);
    assert_true(backoff_equals(g_hash_table_lookup(states, "erp"), &state));
    assert_true(backoff_equals(g_hash_table_lookup(states, "shop"), &other));
    save(db, "erp", NULL);
    save(db, "none", NULL);
    g_autoptr(GHashTable) rest = left_alone_load(db, NULL);
    assert_int_equal(g_hash_table_size(rest), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
