/*
 * What must be had before a watcher can start, and may take its time: the password, and the server's addresses. In a worker
 * thread.
 */
#pragma once

#include <gio/gio.h>

#include "config/config.h"

typedef struct {
    char **addresses; /* numeric, at least one, at most MAX_ADDRESSES */
    char *secret;     /* password or token; "" where the server has no user */
} Launch;

/* Accepts NULL; wipes the secret. */
void launch_free(Launch *launch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Launch, launch_free)

/* Calls back in context (NULL: the default one), which the calling thread runs. server and token (NULL: the password is read) are
 * copied. */
void launch_prepare(const Endpoint *server, const char *token, GMainContext *context, GAsyncReadyCallback callback, gpointer data);

/* NULL and an IMAP_FAULT (NETWORK: the name; SIGN_IN: the password) where it failed. */
Launch *launch_finish(GAsyncResult *result, GError **error);

/* now_ms less the duration, by the calendar; 0 for a duration of nothing. */
gint64 launch_back_from(gint64 now_ms, const Duration *duration);
