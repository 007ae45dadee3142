// SPDX-License-Identifier: MIT
// What curl does not do about names: the breaker for dead name servers, and the
// question why a name was not resolved. While a lookup of a host hangs, no further
// one is begun, because each would hold a thread until the resolver gives up.
#ifndef BASE_TRANSFER_DNS_H
#define BASE_TRANSFER_DNS_H

#include <stdbool.h>
#include <uv.h>

struct transfer_dns;

// The host of a URL in lower case, NULL where it has none. The caller frees it.
char *transfer_dns_host(const char *url);

// A breaker on `loop`, which must outlive it, that lets every host through.
struct transfer_dns *transfer_dns_new(uv_loop_t *loop);

// A lookup of the URL's host timed out: one lookup of our own, in a thread, now
// stands for it, and its host is held back until that one has an answer.
void transfer_dns_timed_out(struct transfer_dns *dns, const char *url);

// True where the URL's host is held back.
bool transfer_dns_is_held(struct transfer_dns *dns, const char *url);

// A lookup of the URL's host failed, and curl does not say how: whether there is no such
// name, or the name servers had no answer. Asks once more, for two seconds longer than the one
// that failed took (`took_ms`) at most; `told` gets the answer on the loop: at once where that is
// known by now, or no thread is to be had.
typedef void (*transfer_dns_told)(bool no_such_name, void *context);
void transfer_dns_ask_why(struct transfer_dns *dns, const char *url, double took_ms,
                          transfer_dns_told told, void *context);

// Ends it without telling those who wait; its handles are closed by the next turns of the
// loop, a thread that still waits frees its own part.
void transfer_dns_free(struct transfer_dns *dns);

#endif
