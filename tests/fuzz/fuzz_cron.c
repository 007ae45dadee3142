// SPDX-License-Identifier: MIT
// Cron expressions from anywhere: reading never fails but by its error, and what
// comes next is later.
#include "../../base/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static GTimeZone *zone = NULL;
    if (!zone)
        zone = g_time_zone_new_identifier("Australia/Lord_Howe");
    g_autofree char *text = g_strndup((const char *)data, size < 200 ? size : 200);
    g_autoptr(GError) error = NULL;
    g_autoptr(cron_t) cron = cron_parse(text, &error);
    if ((cron == NULL) == (error == NULL))
        g_error("a cron expression and its error go together");
    struct clock_wall at = {INT64_C(1775000000) * G_USEC_PER_SEC};
    for (int i = 0; cron && i < 50; i++) {
        struct clock_wall next = cron_next(cron, at, zone);
        if (next.us < 0)
            break;
        if (next.us <= at.us)
            g_error("cron goes backwards");
        at = next;
    }
    return 0;
}
