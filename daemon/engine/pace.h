/*
 * How many messages a courier keeps at its connections: enough that none of them waits for a commit, and no more, since what is there when
 * the daemon is killed is uncertain. A server that takes its time gets two a connection, one under way and one ready; one on the next
 * machine, that takes thousands a second, as many as it takes in PACE_AHEAD_MS.
 */
#pragma once

#include <glib.h>

enum { PACE_LEAST = 2, PACE_MOST = 64, PACE_AHEAD_MS = 25 };

/* How long an answer waits for others, so that they share a commit. */
enum { PACE_COMPANY_MS = 10 };

typedef struct {
    guint connections;
    guint depth;       /* messages a connection */
    gint64 since_ms;   /* monotonic; when counting began */
    guint done;        /* outcomes since then */
} Pace;

void pace_init(Pace *pace, guint connections);

/* Another outcome came, at now_ms of the monotonic clock. */
void pace_count(Pace *pace, gint64 now_ms);

/* How many messages may be at the connections together. */
guint pace_capacity(const Pace *pace);

/* Whether an answer may wait for others while so many messages are still at the connections: they have enough to do. */
gboolean pace_may_wait(const Pace *pace, guint pending);
