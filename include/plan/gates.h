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
    const Window *window;
    const Calendar *calendar;
    GTimeZone *zone;            /* the contact's */
    Duration min_gap, max_late;
    gboolean enrolled;          /* the enrolment is active and its conditions hold */
    const char *suppressed;     /* reason, or "" */
    gint64 paused_until_ms;     /* the contact's pause; 0 none, G_MAXINT64 until resumed */
    gint64 last_contacted_ms;   /* 0: never */
    const char *account_paused; /* reason, or "": the account's, or all sending's */
    const char *account_missing; /* the owner's name, where they have no account; else "" */
    gboolean blind;             /* the account's mailbox was not read for blind_after */
    gint64 account_next_ms;     /* earliest time that the account's limits allow; 0: now */
} GateFacts;

typedef struct {
    GateVerdict verdict;
    const char *gate; /* static: "enrolled" "suppressed" "late" "paused" "owner" "account" "blind" "window" "min_gap" "limits" */
    gint64 until_ms;
    char *reason;     /* for people; free with gate_result_clear() */
} GateResult;

void gate_result_clear(GateResult *result);

/* The first gate that is not open decides: STOP before SKIP before WAIT; of several that wait, the latest until_ms counts (moved into
 * the window), and the gate that gives it is named. With all open, gate is "" and verdict GATE_OPEN. */
void gates_decide(const GateFacts *facts, GateResult *ret_result);

/* Every gate's own result, in order, for `nurture why`: calls func for each. The result belongs to the call. */
void gates_explain(const GateFacts *facts, void (*func)(const GateResult *result, gpointer data), gpointer data);
