// SPDX-License-Identifier: MIT
// How threads hand what they have made to the loop, also threads that nobody can end and
// that outlive what started them.
#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

#include <glib.h>
#include <stdbool.h>
#include <uv.h>

struct handover;

// Called on the loop for each item, in the order in which they were given; the item is freed
// when it returns. It may close the handover: then nothing further comes.
typedef void (*handover_arrived)(void *item, void *context);

// One on `loop`, which it does not keep running. Items that nobody takes are freed by `free_item`,
// which any thread may call. handover_close ends it.
struct handover *handover_new(uv_loop_t *loop, handover_arrived arrived, GDestroyNotify free_item,
                              void *context);

// A reference for a thread, which outlives the closing; released by handover_unref, anywhere.
struct handover *handover_ref(struct handover *handover);
void handover_unref(struct handover *handover);

// Takes the item; after the closing it is freed at once. May be called by any thread.
void handover_give(struct handover *handover, void *item);

// On the loop: `arrived` is not called from now on. Takes the reference of handover_new; the
// handle is closed by the next turns of the loop.
void handover_close(struct handover *handover);

// Starts a thread that nobody waits for; false where none is to be had.
bool handover_start_thread(const char *name, GThreadFunc run, void *data);

// How many of them have not ended. A process that has such ones left ends by _exit: what the
// libraries clear away at an exit is still in their use.
unsigned handover_count_threads(void);

#endif
