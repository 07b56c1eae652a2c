/*
 * Time zones and days as people write them, each looked up once: a list has many people, few zones and few days, and both cost far more
 * to read than to remember. Used by one thread.
 */
#pragma once

#include <glib.h>

typedef struct KnownTimes KnownTimes;

KnownTimes *known_times_new(void);
void known_times_free(KnownTimes *known);

/* As timestamp_zone(); the zone belongs to known. */
GTimeZone *known_times_zone(KnownTimes *known, const char *name, GError **error);

/* As timestamp_parse(). The zone must live as long as known, which remembers its address. */
gboolean known_times_parse(KnownTimes *known, const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error);
