/*
 * Proposals: what somebody's mail says about an address that will not do any more, for the owner to accept or to decline. Nothing follows
 * from one before that. A proposal goes with its contact.
 */
#pragma once

#include <glib.h>

#include "mail/message.h"
#include "store/store.h"

/* So many of one contact are open at most; what comes beyond is not kept. */
enum { PROPOSALS_MOST = 5 };

/* Why nothing is sent to somebody of whom it is proposed that they have left (Contact.hold_reason). */
#define PROPOSAL_HOLD "has left: nurture proposal list"

typedef enum { PROPOSAL_OPEN, PROPOSAL_ACCEPTED, PROPOSAL_DECLINED } ProposalState;
const char *proposal_state_name(ProposalState state); /* "open", "accepted", "declined" */

typedef struct {
    gint64 id, contact_id;
    DepartureKind kind; /* never DEPARTURE_NONE */
    char *email;        /* of the contact, as read; not looked at when it is added */
    char *owner;        /* as email */
    char *address;      /* canonical; "" where none was named */
    char *name;         /* "" for none */
    char *evidence;     /* the sentence that says it */
    char *account;      /* whose mailbox it was found in */
    char *message_id;   /* of the mail that says it, without brackets; "" */
    ProposalState state;
    gint64 at_ms, ended_ms;
} Proposal;

void proposal_free(Proposal *proposal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proposal, proposal_free)

/* Adds an open one. *ret_added FALSE: the contact has one of that kind and address already, open or decided, or too many. */
gboolean store_proposal_add(Store *store, const Proposal *proposal, gboolean *ret_added, GError **error);

/* *ret_proposal NULL where there is none. */
gboolean store_proposal_get(Store *store, gint64 id, Proposal **ret_proposal, GError **error);

/* Accepted or declined. *ret_ended FALSE: it was not open (any more). */
gboolean store_proposal_end(Store *store, gint64 id, ProposalState state, gint64 now_ms, gboolean *ret_ended, GError **error);

/* Calls func for each, oldest first, until it returns FALSE: the open ones, or all. */
gboolean store_proposal_each(Store *store, gboolean all, gboolean (*func)(const Proposal *proposal, gpointer data), gpointer data, GError **error);
