/*
 * The Sent folder of one account, as far as the daemon wants something of it: copies of what was sent are filed there (save_sent), and
 * messages whose arrival is uncertain are searched for. The watcher does both; what was asked and what came of it is on disk.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/core.h"
#include "imap/link.h"
#include "store/outbox.h"

/* What a history says of a message that was settled by this. */
#define SENT_EVIDENCE "found in the Sent folder"

/* ---- what outcomes leave to be done; both join the caller's transaction ---- */

/* Keeps the message for the Sent folder, where the account wants copies and its provider files none by itself. What cannot be kept is
 * logged, and no error. */
gboolean sent_keep_copy(EngineCore *core, const Account *account, const OutboxMessage *message, GBytes *bytes,
                        GError **error);

/* The row is uncertain from now on. */
gboolean sent_begin_search(EngineCore *core, gint64 outbox_id, GError **error);

/* Whether the provider behind the account's SMTP server puts what it takes into the Sent folder by itself. */
gboolean sent_filed_by_provider(const Account *account);

/* How often at most an uncertain message is searched for. */
enum { SENT_SEARCHES = 4 };

/* Copies that have waited for too long are given up, and it is logged. account "": of all, those that the configuration names no more, too. */
void sent_drop_hopeless(EngineCore *core, const char *account);

/* ---- doing it ---- */

typedef struct SentWork SentWork;

typedef struct {
    /* imap_link_ask(); FALSE where there is no link. */
    gboolean (*ask)(const ImapTask *task, gpointer data);
    /* A message was settled, so that its rule goes on. */
    void (*on_settled)(gpointer data);
    gpointer data;
} SentCallbacks;

/* account has an imap, and belongs to core's configuration of now, which the caller keeps. */
SentWork *sent_work_new(EngineCore *core, const Account *account, const SentCallbacks *callbacks);
void sent_work_free(SentWork *work);

/* There may be something to do, or the watcher may be able to do it again: looks soon, from the loop. */
void sent_work_wake(SentWork *work);

/* ImapCallbacks.on_answer and on_sent_folder. */
void sent_work_answer(SentWork *work, guint64 id, ImapAnswer answer, const char *text);
void sent_work_watched(SentWork *work, gboolean watched, const char *text);

/* The link that was asked is gone, and what it was asked will not be answered. */
void sent_work_lose(SentWork *work);

/* Adds "sent_folder" (watched; else why not), "copies_waiting", "copies_reason" and "copies_retry_in_s", each where it applies. */
void sent_work_add_status(const SentWork *work, JsonObject *status);
