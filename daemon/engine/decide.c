/*
 * Deciding for one contact. Reads facts from the store and the clock, asks plan/, and writes enrolments in the caller's transaction;
 * nothing is queued or sent from here. Runs on the loop.
 */
#include "engine/decide.h"

#include "base/text.h"
#include "engine/passage.h"
#include "engine/referral.h"
#include "store/history.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/suppressions.h"

/* Interaction kind -> stop event, in the order in which they are named as the reason. */
static const struct {
    InteractionKind kind;
    StopEvent event;
    const char *reason;
} stop_kinds[] = {
    {INTERACTION_UNSUBSCRIBE, STOP_UNSUBSCRIBE, "unsubscribe"},
    {INTERACTION_COMPLAINT, STOP_COMPLAINT, "complaint"},
    {INTERACTION_BOUNCE, STOP_BOUNCE, "bounce"},
    {INTERACTION_REPLY, STOP_REPLY, "reply"},
    {INTERACTION_AUTO_REPLY, STOP_AUTO_REPLY, "auto-reply"},
    {INTERACTION_MEETING, STOP_MEETING, "meeting"},
    {INTERACTION_CALL, STOP_CALL, "call"},
    {INTERACTION_NOTE, STOP_NOTE, "note"},
    {INTERACTION_REFERRAL, STOP_REFERRAL, "referral"},
    {INTERACTION_TAG, STOP_TAG, "tag"},
    {INTERACTION_STAGE, STOP_STAGE_CHANGE, "stage-change"},
};

/* One contact while it is decided on. */
typedef struct {
    Subject subject;
    gint64 newest_interaction; /* of all contacts */
    gint64 reconsider_ms;      /* earliest of all rules; 0: none */
    DecideSummary *summary;
} Decision;

/* ---- stops ------------------------------------------------------------------------------------------------------------ */

static const char *reason_of(guint kinds, guint stop_on)
{
    for (gsize i = 0; i < G_N_ELEMENTS(stop_kinds); i++)
        if ((kinds & (1u << stop_kinds[i].kind)) && (stop_on & stop_kinds[i].event))
            return stop_kinds[i].reason;
    return NULL;
}

static gboolean own_stop(const Decision *decision, const Rule *rule, const Enrolment *enrolment, guint stop_on, char **ret_reason, GError **error)
{
    guint kinds = 0;
    gboolean tagged = FALSE;
    if (!store_history_kinds_after(decision->subject.core->store, enrolment->contact_id, enrolment->history_mark, &kinds, NULL, error) ||
        (*rule->stop_tags && !store_history_tagged_after(decision->subject.core->store, enrolment->contact_id, enrolment->history_mark,
                                                         (const char *const *)rule->stop_tags, &tagged, error)))
        return FALSE;
    const char *reason = reason_of(kinds, stop_on);
    *ret_reason = g_strdup(reason ? reason : tagged ? "tag" : NULL);
    return TRUE;
}

/* A bounce, a complaint or a farewell is about one person; only what the rule itself names counts for the colleagues. */
static gboolean colleagues_stop(const Decision *decision, const Rule *rule, const Enrolment *enrolment, guint stop_on, char **ret_reason,
                                GError **error)
{
    guint kinds = 0;
    gboolean tagged = FALSE;
    if (!rule->scope_company || !*decision->subject.contact->company)
        return TRUE;
    if (!store_history_colleagues_kinds_after(decision->subject.core->store, enrolment->contact_id, enrolment->history_mark, &kinds, error) ||
        (*rule->stop_tags && !store_history_colleagues_tagged_after(decision->subject.core->store, enrolment->contact_id, enrolment->history_mark,
                                                                    (const char *const *)rule->stop_tags, &tagged, error)))
        return FALSE;
    const char *reason = reason_of(kinds, stop_on & ~(guint)STOP_ALWAYS);
    if (reason || tagged)
        *ret_reason = g_strdup_printf("a colleague's %s", reason ? reason : "tag");
    return TRUE;
}

/* What happened behind the enrolment's mark that is one of the events stop_on; NULL for nothing. */
static gboolean stop_event(const Decision *decision, const Rule *rule, const Enrolment *enrolment, guint stop_on, char **ret_reason,
                           GError **error)
{
    g_autofree char *reason = NULL;
    if (!own_stop(decision, rule, enrolment, stop_on, &reason, error) ||
        (!reason && !colleagues_stop(decision, rule, enrolment, stop_on, &reason, error)))
        return FALSE;
    *ret_reason = g_steal_pointer(&reason);
    return TRUE;
}

/* The reason for which the enrolment must end, NULL for none. */
static gboolean stop_reason(const Decision *decision, const Rule *rule, const Enrolment *enrolment, gboolean holds, char **ret_reason,
                            GError **error)
{
    if (!stop_event(decision, rule, enrolment, rule->stop_on, ret_reason, error))
        return FALSE;
    if (!*ret_reason && !holds)
        *ret_reason = g_strdup("conditions");
    return TRUE;
}

/* ---- resuming and refreshing ------------------------------------------------------------------------------------------ */

/* The first step behind the last decided one that was not decided itself; NULL: none. */
static gboolean find_next_step(const Decision *decision, const Rule *rule, const Enrolment *enrolment, const Step **ret_step, GError **error)
{
    g_auto(GStrv) decided = NULL;
    if (!store_outbox_steps(decision->subject.core->store, enrolment->id, &decided, error))
        return FALSE;
    guint count = g_strv_length(decided);
    *ret_step = schedule_next_step(rule, count ? decided[count - 1] : NULL, (const char *const *)decided);
    return TRUE;
}

static gboolean go_round(Decision *decision, const Rule *rule, const Enrolment *done, GError **error)
{
    gboolean begun = FALSE;
    if (!passage_next_round(&decision->subject, rule, done, &begun, error))
        return FALSE;
    decision->summary->enrolled += begun ? 1 : 0;
    return TRUE;
}

/* Another anchor, step or window: finds anew which step is next, and when. */
static gboolean refresh(Decision *decision, const Rule *rule, Enrolment *enrolment, gboolean always, GError **error)
{
    const Step *step = NULL;
    gint64 due_ms = enrolment->due_ms, anchor_ms = passage_anchor(&decision->subject, rule, enrolment->round);
    g_autofree char *next_step = g_strdup(enrolment->next_step);
    if (!find_next_step(decision, rule, enrolment, &step, error))
        return FALSE;
    gboolean same_anchor = anchor_ms == enrolment->anchor_ms;
    enrolment->anchor_ms = anchor_ms;
    if (step)
        passage_wait_for(&decision->subject, rule, enrolment, step);
    else
        passage_finish(&decision->subject, enrolment, "");
    if (!always && same_anchor && due_ms == enrolment->due_ms && g_str_equal(next_step, enrolment->next_step))
        return TRUE;
    decision->summary->moved += always ? 0 : 1;
    return store_enrolment_update(decision->subject.core->store, enrolment, error) &&
           (step || go_round(decision, rule, enrolment, error));
}

/* Whether what ended it is over: that they had left (the stage, the conditions, a rule that was gone), or a suppression. */
static gboolean is_over_again(const Decision *decision, const Enrolment *enrolment, gboolean *ret_over, GError **error)
{
    const char *reason = enrolment->end_reason;
    if (g_str_equal(reason, "suppressed")) {
        gboolean suppressed = FALSE;
        if (!store_suppression_check(decision->subject.core->store, decision->subject.contact->email, &suppressed, NULL, error))
            return FALSE;
        *ret_over = !suppressed;
        return TRUE;
    }
    gboolean left = g_str_equal(reason, "conditions") || g_str_equal(reason, "stage-change") || g_str_equal(reason, "rule removed");
    *ret_over = left && g_ascii_strcasecmp(enrolment->stage, decision->subject.contact->stage) == 0;
    return TRUE;
}

/* What would have stopped the rule, had they been in it meanwhile, ends it for good: an answer above all. They came back by a change of
 * stage, so that one stops nothing here but after a suppression. */
static gboolean may_resume(Decision *decision, const Rule *rule, Enrolment *enrolment, gboolean *ret_may, GError **error)
{
    gboolean over = FALSE;
    g_autofree char *reason = NULL;
    *ret_may = FALSE;
    if (!is_over_again(decision, enrolment, &over, error))
        return FALSE;
    if (!over)
        return TRUE;
    guint stop_on = g_str_equal(enrolment->end_reason, "suppressed") ? rule->stop_on : rule->stop_on & ~(guint)STOP_STAGE_CHANGE;
    if (!stop_event(decision, rule, enrolment, stop_on, &reason, error))
        return FALSE;
    *ret_may = !reason;
    if (!reason)
        return TRUE;
    g_free(enrolment->end_reason);
    enrolment->end_reason = g_steal_pointer(&reason);
    return store_enrolment_update(decision->subject.core->store, enrolment, error);
}

static gboolean resume(Decision *decision, const Rule *rule, Enrolment *enrolment, GError **error)
{
    if (!store_outbox_forget_cancelled(decision->subject.core->store, enrolment->id, enrolment->end_reason, error))
        return FALSE;
    enrolment->state = ENROLMENT_ACTIVE;
    enrolment->history_mark = decision->newest_interaction;
    enrolment->ended_ms = 0;
    text_replace(&enrolment->end_reason, "");
    if (!refresh(decision, rule, enrolment, TRUE, error))
        return FALSE;
    if (enrolment->state == ENROLMENT_ACTIVE) {
        passage_log(&decision->subject, "resumed", enrolment, NULL);
        decision->summary->resumed++;
    }
    return TRUE;
}

/* ---- active ones ------------------------------------------------------------------------------------------------------ */

static gboolean is_over(OutboxState state)
{
    return state == OUTBOX_CANCELLED || state == OUTBOX_FAILED || state == OUTBOX_SENT || state == OUTBOX_SKIPPED;
}

/* Its next step is in the outbox: a person or an outcome may have ended it without the courier. */
static gboolean look_at_message(Decision *decision, const Rule *rule, Enrolment *enrolment, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    const Step *step = config_rule_step(rule, enrolment->next_step);
    if (!store_outbox_find_step(decision->subject.core->store, enrolment->id, enrolment->next_step, &message, error))
        return FALSE;
    if (message && message->state == OUTBOX_HELD && message->approval == APPROVAL_AWAITED && step && !step->approve)
        return store_outbox_spare_approval(decision->subject.core->store, message->id, decision->subject.now_ms, error);
    if (message && !is_over(message->state))
        return TRUE;
    return passage_next(&decision->subject, enrolment, message && message->ended_ms ? message->ended_ms : decision->subject.now_ms, error);
}

/* However the round before ended: another event is another occasion. */
static gboolean anchor_came_again(const Subject *subject, const Rule *rule, const Enrolment *latest)
{
    return anchor_is_repeated(rule->anchor) && schedule_round_after(rule, &subject->facts, latest->round) != 0;
}

static gboolean decide_active(Decision *decision, const Rule *rule, Enrolment *enrolment, gboolean holds, GError **error)
{
    g_autofree char *reason = NULL;
    if (!stop_reason(decision, rule, enrolment, holds, &reason, error))
        return FALSE;
    if (!reason)
        return enrolment->due_ms == 0 ? look_at_message(decision, rule, enrolment, error)
                                      : refresh(decision, rule, enrolment, FALSE, error);
    if (!store_enrolment_end(decision->subject.core->store, enrolment->id, reason, decision->subject.now_ms, error))
        return FALSE;
    passage_log(&decision->subject, "ended", enrolment, reason);
    decision->summary->ended++;
    return !anchor_came_again(&decision->subject, rule, enrolment) || go_round(decision, rule, enrolment, error);
}

static gboolean enrol(Decision *decision, const Rule *rule, GError **error)
{
    gboolean begun = FALSE;
    guint round = passage_first_round(&decision->subject, rule);
    if (round == 0)
        return TRUE;
    if (!passage_begin(&decision->subject, rule, round, decision->newest_interaction, &begun, error))
        return FALSE;
    decision->summary->enrolled += begun ? 1 : 0;
    return TRUE;
}

/* Of the round that they are in, where the anchor comes again. */
static gint64 anchor_of(const Subject *subject, const Rule *rule, const Enrolment *active)
{
    return active && anchor_is_repeated(rule->anchor) ? passage_anchor(subject, rule, active->round) : schedule_anchor(rule, &subject->facts);
}

static gboolean decide_rule(Decision *decision, const Rule *rule, Enrolment *latest, GError **error)
{
    Subject *subject = &decision->subject;
    gboolean is_active = latest && latest->state == ENROLMENT_ACTIVE;
    gint64 change_ms = 0;
    subject->facts.enrolled_ms = is_active ? latest->enrolled_ms : 0;
    gboolean holds = anchor_of(subject, rule, is_active ? latest : NULL) != 0 &&
                     conditions_hold(rule, &subject->facts, subject->calendar, subject->now_ms, &change_ms);
    if (change_ms && (!decision->reconsider_ms || change_ms < decision->reconsider_ms))
        decision->reconsider_ms = change_ms;
    if (is_active)
        return decide_active(decision, rule, latest, holds, error);
    if (!holds)
        return TRUE;
    if (!latest)
        return enrol(decision, rule, error);
    if (latest->state == ENROLMENT_DONE || anchor_came_again(subject, rule, latest)) /* or the rule came to repeat, or to repeat more often */
        return go_round(decision, rule, latest, error);
    gboolean may = FALSE;
    return may_resume(decision, rule, latest, &may, error) && (!may || resume(decision, rule, latest, error));
}

/* ---- a contact ------------------------------------------------------------------------------------------------------- */

/* The newest round of the rule, NULL for none. */
static Enrolment *latest_of(Enrolment *const *enrolments, guint count, const char *rule)
{
    Enrolment *latest = NULL;
    for (guint i = 0; i < count; i++)
        if (g_str_equal(enrolments[i]->rule, rule) && (!latest || enrolments[i]->round > latest->round))
            latest = enrolments[i];
    return latest;
}

static gboolean end_removed_rules(Decision *decision, Enrolment *const *enrolments, guint count, GError **error)
{
    const Subject *subject = &decision->subject;
    for (guint i = 0; i < count; i++) {
        const Enrolment *enrolment = enrolments[i];
        if (enrolment->state != ENROLMENT_ACTIVE || config_rule(subject->core->config, enrolment->rule))
            continue;
        if (!store_enrolment_end(subject->core->store, enrolment->id, "rule removed", subject->now_ms, error))
            return FALSE;
        passage_log(subject, "ended", enrolment, "rule removed");
        decision->summary->ended++;
    }
    return TRUE;
}

/* What waits of them goes by their owner's account, and what a gate had postponed is looked at again. */
static gboolean look_at_queue(const Subject *subject, GError **error)
{
    Store *store = subject->core->store;
    gint64 id = subject->contact->id;
    return (!subject->account || store_outbox_assign(store, id, subject->account->name, error)) &&
           store_outbox_touch(store, id, subject->now_ms, error);
}

static gboolean tell_colleagues(const Subject *subject, GError **error)
{
    const EngineCore *core = subject->core;
    if (!*core->company_rules || !*subject->contact->company)
        return TRUE;
    return store_mark_colleagues(core->store, subject->contact->id, (const char *const *)core->company_rules, error);
}

static gboolean decide_all_rules(Decision *decision, Enrolment *const *enrolments, guint count, GError **error)
{
    const Subject *subject = &decision->subject;
    const Contact *contact = subject->contact;
    for (Rule **rule = subject->core->config->rules; *rule; rule++)
        if (!decide_rule(decision, *rule, latest_of(enrolments, count, (*rule)->name), error))
            return FALSE;
    return end_removed_rules(decision, enrolments, count, error) && (count == 0 || look_at_queue(subject, error)) &&
           tell_colleagues(subject, error) &&
           (decision->reconsider_ms == contact->reconsider_ms ||
            store_contact_set_reconsider(subject->core->store, contact->id, decision->reconsider_ms, error));
}

static gboolean decide(EngineCore *core, const Contact *contact, Enrolment *const *enrolments, guint count, gint64 newest_interaction,
                       DecideSummary *summary, GError **error)
{
    Decision decision = {.newest_interaction = newest_interaction, .summary = summary};
    subject_init(&decision.subject, core, contact);
    gboolean ok = subject_read_referrals(&decision.subject, error) && referral_follow(&decision.subject, error) &&
                  decide_all_rules(&decision, enrolments, count, error);
    subject_clear(&decision.subject);
    return ok;
}

/* The mark goes first: what the decision itself marks, colleagues or the contact again, is decided once more. */
gboolean decide_contact(EngineCore *core, gint64 contact_id, DecideSummary *summary, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    g_autoptr(GPtrArray) enrolments = NULL;
    gint64 newest = 0;
    if (!store_mark_clear(core->store, contact_id, error) || !store_contact_get(core->store, contact_id, &contact, error))
        return FALSE;
    if (!contact)
        return TRUE;
    return store_enrolments_of(core->store, contact_id, &enrolments, error) && store_history_newest(core->store, &newest, error) &&
           decide(core, contact, (Enrolment *const *)enrolments->pdata, enrolments->len, newest, summary, error);
}

/* How many of the enrolments from first on are the contact's. */
static guint count_of(const GPtrArray *enrolments, guint first, gint64 contact_id)
{
    guint count = 0;
    while (first + count < enrolments->len && ((Enrolment *)enrolments->pdata[first + count])->contact_id == contact_id)
        count++;
    return count;
}

/* Read with few statements, all in the order of the marks: for a large import most of the time goes to reading one by one. */
gboolean decide_marked(EngineCore *core, guint limit, DecideSummary *summary, guint *ret_count, GError **error)
{
    g_autoptr(GPtrArray) contacts = NULL;
    g_autoptr(GPtrArray) enrolments = NULL;
    gint64 last_mark = 0, newest = 0;
    guint first = 0;
    if (!store_contacts_marked(core->store, limit, &contacts, &last_mark, error) ||
        !store_enrolments_marked(core->store, last_mark, &enrolments, error) || !store_history_newest(core->store, &newest, error) ||
        (contacts->len > 0 && !store_marks_clear_until(core->store, last_mark, error)))
        return FALSE;
    for (guint i = 0; i < contacts->len; i++) {
        const Contact *contact = contacts->pdata[i];
        guint count = count_of(enrolments, first, contact->id);
        Enrolment *const *own = count ? (Enrolment *const *)&enrolments->pdata[first] : NULL;
        if (!decide(core, contact, own, count, newest, summary, error))
            return FALSE;
        first += count;
    }
    summary->contacts += contacts->len;
    *ret_count = contacts->len;
    return TRUE;
}
