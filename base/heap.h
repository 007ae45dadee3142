// SPDX-License-Identifier: MIT
// A binary heap of things that are due: the earliest is on top, and one whose
// time changes is found at once. Things are embedded, never allocated here.
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// To be embedded in what is due; zero it first. `at` is any clock's microseconds.
struct heap_node {
    int64_t at;
    guint position; // 1 and up while it is in the heap
};

struct heap;

// An empty heap.
struct heap *heap_new(void);

// Puts a node in, or moves it, to its new time.
void heap_put(struct heap *heap, struct heap_node *node, int64_t at);

// Takes a node out; one that is not in is left alone.
void heap_take(struct heap *heap, struct heap_node *node);

// The earliest node, or NULL; borrowed.
struct heap_node *heap_top(const struct heap *heap);

// How many are in.
guint heap_count(const struct heap *heap);

// Frees the heap, not the nodes. NULL is allowed.
void heap_free(struct heap *heap);

#endif
