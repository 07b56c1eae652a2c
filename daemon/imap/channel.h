/*
 * The watcher's end of the socket pair: what it tells the parent, and how far ahead of the parent's commits it may be.
 * Every call that fails (IMAP_FAULT_PARENT) means that the watcher must end.
 */
#pragma once

#include <glib.h>

#include "imap/link.h"
#include "protocol.h"

typedef struct Channel Channel;

/* fd is the channel's from here on. */
Channel *channel_new(int fd);
/* Accepts NULL. */
void channel_free(Channel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Channel, channel_free)

/* The first thing the parent says. *ret_secret: secret_free(). */
gboolean channel_read_hello(Channel *channel, Hello **ret_hello, char **ret_secret, GError **error);

/* Sends a heartbeat where one is due. Never blocks, never fails (what is wrong is found by the next call). A StreamTick. */
void channel_tick(gpointer data);

/* A message: waits while the window (WINDOW_RECORDS, WINDOW_OCTETS) is full of what the parent has not committed. value is
 * sunk. */
gboolean channel_send_record(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, gint64 received_ms,
                             GVariant *message, GError **error);

/* Which of many messages the parent wants to be read: headers is an a(ubv) of FRAME_ASK, sunk. *ret_uids: guint32, to be freed with
 * g_array_unref(). */
gboolean channel_ask(Channel *channel, guint folder, GVariant *headers, GArray **ret_uids, GError **error);

/* "The folder is read up to uid": sent once every record of the folder that went before is committed, so that no cursor
 * passes one. */
gboolean channel_send_position(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, GError **error);

/* Before a message is read, for the parent to know whom to suspect; uid 0 afterwards. */
gboolean channel_send_suspect(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, GError **error);

/* Messages are on the way (text: why, may be ""), or nothing is left to read: WATCHING is told as soon as all is committed. */
gboolean channel_send_reading(Channel *channel, const char *text, GError **error);
gboolean channel_rest(Channel *channel, GError **error);

/* Tasks that the parent has given, oldest first. The one taken is the caller's, who answers it before the next; NULL: none. */
gboolean channel_has_task(const Channel *channel);
Task *channel_take_task(Channel *channel);

/* The next octets of the message to be filed, from offset on, at most TASK_PIECE_OCTETS: asked for and waited for. Free with
 * g_bytes_unref(). */
GBytes *channel_read_piece(Channel *channel, const Task *task, guint64 offset, GError **error);

/* How a folder goes: so many messages are left to be read, the oldest of oldest_ms (0: not known); why: "", or why it cannot be read. */
gboolean channel_send_folder(Channel *channel, guint folder, guint left, gint64 oldest_ms, const char *why, GError **error);

gboolean channel_send_answer(Channel *channel, guint64 id, ImapAnswer answer, const char *text, GError **error);

/* The last word. Does not wait for a parent that does not listen. */
void channel_send_fault(Channel *channel, const GError *fault);

/* Waits until fd (-1: none) can be read, or timeout_ms have passed; takes commits and sends heartbeats meanwhile. */
gboolean channel_wait(Channel *channel, int fd, gint64 timeout_ms, gboolean *ret_readable, GError **error);
