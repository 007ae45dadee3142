// SPDX-License-Identifier: MIT
// Who may call now: at most so many calls in flight over all, and to each
// system. Undos go before new steps, sweeps after them. Pure bookkeeping, no clock, no loop.
#ifndef PROBES_SLOTS_H
#define PROBES_SLOTS_H

#include <glib.h>
#include <stdbool.h>

struct slots;
struct slot_ticket;

// At most `limit` calls in flight in all.
struct slots *slots_new(unsigned limit);

// From now on another limit holds.
void slots_set_limit(struct slots *slots, unsigned limit);

// Whose turn it is among those that wait for the same system.
enum slots_turn { SLOTS_TURN_STEP, SLOTS_TURN_FIRST, SLOTS_TURN_LAST };

// Asks for a slot at `system`, of which at most `limit` may be taken. `granted`
// is called once, at once or from a later slots_release. `*ticket` is set before
// anything is granted, and valid until it is released or withdrawn.
void slots_request(struct slots *slots, const char *system, unsigned limit, enum slots_turn turn,
                   void (*granted)(void *context), void *context, struct slot_ticket **ticket);

// Gives a granted slot back, or withdraws a ticket that still waits; who is
// next is granted before this returns. NULL is allowed.
void slots_release(struct slots *slots, struct slot_ticket *ticket);

// One more who has to free it.
struct slots *slots_ref(struct slots *slots);

// Frees it once the last has done so; tickets must be gone. NULL is allowed.
void slots_free(struct slots *slots);

#endif
