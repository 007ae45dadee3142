// SPDX-License-Identifier: MIT
// The configuration that `init --pack` writes.
#ifndef MONITOR_INIT_PACK_H
#define MONITOR_INIT_PACK_H

#include "../config/pack.h"

// A configuration with a system of this pack, which validates, with its gaps marked;
// all in front of the systems is taken from `starter`. The caller frees it.
char *init_pack_text(const struct pack *pack, const char *starter);

#endif
