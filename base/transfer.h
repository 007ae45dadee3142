// SPDX-License-Identifier: MIT
// HTTP calls on the event loop: the only user of curl's multi interface. One
// call is one request and one response; redirects, authentication and cookies
// are the business of probes/. Bounded in time, bytes, protocols.
#ifndef BASE_TRANSFER_H
#define BASE_TRANSFER_H

#include "clock.h"
#include "transfer_message.h"

#include <uv.h>

struct transfer;
struct transfer_call;

// Called on the loop once for each started call, never from transfer_start
// itself. Takes the response.
typedef void (*transfer_done)(struct transfer_response *response, void *context);

// A transfer engine on `loop`, which must outlive it.
struct transfer *transfer_new(uv_loop_t *loop);

// Starts a call; `request` is borrowed until `done` is called. The returned
// handle is valid until then.
struct transfer_call *transfer_start(struct transfer *transfer,
                                     const struct transfer_request *request, transfer_done done,
                                     void *context);

// Ends a call; `done` is called (on a later turn of the loop) with
// TRANSFER_CANCELLED.
void transfer_cancel(struct transfer_call *call);

// Calls in flight.
unsigned transfer_active(const struct transfer *transfer);

// Ends the engine: calls in flight are dropped without `done`. Its handles are
// closed by the next turns of the loop. NULL is allowed.
void transfer_free(struct transfer *transfer);

#endif
