/*
 * Why somebody is or is not written to: for each rule whether they are enrolled, and each gate before the next step. Reads only;
 * facts that the daemon has not decided on yet are taken as they stand.
 */
#pragma once

#include <glib.h>

#include "base/clock.h"
#include "config/config.h"
#include "plan/gates.h"
#include "store/contacts.h"
#include "store/store.h"

/* One gate. */
typedef struct {
    char *gate;
    GateVerdict verdict;
    char *reason; /* "" where it is open */
    gint64 until_ms;
} GateExplanation;

/* One rule. */
typedef struct {
    char *rule;
    gboolean enrolled;    /* an enrolment is active */
    char *reason;         /* why not enrolled, or why no gate decides (the message is held, a date is missing …), or why
                           * waiting for the gate is in vain; else "" */
    char *step;           /* the next one; "" for none */
    char *variant;        /* the template that they get of it, where it tries several; "" else */
    char *state;          /* of its message in the queue; "" where it is not queued yet */
    gint64 due_ms;        /* of the step; 0: none */
    gint64 earliest_ms;   /* when it can leave as things stand; 0: not, or until something changes */
    char *decides;        /* the gate that decides; "" where the step is open or only its due time is awaited */
    GPtrArray *gates;     /* GateExplanation*; those that shut them out where they are not enrolled; none where no time is known */
} RuleExplanation;

/* What only a running daemon knows of the account that writes to the contact; zero and "" where none runs. */
typedef struct {
    gboolean blind;
    const char *unreachable; /* why the way out is closed, or "" */
} LiveAccount;

/* RuleExplanation* for each rule of the configuration, in its order; free with g_ptr_array_unref(). Errors of store/ and plan/. */
GPtrArray *explain_contact(Config *config, Store *store, Clock *clock, const Contact *contact, const LiveAccount *live, GError **error);
