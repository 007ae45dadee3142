// SPDX-License-Identifier: MIT
// Kerberos tickets for the services that calls go to.
#ifndef BASE_TRANSFER_KERBEROS_H
#define BASE_TRANSFER_KERBEROS_H

#include <glib.h>

// What came of asking for a ticket.
enum transfer_kerberos {
    TRANSFER_KERBEROS_READY,       // it is in the cache of tickets
    TRANSFER_KERBEROS_NO_LOGIN,    // our own user has no ticket of its own, or an old one
    TRANSFER_KERBEROS_UNREACHABLE, // no ticket server answers
    TRANSFER_KERBEROS_REFUSED,     // the ticket server gives none for this service
};

// Has a ticket for `service` (such as HTTP) at `host` put into the cache of tickets.
// May block for long: for threads only. `problem` receives a sentence where there is
// none, which the caller frees.
enum transfer_kerberos transfer_kerberos_prepare(const char *service, const char *host,
                                                 char **problem);

#endif
