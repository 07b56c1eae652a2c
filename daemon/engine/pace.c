/*
 * The depth follows the rate that was measured last: see pace.h. Pure.
 */
#include "engine/pace.h"

enum { MEASURE_MS = 100 };

void pace_init(Pace *pace, guint connections)
{
    *pace = (Pace){.connections = MAX(1, connections), .depth = PACE_LEAST};
}

void pace_count(Pace *pace, gint64 now_ms)
{
    gint64 elapsed_ms = now_ms - pace->since_ms;
    pace->done++;
    if (pace->since_ms != 0 && elapsed_ms >= 0 && elapsed_ms < MEASURE_MS)
        return;
    if (pace->since_ms != 0 && elapsed_ms >= MEASURE_MS) {
        /* idle time in between makes it slow, which is the safe side; it is measured anew within a tenth of a second */
        gint64 ahead = (gint64)pace->done * PACE_AHEAD_MS / elapsed_ms / pace->connections;
        pace->depth = (guint)CLAMP(ahead, PACE_LEAST, PACE_MOST);
    }
    pace->since_ms = now_ms;
    pace->done = 0;
}

guint pace_capacity(const Pace *pace)
{
    return pace->depth * pace->connections;
}

gboolean pace_may_wait(const Pace *pace, guint pending)
{
    return pending > pace_capacity(pace) / 2;
}
