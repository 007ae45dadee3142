// SPDX-License-Identifier: MIT
// The one way in which a secret text is freed: a compiler may leave out a memset
// before free, but not explicit_bzero.
#include "wipe.h"

#include <glib.h>
#include <string.h>

void wipe_text(void *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}
