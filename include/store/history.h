/*
 * The history: one row an interaction, never changed afterwards.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef enum {
    INTERACTION_SENT, INTERACTION_REPLY, INTERACTION_AUTO_REPLY, INTERACTION_BOUNCE, INTERACTION_COMPLAINT,
    INTERACTION_UNSUBSCRIBE, INTERACTION_SKIPPED, INTERACTION_STAGE, INTERACTION_NOTE, INTERACTION_CALL,
    INTERACTION_MEETING, INTERACTION_TASK, INTERACTION_REFERRAL, INTERACTION_OTHER, INTERACTION_TAG
} InteractionKind;

/* "sent", "auto-reply", … as in JSON; and back (FALSE: no such kind). */
const char *interaction_kind_name(InteractionKind kind);
gboolean interaction_kind_parse(const char *name, InteractionKind *ret_kind);

typedef struct {
    gint64 id, contact_id, at_ms;
    InteractionKind kind;
    const char *account, *rule, *step, *subject;
    const char *variant;   /* the template, where the step tries several; NULL or "" else */
    const char *text;      /* for a reply, only what is new in it */
    const char *full_text; /* for a reply, all of it */
    const char *basis;      /* of a message that a rule sent: why they could be written to; NULL or "" else */
    const char *message_id; /* without angle brackets */
    const char *detail;     /* why, for people: "550 5.1.1 no such user", "overdue by 12 days", "pitching -> follow-up" */
    gboolean is_silent;     /* filed only: no stop event, no answer of theirs, nothing follows from it */
} Interaction;

/* Adds one; NULL strings are "". id is ignored; *ret_id (may be NULL) is the new one. Does not mark. A reply, a call, a
 * meeting and a mail written by hand (sent, without a rule) move the contact's last_reply_ms or last_talk_ms forward, but for silent ones. What was
 * sent makes a referral that brought them a contacted one. */
gboolean store_history_add(Store *store, const Interaction *interaction, gint64 *ret_id, GError **error);

/* Calls func for each of the contact's, oldest first (by at_ms, then id), until it returns FALSE. */
gboolean store_history_each(Store *store, gint64 contact_id, gboolean (*func)(const Interaction *interaction, gpointer data),
                            gpointer data, GError **error);

/* Bits (1 << InteractionKind) of the kinds that the contact has with an id above after_id (of tags, those added alone), and the
 * newest id of all (0: none); each may be NULL. */
gboolean store_history_kinds_after(Store *store, gint64 contact_id, gint64 after_id, guint *ret_kinds, gint64 *ret_newest_id,
                                   GError **error);

/* When the contact's last interaction of that kind was; 0: there is none. */
gboolean store_history_last(Store *store, gint64 contact_id, InteractionKind kind, gint64 *ret_at_ms, GError **error);

/* The newest id of all contacts; 0: none. One look at the end of the key. */
gboolean store_history_newest(Store *store, gint64 *ret_id, GError **error);

/* As store_history_kinds_after(), over the contact's colleagues: everybody else of the same company. What we sent, what is about one person
 * alone (a bounce, a complaint, a farewell) and somebody's first stage are no events to the others. Costs the same with thousands of colleagues, but
 * for the first question after somebody came with a history, or left; it stores what it found then. */
gboolean store_history_colleagues_kinds_after(Store *store, gint64 contact_id, gint64 after_id, guint *ret_kinds, GError **error);

/* Whether one of the tags (NULL-terminated, without case) was added with an id above after_id: to the contact; or to anybody else of their
 * company. */
gboolean store_history_tagged_after(Store *store, gint64 contact_id, gint64 after_id, const char *const *tags, gboolean *ret_tagged,
                                    GError **error);
gboolean store_history_colleagues_tagged_after(Store *store, gint64 contact_id, gint64 after_id, const char *const *tags, gboolean *ret_tagged,
                                               GError **error);

/* What a person wrote, and whose contact they are. */
typedef struct {
    gint64 id, at_ms;
    InteractionKind kind; /* REPLY or UNSUBSCRIBE */
    const char *email, *first_name, *last_name, *owner, *text;
} HistoryReply;

/* Calls func for each with an id above after_id, oldest first, until it returns FALSE; silent ones are left out. */
gboolean store_history_each_reply(Store *store, gint64 after_id, gboolean (*func)(const HistoryReply *reply, gpointer data), gpointer data,
                                  GError **error);

/* How many of a kind the contact has since since_ms with a detail that begins so ("soft"; "" for any). */
gboolean store_history_count(Store *store, gint64 contact_id, InteractionKind kind, gint64 since_ms, const char *beginning, guint *ret_count,
                             GError **error);

/* Whether a message of that id (without brackets, not empty) is on the contact's history. */
gboolean store_history_has_message(Store *store, gint64 contact_id, const char *message_id, gboolean *ret_has, GError **error);

/* Drops the text and full_text of what came and went by mail before before_ms, and leaves all else: among the interactions with a number above after_id,
 * the next n_ids numbers. *ret_last_id: how far that was, 0: there is nothing behind it. */
gboolean store_history_drop_bodies(Store *store, gint64 after_id, guint n_ids, gint64 before_ms, gint64 *ret_last_id, guint64 *ret_dropped, GError **error);
