// SPDX-License-Identifier: MIT
// Calls that may block, each in a thread of its own: Negotiate asks a ticket server,
// and a dead one would stop the loop and all its calls.
#ifndef BASE_TRANSFER_THREAD_H
#define BASE_TRANSFER_THREAD_H

#include "transfer_message.h"
#include "transfer_tls.h"

#include <uv.h>

struct transfer_threads;
struct transfer_thread_call;

// Called on the loop once for each call that was not dropped; takes the response.
typedef void (*transfer_thread_done)(struct transfer_response *response, void *context);

// What such calls share, on `loop`, which must outlive it; `stores` is kept alive.
struct transfer_threads *transfer_threads_new(uv_loop_t *loop, struct transfer_tls_stores *stores);

// Starts a call; `request` is copied. NULL where there is no thread for it. Valid until `done` is
// called or it is dropped.
struct transfer_thread_call *transfer_threads_start(struct transfer_threads *threads,
                                                    const struct transfer_request *request,
                                                    transfer_thread_done done, void *context);

// True while an earlier call to the URL's host still waits for its ticket, past its own
// end: each further one would hold a thread as well.
bool transfer_threads_is_held(struct transfer_threads *threads, const char *url);

// Forgets a call: nothing of it is sent from now on, and `done` is not called.
void transfer_threads_drop(struct transfer_thread_call *call);

// Ends it; no call may be left. Its handles are closed by the next turns of the loop, a
// thread that still waits frees its own part.
void transfer_threads_free(struct transfer_threads *threads);

#endif
