/*
 * Points in time as text. Stored times are UTC ms since 1970; 0 means "none" throughout the program.
 */
#pragma once

#include <glib.h>

/* RFC 3339 in UTC, "2026-11-24T08:15:00Z"; with ".250" where there are milliseconds. Caller frees. */
char *timestamp_format(gint64 at_ms);

/* For people: "2026-11-24 09:15" in the zone. Caller frees. */
char *timestamp_format_local(gint64 at_ms, GTimeZone *zone);

/* Reads "2026-11-24", "2026-11-24 09:15[:30]", with "T" for the space, and with "Z" or an offset "+01:00" at the end.
 * Without an offset the time is in zone (NULL: UTC), a date alone its midnight. Years 1900 to 2200. BASE_ERROR_SYNTAX. */
gboolean timestamp_parse(const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error);

/* An IANA name ("Europe/Oslo", "UTC") that the zone database has; never a guess. NULL and BASE_ERROR_SYNTAX otherwise.
 * Free with g_time_zone_unref(). */
GTimeZone *timestamp_zone(const char *name, GError **error);
