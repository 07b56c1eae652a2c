/*
 * Due days of tasks as people write and read them.
 */
#pragma once

#include "store/tasks.h"

/*
 * A date ("2026-11-24", "2026-11-24 09:15"), "today", "tomorrow", the next day of that name ("friday", "fri": never today), or a time from
 * now ("3 days", "2 weeks": that day; "2 hours": that minute). "none" is 0. BASE_ERROR_SYNTAX says what to write.
 */
gboolean task_due_parse(const char *text, gint64 now_ms, GTimeZone *zone, gint64 *ret_due_ms, GError **error);

/* "2026-11-24 Tue", with the hour where it has one; "" for 0. Caller frees. */
char *task_due_text(gint64 due_ms, GTimeZone *zone);

/* Where the local day of at_ms begins, and where the next does; each may be NULL. TRUE. */
gboolean task_day(gint64 at_ms, GTimeZone *zone, gint64 *ret_from_ms, gint64 *ret_to_ms);
