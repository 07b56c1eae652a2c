/*
 * How far each mailbox has been read, and which inbound messages have had their effects. Both are written in the
 * transaction of those effects.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    guint32 uidvalidity;
    guint32 last_uid;    /* the highest that was dealt with; 0 with uidvalidity: an empty mailbox's beginning */
    gint64 updated_ms;   /* business time of the last step forward */
} MailboxCursor;

/* *ret_found FALSE where the folder was never read. */
gboolean store_cursor_get(Store *store, const char *account, const char *folder, gboolean *ret_found, MailboxCursor *ret_cursor,
                          GError **error);
gboolean store_cursor_set(Store *store, const char *account, const char *folder, const MailboxCursor *cursor, GError **error);

/* All of the account go. */
gboolean store_cursors_clear(Store *store, const char *account, GError **error);

/* Whether a message of this key (mail/message.h: InboundMessage.fingerprint) has had its effects: it came to this account before, or was
 * filed when it came to another. */
gboolean store_inbound_seen(Store *store, const char *account, const char *fingerprint, gboolean *ret_seen, GError **error);

/* Notes that it came to this account; filed: it is on somebody's history. One that is noted already stays as it is. */
gboolean store_inbound_add(Store *store, const char *account, const char *fingerprint, gboolean filed, gint64 now_ms, GError **error);
