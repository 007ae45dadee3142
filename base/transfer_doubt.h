// SPDX-License-Identifier: MIT
// Hosts whose kept connections are not to be trusted: one of them went silent, as all of
// them do when a router or a firewall on the way has lost its memory.
#ifndef BASE_TRANSFER_DOUBT_H
#define BASE_TRANSFER_DOUBT_H

#include <stdbool.h>

struct transfer_doubt;

// Trusts all; transfer_doubt_free frees it.
struct transfer_doubt *transfer_doubt_new(void);
void transfer_doubt_free(struct transfer_doubt *doubt);

// A call over a kept connection to the URL's host had no answer in time.
void transfer_doubt_note(struct transfer_doubt *doubt, const char *url);

// True where the URL's host is to be called over a new connection.
bool transfer_doubt_holds(struct transfer_doubt *doubt, const char *url);

#endif
