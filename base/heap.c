// SPDX-License-Identifier: MIT
// A binary heap over a GPtrArray, with each node's place kept in the node. GLib
// has none; its GSequence costs an allocation for each change of a time.
#include "heap.h"

struct heap {
    GPtrArray *nodes; // nodes[0] is not used: children of n are 2n and 2n+1
};

struct heap *heap_new(void)
{
    struct heap *heap = g_new0(struct heap, 1);
    heap->nodes = g_ptr_array_new();
    g_ptr_array_add(heap->nodes, NULL);
    return heap;
}

static struct heap_node *at(const struct heap *heap, guint position)
{
    return heap->nodes->pdata[position];
}

static void place(struct heap *heap, struct heap_node *node, guint position)
{
    heap->nodes->pdata[position] = node;
    node->position = position;
}

static void sift_up(struct heap *heap, struct heap_node *node)
{
    guint position = node->position;
    for (; position > 1 && at(heap, position / 2)->at > node->at; position /= 2)
        place(heap, at(heap, position / 2), position);
    place(heap, node, position);
}

static void sift_down(struct heap *heap, struct heap_node *node)
{
    guint position = node->position, count = heap_count(heap);
    while (position * 2 <= count) {
        guint child = position * 2;
        if (child < count && at(heap, child + 1)->at < at(heap, child)->at)
            child++;
        if (at(heap, child)->at >= node->at)
            break;
        place(heap, at(heap, child), position);
        position = child;
    }
    place(heap, node, position);
}

void heap_put(struct heap *heap, struct heap_node *node, int64_t time)
{
    node->at = time;
    if (!node->position) {
        g_ptr_array_add(heap->nodes, node);
        node->position = heap_count(heap);
    }
    sift_up(heap, node);
    sift_down(heap, node);
}

void heap_take(struct heap *heap, struct heap_node *node)
{
    if (!node->position)
        return;
    guint position = node->position;
    struct heap_node *last = at(heap, heap_count(heap));
    g_ptr_array_set_size(heap->nodes, (gint)heap->nodes->len - 1);
    node->position = 0;
    if (last == node)
        return;
    place(heap, last, position);
    sift_up(heap, last);
    sift_down(heap, last);
}

struct heap_node *heap_top(const struct heap *heap)
{
    return heap_count(heap) ? at(heap, 1) : NULL;
}

guint heap_count(const struct heap *heap)
{
    return heap->nodes->len - 1;
}

void heap_free(struct heap *heap)
{
    if (!heap)
        return;
    g_ptr_array_unref(heap->nodes);
    g_free(heap);
}
