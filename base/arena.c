// SPDX-License-Identifier: MIT
// Memory in blocks, given out piece by piece and freed at once. Under the
// configuration's tree and the documents that responses hold.
#include "arena.h"

#include <string.h>

enum { ALIGNMENT = 16 };

struct block {
    struct block *before;
    _Alignas(ALIGNMENT) char bytes[];
};

struct arena {
    struct block *last;
    char *next;
    size_t left, block_size;
};

struct arena *arena_new(size_t block_size)
{
    struct arena *arena = g_new(struct arena, 1);
    *arena = (struct arena){.block_size = block_size};
    return arena;
}

static char *add_block(struct arena *arena, size_t size)
{
    struct block *block = g_malloc(sizeof *block + size);
    block->before = arena->last;
    arena->last = block;
    return block->bytes;
}

static void *take(struct arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > arena->left && size > arena->block_size / 4) // what is left serves the next ones
        return add_block(arena, size);
    if (size > arena->left) {
        arena->next = add_block(arena, arena->block_size);
        arena->left = arena->block_size;
    }
    void *piece = arena->next;
    arena->next += size;
    arena->left -= size;
    return piece;
}

void *arena_take(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = take(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->last) {
        struct block *block = arena->last;
        arena->last = block->before;
        g_free(block);
    }
    g_free(arena);
}
