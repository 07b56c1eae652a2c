/*
 * The ledger of referrals: whom a customer introduced, by which message, and what became of it.
 *
 *     proposed --accepted (a contact in the first stage)--> accepted --first message--> contacted --customer stage--> customer
 *        '--declined, by the owner or with a reason            '------------'-- suppressed, or in a lost stage --> lost
 *
 * A person whom somebody introduces is one row for that referrer, however often they name them. Whom one contact came by is the row whose
 * contact_id they are. Rows go with their referrer.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef enum {
    REFERRAL_PROPOSED, REFERRAL_ACCEPTED, REFERRAL_DECLINED, REFERRAL_CONTACTED, REFERRAL_CUSTOMER, REFERRAL_LOST
} ReferralState;

/* "proposed", "accepted" …; and back (FALSE: no such state). */
const char *referral_state_name(ReferralState state);
gboolean referral_state_parse(const char *name, ReferralState *ret_state);

typedef struct {
    gint64 id;
    gint64 referrer_id, contact_id; /* contact_id 0: the friend is no contact (yet) */
    char *referrer, *referrer_name, *owner; /* address, name and owner of the referrer; read, not written */
    char *address;                  /* canonical; "" where none is known */
    char *name, *phone, *company;   /* "" for none */
    char *how;                      /* "text", "cc", "vcard", "forward", "code", "by hand" */
    gboolean certain;               /* see mail/introduced.h */
    char *evidence;                 /* the sentence that says it, one line */
    char *message_id;               /* of the message that it stands in; "" */
    char *rule;                     /* that asked; "" for none */
    ReferralState state;
    char *reason;                   /* of declined and lost: why; "" */
    char *basis;                    /* why they may be written to, once accepted; "" */
    gint64 at_ms;                   /* when it was proposed */
    gint64 wrote_ms;                /* when they wrote to us themselves; 0: they did not */
    gint64 accepted_ms, contacted_ms, customer_ms, ended_ms; /* ended: declined or lost; 0: not */
    guint accepted_number, customer_number; /* the how-maniest of this referrer that was accepted, that became a customer; 0: not */
} Referral;

void referral_free(Referral *referral);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Referral, referral_free)

/* ---- adding ---- */

/* Stores a new one: of the fields those that tell whom, how, why and state count; NULL strings are "". *ret_id 0: this referrer named
 * them before, and nothing is written. */
gboolean store_referral_add(Store *store, const Referral *referral, gint64 *ret_id, GError **error);

/* ---- reading; *ret_referral is NULL where there is none, and freed by the caller ---- */

gboolean store_referral_get(Store *store, gint64 id, Referral **ret_referral, GError **error);

/* That by which the contact came: the first that was accepted. */
gboolean store_referral_of_contact(Store *store, gint64 contact_id, Referral **ret_referral, GError **error);

/* The referrer's row of that address. */
gboolean store_referral_find(Store *store, gint64 referrer_id, const char *address, Referral **ret_referral, GError **error);

/* The oldest proposal of the address, whoever made it. */
gboolean store_referral_find_proposed(Store *store, const char *address, Referral **ret_referral, GError **error);

/* The newest of the referrer that is proposed, accepted or contacted. */
gboolean store_referral_under_way(Store *store, gint64 referrer_id, Referral **ret_referral, GError **error);

typedef enum { REFERRAL_BY_ACCEPTANCE, REFERRAL_BY_CUSTOMER } ReferralNumber;

/* The one of this referrer with that number. */
gboolean store_referral_numbered(Store *store, gint64 referrer_id, ReferralNumber which, guint number, Referral **ret_referral,
                                 GError **error);

/* Its number and time. */
typedef struct {
    guint number;
    gint64 at_ms;
} ReferralTime;

/* All of this referrer that have such a number (ReferralTime), in their order. Free with g_array_unref(). */
gboolean store_referral_times(Store *store, gint64 referrer_id, ReferralNumber which, GArray **ret_times, GError **error);

/* How many proposals of the referrer wait. */
gboolean store_referral_count_proposed(Store *store, gint64 referrer_id, guint *ret_count, GError **error);

typedef struct {
    guint states;       /* bits 1 << ReferralState; 0: any */
    gint64 referrer_id; /* 0: any */
    gint64 friend_id;   /* of this contact, as whom it became or by one of their addresses; 0: any. With neither of the other two */
    const char *owner;  /* of the referrer; NULL: any */
} ReferralFilter;

/* Calls func for each, oldest first, until it returns FALSE. The referral belongs to the call. */
gboolean store_referral_each(Store *store, const ReferralFilter *filter, gboolean (*func)(const Referral *referral, gpointer data),
                             gpointer data, GError **error);

/* ---- moving on. Each is told on the history of whom it concerns, by its number alone, and marks them ---- */

typedef struct {
    const char *address;        /* canonical, where the row has none, or another one is right; NULL: the row's */
    const char *stage;          /* NULL: first_stage */
    const char *first_stage, *customer_stage;
    const char *by;             /* who accepts, for the basis: "the owner", "rule ask-referral" */
} ReferralAcceptance;

typedef enum {
    REFERRAL_ACCEPT_DONE,
    REFERRAL_ACCEPT_NOT_OPEN,   /* it is accepted already, or further: nothing is written */
    REFERRAL_ACCEPT_NO_ADDRESS, /* there is nowhere to write to: nothing is written */
    REFERRAL_ACCEPT_REFUSED     /* they were known before, or are never mailed: it is declined now, and its reason says why */
} ReferralAcceptResult;

/* Makes a contact of the friend: source "referral", with the referrer's owner and language. Who became a contact since the proposal, by
 * other ways, is taken for the friend. Other referrers' proposals of the same address are declined with it. */
gboolean store_referral_accept(Store *store, gint64 id, const ReferralAcceptance *acceptance, gint64 now_ms,
                               ReferralAcceptResult *ret_result, GError **error);

/* A proposal is declined; *ret_declined FALSE: it was none. */
gboolean store_referral_decline(Store *store, gint64 id, const char *reason, gint64 now_ms, gboolean *ret_declined, GError **error);

/* To customer, from accepted, contacted or lost; or to lost, from accepted or contacted. Any other stays as it is, which is no error. That
 * somebody was contacted is seen by the history (store_history_add()). */
gboolean store_referral_move(Store *store, gint64 id, ReferralState to, const char *reason, gint64 now_ms, GError **error);

/* The friend wrote to us themselves. */
gboolean store_referral_wrote(Store *store, gint64 id, gint64 at_ms, GError **error);
