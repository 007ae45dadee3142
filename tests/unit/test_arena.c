// SPDX-License-Identifier: MIT
// base/arena: pieces that do not touch, are zeroed and aligned, small and large.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/arena.h"

#include <string.h>

enum { PIECES = 500 };

static void test_pieces(void **state)
{
    (void)state;
    g_autoptr(arena_t) arena = arena_new(256);
    unsigned char *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size_t size = 1 + i * 7 % 400; // some larger than a block
        pieces[i] = arena_take(arena, size);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(pieces[i][at], 0);
        memset(pieces[i], (int)(i & 0xFF), size);
    }
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(pieces[i][0], i & 0xFF);
        assert_int_equal(pieces[i][i * 7 % 400], i & 0xFF);
    }
}

static void test_texts(void **state)
{
    (void)state;
    g_autoptr(arena_t) arena = arena_new(64);
    assert_string_equal(arena_text(arena, "order", 3), "ord");
    assert_string_equal(arena_text(arena, NULL, 0), "");
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
