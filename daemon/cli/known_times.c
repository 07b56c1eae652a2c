/*
 * Time zones and days that were read before. Owns the zones; days are kept in a table of fixed size, where a new one takes the place of
 * an old one.
 */
#include "cli/known_times.h"

#include <string.h>

#include "base/timestamp.h"

enum { DATE_BYTES = 10 /* "2026-11-24" */, DAYS = 1024 };

typedef struct {
    GTimeZone *zone;       /* borrowed */
    char date[DATE_BYTES]; /* zeros: nothing known here */
    gint64 at_ms;
} Day;

struct KnownTimes {
    GHashTable *zones; /* char* -> GTimeZone* */
    Day days[DAYS];    /* by hash */
};

KnownTimes *known_times_new(void)
{
    KnownTimes *known = g_new0(KnownTimes, 1);
    known->zones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_time_zone_unref);
    return known;
}

void known_times_free(KnownTimes *known)
{
    if (known == NULL)
        return;
    g_hash_table_unref(known->zones);
    g_free(known);
}

GTimeZone *known_times_zone(KnownTimes *known, const char *name, GError **error)
{
    GTimeZone *zone = g_hash_table_lookup(known->zones, name);
    if (zone == NULL && (zone = timestamp_zone(name, error)) != NULL)
        g_hash_table_insert(known->zones, g_strdup(name), zone);
    return zone;
}

/* The place for a day of the zone; NULL for a text that is no day alone. */
static Day *place_of(KnownTimes *known, const char *text, GTimeZone *zone)
{
    if (strlen(text) != DATE_BYTES)
        return NULL;
    return &known->days[(g_str_hash(text) ^ (g_direct_hash(zone) >> 4)) % DAYS];
}

gboolean known_times_parse(KnownTimes *known, const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error)
{
    Day *day = place_of(known, text, zone);
    if (day != NULL && day->zone == zone && memcmp(day->date, text, DATE_BYTES) == 0) {
        *ret_ms = day->at_ms;
        return TRUE;
    }
    if (!timestamp_parse(text, zone, ret_ms, error))
        return FALSE;
    if (day != NULL) {
        *day = (Day){.zone = zone, .at_ms = *ret_ms};
        memcpy(day->date, text, DATE_BYTES);
    }
    return TRUE;
}
