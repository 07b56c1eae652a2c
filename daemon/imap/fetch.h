/*
 * Reading the open folder: which messages there are, and their octets. Nothing here sets a flag (BODY.PEEK). Errors are
 * IMAP_FAULTs.
 */
#pragma once

#include <glib.h>

#include "session.h"

/* UIDs above after, ascending, each once. Free with g_array_unref(); elements are guint32. */
GArray *fetch_search_after(Session *session, guint32 after, GError **error);

/* UIDs of what came on the (UTC) day of since_ms or later. */
GArray *fetch_search_since(Session *session, gint64 since_ms, GError **error);

/* Those of the n (1 … FETCH_CHUNK, ascending) UIDs that are still there. */
GArray *fetch_search_these(Session *session, const guint32 *uids, guint n, GError **error);

/* Whether the open folder holds a message of this Message-ID (printable ASCII, without brackets), among what came on the (UTC) day of
 * since_ms or later (0: anywhere). *ret_refused (caller frees): the words of a server that would not look; NULL else. */
gboolean fetch_has_message_id(Session *session, const char *message_id, gint64 since_ms, gboolean *ret_found, char **ret_refused,
                              GError **error);

typedef struct {
    guint32 uid;
    guint32 size;       /* as the server tells it */
    gint64 received_ms; /* 0: not told */
} FetchItem;

/* Size and date of the n (1 … FETCH_CHUNK, ascending) UIDs: FetchItems in that order, without those that the server left
 * out. */
GArray *fetch_items(Session *session, const guint32 *uids, guint n, GError **error);

typedef struct FetchBodies FetchBodies;

/* The bodies of n items, each at most FETCH_BODY_OCTETS of it. What the server left out is not in the result. */
FetchBodies *fetch_bodies(Session *session, const FetchItem *items, guint n, GError **error);

/* The same with no more than those lines of the header that tell who wrote it and what it answers, and at most SCREEN_HEADER_OCTETS of
 * them. */
FetchBodies *fetch_headers(Session *session, const FetchItem *items, guint n, GError **error);

/* The octets of one; NULL where they did not come. They belong to bodies. */
const char *fetch_bodies_find(const FetchBodies *bodies, guint32 uid, gsize *ret_length);
void fetch_bodies_free(FetchBodies *bodies);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FetchBodies, fetch_bodies_free)
