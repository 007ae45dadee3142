// SPDX-License-Identifier: MIT
// Time zones by name, each read from the machine's tables once in the life of a
// process: reading one takes most of a millisecond.
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <glib.h>

// The zone of an IANA name (Europe/Brussels), or NULL where there is none. The
// caller unrefs it. Safe from any thread.
GTimeZone *zone_find(const char *name);

#endif
