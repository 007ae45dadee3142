// SPDX-License-Identifier: MIT
// Slots for calls in flight: a queue for each system, and a round of those
// systems that have somebody waiting. Used by call_run before each transfer.
#include "slots.h"

struct slot_queue {
    unsigned limit, used;
    GQueue waiting;  // of struct slot_ticket
    GQueue last;     // of those whose turn is after them
    GList *in_round; // its link in slots.round, or NULL
};

struct slot_ticket {
    struct slot_queue *queue;
    GQueue *in;  // queue->waiting or queue->last
    GList *link; // in it, NULL once granted
    void (*granted)(void *context);
    void *context;
};

struct slots {
    unsigned limit, used;
    GHashTable *queues; // system id -> struct slot_queue
    GQueue round;       // of struct slot_queue with tickets that wait
};

struct slots *slots_new(unsigned limit)
{
    struct slots *slots = g_rc_box_new0(struct slots);
    slots->limit = limit;
    slots->queues = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_queue_init(&slots->round);
    return slots;
}

void slots_set_limit(struct slots *slots, unsigned limit)
{
    slots->limit = limit;
}

static struct slot_queue *queue_of(struct slots *slots, const char *system, unsigned limit)
{
    struct slot_queue *queue = g_hash_table_lookup(slots->queues, system);
    if (!queue) {
        queue = g_new0(struct slot_queue, 1);
        g_queue_init(&queue->waiting);
        g_queue_init(&queue->last);
        g_hash_table_insert(slots->queues, g_strdup(system), queue);
    }
    queue->limit = limit;
    return queue;
}

static bool has_room(const struct slots *slots, const struct slot_queue *queue)
{
    return slots->used < slots->limit && queue->used < queue->limit;
}

static void leave_round_when_empty(struct slots *slots, struct slot_queue *queue)
{
    if (queue->in_round && g_queue_is_empty(&queue->waiting) && g_queue_is_empty(&queue->last)) {
        g_queue_delete_link(&slots->round, queue->in_round);
        queue->in_round = NULL;
    }
}

static void take(struct slots *slots, struct slot_ticket *ticket)
{
    slots->used++;
    ticket->queue->used++;
    ticket->link = NULL;
}

static void grant_next_of(struct slots *slots, struct slot_queue *queue)
{
    struct slot_ticket *ticket =
        g_queue_pop_head(g_queue_is_empty(&queue->waiting) ? &queue->last : &queue->waiting);
    leave_round_when_empty(slots, queue);
    take(slots, ticket);
    ticket->granted(ticket->context);
}

// One turn of the round: the first system with room gets a slot and goes to the
// end, so that a busy system does not starve the others.
static bool grant_one(struct slots *slots)
{
    for (GList *link = slots->round.head; link; link = link->next) {
        struct slot_queue *queue = link->data;
        if (!has_room(slots, queue))
            continue;
        g_queue_unlink(&slots->round, link);
        g_queue_push_tail_link(&slots->round, link);
        grant_next_of(slots, queue);
        return true;
    }
    return false;
}

static void wait_in_queue(struct slots *slots, struct slot_ticket *ticket, enum slots_turn turn)
{
    struct slot_queue *queue = ticket->queue;
    ticket->in = turn == SLOTS_TURN_LAST ? &queue->last : &queue->waiting;
    if (turn == SLOTS_TURN_FIRST)
        g_queue_push_head(ticket->in, ticket);
    else
        g_queue_push_tail(ticket->in, ticket);
    ticket->link = turn == SLOTS_TURN_FIRST ? ticket->in->head : ticket->in->tail;
    if (!queue->in_round) {
        g_queue_push_tail(&slots->round, queue);
        queue->in_round = slots->round.tail;
    }
}

void slots_request(struct slots *slots, const char *system, unsigned limit, enum slots_turn turn,
                   void (*granted)(void *context), void *context, struct slot_ticket **ticket)
{
    struct slot_queue *queue = queue_of(slots, system, limit);
    *ticket = g_new0(struct slot_ticket, 1);
    **ticket = (struct slot_ticket){.queue = queue, .granted = granted, .context = context};
    if (!has_room(slots, queue)) {
        wait_in_queue(slots, *ticket, turn);
        return;
    }
    take(slots, *ticket);
    granted(context);
}

void slots_release(struct slots *slots, struct slot_ticket *ticket)
{
    if (!ticket)
        return;
    struct slot_queue *queue = ticket->queue;
    if (ticket->link) {
        g_queue_delete_link(ticket->in, ticket->link);
        leave_round_when_empty(slots, queue);
        g_free(ticket);
        return;
    }
    slots->used--;
    queue->used--;
    g_free(ticket);
    while (slots->used < slots->limit && grant_one(slots)) {
    }
}

struct slots *slots_ref(struct slots *slots)
{
    return g_rc_box_acquire(slots);
}

static void clear(void *data)
{
    struct slots *slots = data;
    g_hash_table_unref(slots->queues);
}

void slots_free(struct slots *slots)
{
    if (slots)
        g_rc_box_release_full(slots, clear);
}
