// SPDX-License-Identifier: MIT
// The heap of what is due, against a plain search over the same nodes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../base/heap.h"

#define NODES 200

static int64_t earliest(const struct heap_node *nodes)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < NODES; i++)
        if (nodes[i].position)
            least = MIN(least, nodes[i].at);
    return least;
}

static void test_random_changes(void **state)
{
    (void)state;
    struct heap *heap = heap_new();
    struct heap_node nodes[NODES] = {0};
    GRand *random = g_rand_new_with_seed(7);
    for (int round = 0; round < 20000; round++) {
        struct heap_node *node = &nodes[g_rand_int_range(random, 0, NODES)];
        if (g_rand_int_range(random, 0, 3) == 0)
            heap_take(heap, node);
        else
            heap_put(heap, node, g_rand_int_range(random, 0, 1000));
        const struct heap_node *top = heap_top(heap);
        assert_int_equal(top ? top->at : INT64_MAX, earliest(nodes));
    }
    g_rand_free(random);
    heap_free(heap);
}

static void test_comes_out_in_order(void **state)
{
    (void)state;
    struct heap *heap = heap_new();
    struct heap_node nodes[] = {{0}, {0}, {0}, {0}};
    const int64_t times[] = {30, 10, 20, 10};
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
        heap_put(heap, &nodes[i], times[i]);
    assert_int_equal(heap_count(heap), 4);
    const int64_t sorted[] = {10, 10, 20, 30};
    for (size_t i = 0; i < G_N_ELEMENTS(sorted); i++) {
        struct heap_node *top = heap_top(heap);
        assert_int_equal(top->at, sorted[i]);
        heap_take(heap, top);
        heap_take(heap, top);
    }
    assert_null(heap_top(heap));
    heap_free(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_comes_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
