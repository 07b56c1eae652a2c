/*
 * A step that is due: it becomes a row of the outbox, or is left out with its reason. The call belongs in a transaction that the
 * caller has opened.
 */
#pragma once

#include "engine/decide.h"
#include "store/enrolments.h"

/* A due enrolment: its next step is queued, is held for approval, or is skipped (too late, its date passed, its conditions not met) and
 * the next looked at. Nothing happens while the contact is marked: decide_contact() comes first. */
gboolean step_decide(EngineCore *core, Enrolment *enrolment, DecideSummary *summary, GError **error);
