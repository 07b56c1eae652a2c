/*
 * What reports are made of, read set-wise for everybody at once. Nothing here writes. Rows belong to the call; a function that returns FALSE ends
 * the reading. Periods are from from_ms on and before to_ms.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

/* One change of stage of a contact, as the history has it. */
typedef struct {
    gint64 contact_id;
    gint64 at_ms;          /* since when they are there; of the newest one, as it was corrected since */
    const char *to;        /* "" for none */
    const char *owner_key; /* the contact's owner, folded for comparing; "" for none */
} StageChange;

/* Contact by contact, the changes of each in the order in which they were made, until to_ms. */
gboolean store_report_stages(Store *store, gint64 to_ms, gboolean (*func)(const StageChange *change, gpointer data), gpointer data, GError **error);

/* Messages of one template of a rule to the contacts of one owner that a server took in the period, or refused for good. */
typedef struct {
    const char *owner_key, *rule, *step, *variant;
    guint64 sent;
} MessageCount;

gboolean store_report_messages(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const MessageCount *count, gpointer data), gpointer data,
                               GError **error);

/* What came back for one of those messages: what answers the rule's step is about the newest of them that was sent before. */
typedef struct {
    const char *owner_key, *rule, *step, *variant;
    const char *kind;   /* "reply", "bounce", "complaint" or "unsubscribe" */
    gint64 message_id;  /* number of the message; the rows of one message and kind follow each other, oldest first */
    gint64 after_ms;    /* how long after it was sent */
} MessageEcho;

gboolean store_report_echoes(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const MessageEcho *echo, gpointer data), gpointer data,
                             GError **error);

/* A number of one owner. */
typedef struct {
    const char *owner_key;
    const char *what; /* "contacts" and "customers" (before to_ms), "new_customers", "by_hand", "calls", "meetings", "notes", "tasks_done" (in the
                         period), "tasks_open" and "tasks_overdue" (now; due before overdue_ms) */
    guint64 number;
} OwnerNumber;

gboolean store_report_owners(Store *store, gint64 from_ms, gint64 to_ms, gint64 overdue_ms, gboolean (*func)(const OwnerNumber *number, gpointer data),
                             gpointer data, GError **error);

/* ---- referrals ---- */

/* Somebody who is a customer, and whom nothing keeps from being asked: no suppression of one of their addresses or its domain. */
typedef struct {
    gint64 contact_id;
    const char *owner_key;
    gint64 customer_since_ms;
} Askable;

gboolean store_report_askable(Store *store, gint64 to_ms, gboolean (*func)(const Askable *askable, gpointer data), gpointer data, GError **error);

/* One round of the rule with one contact: what of it was sent in the period. */
typedef struct {
    gint64 contact_id;
    const char *owner_key;
    gint64 at_ms;        /* its first message in the period */
    gboolean is_answered; /* a reply to one of its messages came */
} Ask;

gboolean store_report_asks(Store *store, const char *rule, gint64 from_ms, gint64 to_ms, gboolean (*func)(const Ask *ask, gpointer data), gpointer data,
                           GError **error);

/* A referral that was made in the period. */
typedef struct {
    const char *owner_key; /* of the referrer's owner */
    const char *rule;      /* that asked; "" for none */
    const char *state;     /* as referral_state_name() */
    gint64 at_ms;
    const char *attributes; /* of the friend, a JSON object as text; "" where they are no contact */
} ReferralLine;

gboolean store_report_referrals(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const ReferralLine *line, gpointer data), gpointer data,
                                GError **error);
