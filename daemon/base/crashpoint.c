/*
 * Ends the process at a named place, for the crash tests; compiled in only where NURTURE_CRASH_POINTS is defined.
 * SIGKILL, so that nothing is flushed, closed or rolled back. Any thread; owns the count of passages.
 */
#include "base/crashpoint.h"

#ifdef NURTURE_CRASH_POINTS
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static gint passages; /* of the one place that the environment names */

void crash_point(const char *name)
{
    const char *wanted = g_getenv("NURTURE_CRASH_AT");
    if (wanted == NULL || !g_str_has_prefix(wanted, name))
        return;
    const char *rest = wanted + strlen(name);
    gint64 at_passage = 1;
    if (*rest == ':')
        at_passage = g_ascii_strtoll(rest + 1, NULL, 10);
    else if (*rest != '\0')
        return;
    if (g_atomic_int_add(&passages, 1) + 1 == at_passage)
        kill(getpid(), SIGKILL);
}
#endif
