// SPDX-License-Identifier: MIT
// Memory that is freed as a whole: for trees of many small parts that live and
// end together, such as a file's nodes or the document in an answer.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <glib.h>

struct arena;

// An arena that takes memory from the system in blocks of this many bytes.
struct arena *arena_new(size_t block_size);

// A piece of memory, zeroed, for anything; it is valid until the arena is freed.
void *arena_take(struct arena *arena, size_t size);

// A copy of the text, terminated.
char *arena_text(struct arena *arena, const char *text, size_t length);

// Frees it and all that was taken from it; NULL is allowed.
void arena_free(struct arena *arena);

typedef struct arena arena_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(arena_t, arena_free)

#endif
