/*
 * The courier of one account. Runs on the loop; the account's SMTP workers are smtp/pool.h's.
 *
 *   rows due --claim (one transaction a batch, `sending` + Message-ID on disk)--> jobs at the pool
 *   pool --done()--> outcome (one transaction) --store refused?--> kept, tried again until it is on disk
 *
 * A fault of the server or the sign-in is the account's: everything queued stays, and one back-off counts for all of it, in
 * machine time.
 */
#include "engine/courier.h"

#include "base/crashpoint.h"
#include "base/log.h"
#include "engine/claim.h"
#include "engine/outcome.h"
#include "smtp/pool.h"
#include "store/accounts.h"

enum {
    JOBS_PER_CONNECTION = 2, /* one under way, one ready: so much may be uncertain after a crash */
    STORE_RETRY_MS = 2000,
    BACKOFF_FIRST_MS = 5000,
    BACKOFF_LONGEST_MS = 15 * 60 * 1000,
    BACKOFF_PERMANENT_MS = 60 * 1000, /* first wait for what waiting will hardly mend: a wrong password */
    BACKOFF_MAX_DOUBLINGS = 12
};

struct Courier {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    CourierCallbacks callbacks;
    SmtpPool *pool;
    ClockTimer *timer;        /* next row due, or next that the limits allow */
    guint work_source;        /* idle source, which holds a virtual clock; 0: asleep */
    guint retry_source;       /* after a fault of the store; 0: none */
    guint backoff_source;     /* ends the wait for an unreachable server; 0: none */
    guint settle_source;      /* tries again to commit outcomes; 0: none */
    GPtrArray *under_way;     /* Job*: at the pool */
    GQueue unsettled;         /* Job*: outcomes that the store did not take yet */
    guint failures;           /* unreachable in a row */
    gint64 retry_at_ms;       /* monotonic; 0: not backing off */
    char *fault;              /* why, "" for none */
    gboolean retired;
    gboolean stopping;
};

typedef struct {
    Courier *courier;
    gint64 outbox_id;
    Letter *letter;
    char *sender;
    gint recalled; /* atomic: it may not leave any more, if no worker has begun with it */
    DeliveryResult result;
    ComposedMessage composed;
    gboolean has_composed;
} Job;

/* A job on its way holds a virtual clock: sending takes no business time. */
static void job_free(Job *job)
{
    clock_release(job->courier->core->clock);
    letter_free(job->letter);
    g_free(job->sender);
    delivery_result_clear(&job->result);
    composed_message_clear(&job->composed);
    g_free(job);
}

/* ---- outcomes -------------------------------------------------------------------------------------------------------- */

static gboolean on_backoff_over(gpointer data)
{
    Courier *courier = data;
    courier->backoff_source = 0;
    courier->retry_at_ms = 0;
    courier_wake(courier);
    return G_SOURCE_REMOVE;
}

/* The first of several connections that fail at once says so; the others find the back-off begun. */
static void begin_backoff(Courier *courier, const DeliveryResult *result)
{
    if (courier->retry_at_ms || courier->stopping)
        return;
    gint64 first = result->permanent ? BACKOFF_PERMANENT_MS : BACKOFF_FIRST_MS;
    gint64 wait_ms = MIN(first << MIN(courier->failures, BACKOFF_MAX_DOUBLINGS), BACKOFF_LONGEST_MS);
    courier->failures++;
    courier->retry_at_ms = clock_monotonic_ms() + wait_ms;
    courier->backoff_source = g_timeout_add((guint)wait_ms, on_backoff_over, courier);
    g_free(courier->fault);
    courier->fault = outcome_reason(result);
    log_event(LOG_LEVEL_WARNING, "unreachable", LOG_TEXT("account", courier->account->name),
              LOG_TEXT("server", courier->account->smtp.server.url), LOG_TEXT("reason", courier->fault),
              LOG_NUMBER("retry_in_s", wait_ms / 1000));
}

static void note_reachable(Courier *courier)
{
    if (courier->failures)
        log_event(LOG_LEVEL_NOTICE, "reachable", LOG_TEXT("account", courier->account->name),
                  LOG_TEXT("server", courier->account->smtp.server.url));
    courier->failures = 0;
    courier->retry_at_ms = 0;
    g_clear_handle_id(&courier->backoff_source, g_source_remove);
    g_clear_pointer(&courier->fault, g_free);
}

/* When the row of an unreachable server is due again, in business time. */
static gint64 unreachable_due_ms(const Courier *courier)
{
    gint64 wait_ms = courier->retry_at_ms ? courier->retry_at_ms - clock_monotonic_ms() : 0;
    return clock_now_ms(courier->core->clock) + (clock_is_virtual(courier->core->clock) ? 0 : MAX(wait_ms, 0));
}

static gboolean settle(Courier *courier, const Job *job)
{
    g_autoptr(GError) error = NULL;
    if (outcome_commit(courier->core, job->outbox_id, courier->account, &job->result, job->has_composed ? &job->composed : NULL,
                       unreachable_due_ms(courier), &error))
        return TRUE;
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", courier->account->name), LOG_NUMBER("message", job->outbox_id),
              LOG_TEXT("reason", error->message));
    return FALSE;
}

static gboolean on_settle(gpointer data)
{
    Courier *courier = data;
    while (!g_queue_is_empty(&courier->unsettled)) {
        Job *job = g_queue_peek_head(&courier->unsettled);
        if (!settle(courier, job))
            return G_SOURCE_CONTINUE;
        job_free(g_queue_pop_head(&courier->unsettled));
    }
    courier->settle_source = 0;
    courier->callbacks.on_decided(courier->callbacks.data);
    courier_wake(courier);
    return G_SOURCE_REMOVE;
}

static void keep_unsettled(Courier *courier, Job *job)
{
    g_queue_push_tail(&courier->unsettled, job);
    if (!courier->settle_source && !courier->stopping)
        courier->settle_source = g_timeout_add(STORE_RETRY_MS, on_settle, courier);
}

/* Takes copies: result and message belong to the pool's call. */
static void remember_result(Job *job, const DeliveryResult *result, const ComposedMessage *composed)
{
    job->result = *result;
    job->result.enhanced = g_strdup(result->enhanced);
    job->result.text = g_strdup(result->text);
    job->has_composed = composed != NULL;
    if (composed) {
        job->composed.subject = g_strdup(composed->subject);
        job->composed.text = g_strdup(composed->text);
    }
}

/* What the outcome says about the server. One that takes messages and then does not answer spoils a message at each try, so that it
 * is waited for as one that cannot be reached. A message taken back says nothing, and is looked at again at once. */
static void note_server(Courier *courier, Job *job)
{
    switch (job->result.class) {
    case DELIVERY_UNREACHABLE:
    case DELIVERY_UNCERTAIN:
        begin_backoff(courier, &job->result);
        break;
    case DELIVERY_NOT_COMPOSED:
        if (g_atomic_int_get(&job->recalled))
            job->result.class = DELIVERY_UNREACHABLE;
        break;
    case DELIVERY_SENT:
    case DELIVERY_DEFERRED:
    case DELIVERY_FAILED:
        note_reachable(courier);
        break;
    }
}

static void on_done(gpointer data, const DeliveryResult *result, const ComposedMessage *composed, gpointer unused)
{
    (void)unused;
    Job *job = data;
    Courier *courier = job->courier;
    g_ptr_array_remove_fast(courier->under_way, job);
    remember_result(job, result, composed);
    crash_point("delivery-answered");
    note_server(courier, job);
    if (!g_queue_is_empty(&courier->unsettled) || !settle(courier, job)) {
        keep_unsettled(courier, job);
        return;
    }
    job_free(job);
    courier->callbacks.on_decided(courier->callbacks.data);
    courier_wake(courier);
}

static gboolean on_compose(gpointer data, ComposedMessage *ret_message, GError **error)
{
    const Job *job = data;
    if (!g_atomic_int_get(&job->recalled))
        return letter_compose(job->letter, ret_message, error);
    g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_RECALLED, "taken back before it left");
    return FALSE;
}

void courier_recheck(Courier *courier)
{
    for (guint i = 0; i < courier->under_way->len; i++) {
        Job *job = courier->under_way->pdata[i];
        g_autoptr(GError) error = NULL;
        gboolean may_leave = TRUE;
        if (!store_outbox_may_leave(courier->core->store, job->outbox_id, clock_now_ms(courier->core->clock), &may_leave, &error))
            log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", courier->account->name), LOG_TEXT("reason", error->message));
        if (!may_leave)
            g_atomic_int_set(&job->recalled, 1);
    }
}

/* ---- claiming -------------------------------------------------------------------------------------------------------- */

static guint capacity(const Courier *courier)
{
    guint most = courier->account->smtp.connections * JOBS_PER_CONNECTION;
    guint busy = smtp_pool_pending(courier->pool) + g_queue_get_length((GQueue *)&courier->unsettled);
    return busy < most ? most - busy : 0;
}

static Job *job_new(Courier *courier, const OutboxMessage *message, Letter *letter)
{
    Job *job = g_new0(Job, 1);
    clock_hold(courier->core->clock);
    job->courier = courier;
    job->outbox_id = message->id;
    job->letter = letter;
    job->sender = g_strdup(courier->account->from_address);
    return job;
}

static void submit(Courier *courier, Job *job)
{
    /* the letter's own recipient: the row was read before the transaction in which it was written */
    const SmtpEnvelope envelope = {.sender = job->sender, .recipient = letter_recipient(job->letter)};
    g_ptr_array_add(courier->under_way, job);
    smtp_pool_submit(courier->pool, job, &envelope);
}

typedef struct {
    Courier *courier;
    GPtrArray *jobs; /* Job* */
} Claims;

static void on_claimed(const OutboxMessage *message, Letter *letter, gpointer data)
{
    Claims *claims = data;
    g_ptr_array_add(claims->jobs, job_new(claims->courier, message, letter));
}

/* Claims what is due and, only when that is on disk, hands it to the pool. */
static gboolean claim_and_submit(Courier *courier, guint slots, ClaimRound *ret_round, GError **error)
{
    const ClaimAccount account = {.account = courier->account, .blind = FALSE, .paused = ""};
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
    Claims claims = {.courier = courier, .jobs = jobs};
    if (!claim_due(courier->core, &account, slots, on_claimed, &claims, ret_round, error))
        return FALSE;
    for (guint i = 0; i < jobs->len; i++)
        submit(courier, jobs->pdata[i]);
    g_ptr_array_set_free_func(jobs, NULL); /* they are the pool's now */
    if (ret_round->reassigned)
        courier->callbacks.on_reassigned(courier->callbacks.data);
    return TRUE;
}

static gboolean is_paused(Courier *courier, char **ret_reason, GError **error)
{
    g_autofree char *all = NULL;
    g_autofree char *own = NULL;
    if (!store_account_pause_get(courier->core->store, "", &all, error) ||
        !store_account_pause_get(courier->core->store, courier->account->name, &own, error))
        return FALSE;
    *ret_reason = *all ? g_steal_pointer(&all) : g_steal_pointer(&own);
    return TRUE;
}

/* One round; *ret_more: call again at once. */
static gboolean work(Courier *courier, gboolean *ret_more, GError **error)
{
    g_autofree char *paused = NULL;
    ClaimRound round;
    guint slots = capacity(courier);
    gboolean blind = courier->callbacks.is_blind(courier->account, courier->callbacks.data);
    *ret_more = FALSE;
    if (slots == 0 || courier->retry_at_ms || blind)
        return TRUE; /* woken by an outcome, the end of the back-off, the watcher */
    if (!is_paused(courier, &paused, error))
        return FALSE;
    if (*paused)
        return TRUE; /* woken by engine_pause() */
    if (!claim_and_submit(courier, slots, &round, error))
        return FALSE;
    *ret_more = round.looked_at > 0;
    if (round.looked_at)
        courier->callbacks.on_decided(courier->callbacks.data);
    else if (round.next_ms)
        clock_timer_set(courier->timer, round.next_ms);
    else
        clock_timer_stop(courier->timer); /* until woken */
    return TRUE;
}

static gboolean on_store_retry(gpointer data)
{
    Courier *courier = data;
    courier->retry_source = 0;
    courier_wake(courier);
    return G_SOURCE_REMOVE;
}

/* The idle source is about to be removed. */
static void sleep_again(Courier *courier)
{
    courier->work_source = 0;
    clock_release(courier->core->clock);
}

static gboolean on_work(gpointer data)
{
    Courier *courier = data;
    g_autoptr(GError) error = NULL;
    gboolean more = FALSE;
    if (work(courier, &more, &error)) {
        if (more)
            return G_SOURCE_CONTINUE;
        sleep_again(courier);
        return G_SOURCE_REMOVE;
    }
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", courier->account->name), LOG_TEXT("reason", error->message));
    if (!courier->retry_source)
        courier->retry_source = g_timeout_add(STORE_RETRY_MS, on_store_retry, courier);
    sleep_again(courier);
    return G_SOURCE_REMOVE;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void on_timer(gpointer data)
{
    courier_wake(data);
}

void courier_wake(Courier *courier)
{
    if (courier->work_source || courier->retired || courier->stopping)
        return;
    courier->work_source = g_idle_add(on_work, courier);
    clock_hold(courier->core->clock);
}

Courier *courier_new(EngineCore *core, const Account *account, const CourierCallbacks *callbacks)
{
    Courier *courier = g_new0(Courier, 1);
    const SmtpCallbacks smtp = {.compose = on_compose, .done = on_done, .data = courier};
    courier->core = core;
    courier->config = config_ref(core->config);
    courier->account = account;
    courier->callbacks = *callbacks;
    courier->under_way = g_ptr_array_new();
    g_queue_init(&courier->unsettled);
    courier->pool = smtp_pool_new(account, NULL, &smtp);
    courier->timer = clock_timer_new(core->clock, NULL, on_timer, courier);
    courier_wake(courier);
    return courier;
}

static void stop_working(Courier *courier)
{
    g_clear_handle_id(&courier->retry_source, g_source_remove);
    if (courier->work_source) {
        g_source_remove(courier->work_source);
        sleep_again(courier);
    }
}

void courier_retire(Courier *courier)
{
    courier->retired = TRUE;
    stop_working(courier);
    clock_timer_stop(courier->timer);
}

gboolean courier_is_idle(const Courier *courier)
{
    return smtp_pool_pending(courier->pool) == 0 && courier->unsettled.length == 0;
}

const char *courier_account(const Courier *courier)
{
    return courier->account->name;
}

void courier_cut(Courier *courier)
{
    courier->stopping = TRUE;
    smtp_pool_cut(courier->pool);
}

void courier_free(Courier *courier, gint64 grace_ms)
{
    if (!courier)
        return;
    courier->stopping = TRUE;
    smtp_pool_free(courier->pool, grace_ms);
    stop_working(courier);
    g_clear_handle_id(&courier->backoff_source, g_source_remove);
    g_clear_handle_id(&courier->settle_source, g_source_remove);
    gboolean well = TRUE; /* a last try; what fails is `sending` on disk, and uncertain at the next start */
    for (Job *job = g_queue_pop_head(&courier->unsettled); job; job = g_queue_pop_head(&courier->unsettled)) {
        well = well && settle(courier, job); /* a store that is locked takes its time to say so: asked once, not for each */
        job_free(job);
    }
    g_ptr_array_unref(courier->under_way);
    clock_timer_free(courier->timer);
    g_free(courier->fault);
    config_unref(courier->config);
    g_free(courier);
}

void courier_add_status(const Courier *courier, JsonObject *status)
{
    g_autofree char *paused = NULL;
    const char *sending = "ready", *reason = "";
    gboolean blind = courier->callbacks.is_blind(courier->account, courier->callbacks.data);
    if (is_paused((Courier *)courier, &paused, NULL) && *paused) {
        sending = "paused";
        reason = paused;
    } else if (courier->unsettled.length > 0) {
        sending = "waiting";
        reason = "the store does not take what the mail server answered; the log says why";
    } else if (courier->retry_at_ms) {
        sending = "unreachable";
        reason = courier->fault;
        json_object_set_int_member(status, "retry_in_s", MAX(0, courier->retry_at_ms - clock_monotonic_ms()) / 1000);
    } else if (blind) {
        sending = "blind";
        reason = "nothing leaves before the mailbox is read again, so that no reply is missed";
    }
    json_object_set_string_member(status, "sending", sending);
    if (*reason)
        json_object_set_string_member(status, "sending_reason", reason);
    json_object_set_int_member(status, "in_flight", smtp_pool_pending(courier->pool));
}
