// SPDX-License-Identifier: MIT
// The breaker for dead name servers: while a lookup of a host hangs, no further
// one is begun, because each would hold a thread until the resolver gives up.
#ifndef BASE_TRANSFER_DNS_H
#define BASE_TRANSFER_DNS_H

#include <stdbool.h>

struct transfer_dns;

// The host of a URL in lower case, NULL where it has none. The caller frees it.
char *transfer_dns_host(const char *url);

// A breaker that lets every host through.
struct transfer_dns *transfer_dns_new(void);

// A lookup of the URL's host timed out: one lookup of our own, in a thread, now
// stands for it, and its host is held back until that one has an answer.
void transfer_dns_timed_out(struct transfer_dns *dns, const char *url);

// True where the URL's host is held back.
bool transfer_dns_is_held(struct transfer_dns *dns, const char *url);

// Frees the breaker; a thread that still waits frees its own part.
void transfer_dns_free(struct transfer_dns *dns);

#endif
