// SPDX-License-Identifier: MIT
// Keeps the time zones that were asked for. Asked by templates, schedules and
// mails, whose names of zones come from the configuration: there are few.
#include "zone.h"

GTimeZone *zone_find(const char *name)
{
    static GMutex lock;
    static GHashTable *zones;
    g_mutex_lock(&lock);
    if (!zones)
        zones = g_hash_table_new(g_str_hash, g_str_equal);
    GTimeZone *zone = g_hash_table_lookup(zones, name);
    if (!zone) {
        zone = g_time_zone_new_identifier(name);
        if (zone)
            g_hash_table_insert(zones, g_strdup(name), zone);
    }
    if (zone)
        g_time_zone_ref(zone);
    g_mutex_unlock(&lock);
    return zone;
}
