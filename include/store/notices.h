/*
 * Notices: mails to an account's owner about what came in. They are no outbox rows: no contact's limit or history knows them.
 *
 *     queued -> sending -> sent | failed        sending, found at start -> queued: a second copy does the owner no harm
 *     empty: a digest with nothing in it; only its time and mark are kept
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    gint64 id;
    char *account;
    gboolean is_digest;
    char *subject, *text;
    char *message_id; /* without brackets */
    guint tries;
    gint64 created_ms;
} Notice;

void notice_free(Notice *notice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Notice, notice_free)

/* Queues one. history_mark: of a digest, the newest interaction that it tells of; text NULL: an empty one, which is not sent. */
gboolean store_notice_add(Store *store, const Notice *notice, gint64 history_mark, GError **error);

/* When the account's last digest was made, empty or not, and its mark; 0 where there was none. */
gboolean store_notice_last_digest(Store *store, const char *account, gint64 *ret_at_ms, gint64 *ret_history_mark, GError **error);

/* How many of the account were made since, digests left out. */
gboolean store_notice_count(Store *store, const char *account, gint64 since_ms, guint *ret_count, GError **error);

/* The oldest that is queued, now sending; *ret_notice NULL where none is. */
gboolean store_notice_take(Store *store, const char *account, Notice **ret_notice, GError **error);

/* What became of it: sent, failed, or (neither) queued again, with one try more. Those that ended 30 days ago are dropped. */
gboolean store_notice_end(Store *store, gint64 id, gboolean sent, gboolean failed, gint64 now_ms, GError **error);

/* At start: what was being sent is queued again. */
gboolean store_notice_recover(Store *store, GError **error);
