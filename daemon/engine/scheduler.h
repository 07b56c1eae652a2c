/*
 * The scheduler: takes the marks of what changed, and the enrolments that are due, and turns them into decisions. It sleeps
 * until the earliest of what is due; nothing is polled.
 */
#pragma once

#include "engine/core.h"

typedef struct Scheduler Scheduler;

/* on_queued(data): rows were added to the outbox, or may have become due. Starts with a first look at once. */
Scheduler *scheduler_new(EngineCore *core, void (*on_queued)(gpointer data), gpointer data);

/* Something changed: looks soon, from the loop. Cheap; may be called often. */
void scheduler_wake(Scheduler *scheduler);

void scheduler_free(Scheduler *scheduler);
