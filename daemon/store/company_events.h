/*
 * What happened to the people of a company that may stop a colleague's rule: of each kind of event, and of each tag, the newest alone, so that
 * thousands of colleagues are decided on without reading each other's histories. Gathered when first asked for, then kept.
 */
#pragma once

#include "store/contact_edit.h"
#include "store/history.h"

/* SQL over interaction i: what may stop a colleague's rule. Most of a history are our own messages, and an import gives each newcomer a first
 * stage: told of them, all people of a large company would be decided anew for each of their colleagues. */
#define IS_NEWS                                                                                                             \
    "i.silent = 0 AND i.kind IN ('reply', 'auto-reply', 'stage', 'note', 'call', 'meeting', 'referral', 'tag')"             \
    " AND NOT (i.kind = 'stage' AND i.detail LIKE '-> %') AND NOT (i.kind = 'tag' AND i.detail LIKE '" TAG_REMOVED "%')"

/* The interaction has just been stored under that id. Inside a StoreWrite. */
gboolean company_events_note(Store *store, const Interaction *interaction, gint64 id, GError **error);

/* Somebody who was of the company (0: none) no longer is, or came with a history: gathered anew when next asked for. Inside a StoreWrite. */
gboolean company_events_forget(Store *store, gint64 company_id, GError **error);
