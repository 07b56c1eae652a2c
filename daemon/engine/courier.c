/*
 * The courier of one account. Runs on the loop; the account's SMTP workers are smtp/pool.h's.
 *
 *   pool --done()--> answered --round--> on disk          a round is one transaction: the outcomes that came since the last, and
 *   rows due         --round--> `sending` --> the pool    the rows that may go next. So durability costs one commit a round, not a message
 *
 * (engine/round.c). The busier the server keeps us, the more a round holds: while the workers have enough to do, answers wait for each other.
 * Where the store refuses, all that was answered is kept and tried again; nothing leaves meanwhile. A fault of the server or the sign-in is the account's: everything queued stays (engine/backoff.h).
 */
#include "engine/courier.h"

#include "base/crashpoint.h"
#include "base/log.h"
#include "base/stage.h"
#include "engine/backoff.h"
#include "engine/canary.h"
#include "engine/job.h"
#include "engine/outcome.h"
#include "engine/pace.h"
#include "engine/round.h"
#include "smtp/pool.h"
#include "store/accounts.h"

enum { STORE_RETRY_MS = 2000 };

struct Courier {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    CourierCallbacks callbacks;
    SmtpPool *pool;
    Pace pace;
    Backoff backoff;
    ClockTimer *timer;    /* next row due, or next that the limits allow */
    guint work_source;    /* idle source, which holds a virtual clock; 0: asleep */
    guint company_source; /* answers wait for more of them; 0: none do */
    guint retry_source;   /* after a fault of the store; 0: none */
    GPtrArray *under_way; /* Job*: at the pool */
    GPtrArray *answered;  /* Job*: outcomes that are not on disk yet, in the order in which they came */
    gboolean refused;     /* the store refused at the last round */
    gboolean retired;
    gboolean stopping;
};

static void wake(Courier *courier);

/* ---- outcomes -------------------------------------------------------------------------------------------------------- */

static const OAuth *oauth_of(const Courier *courier)
{
    const Endpoint *server = &courier->account->smtp.server;
    return server->sign_in == SIGN_IN_OAUTH2 ? server->oauth : NULL;
}

/* A token that has ended before its time is no fault of the account's: another is on its way, and work() waits for it. */
static gboolean is_renewed(Courier *courier, const DeliveryResult *result)
{
    return result->sign_in_refused && oauth_of(courier) && tokens_refused(courier->callbacks.tokens, oauth_of(courier));
}

/* What the outcome says about the server. One that takes messages and then does not answer spoils a message at each try, so that it
 * is waited for as one that cannot be reached. A message taken back says nothing, and is looked at again at once. */
static void note_server(Courier *courier, Job *job)
{
    switch (job->result.class) {
    case DELIVERY_UNREACHABLE:
    case DELIVERY_UNCERTAIN:
        if (!courier->stopping && !is_renewed(courier, &job->result))
            backoff_begin(&courier->backoff, &job->result);
        break;
    case DELIVERY_NOT_COMPOSED:
        if (g_atomic_int_get(&job->recalled))
            job->result.class = DELIVERY_UNREACHABLE;
        break;
    case DELIVERY_SENT:
    case DELIVERY_DEFERRED:
    case DELIVERY_FAILED:
        backoff_end(&courier->backoff);
        break;
    }
}

static gboolean on_company(gpointer data)
{
    Courier *courier = data;
    courier->company_source = 0;
    wake(courier);
    return G_SOURCE_REMOVE;
}

/* Another answer came. */
static void wake_for_answers(Courier *courier)
{
    if (courier->refused)
        return;
    if (!pace_may_wait(&courier->pace, smtp_pool_pending(courier->pool)))
        wake(courier);
    else if (!courier->company_source)
        courier->company_source = g_timeout_add(PACE_COMPANY_MS, on_company, courier);
}

static void on_done(gpointer data, const DeliveryResult *result, const ComposedMessage *composed, gpointer unused)
{
    (void)unused;
    Job *job = data;
    Courier *courier = job->owner;
    g_ptr_array_remove_fast(courier->under_way, job);
    job_take_answer(job, result, composed, courier->account->imap.save_sent);
    crash_point("delivery-answered");
    note_server(courier, job);
    pace_count(&courier->pace, clock_monotonic_ms());
    g_ptr_array_add(courier->answered, job);
    wake_for_answers(courier);
}

static char *on_get_token(gint64 *ret_until_ms, gpointer data, GError **error)
{
    const Courier *courier = data;
    return tokens_get(courier->callbacks.tokens, oauth_of(courier), ret_until_ms, error);
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

/* When the row of an unreachable server is due again, in business time. */
static gint64 unreachable_due_ms(const Courier *courier)
{
    const Clock *clock = courier->core->clock;
    return clock_now_ms(courier->core->clock) + (clock_is_virtual(clock) ? 0 : backoff_left_ms(&courier->backoff));
}

/* ---- claiming -------------------------------------------------------------------------------------------------------- */

/* What was answered leaves its place in the same round. */
static guint capacity(const Courier *courier)
{
    guint most = pace_capacity(&courier->pace), busy = smtp_pool_pending(courier->pool);
    return busy < most ? most - busy : 0;
}

static void submit(Courier *courier, Job *job)
{
    /* the letter's own recipient: the row was read before the transaction in which it was written */
    const SmtpEnvelope envelope = {.sender = job->sender, .recipient = letter_recipient(job->letter)};
    g_ptr_array_add(courier->under_way, job);
    smtp_pool_submit(courier->pool, job, &envelope);
}

/* Frees the list; the jobs are the pool's then. Returns how many they were. */
static guint submit_all(Courier *courier, GPtrArray *jobs)
{
    guint count = jobs->len;
    gint64 begun = stage_begin();
    for (guint i = 0; i < count; i++)
        submit(courier, jobs->pdata[i]);
    stage_end(STAGE_TELL, begun, count);
    g_ptr_array_unref(jobs);
    return count;
}

static gboolean run_round(Courier *courier, guint slots, RoundDone *ret_done, GError **error)
{
    const RoundWork work = {.core = courier->core, .account = courier->account, .owner = courier, .answered = courier->answered,
                            .retry_ms = unreachable_due_ms(courier), .slots = slots};
    return round_run(&work, ret_done, error);
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

/* What cannot sign in claims nothing: a message would go to `sending` and back. */
static gboolean has_token(Courier *courier)
{
    g_autofree char *reason = NULL;
    gint64 retry_in_ms = 0;
    return !oauth_of(courier) || tokens_state(courier->callbacks.tokens, oauth_of(courier), &reason, &retry_in_ms) == TOKEN_READY;
}

/* How many may be claimed now: none while the account is paused, blind, backing off or full. */
static gboolean find_slots(Courier *courier, guint *ret_slots, GError **error)
{
    g_autofree char *paused = NULL;
    *ret_slots = 0;
    /* woken by an outcome, the end of the back-off, the watcher, engine_pause(), a token */
    if (courier->retired || courier->stopping || backoff_is_waiting(&courier->backoff) ||
        courier->callbacks.is_blind(courier->account, courier->callbacks.data) || !has_token(courier))
        return TRUE;
    g_autofree char *canary = NULL;
    if (!is_paused(courier, &paused, error) || !canary_hold(courier->core->store, courier->account, &canary, error))
        return FALSE;
    *ret_slots = *paused || canary ? 0 : capacity(courier);
    return TRUE;
}

/* Whether a row is due, so that a wake for nothing writes nothing. */
static gboolean is_due(Courier *courier, gboolean *ret_due, GError **error)
{
    gint64 next_ms = 0;
    if (!store_outbox_next_due(courier->core->store, courier->account->name, &next_ms, error))
        return FALSE;
    *ret_due = next_ms && next_ms <= clock_now_ms(courier->core->clock);
    if (next_ms && !*ret_due)
        clock_timer_set(courier->timer, next_ms);
    else
        clock_timer_stop(courier->timer); /* until woken */
    return TRUE;
}

/* One round; *ret_more: call again at once. */
static gboolean work(Courier *courier, gboolean *ret_more, GError **error)
{
    guint slots = 0;
    gboolean due = FALSE, answers = courier->answered->len > 0;
    *ret_more = FALSE;
    if (!find_slots(courier, &slots, error) || (slots && !is_due(courier, &due, error)))
        return FALSE;
    if (!answers && !due)
        return TRUE;
    RoundDone round = {0};
    if (!run_round(courier, due ? slots : 0, &round, error))
        return FALSE;
    guint claimed = submit_all(courier, round.jobs);
    /* what was answered may make another row due at once; where the workers have all that they may have, their answers wake us */
    *ret_more = claimed < slots && (answers || round.claims.looked_at > 0);
    if (!*ret_more && round.claims.next_ms)
        clock_timer_set(courier->timer, round.claims.next_ms);
    if (round.claims.reassigned)
        courier->callbacks.on_reassigned(courier->callbacks.data);
    if (answers || round.claims.looked_at)
        courier->callbacks.on_decided(courier->callbacks.data);
    return TRUE;
}

static gboolean on_store_retry(gpointer data)
{
    Courier *courier = data;
    courier->retry_source = 0;
    courier->refused = FALSE;
    wake(courier);
    return G_SOURCE_REMOVE;
}

/* Nothing was committed, and nothing is lost: tried again soon. */
static void retry_later(Courier *courier, const GError *error)
{
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", courier->account->name), LOG_TEXT("reason", error->message));
    core_note_store(courier->core, error);
    courier->refused = TRUE;
    if (!courier->retry_source)
        courier->retry_source = g_timeout_add(STORE_RETRY_MS, on_store_retry, courier);
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
    if (!work(courier, &more, &error))
        retry_later(courier, error);
    if (more)
        return G_SOURCE_CONTINUE;
    sleep_again(courier);
    return G_SOURCE_REMOVE;
}

/* Answers are taken of retired ones, too. */
static void wake(Courier *courier)
{
    if (courier->work_source || courier->stopping)
        return;
    g_clear_handle_id(&courier->company_source, g_source_remove);
    courier->work_source = g_idle_add(on_work, courier);
    clock_hold(courier->core->clock);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void on_timer(gpointer data)
{
    courier_wake(data);
}

void courier_wake(Courier *courier)
{
    if (!courier->retired && !courier->refused)
        wake(courier);
}

static void on_backoff_over(gpointer data)
{
    courier_wake(data);
}

Courier *courier_new(EngineCore *core, const Account *account, const CourierCallbacks *callbacks)
{
    Courier *courier = g_new0(Courier, 1);
    const SmtpCallbacks smtp = {.compose = on_compose, .done = on_done, .get_token = on_get_token, .data = courier};
    courier->core = core;
    courier->config = config_ref(core->config);
    courier->account = account;
    courier->callbacks = *callbacks;
    courier->under_way = g_ptr_array_new();
    courier->answered = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
    pace_init(&courier->pace, account->smtp.connections);
    backoff_init(&courier->backoff, account->name, account->smtp.server.url, on_backoff_over, courier);
    courier->pool = smtp_pool_new(account, NULL, &smtp);
    courier->timer = clock_timer_new(core->clock, NULL, on_timer, courier);
    courier_wake(courier);
    return courier;
}

static void stop_working(Courier *courier)
{
    g_clear_handle_id(&courier->retry_source, g_source_remove);
    g_clear_handle_id(&courier->company_source, g_source_remove);
    if (courier->work_source) {
        g_source_remove(courier->work_source);
        sleep_again(courier);
    }
}

void courier_retire(Courier *courier)
{
    courier->retired = TRUE;
    clock_timer_stop(courier->timer);
    if (courier->answered->len == 0)
        stop_working(courier);
}

gboolean courier_is_idle(const Courier *courier)
{
    return smtp_pool_pending(courier->pool) == 0 && courier->answered->len == 0;
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

/* A last try; what fails is `sending` on disk, and uncertain at the next start. */
static void settle_at_the_end(Courier *courier)
{
    g_autoptr(GError) error = NULL;
    if (courier->answered->len == 0)
        return;
    RoundDone round = {0};
    if (run_round(courier, 0, &round, &error))
        g_ptr_array_unref(round.jobs);
    else
        log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", courier->account->name), LOG_TEXT("reason", error->message));
}

void courier_free(Courier *courier, gint64 grace_ms)
{
    if (!courier)
        return;
    courier->stopping = TRUE;
    smtp_pool_free(courier->pool, grace_ms);
    stop_working(courier);
    settle_at_the_end(courier);
    backoff_clear(&courier->backoff);
    g_ptr_array_unref(courier->answered);
    g_ptr_array_unref(courier->under_way);
    clock_timer_free(courier->timer);
    config_unref(courier->config);
    g_free(courier);
}

/* FALSE: the token is not what is waited for. */
static gboolean add_token_status(const Courier *courier, JsonObject *status)
{
    g_autofree char *reason = NULL;
    gint64 retry_in_ms = 0;
    TokenState state = oauth_of(courier) ? tokens_state(courier->callbacks.tokens, oauth_of(courier), &reason, &retry_in_ms) : TOKEN_READY;
    if (state == TOKEN_READY) { /* it may be the last one: told before it ends */
        if (reason && *reason)
            json_object_set_string_member(status, "sending_reason", reason);
        return FALSE;
    }
    json_object_set_string_member(status, "sending", state == TOKEN_WITHDRAWN ? "paused" : "waiting");
    json_object_set_string_member(status, "sending_reason", reason);
    if (retry_in_ms)
        json_object_set_int_member(status, "retry_in_s", retry_in_ms / 1000);
    return TRUE;
}

void courier_add_status(const Courier *courier, JsonObject *status)
{
    g_autofree char *paused = NULL;
    g_autofree char *canary = NULL;
    const char *sending = "ready", *reason = "";
    gboolean blind = courier->callbacks.is_blind(courier->account, courier->callbacks.data);
    if (is_paused((Courier *)courier, &paused, NULL) && *paused) {
        sending = "paused";
        reason = paused;
    } else if (courier->refused) {
        sending = "waiting";
        reason = "the store does not take what the mail server answered; the log says why";
    } else if (backoff_is_waiting(&courier->backoff)) {
        sending = "unreachable";
        reason = courier->backoff.fault;
        json_object_set_int_member(status, "retry_in_s", backoff_left_ms(&courier->backoff) / 1000);
    } else if (blind) {
        sending = "blind";
        reason = "nothing leaves before the mailbox is read again, so that no reply is missed";
    } else if (canary_hold(courier->core->store, courier->account, &canary, NULL) && canary) {
        sending = "canary";
        reason = canary;
    }
    gboolean by_person = g_str_equal(sending, "paused");
    if (by_person || !add_token_status(courier, status)) {
        json_object_set_string_member(status, "sending", sending);
        if (*reason)
            json_object_set_string_member(status, "sending_reason", reason);
    }
    json_object_set_int_member(status, "in_flight", smtp_pool_pending(courier->pool));
}
