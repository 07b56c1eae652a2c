/*
 * Everything that the gates look at for one step, gathered from contact, rule, store and clock; what an account's courier knows (blind,
 * paused, limits) the caller adds. Used by the decision, the claim and `why` alike, so that all three say the same.
 */
#pragma once

#include "engine/subject.h"
#include "plan/gates.h"
#include "store/enrolments.h"
#include "store/outbox.h"

typedef struct {
    GateFacts facts;
    Window window;
    char *unmet, *suppressed;
} GateCase;

/* enrolment NULL: there is none (any more). message: its row of the outbox, NULL where none was decided yet; planned_ms: when the step was due.
 * Free with gate_case_clear(), on FALSE too. */
gboolean gate_case_init(GateCase *gate_case, const Subject *subject, const Rule *rule, const Step *step, const Enrolment *enrolment,
                        const OutboxMessage *message, gint64 planned_ms, GError **error);
void gate_case_clear(GateCase *gate_case);
