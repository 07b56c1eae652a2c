/*
 * The day of return that an absence note names. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The midnight (UTC) of the last date, from yesterday to 400 days ahead of now_ms, that the text names as the end of
 * an absence; 0: none. */
gint64 absence_until(const char *text, gint64 now_ms);
