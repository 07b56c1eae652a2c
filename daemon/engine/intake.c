/*
 * The intake of one account. Runs on the loop; the mailbox itself is read by a child process (imap/link.h).
 *
 * A message's effects, its fingerprint and the cursor are committed together (invariant 3), many messages at once where they come fast; only
 * then is the child told to go on. If the store refuses, the watcher is ended and begins again at the cursor that is on disk.
 */
#include "engine/intake.h"

#include "base/crashpoint.h"
#include "base/log.h"
#include "engine/canary.h"
#include "engine/effects.h"
#include "engine/match.h"
#include "engine/outbound.h"
#include "engine/referral.h"
#include "engine/sent.h"
#include "engine/unreadable.h"
#include "imap/link.h"
#include "store/cursors.h"

enum {
    RESTART_MS = 5000,
    BATCH_RECORDS = 256, /* as many go into one transaction, where they come that fast; */
    BATCH_MS = 2,        /* one waits for others as long as the last commit took, that is at least */
    BATCH_MAX_MS = 50    /* and at most this: so that half of the time goes into commits, however slow the disk */
};

struct Intake {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    char *program;
    IntakeCallbacks callbacks;
    ImapLink *link; /* NULL while waiting for the store */
    SentWork *sent;
    GPtrArray *waiting; /* ImapRecord*: read, not yet stored; in the order of reading */
    guint commit_source;
    gint64 commit_ms; /* what the last commit took */
    guint restart_source;
    guint blind_source; /* looks again when blind_after is over */
    gint64 started_ms;  /* monotonic */
    ImapState state;
    char *reason;
    gint64 retry_at_ms; /* monotonic; 0: none */
};

static void start_link(Intake *intake);

/* ---- the store's side ------------------------------------------------------------------------------------------------ */

static gint64 arrival_time(const Intake *intake, gint64 received_ms)
{
    gint64 now_ms = clock_now_ms(intake->core->clock);
    if (clock_is_virtual(intake->core->clock) || received_ms <= 0)
        return now_ms; /* the mail server knows nothing of our virtual time */
    return MIN(received_ms, now_ms);
}

static gboolean set_cursor(Intake *intake, const char *folder, guint32 uidvalidity, guint32 uid, GError **error)
{
    const MailboxCursor cursor = {.uidvalidity = uidvalidity, .last_uid = uid, .updated_ms = clock_now_ms(intake->core->clock)};
    return store_cursor_set(intake->core->store, intake->account->name, folder, &cursor, error);
}

/* A copy to oneself lies in the inbox as well, where it says nothing; in the Sent folder it must still count. */
static char *fingerprint_of(const ImapRecord *record)
{
    return g_strconcat(record->is_sent ? "sent " : "", record->message->fingerprint, NULL);
}

static gboolean apply(Intake *intake, const ImapRecord *record, gboolean *ret_filed, GError **error)
{
    const char *const *prospect_folders = (const char *const *)intake->account->imap.prospect_folders;
    const Arrival arrival = {.account = intake->account,
                             .message = record->message,
                             .at_ms = arrival_time(intake, record->received_ms),
                             .adopts_strangers = g_strv_contains(prospect_folders, record->folder),
                             .is_junk = record->is_junk};
    if (inbound_message_is_unreadable(record->message)) {
        unreadable_keep(intake->config, intake->account->name, record->folder, record->uidvalidity, record->uid, record->message);
        return TRUE;
    }
    if (!canary_take(intake->core, intake->account, record, ret_filed, error))
        return FALSE;
    if (*ret_filed)
        return TRUE;
    return record->is_sent ? outbound_apply(intake->core, &arrival, ret_filed, error)
                           : effects_apply(intake->core, &arrival, ret_filed, error);
}

static gboolean apply_once(Intake *intake, const ImapRecord *record, gboolean *ret_filed, GError **error)
{
    Store *store = intake->core->store;
    const char *account = intake->account->name;
    gboolean seen = FALSE;
    g_autofree char *fingerprint = fingerprint_of(record);
    *ret_filed = FALSE;
    return store_inbound_seen(store, account, fingerprint, &seen, error) &&
           (seen || (apply(intake, record, ret_filed, error) &&
                     store_inbound_add(store, account, fingerprint, *ret_filed, clock_now_ms(intake->core->clock), error)));
}

/* The last of a run of records from one folder: where its cursor goes. */
static gboolean ends_run(const GPtrArray *records, guint index)
{
    const ImapRecord *record = records->pdata[index];
    const ImapRecord *next = index + 1 < records->len ? records->pdata[index + 1] : NULL;
    return !next || next->folder != record->folder || next->uidvalidity != record->uidvalidity;
}

static gboolean commit_records(Intake *intake, const GPtrArray *records, gboolean *ret_filed, GError **error)
{
    g_autoptr(StoreTransaction) transaction = store_begin(intake->core->store, error);
    for (guint i = 0; transaction && i < records->len; i++) {
        const ImapRecord *record = records->pdata[i];
        gboolean filed;
        if (!apply_once(intake, record, &filed, error) ||
            (ends_run(records, i) && !set_cursor(intake, record->folder, record->uidvalidity, record->uid, error)))
            return FALSE;
        *ret_filed |= filed;
    }
    if (!transaction)
        return FALSE;
    crash_point("intake-before-commit");
    if (!store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    crash_point("intake-after-commit");
    return TRUE;
}

static void record_free(gpointer data)
{
    ImapRecord *record = data;
    inbound_message_free(record->message);
    g_free(record);
}

static GPtrArray *take_waiting(Intake *intake)
{
    g_clear_handle_id(&intake->commit_source, g_source_remove);
    GPtrArray *records = intake->waiting;
    intake->waiting = g_ptr_array_new_with_free_func(record_free);
    return records;
}

static gboolean on_restart(gpointer data)
{
    Intake *intake = data;
    intake->restart_source = 0;
    g_ptr_array_unref(take_waiting(intake));
    imap_link_free(intake->link);
    sent_work_lose(intake->sent);
    start_link(intake);
    return G_SOURCE_REMOVE;
}

/* What was read but could not be stored is read again from the cursor. */
static void restart_later(Intake *intake, const GError *error)
{
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", intake->account->name), LOG_TEXT("reason", error->message));
    if (!intake->restart_source)
        intake->restart_source = g_timeout_add(RESTART_MS, on_restart, intake);
}

/* ---- the watcher's side ---------------------------------------------------------------------------------------------- */

static void commit_waiting(Intake *intake)
{
    gboolean filed = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = take_waiting(intake);
    const gint64 began_ms = clock_monotonic_ms();
    if (!commit_records(intake, records, &filed, &error)) {
        restart_later(intake, error);
        return;
    }
    intake->commit_ms = clock_monotonic_ms() - began_ms;
    for (guint i = 0; i < records->len; i++) {
        const ImapRecord *record = records->pdata[i];
        if (ends_run(records, i))
            imap_link_committed(intake->link, record->folder, record->uidvalidity, record->uid);
    }
    if (filed)
        intake->callbacks.on_filed(intake->callbacks.data);
}

static gboolean on_commit(gpointer data)
{
    Intake *intake = data;
    intake->commit_source = 0;
    commit_waiting(intake);
    return G_SOURCE_REMOVE;
}

/* By the header alone: what effects_apply() would ignore as nobody's. A store that does not answer is met again by the message itself. */
static gboolean on_is_wanted(const ImapRecord *header, gpointer data)
{
    const Intake *intake = data;
    const InboundMessage *message = header->message;
    g_auto(Match) match = {.by = ""};
    g_autoptr(GError) error = NULL;
    gboolean adopts = g_strv_contains((const char *const *)intake->account->imap.prospect_folders, header->folder);
    gboolean own = g_ascii_strcasecmp(message->from, intake->account->from_address) == 0; /* the canary comes this way */
    if (adopts || header->is_sent || *message->token || own || inbound_message_is_unreadable(message))
        return TRUE;
    if (match_is_own_address(intake->core->config, message->from))
        return FALSE;
    if (!match_find(intake->core, message, &match, &error) || match.contact || match.answers || match.about_task ||
        referral_may_be_taken(intake->core, message))
        return TRUE;
    log_event(LOG_LEVEL_DEBUG, "ignored", LOG_TEXT("account", intake->account->name), LOG_TEXT("from", message->from),
              LOG_TEXT("message_id", message->message_id), LOG_TEXT("reason", "from nobody known, and answers nothing that was sent; not read"));
    return FALSE;
}

static void on_message(ImapRecord *record, gpointer data)
{
    Intake *intake = data;
    if (intake->restart_source)
        return; /* nothing may overtake the message that could not be stored */
    ImapRecord *kept = g_memdup2(record, sizeof *record);
    record->message = NULL;
    g_ptr_array_add(intake->waiting, kept);
    if (intake->waiting->len >= BATCH_RECORDS)
        commit_waiting(intake);
    else if (!intake->commit_source)
        intake->commit_source = g_timeout_add((guint)CLAMP(intake->commit_ms, BATCH_MS, BATCH_MAX_MS), on_commit, intake);
}

static void on_position(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data)
{
    Intake *intake = data;
    g_autoptr(GError) error = NULL;
    if (intake->restart_source)
        return;
    if (!set_cursor(intake, folder, uidvalidity, last_uid, &error)) {
        restart_later(intake, error);
        return;
    }
    imap_link_committed(intake->link, folder, uidvalidity, last_uid);
}

static gboolean on_blind_check(gpointer data)
{
    Intake *intake = data;
    intake->blind_source = 0;
    intake->callbacks.on_state(intake->callbacks.data);
    return G_SOURCE_REMOVE;
}

static void log_state(const Intake *intake, ImapState state, const char *text, gint64 retry_in_ms)
{
    if (state == IMAP_STATE_FAILED)
        log_event(LOG_LEVEL_WARNING, "mailbox-unreachable", LOG_TEXT("account", intake->account->name),
                  LOG_TEXT("server", intake->account->imap.server.url), LOG_TEXT("reason", text),
                  LOG_NUMBER("retry_in_s", retry_in_ms / 1000));
    else if (state == IMAP_STATE_WATCHING && intake->state != IMAP_STATE_READING && intake->state != IMAP_STATE_WATCHING)
        log_event(LOG_LEVEL_INFO, "mailbox-watched", LOG_TEXT("account", intake->account->name),
                  LOG_TEXT("server", intake->account->imap.server.url));
}

static void on_state(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    Intake *intake = data;
    log_state(intake, state, text, retry_in_ms);
    intake->state = state;
    g_free(intake->reason);
    intake->reason = g_strdup(text ? text : "");
    intake->retry_at_ms = state == IMAP_STATE_FAILED ? clock_monotonic_ms() + retry_in_ms : 0;
    if (state == IMAP_STATE_FAILED && !intake->blind_source)
        intake->blind_source = g_timeout_add((guint)intake->config->sending.blind_after_ms + 1, on_blind_check, intake);
    sent_work_wake(intake->sent);
    intake->callbacks.on_state(intake->callbacks.data);
}

static void on_answer(guint64 id, ImapAnswer answer, const char *text, gpointer data)
{
    sent_work_answer(((Intake *)data)->sent, id, answer, text);
}

static void on_folder(const ImapFolderStatus *folder, gpointer data)
{
    const Intake *intake = data;
    gboolean well = !*folder->why;
    if (folder->kind == IMAP_FOLDER_SENT)
        sent_work_watched(intake->sent, well, folder->why);
    else if (folder->kind == IMAP_FOLDER_LISTED && (!well || folder->again))
        log_event(well ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, well ? "folder-read" : "folder-unreadable",
                  LOG_TEXT("account", intake->account->name), LOG_TEXT("folder", folder->name), LOG_TEXT("reason", well ? NULL : folder->why));
}

static gboolean on_get_cursor(const char *folder, guint32 *ret_uidvalidity, guint32 *ret_last_uid, gint64 *ret_updated_ms, gpointer data)
{
    Intake *intake = data;
    gboolean found = FALSE;
    MailboxCursor cursor = {0};
    g_autoptr(GError) error = NULL;
    if (!store_cursor_get(intake->core->store, intake->account->name, folder, &found, &cursor, &error)) {
        /* Taking it for a first run would lose what came since: begin again when the store answers. */
        restart_later(intake, error);
        return FALSE;
    }
    *ret_uidvalidity = cursor.uidvalidity;
    *ret_last_uid = cursor.last_uid;
    *ret_updated_ms = cursor.updated_ms;
    return found;
}

/* ---- signing in ------------------------------------------------------------------------------------------------------- */

/* NULL where the mailbox is opened by password. */
static const OAuth *oauth_of(const Intake *intake)
{
    const Endpoint *server = &intake->account->imap.server;
    return server->sign_in == SIGN_IN_OAUTH2 ? server->oauth : NULL;
}

static char *on_get_token(gpointer data, GError **error)
{
    const Intake *intake = data;
    return tokens_get(intake->callbacks.tokens, oauth_of(intake), NULL, error);
}

static void on_token_refused(gpointer data)
{
    const Intake *intake = data;
    tokens_refused(intake->callbacks.tokens, oauth_of(intake));
}

void intake_token_changed(Intake *intake, const char *name)
{
    const OAuth *oauth = oauth_of(intake);
    if (intake->link && oauth && g_str_equal(oauth->token_name, name))
        imap_link_retry(intake->link);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void start_link(Intake *intake)
{
    const ImapCallbacks callbacks = {.on_message = on_message,
                                     .is_wanted = on_is_wanted,
                                     .on_position = on_position,
                                     .on_state = on_state,
                                     .get_cursor = on_get_cursor,
                                     .get_token = on_get_token,
                                     .token_refused = on_token_refused,
                                     .on_answer = on_answer,
                                     .on_folder = on_folder,
                                     .data = intake};
    intake->link = imap_link_new(intake->account, intake->program, NULL, &callbacks);
}

static gboolean on_ask(const ImapTask *task, gpointer data)
{
    Intake *intake = data;
    return intake->link && imap_link_ask(intake->link, task);
}

static void on_settled(gpointer data)
{
    Intake *intake = data;
    intake->callbacks.on_filed(intake->callbacks.data);
}

Intake *intake_new(EngineCore *core, const Account *account, const char *program, const IntakeCallbacks *callbacks)
{
    Intake *intake = g_new0(Intake, 1);
    intake->core = core;
    intake->config = config_ref(core->config);
    intake->account = account;
    intake->program = g_strdup(program);
    intake->callbacks = *callbacks;
    intake->state = IMAP_STATE_CONNECTING;
    intake->reason = g_strdup("");
    intake->started_ms = clock_monotonic_ms();
    intake->sent = sent_work_new(core, account, &(SentCallbacks){.ask = on_ask, .on_settled = on_settled, .data = intake});
    intake->waiting = g_ptr_array_new_with_free_func(record_free);
    start_link(intake);
    return intake;
}

void intake_free(Intake *intake)
{
    if (!intake)
        return;
    g_ptr_array_unref(take_waiting(intake));
    g_ptr_array_unref(intake->waiting);
    g_clear_handle_id(&intake->restart_source, g_source_remove);
    g_clear_handle_id(&intake->blind_source, g_source_remove);
    imap_link_free(intake->link);
    sent_work_free(intake->sent);
    config_unref(intake->config);
    g_free(intake->program);
    g_free(intake->reason);
    g_free(intake);
}

const char *intake_account(const Intake *intake)
{
    return intake->account->name;
}

gboolean intake_is_blind(const Intake *intake)
{
    gint64 read_ms = intake->link ? imap_link_last_read_ms(intake->link) : 0;
    return !read_ms || clock_monotonic_ms() - read_ms > intake->config->sending.blind_after_ms;
}

void intake_wake_sent(Intake *intake)
{
    sent_work_wake(intake->sent);
}

static const char *folder_state(const Intake *intake, const ImapFolderStatus *folder)
{
    if (!folder->why)
        return "not read yet";
    if (*folder->why)
        return "failed";
    return folder->left ? "reading" : intake->state == IMAP_STATE_FAILED || intake->state == IMAP_STATE_CONNECTING ? "waiting" : "watched";
}

static JsonObject *folder_status(const Intake *intake, const ImapFolderStatus *folder)
{
    JsonObject *status = json_object_new();
    json_object_set_string_member(status, "folder", folder->name);
    json_object_set_string_member(status, "state", folder_state(intake, folder));
    if (folder->read_ms)
        json_object_set_int_member(status, "read_s_ago", (clock_monotonic_ms() - folder->read_ms) / 1000);
    json_object_set_int_member(status, "not_filed", folder->left);
    if (folder->left && folder->oldest_ms) /* by the servers' clock, whatever the program's shows */
        json_object_set_int_member(status, "oldest_s", MAX(clock_system_now_ms() - folder->oldest_ms, 0) / 1000);
    if (folder->why && *folder->why)
        json_object_set_string_member(status, "reason", folder->why);
    return status;
}

static void add_folders_status(const Intake *intake, JsonObject *status, const ImapFolderStatus **ret_failed)
{
    JsonArray *folders = json_array_new();
    const ImapFolderStatus *folder;
    *ret_failed = NULL;
    for (guint i = 0; intake->link && (folder = imap_link_folder(intake->link, i)); i++) {
        json_array_add_object_element(folders, folder_status(intake, folder));
        if (!*ret_failed && folder->kind == IMAP_FOLDER_LISTED && folder->why && *folder->why)
            *ret_failed = folder;
    }
    json_object_set_array_member(status, "folders", folders);
}

/* Watched, but not every folder that the account lists: no healthy state. */
static void add_mailbox_status(const Intake *intake, JsonObject *status, const ImapFolderStatus *failed)
{
    gboolean partly = failed && intake->state == IMAP_STATE_WATCHING;
    g_autofree char *reason = partly ? g_strdup_printf("folder %s: %s", failed->name, failed->why) : g_strdup(intake->reason);
    json_object_set_string_member(status, "mailbox", partly ? "partly" : imap_state_name(intake->state));
    if (*reason)
        json_object_set_string_member(status, "mailbox_reason", reason);
}

void intake_add_status(const Intake *intake, JsonObject *status)
{
    const ImapFolderStatus *failed = NULL;
    gint64 read_ms = intake->link ? imap_link_last_read_ms(intake->link) : 0;
    add_folders_status(intake, status, &failed);
    add_mailbox_status(intake, status, failed);
    if (intake->retry_at_ms)
        json_object_set_int_member(status, "mailbox_retry_in_s", MAX(0, intake->retry_at_ms - clock_monotonic_ms()) / 1000);
    if (read_ms)
        json_object_set_int_member(status, "read_s_ago", (clock_monotonic_ms() - read_ms) / 1000);
    json_object_set_boolean_member(status, "blind", intake_is_blind(intake));
    sent_work_add_status(intake->sent, status);
    if (intake->link)
        json_object_set_int_member(status, "watcher_pid", imap_link_pid(intake->link));
}
