/*
 * A contact as plan/ sees them: facts, calendar, windows. Made for one decision, on the loop.
 */
#pragma once

#include "engine/core.h"
#include "plan/conditions.h"
#include "plan/schedule.h"

typedef struct {
    EngineCore *core;
    const Contact *contact;
    const Account *account;   /* who writes to them; NULL where their owner has none */
    const Calendar *calendar; /* with the holidays of their country */
    PlanFacts facts;          /* of somebody who is in no rule; who asks for one that is sets enrolled_ms */
    GArray *thanks, *rewards; /* AnchorTime, which facts points to; NULL: not read */
    gint64 now_ms;
} Subject;

/* Points into contact, which must outlive it. Free what it owns with subject_clear(). */
void subject_init(Subject *subject, EngineCore *core, const Contact *contact);

/* The same for the way through a rule that the contact is in: steps, their conditions and gates, but not the rule's own conditions, so that
 * less of the contact is read and parsed. The first reads them: *ret_contact NULL where there is none. */
gboolean subject_read_on_way(EngineCore *core, gint64 contact_id, Contact **ret_contact, GError **error);
void subject_init_on_way(Subject *subject, EngineCore *core, const Contact *contact);

/* Adds what was introduced by them, where a rule counts from that; the rules' anchors need it. */
gboolean subject_read_referrals(Subject *subject, GError **error);

void subject_clear(Subject *subject);

const Window *subject_window(const Subject *subject, const Rule *rule);

/* schedule_due() for this contact: PASSED, NEVER or a time that is never 0 or less, since what was due before 1970 is only very late. */
gint64 subject_due(const Subject *subject, const Rule *rule, const Step *step, gint64 anchor_ms, gint64 last_step_ms);

/* Due at due_ms, and max_late is over at now. */
gboolean subject_is_late(const Subject *subject, gint64 due_ms);
