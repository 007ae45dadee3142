// SPDX-License-Identifier: MIT
// Secrets leave memory as soon as they are done with.
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

// Overwrites a text and frees it; NULL is allowed. Fits a GDestroyNotify.
void wipe_text(void *text);

#endif
