/*
 * Back reading. Runs a context of its own in the caller's thread, and writes one transaction a message.
 *
 * The cursors are its own ("backfill 30 anna"), and go when the end is reached. Above the daemon's own cursor nothing is taken: what
 * is there has yet to come to the daemon, with all that follows from it. An entry is known again by its Message-ID on the same
 * history, whoever filed it, and else by its fingerprint.
 */
#include "engine/backfill.h"

#include <string.h>

#include "base/crashpoint.h"
#include "engine/match.h"
#include "engine/token_file.h"
#include "imap/link.h"
#include "store/cursors.h"
#include "store/history.h"
#include "store/outbox.h"

#define DETAIL "filed by nurture backfill"

typedef struct {
    const BackfillSetup *setup;
    BackfillResult *result;
    char *cursors; /* the account's name under which its cursors stand */
    GMainLoop *loop;
    ImapLink *link;
    char *fault; /* why it ended; NULL: it was read to its end */
} Backfill;

static void stop(Backfill *backfill, const char *fault)
{
    if (!backfill->fault && fault)
        backfill->fault = g_strdup(fault);
    g_main_loop_quit(backfill->loop);
}

/* ---- filing ---------------------------------------------------------------------------------------------------------- */

static gboolean is_filed(const Backfill *backfill, const InboundMessage *message, gint64 contact_id, const char *key, gboolean *ret_is, GError **error)
{
    Store *store = backfill->setup->store;
    *ret_is = FALSE;
    if (*message->message_id && !store_history_has_message(store, contact_id, message->message_id, ret_is, error))
        return FALSE;
    return *ret_is || store_inbound_seen(store, backfill->cursors, key, ret_is, error);
}

static gboolean file_with(const Backfill *backfill, const ImapRecord *record, const Contact *contact, InteractionKind kind, GError **error)
{
    const InboundMessage *message = record->message;
    Store *store = backfill->setup->store;
    gboolean filed = FALSE;
    g_autofree char *key = g_strdup_printf("backfill %" G_GINT64_FORMAT " %s", contact->id, message->fingerprint);
    const Interaction interaction = {
        .contact_id = contact->id,
        .at_ms = record->received_ms > 0 ? record->received_ms : message->date_ms,
        .kind = kind,
        .account = backfill->setup->account->name,
        .subject = message->subject,
        .text = message->text,
        .full_text = message->full_text,
        .message_id = message->message_id,
        .detail = DETAIL,
        .is_silent = TRUE,
    };
    if (!is_filed(backfill, message, contact->id, key, &filed, error))
        return FALSE;
    if (filed)
        return TRUE;
    backfill->result->filed++;
    return store_history_add(store, &interaction, NULL, error) &&
           store_inbound_add(store, backfill->cursors, key, FALSE, interaction.at_ms, error);
}

/* Each person once, whatever number of their addresses it went to. */
static gboolean file_with_recipients(const Backfill *backfill, const ImapRecord *record, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (char **address = record->message->to; *address; address++) {
        g_autoptr(Contact) contact = NULL;
        if (match_is_own_address(backfill->setup->config, *address))
            continue;
        if (!store_contact_find(backfill->setup->store, *address, &contact, error))
            return FALSE;
        if (contact && g_hash_table_add(seen, g_memdup2(&contact->id, sizeof contact->id)) &&
            !file_with(backfill, record, contact, INTERACTION_SENT, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean file_with_sender(const Backfill *backfill, const ImapRecord *record, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    if (!*record->message->from || !store_contact_find(backfill->setup->store, record->message->from, &contact, error))
        return *record->message->from == '\0';
    return !contact || file_with(backfill, record, contact,
                                 record->message->class == INBOUND_AUTO_REPLY ? INTERACTION_AUTO_REPLY : INTERACTION_REPLY, error);
}

/* What we sent by a rule is on the history already; reports and mail of machines are no conversation. */
static gboolean file(const Backfill *backfill, const ImapRecord *record, GError **error)
{
    const InboundMessage *message = record->message;
    g_autoptr(OutboxMessage) own = NULL;
    gboolean is_person = message->class == INBOUND_REPLY || message->class == INBOUND_UNSUBSCRIBE;
    gboolean by_us = record->is_sent || match_is_own_address(backfill->setup->config, message->from);
    if (!is_person && (by_us || message->class != INBOUND_AUTO_REPLY))
        return TRUE;
    if (*message->message_id && !store_outbox_find_by_message_id(backfill->setup->store, message->message_id, &own, error))
        return FALSE;
    if (own)
        return TRUE;
    return by_us ? file_with_recipients(backfill, record, error) : file_with_sender(backfill, record, error);
}

/* Whether the daemon has yet to read it. */
static gboolean is_ahead_of_daemon(const Backfill *backfill, const ImapRecord *record, gboolean *ret_ahead, GError **error)
{
    gboolean found = FALSE;
    MailboxCursor cursor = {0};
    if (!store_cursor_get(backfill->setup->store, backfill->setup->account->name, record->folder, &found, &cursor, error))
        return FALSE;
    *ret_ahead = found && cursor.uidvalidity == record->uidvalidity && record->uid > cursor.last_uid;
    return TRUE;
}

static gboolean set_cursor(const Backfill *backfill, const char *folder, guint32 uidvalidity, guint32 uid, GError **error)
{
    const MailboxCursor cursor = {.uidvalidity = uidvalidity, .last_uid = uid, .updated_ms = clock_system_now_ms()};
    return store_cursor_set(backfill->setup->store, backfill->cursors, folder, &cursor, error);
}

static gboolean take(const Backfill *backfill, const ImapRecord *record, GError **error)
{
    gboolean ahead = FALSE;
    g_autoptr(StoreTransaction) transaction = store_begin(backfill->setup->store, error);
    return transaction && is_ahead_of_daemon(backfill, record, &ahead, error) && (ahead || file(backfill, record, error)) &&
           set_cursor(backfill, record->folder, record->uidvalidity, record->uid, error) && store_commit(g_steal_pointer(&transaction), error);
}

/* ---- what the watcher tells ------------------------------------------------------------------------------------------ */

static void tell_progress(const Backfill *backfill)
{
    guint64 left = 0;
    const ImapFolderStatus *folder;
    for (guint i = 0; (folder = imap_link_folder(backfill->link, i)) != NULL; i++)
        left += folder->left;
    if (backfill->setup->on_progress)
        backfill->setup->on_progress(backfill->result->read, backfill->result->read + left, backfill->setup->data);
}

static void on_message(ImapRecord *record, gpointer data)
{
    Backfill *backfill = data;
    g_autoptr(GError) error = NULL;
    if (backfill->fault)
        return;
    if (!take(backfill, record, &error)) {
        stop(backfill, error->message);
        return;
    }
    crash_point("backfill-after-commit");
    backfill->result->read++;
    imap_link_committed(backfill->link, record->folder, record->uidvalidity, record->uid);
    tell_progress(backfill);
}

static void on_position(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data)
{
    Backfill *backfill = data;
    g_autoptr(GError) error = NULL;
    if (backfill->fault)
        return;
    if (set_cursor(backfill, folder, uidvalidity, last_uid, &error))
        imap_link_committed(backfill->link, folder, uidvalidity, last_uid);
    else
        stop(backfill, error->message);
}

static void on_state(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    (void)retry_in_ms;
    if (state == IMAP_STATE_FAILED || state == IMAP_STATE_WATCHING)
        stop(data, state == IMAP_STATE_FAILED ? text : NULL);
}

static gboolean on_get_cursor(const char *folder, guint32 *ret_uidvalidity, guint32 *ret_last_uid, gint64 *ret_updated_ms, gpointer data)
{
    const Backfill *backfill = data;
    gboolean found = FALSE;
    MailboxCursor cursor = {0};
    if (!store_cursor_get(backfill->setup->store, backfill->cursors, folder, &found, &cursor, NULL))
        return FALSE;
    *ret_uidvalidity = cursor.uidvalidity;
    *ret_last_uid = cursor.last_uid;
    *ret_updated_ms = cursor.updated_ms;
    return found;
}

static char *on_get_token(gpointer data, GError **error)
{
    const BackfillSetup *setup = ((const Backfill *)data)->setup;
    return token_file_now(setup->config->tokens_dir, setup->account->imap.server.oauth->token_name, error);
}

static void on_token_refused(gpointer data)
{
    (void)data; /* the state says it, too */
}

static void on_answer(guint64 id, ImapAnswer answer, const char *text, gpointer data)
{
    (void)id; /* nothing is asked of it */
    (void)answer;
    (void)text;
    (void)data;
}

/* ---- a run ----------------------------------------------------------------------------------------------------------- */

/* A folder that cannot be read is no end. */
static void note_unread_folder(Backfill *backfill)
{
    const ImapFolderStatus *folder;
    for (guint i = 0; !backfill->fault && (folder = imap_link_folder(backfill->link, i)) != NULL; i++)
        if (folder->kind == IMAP_FOLDER_LISTED && folder->why && *folder->why)
            backfill->fault = g_strdup_printf("folder %s: %s", folder->name, folder->why);
}

static void run_watcher(Backfill *backfill)
{
    char *const alone[] = {(char *)backfill->setup->folder, NULL};
    g_autoptr(GMainContext) context = g_main_context_new();
    Account account = *backfill->setup->account; /* its strings are the account's */
    account.imap.read_back = (Duration){.days = backfill->setup->days};
    account.imap.watch_junk = FALSE;
    account.imap.watch_sent = !backfill->setup->folder;
    account.imap.save_sent = FALSE;
    if (backfill->setup->folder)
        account.imap.folders = (char **)alone;
    const ImapCallbacks callbacks = {.on_message = on_message,
                                     .on_position = on_position,
                                     .on_state = on_state,
                                     .get_cursor = on_get_cursor,
                                     .get_token = on_get_token,
                                     .token_refused = on_token_refused,
                                     .on_answer = on_answer,
                                     .data = backfill};
    backfill->loop = g_main_loop_new(context, FALSE);
    backfill->link = imap_link_new(&account, backfill->setup->program, context, &callbacks);
    g_main_loop_run(backfill->loop);
    note_unread_folder(backfill);
    imap_link_free(g_steal_pointer(&backfill->link));
    while (g_main_context_iteration(context, FALSE)) /* what was under way for the link lets go of it */
        ;
    g_clear_pointer(&backfill->loop, g_main_loop_unref);
}

gboolean backfill_run(const BackfillSetup *setup, BackfillResult *ret_result, GError **error)
{
    *ret_result = (BackfillResult){0};
    Backfill backfill = {.setup = setup, .result = ret_result};
    backfill.cursors = g_strdup_printf("backfill %d %s", setup->days, setup->account->name);
    run_watcher(&backfill);
    gboolean ok = !backfill.fault && store_cursors_clear(setup->store, backfill.cursors, error);
    if (backfill.fault)
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_MISSING, "%s; what was read is filed, and the same command goes on from there", backfill.fault);
    g_free(backfill.fault);
    g_free(backfill.cursors);
    return ok;
}
