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

/* Takes the key of an inbound message (mail/message.h: InboundMessage.fingerprint) for this account; *ret_new FALSE: it has
 * had its effects before. */
gboolean store_inbound_take(Store *store, const char *account, const char *fingerprint, gint64 now_ms, gboolean *ret_new, GError **error);
