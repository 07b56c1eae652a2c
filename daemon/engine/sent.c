/*
 * Copies and searches of one account. Runs on the loop; what is asked of the watcher is bounded by the link.
 *
 *   copy     kept (with the outcome) -> asked -> FILED, FOUND: gone.  REFUSED, NO_FOLDER: tried again after a back-off
 *                                       asked -> LOST, or the daemon ended: looked for before it is filed again
 *   search   due -> asked -> FOUND: sent, with that evidence.  NOT_FOUND: due again, each time later -> on_uncertain
 *
 * A copy that an earlier run may have asked for is one that was kept before this run began (id up to doubtful_id), so that no write is
 * needed before asking. Servers may still be at work on what a watcher that has just died gave them: hence SETTLE_MS.
 *
 * The back-off is machine time, as all towards servers; searches are due in business time.
 */
#include "engine/sent.h"

#include <string.h>

#include "base/crashpoint.h"
#include "base/log.h"
#include "engine/outcome.h"
#include "store/sent.h"

enum {
    ASKED_AT_MOST = 8, /* of each kind at a time */
    SETTLE_MS = 5 * 1000,
    BACKOFF_REFUSED_MS = 60 * 1000,
    BACKOFF_LONGEST_MS = 60 * 60 * 1000,
    BACKOFF_MAX_DOUBLINGS = 12,
    STORE_RETRY_MS = 5 * 1000,
    DAY_MS = 24 * 3600 * 1000
};

static const gint64 COPIES_KEPT_MS = (gint64)30 * DAY_MS;

/* From the moment of doubt to the first search, and from each to the next: providers file what they took within seconds, mostly. */
static const gint64 search_after_ms[SENT_SEARCHES] = {10 * 1000, 60 * 1000, 10 * 60 * 1000, 60 * 60 * 1000};

struct SentWork {
    EngineCore *core;
    const Account *account;
    SentCallbacks callbacks;
    ClockTimer *timer;  /* the next search */
    guint work_source;  /* idle source; 0: asleep */
    GHashTable *asked;  /* guint64* task id -> Ask* */
    guint64 last_id;    /* of a task */
    gint64 doubtful_id; /* copies up to this one may have been asked for before */
    gint64 newest_id;   /* of a copy that was asked for */
    guint failures;     /* in a row */
    gint64 retry_at_ms; /* monotonic: nothing is asked before; 0: no back-off */
    guint retry_source;
    char *why;       /* of the back-off */
    char *unwatched; /* why the folder is not read; NULL: not known yet */
};

typedef struct {
    ImapTaskKind kind;
    gint64 outbox_id, copy_id;
} Ask;

/* ---- what outcomes leave to be done ---------------------------------------------------------------------------------- */

gboolean sent_filed_by_provider(const Account *account)
{
    static const char *const hosts[] = {"smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com",
                                        "smtp-mail.outlook.com", NULL};
    g_autofree char *host = g_ascii_strdown(account->smtp.server.host, -1);
    return g_strv_contains(hosts, host);
}

gboolean sent_keep_copy(EngineCore *core, const Account *account, const OutboxMessage *message, GBytes *bytes,
                        GError **error)
{
    if (!account->has_imap || !account->imap.save_sent || sent_filed_by_provider(account) || !bytes)
        return TRUE;
    gsize length;
    const char *octets = g_bytes_get_data(bytes, &length);
    gboolean kept = FALSE;
    if (length > 0 && !memchr(octets, '\0', length)) { /* never, as mail/ composes */
        g_autofree char *content = g_strndup(octets, length);
        if (!store_copy_keep(core->store, message->id, account->name, message->sending_ms, content, &kept, error))
            return FALSE;
    }
    core->sent_work |= kept;
    if (!kept)
        log_event(LOG_LEVEL_WARNING, "copy-dropped", LOG_TEXT("account", account->name), LOG_NUMBER("message", message->id),
                  LOG_TEXT("reason", "too many copies wait to be filed in the Sent folder; see nurture status"));
    return TRUE;
}

gboolean sent_begin_search(EngineCore *core, gint64 outbox_id, GError **error)
{
    core->sent_work = TRUE;
    return store_search_begin(core->store, outbox_id, clock_now_ms(core->clock) + search_after_ms[0], error);
}

/* ---- back-off -------------------------------------------------------------------------------------------------------- */

static void log_store_fault(const SentWork *work, const GError *error)
{
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", work->account->name), LOG_TEXT("reason", error->message));
}

static gboolean on_retry(gpointer data)
{
    SentWork *work = data;
    work->retry_source = 0;
    work->retry_at_ms = 0;
    sent_work_wake(work);
    return G_SOURCE_REMOVE;
}

/* What was asked for so far may be there. */
static void wait_before_asking(SentWork *work, gint64 wait_ms)
{
    work->doubtful_id = MAX(work->doubtful_id, work->newest_id);
    work->retry_at_ms = clock_monotonic_ms() + wait_ms;
    g_clear_handle_id(&work->retry_source, g_source_remove);
    work->retry_source = g_timeout_add((guint)wait_ms, on_retry, work);
}

void sent_drop_hopeless(EngineCore *core, const char *account)
{
    g_autoptr(GError) error = NULL;
    guint64 dropped = 0;
    if (!store_copies_drop(core->store, account, clock_now_ms(core->clock) - COPIES_KEPT_MS, &dropped, &error))
        log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", account), LOG_TEXT("reason", error->message));
    else if (dropped)
        log_event(LOG_LEVEL_WARNING, "copy-dropped", LOG_TEXT("account", *account ? account : NULL), LOG_NUMBER("messages", (gint64)dropped),
                  LOG_TEXT("reason", "for 30 days they could not be filed in the Sent folder"));
}

/* refused: the server said no; else the connection was lost. The first of several that fail at once says so. */
static void back_off(SentWork *work, gboolean refused, const char *why)
{
    gint64 first_ms = refused ? BACKOFF_REFUSED_MS : SETTLE_MS;
    gint64 wait_ms = MIN(first_ms << MIN(work->failures, BACKOFF_MAX_DOUBLINGS), BACKOFF_LONGEST_MS);
    if (work->retry_at_ms && work->why)
        return;
    work->failures++;
    g_free(work->why);
    work->why = g_strdup(why);
    log_event(LOG_LEVEL_WARNING, "copies-wait", LOG_TEXT("account", work->account->name), LOG_TEXT("reason", why),
              LOG_NUMBER("retry_in_s", wait_ms / 1000));
    wait_before_asking(work, wait_ms);
    sent_drop_hopeless(work->core, work->account->name);
}

static void note_well(SentWork *work)
{
    work->failures = 0;
    g_clear_pointer(&work->why, g_free);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

static gboolean is_asked(const SentWork *work, ImapTaskKind kind, gint64 outbox_id)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, work->asked);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Ask *ask = value;
        if (ask->kind == kind && ask->outbox_id == outbox_id)
            return TRUE;
    }
    return FALSE;
}

/* FALSE: not now. */
static gboolean ask(SentWork *work, ImapTask *task, gint64 outbox_id, gint64 copy_id)
{
    task->id = ++work->last_id;
    if (!work->callbacks.ask(task, work->callbacks.data))
        return FALSE;
    const Ask asked = {.kind = task->kind, .outbox_id = outbox_id, .copy_id = copy_id};
    g_hash_table_insert(work->asked, g_memdup2(&task->id, sizeof task->id), g_memdup2(&asked, sizeof asked));
    work->newest_id = MAX(work->newest_id, copy_id);
    crash_point(task->kind == IMAP_TASK_FILE ? "copy-asked" : "search-asked");
    return TRUE;
}

/* A server's dates have nothing to do with a virtual clock. */
static gint64 since(const SentWork *work, gint64 at_ms)
{
    return clock_is_virtual(work->core->clock) ? 0 : MAX(at_ms - 2 * (gint64)DAY_MS, 0);
}

static gboolean ask_searches(SentWork *work, gboolean *ret_more, GError **error)
{
    g_autoptr(GPtrArray) due = NULL;
    if (!store_searches_due(work->core->store, work->account->name, clock_now_ms(work->core->clock), 2 * ASKED_AT_MOST, &due,
                            error))
        return FALSE;
    for (guint i = 0; i < due->len && *ret_more; i++) {
        const SentSearch *search = due->pdata[i];
        ImapTask task = {.kind = IMAP_TASK_SEARCH,
                         .id = 1,
                         .message_id = search->message_id,
                         .since_ms = since(work, search->sending_ms)};
        if (is_asked(work, IMAP_TASK_SEARCH, search->outbox_id))
            continue;
        if (!imap_task_is_possible(&task)) {
            if (!store_search_tried(work->core->store, search->outbox_id, 0, error))
                return FALSE;
            continue;
        }
        *ret_more = ask(work, &task, search->outbox_id, 0);
    }
    return TRUE;
}

static gboolean ask_copy(SentWork *work, const SentCopy *copy, gboolean *ret_more, GError **error)
{
    g_autofree char *text = NULL;
    if (!store_copy_content(work->core->store, copy->id, &text, error))
        return FALSE;
    if (!text)
        return TRUE;
    gsize length = strlen(text);
    g_autoptr(GBytes) content = g_bytes_new_take(g_steal_pointer(&text), length);
    ImapTask task = {.kind = IMAP_TASK_FILE,
                     .id = 1,
                     .message_id = copy->message_id,
                     .maybe_there = copy->tries > 0 || copy->id <= work->doubtful_id,
                     .at_ms = copy->at_ms,
                     .since_ms = since(work, copy->at_ms),
                     .content = content};
    if (!imap_task_is_possible(&task))
        return store_copy_done(work->core->store, copy->outbox_id, error);
    *ret_more = ask(work, &task, copy->outbox_id, copy->id);
    return TRUE;
}

/* While the server says no, one at a time shows whether it still does. */
static gboolean ask_copies(SentWork *work, gboolean *ret_more, GError **error)
{
    guint limit = work->failures ? 1 : 2 * ASKED_AT_MOST; /* twice, since those that are asked already come first */
    g_autoptr(GPtrArray) copies = NULL;
    if (!store_copies_next(work->core->store, work->account->name, limit, &copies, error))
        return FALSE;
    for (guint i = 0; i < copies->len && *ret_more; i++) {
        const SentCopy *copy = copies->pdata[i];
        if (!is_asked(work, IMAP_TASK_FILE, copy->outbox_id) && !ask_copy(work, copy, ret_more, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean work_once(SentWork *work, GError **error)
{
    gboolean more = TRUE;
    gint64 next_ms = 0, now_ms = clock_now_ms(work->core->clock);
    if (work->retry_at_ms)
        return TRUE;
    if (!ask_searches(work, &more, error) || !ask_copies(work, &more, error) ||
        !store_search_next_due(work->core->store, work->account->name, &next_ms, error))
        return FALSE;
    if (next_ms > now_ms)
        clock_timer_set(work->timer, next_ms);
    else
        clock_timer_stop(work->timer); /* none, or woken by the watcher's answer or its return */
    return TRUE;
}

static gboolean on_work(gpointer data)
{
    SentWork *work = data;
    g_autoptr(GError) error = NULL;
    work->work_source = 0;
    if (!work_once(work, &error)) {
        log_store_fault(work, error);
        wait_before_asking(work, STORE_RETRY_MS);
    }
    return G_SOURCE_REMOVE;
}

void sent_work_wake(SentWork *work)
{
    if (!work->work_source)
        work->work_source = g_idle_add(on_work, work);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

static void log_search(const SentWork *work, const OutboxMessage *message, const char *event, const char *text)
{
    log_event(LOG_LEVEL_INFO, event, LOG_TEXT("account", work->account->name), LOG_TEXT("contact", message->email),
              LOG_NUMBER("message", message->id), LOG_TEXT("rule", message->rule), LOG_TEXT("step", message->step),
              LOG_TEXT("reason", *text ? text : NULL));
}

/* Not there (text: why it is not even known): again later, or, after the last time, as the account wants it. */
static gboolean take_not_found(SentWork *work, const OutboxMessage *message, const char *text, GError **error)
{
    g_autoptr(SentSearch) search = NULL;
    if (!store_search_get(work->core->store, message->id, &search, error))
        return FALSE;
    if (!search)
        return TRUE;
    guint tries = search->tries + 1;
    gboolean last = tries >= SENT_SEARCHES;
    gint64 due_ms = last ? 0 : clock_now_ms(work->core->clock) + search_after_ms[tries];
    log_search(work, message, last ? "not-found" : "not-found-yet", text);
    return store_search_tried(work->core->store, message->id, due_ms, error) &&
           (!last || outcome_apply_policy(work->core, message, work->account, error));
}

static gboolean settle(SentWork *work, const Ask *asked, ImapAnswer answer, const char *text, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    g_autoptr(StoreTransaction) transaction = store_begin(work->core->store, error);
    if (!transaction || !store_outbox_get(work->core->store, asked->outbox_id, &message, error))
        return FALSE;
    if (!message || message->state != OUTBOX_UNCERTAIN) /* settled otherwise, or forgotten */
        return store_commit(g_steal_pointer(&transaction), error);
    if (answer == IMAP_ANSWER_FOUND)
        log_search(work, message, "found", SENT_EVIDENCE);
    gboolean ok = answer == IMAP_ANSWER_FOUND ? outcome_settle_sent(work->core, message, SENT_EVIDENCE, error) &&
                                                    store_copy_done(work->core->store, message->id, error)
                                              : take_not_found(work, message, text, error);
    crash_point("search-before-commit");
    return ok && store_commit(g_steal_pointer(&transaction), error);
}

static void take_search(SentWork *work, const Ask *asked, ImapAnswer answer, const char *text)
{
    g_autoptr(GError) error = NULL;
    if (answer == IMAP_ANSWER_LOST) {
        back_off(work, FALSE, text);
    } else if (!settle(work, asked, answer, text, &error)) {
        log_store_fault(work, error);
        wait_before_asking(work, STORE_RETRY_MS);
    } else {
        work->callbacks.on_settled(work->callbacks.data);
    }
}

static void take_copy(SentWork *work, const Ask *asked, ImapAnswer answer, const char *text)
{
    gboolean filed = answer == IMAP_ANSWER_FILED || answer == IMAP_ANSWER_FOUND;
    g_autoptr(GError) error = NULL;
    crash_point("copy-answered");
    if (filed ? !store_copy_done(work->core->store, asked->outbox_id, &error)
              : !store_copy_tried(work->core->store, asked->copy_id, &error)) {
        log_store_fault(work, error);
        wait_before_asking(work, STORE_RETRY_MS);
        return;
    }
    crash_point("copy-committed");
    if (filed)
        note_well(work);
    else
        back_off(work, answer != IMAP_ANSWER_LOST, text);
}

void sent_work_answer(SentWork *work, guint64 id, ImapAnswer answer, const char *text)
{
    g_autofree Ask *asked = NULL;
    g_autofree guint64 *key = NULL;
    if (!g_hash_table_steal_extended(work->asked, &id, (gpointer *)&key, (gpointer *)&asked))
        return; /* of a link that is gone */
    if (asked->kind == IMAP_TASK_SEARCH)
        take_search(work, asked, answer, text);
    else
        take_copy(work, asked, answer, text);
    sent_work_wake(work);
}

void sent_work_lose(SentWork *work)
{
    if (g_hash_table_size(work->asked) == 0)
        return;
    g_hash_table_remove_all(work->asked);
    wait_before_asking(work, SETTLE_MS);
}

void sent_work_watched(SentWork *work, gboolean watched, const char *text)
{
    const char *why = watched ? "" : text;
    if (!watched && g_strcmp0(work->unwatched, why) != 0)
        log_event(LOG_LEVEL_WARNING, "sent-not-watched", LOG_TEXT("account", work->account->name), LOG_TEXT("reason", why));
    g_free(work->unwatched);
    work->unwatched = g_strdup(why);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void on_timer(gpointer data)
{
    sent_work_wake(data);
}

SentWork *sent_work_new(EngineCore *core, const Account *account, const SentCallbacks *callbacks)
{
    SentWork *work = g_new0(SentWork, 1);
    guint64 waiting = 0;
    g_autoptr(GError) error = NULL;
    work->core = core;
    work->account = account;
    work->callbacks = *callbacks;
    work->asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    work->timer = clock_timer_new(core->clock, NULL, on_timer, work);
    if (!store_copies_count(core->store, account->name, &waiting, &work->doubtful_id, &error)) {
        log_store_fault(work, error);
        work->doubtful_id = G_MAXINT64; /* each is looked for first */
    }
    if (work->doubtful_id)
        wait_before_asking(work, SETTLE_MS);
    sent_work_wake(work);
    return work;
}

void sent_work_free(SentWork *work)
{
    if (!work)
        return;
    g_clear_handle_id(&work->work_source, g_source_remove);
    g_clear_handle_id(&work->retry_source, g_source_remove);
    clock_timer_free(work->timer);
    g_hash_table_unref(work->asked);
    g_free(work->why);
    g_free(work->unwatched);
    g_free(work);
}

void sent_work_add_status(const SentWork *work, JsonObject *status)
{
    guint64 waiting = 0;
    if (work->unwatched)
        json_object_set_string_member(status, "sent_folder", *work->unwatched ? work->unwatched : "watched");
    if (store_copies_count(work->core->store, work->account->name, &waiting, NULL, NULL) && waiting)
        json_object_set_int_member(status, "copies_waiting", (gint64)waiting);
    if (!waiting || !work->why)
        return;
    json_object_set_string_member(status, "copies_reason", work->why);
    if (work->retry_at_ms)
        json_object_set_int_member(status, "copies_retry_in_s", MAX(0, work->retry_at_ms - clock_monotonic_ms()) / 1000);
}
