/*
 * What is still to be done in the accounts' folders for sent mail: copies to be filed, with their very bytes, and messages whose
 * arrival is uncertain, to be searched for. Rows go with their contact.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

/* ---- copies ---- */

/* Of one account at most so much waits; what would go beyond is not kept. */
enum { SENT_COPIES_OCTETS = 64 * 1024 * 1024 };

typedef struct {
    gint64 id; /* counts up; a copy that is kept anew for the same message keeps it */
    gint64 outbox_id;
    char *message_id; /* without brackets */
    gint64 at_ms;     /* the date that it is to bear */
    guint tries;
} SentCopy;

void sent_copy_free(SentCopy *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SentCopy, sent_copy_free)

/* Keeps the message (no NUL in it) until it is filed, which it is once the row is sent. *ret_kept FALSE: too much waits already. */
gboolean store_copy_keep(Store *store, gint64 outbox_id, const char *account, gint64 at_ms, const char *content,
                         gboolean *ret_kept, GError **error);

/* Those of sent messages that wait, at most limit (SentCopy*, freed with the array): fewest tries first, then oldest. */
gboolean store_copies_next(Store *store, const char *account, guint limit, GPtrArray **ret_copies, GError **error);

/* The bytes; *ret_content NULL where it does not wait any more. Caller frees. */
gboolean store_copy_content(Store *store, gint64 id, char **ret_content, GError **error);

gboolean store_copy_tried(Store *store, gint64 id, GError **error);

/* It is filed, or was found there. No error where there is none. */
gboolean store_copy_done(Store *store, gint64 outbox_id, GError **error);

/* Drops those of messages that were never sent, and those older than before_ms; *ret_dropped counts the latter. account "": of every account,
 * those that the configuration does not name any more among them. */
gboolean store_copies_drop(Store *store, const char *account, gint64 before_ms, guint64 *ret_dropped, GError **error);

/* How many of sent messages wait, and the newest id of any (0: none). Each may be NULL. */
gboolean store_copies_count(Store *store, const char *account, guint64 *ret_count, gint64 *ret_newest_id, GError **error);

/* ---- searches: of rows that are uncertain; they end when the row moves on (store/outbox.h) ---- */

typedef struct {
    gint64 outbox_id;
    char *message_id;
    gint64 sending_ms; /* when the try was made that is in doubt */
    guint tries;       /* searches made */
    gint64 due_ms;     /* 0: no more */
} SentSearch;

void sent_search_free(SentSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SentSearch, sent_search_free)

/* The row is uncertain now: searched for from due_ms on, from the first search. */
gboolean store_search_begin(Store *store, gint64 outbox_id, gint64 due_ms, GError **error);

/* Those of the account's uncertain rows that are due, at most limit (SentSearch*, freed with the array), oldest first; and when the
 * next is due (0: none). */
gboolean store_searches_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_searches,
                            GError **error);
gboolean store_search_next_due(Store *store, const char *account, gint64 *ret_at_ms, GError **error);

/* A search did not find it: the next is at due_ms (0: that was the last). */
gboolean store_search_tried(Store *store, gint64 outbox_id, gint64 due_ms, GError **error);

/* *ret_search NULL where the row is not searched for. */
gboolean store_search_get(Store *store, gint64 outbox_id, SentSearch **ret_search, GError **error);
