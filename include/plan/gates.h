/*
 * The gates that a decided step must pass before it leaves, in one place and one order, each with the name that
 * `nurture why` prints. Used by the courier at the claim, by `why` and by the rehearsal alike.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "plan/calendar.h"

typedef enum {
    GATE_OPEN,      /* may leave now */
    GATE_WAIT,      /* not before until_ms (0: until something changes) */
    GATE_SKIP,      /* this step is left out, the rule goes on */
    GATE_STOP       /* the enrolment ends */
} GateVerdict;

/* Everything that the gates look at; filled by engine/. */
typedef struct {
    gint64 now_ms;
    gint64 planned_ms;          /* when the step was due */
    const Window *window;       /* the rule's, account's or sending's, as far as the step leaves it (schedule_window()) */
    gint64 until_ms;            /* the rule's `until`; 0 or G_MAXINT64: no end */
    const char *unmet;          /* the first condition of the step (`if`) that does not hold, in words; NULL or "": they hold */
    gboolean is_task;           /* goes to the owner: what spares the contact (quiet_after_contact, min_gap, max_per) does not hold it */
    gboolean awaits_approval;
    const Calendar *calendar;
    GTimeZone *zone;            /* the contact's */
    Duration min_gap, max_late;
    gboolean enrolled;          /* the enrolment is active and its conditions hold */
    const char *suppressed;     /* reason, or "" */
    gint64 paused_until_ms;     /* the contact's pause; 0 none, G_MAXINT64 until resumed */
    const char *pause_reason;   /* why, where it was not a person who paused; NULL or "": not told */
    gboolean asks;              /* the step asks for a referral: the next three hold it */
    gint64 asked_ms;            /* when another round last asked them; 0: never */
    Duration cooldown;
    gint64 trouble_ms;          /* their last unanswered complaint or low score; 0: none */
    const char *trouble_what;   /* which, in words */
    Duration trouble;
    gboolean referral_under_way;
    gint64 hold_until_ms;       /* an absence or the like; 0: none */
    const char *hold_reason;    /* "" or why, in words */
    gint64 last_contacted_ms;   /* by a rule; 0: never */
    gint64 last_conversation_ms; /* when the person wrote, or the owner wrote or spoke to them by hand; 0: never */
    Duration quiet_after_contact;
    MaxPer max_per;
    gint64 nth_day_ms, nth_week_ms, nth_month_ms; /* when the max_per.day-th (…) newest message went to them; 0: there are fewer */
    const char *account_paused; /* reason, or "": the account's, or all sending's */
    const char *account_missing; /* the owner's name, where they have no account; else "" */
    gboolean blind;             /* the account's mailbox was not read for blind_after */
    const char *canary;         /* why the account's last message to itself failed; NULL or "": it did not */
    gint64 account_next_ms;     /* earliest time that the account's limits allow; 0: now */
} GateFacts;

typedef struct {
    GateVerdict verdict;
    const char *gate; /* static: in the order of the table in gates.c */
    gint64 until_ms;
    char *reason;     /* for people; free with gate_result_clear() */
} GateResult;

void gate_result_clear(GateResult *result);

/* The last moment at which the step is not too late; G_MAXINT64: it never is. */
gint64 gates_last_moment(const GateFacts *facts);

/* What the reason of the gate `late` begins with. */
#define GATES_OVERDUE "overdue by "

/* Why a step is left out whose own condition (`if`) is that: GateFacts.unmet. */
char *gates_reason_unmet(const char *unmet);

/* The first gate that is not open decides: STOP before SKIP before WAIT; of several that wait, the latest until_ms counts (moved into
 * the window), and the gate that gives it is named. `if` is asked only
 * where all others are open. With all open, gate is "" and verdict GATE_OPEN. */
void gates_decide(const GateFacts *facts, GateResult *ret_result);

/* Every gate's own result, in order, for `nurture why`: calls func for each. The result belongs to the call. */
void gates_explain(const GateFacts *facts, void (*func)(const GateResult *result, gpointer data), gpointer data);
