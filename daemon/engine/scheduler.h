/*
 * The scheduler: takes the marks of what changed, and the enrolments that are due, and turns them into decisions. It sleeps
 * until the earliest of what is due; nothing is polled.
 */
#pragma once

#include "engine/core.h"
#include "engine/decide.h"

typedef struct Scheduler Scheduler;

/* on_queued(data): rows were added to the outbox, or may have become due. Starts with a first look at once. */
Scheduler *scheduler_new(EngineCore *core, void (*on_queued)(gpointer data), gpointer data);

/* Something changed: looks soon, from the loop. Cheap; may be called often. */
void scheduler_wake(Scheduler *scheduler);

void scheduler_free(Scheduler *scheduler);

/* The two halves of what it does on the loop, for a rehearsal too. */

/* Whether a look would find anything: reads only, so that a wake for nothing writes nothing. *ret_next_ms: when it will; 0: not by time. */
gboolean scheduler_has_work(EngineCore *core, gint64 *ret_next_ms, gboolean *ret_work, GError **error);

/* One bounded batch of marks and due enrolments, in a transaction of its own; *ret_more is set where there is more to do at once. */
gboolean scheduler_run_batch(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error);

/* One bounded batch of marks alone, in a transaction of its own: what changed is decided, and nothing that is due is queued. */
gboolean scheduler_decide_marked(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error);
