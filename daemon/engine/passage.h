/*
 * A contact's passage through one rule (an enrolment): begins with a round, waits for a step, ends, comes to the next round. All
 * calls belong in a transaction that the caller has opened.
 */
#pragma once

#include "engine/subject.h"
#include "store/enrolments.h"

/* The anchor of the round for this contact. */
gint64 passage_anchor(const Subject *subject, const Rule *rule, guint round);

/* A repeating rule begins with the first round that still has something to send: nobody's history is filled with the rounds of
 * years before. 1 for a rule that does not repeat; 0 where the anchor comes again and none of its times is recent enough. */
guint passage_first_round(const Subject *subject, const Rule *rule);

/* The last moment of the rule for the enrolment (NULL: of nobody who is in it); G_MAXINT64: it has no end. */
gint64 passage_until(const Subject *subject, const Rule *rule, const Enrolment *enrolment);

/* Enrols from that round on. *ret_begun FALSE: its first step would come behind the rule's `until`. history_mark: the newest
 * interaction of all; what comes behind it may stop the enrolment. */
gboolean passage_begin(const Subject *subject, const Rule *rule, guint round, gint64 history_mark, gboolean *ret_begun, GError **error);

/* Whether it would, for somebody who was never in the rule. */
gboolean passage_may_begin(const Subject *subject, const Rule *rule);

/* The enrolment waits for the step; done, where that would come behind the rule's `until`. Changes enrolment, stores nothing. */
void passage_wait_for(const Subject *subject, const Rule *rule, Enrolment *enrolment, const Step *step);

/* All its steps are done. Changes enrolment, stores nothing. */
void passage_finish(const Subject *subject, Enrolment *enrolment, const char *reason);

/* The step that the enrolment waits for has its outcome at step_ms: it waits for the next one, is done, or begins the next round. */
gboolean passage_next(const Subject *subject, Enrolment *enrolment, gint64 step_ms, GError **error);

/* Begins the next round behind one that is done, where the rule repeats and done ran to its end (and not into `until`). */
gboolean passage_next_round(const Subject *subject, const Rule *rule, const Enrolment *done, gboolean *ret_begun, GError **error);

/* "enrolled", "resumed", "ended", with the reason where there is one. */
void passage_log(const Subject *subject, const char *event, const Enrolment *enrolment, const char *reason);
