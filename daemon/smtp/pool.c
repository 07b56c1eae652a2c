/*
 * The threads of one account's connections. A worker takes jobs in order, has each composed, sends it over its own
 * session, and leaves the outcome for the loop; idle for a minute it says QUIT and ends.
 *
 *   queued (loop) --> composed, sent (worker) --> finished (list) --> done() (loop)
 *
 * One mutex guards the lists and the counts; neither composing nor sending nor done() happens under it. It is POSIX's,
 * not GLib's, so that the thread sanitizer, which sees only the former, can vouch for what it guards. Outcomes wake the
 * loop once for as many as have come since. smtp_pool_* run on the context's thread.
 */
#include "smtp/pool.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/stage.h"
#include "base/text.h"
#include "limits.h"
#include "session.h"
#include "wire.h"

typedef struct {
    GList link; /* in queued or finished; its data is the job itself */
    gpointer caller_job;
    char *sender, *recipient;
    gboolean has_composed;
    ComposedMessage composed;
    DeliveryResult result;
} Job;

struct SmtpPool {
    const Account *account;
    SmtpCallbacks callbacks;
    SmtpLimits limits;
    GSource *outcomes; /* ready when finished has something */
    guint n_pending;   /* submitted and not done; the loop's own */
    gboolean dispatching;
    gint cancelled; /* atomic: sessions end their waits */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* queued or stopping changed */
    pthread_cond_t ended;  /* n_workers changed */
    GQueue queued, finished;
    guint n_workers, n_idle;
    gboolean stopping;
    GSList *ended_threads; /* GThread*, to be joined */
};

typedef struct {
    GSource source;
    SmtpPool *pool;
} OutcomeSource;

/* ---- jobs
 * --------------------------------------------------------------------------------------------------------------- */

static Job *job_new(gpointer caller_job, const SmtpEnvelope *envelope)
{
    Job *job = g_new0(Job, 1);
    job->link.data = job;
    job->caller_job = caller_job;
    job->sender = g_strdup(envelope->sender);
    job->recipient = g_strdup(envelope->recipient);
    return job;
}

static void job_free(Job *job)
{
    if (job->has_composed)
        composed_message_clear(&job->composed);
    delivery_result_clear(&job->result);
    g_free(job->sender);
    g_free(job->recipient);
    g_free(job);
}

static void job_set_result(Job *job, DeliveryClass class, const char *text)
{
    job->result = (DeliveryResult){.class = class, .enhanced = g_strdup(""), .text = text_escape(text, SMTP_RESULT_TEXT)};
}

static void finish_locked(SmtpPool *pool, Job *job)
{
    gboolean first = g_queue_is_empty(&pool->finished);
    g_queue_push_tail_link(&pool->finished, &job->link);
    if (first)
        g_source_set_ready_time(pool->outcomes, 0);
}

static void finish(SmtpPool *pool, Job *job)
{
    pthread_mutex_lock(&pool->mutex);
    finish_locked(pool, job);
    pthread_mutex_unlock(&pool->mutex);
}

/* All that no worker has begun comes back with this outcome. */
static void finish_queued_locked(SmtpPool *pool, const DeliveryResult *result)
{
    GList *link;
    while ((link = g_queue_pop_head_link(&pool->queued))) {
        Job *job = link->data;
        job_set_result(job, result->class, result->text);
        job->result.code = result->code;
        job->result.permanent = result->permanent;
        job->result.sign_in_refused = result->sign_in_refused;
        g_free(job->result.enhanced);
        job->result.enhanced = g_strdup(result->enhanced);
        finish_locked(pool, job);
    }
}

/* ---- a worker's thread
 * -------------------------------------------------------------------------------------------------- */

static void send_job(SmtpPool *pool, SmtpSession *session, Job *job)
{
    g_autoptr(GError) error = NULL;
    job->has_composed = pool->callbacks.compose(job->caller_job, &job->composed, &error);
    if (!job->has_composed) {
        job_set_result(job, DELIVERY_NOT_COMPOSED, error ? error->message : "the message cannot be composed");
        return;
    }
    g_autoptr(GBytes) wire = smtp_wire_lines(job->composed.bytes);
    gint64 begun = stage_begin();
    smtp_session_deliver(session, job->sender, job->recipient, wire, &job->result);
    stage_end(STAGE_SEND, begun, 1);
}

static void run_job(SmtpPool *pool, SmtpSession *session, Job *job)
{
    send_job(pool, session, job);
    pthread_mutex_lock(&pool->mutex);
    /* a wrong password is tried once, not once for each message that waits */
    if (job->result.class == DELIVERY_UNREACHABLE && job->result.permanent)
        finish_queued_locked(pool, &job->result);
    finish_locked(pool, job);
    pthread_mutex_unlock(&pool->mutex);
}

static struct timespec deadline_in(gint64 wait_ms)
{
    gint64 at_ms = clock_monotonic_ms() + wait_ms;
    return (struct timespec){.tv_sec = (time_t)(at_ms / 1000), .tv_nsec = (long)(at_ms % 1000) * 1000000};
}

/* The next job; NULL when none came in idle_ms, or the pool is stopping. */
static Job *take_job_locked(SmtpPool *pool)
{
    struct timespec until = deadline_in(pool->limits.idle_ms);
    int waited = 0;
    pool->n_idle++;
    while (g_queue_is_empty(&pool->queued) && !pool->stopping && waited == 0)
        waited = pthread_cond_timedwait(&pool->work, &pool->mutex, &until);
    pool->n_idle--;
    GList *link = g_queue_pop_head_link(&pool->queued);
    return link ? link->data : NULL;
}

/* A server that closes while we write must not end the process. libcurl asks for no such signal; its TLS library might. */
static void block_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static gpointer worker_main(gpointer data)
{
    SmtpPool *pool = data;
    SmtpSession *session = smtp_session_new(pool->account, &pool->limits, &pool->callbacks, &pool->cancelled);
    block_sigpipe();
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        Job *job = take_job_locked(pool);
        pthread_mutex_unlock(&pool->mutex);
        if (job)
            run_job(pool, session, job);
        else
            smtp_session_close(
                session); /* while this thread still counts, so that no more connections are open than allowed */
        pthread_mutex_lock(&pool->mutex);
        if (!job && g_queue_is_empty(&pool->queued))
            break;
    }
    pool->n_workers--;
    pool->ended_threads = g_slist_prepend(pool->ended_threads, g_thread_self());
    pthread_cond_broadcast(&pool->ended);
    pthread_mutex_unlock(&pool->mutex);
    smtp_session_free(session);
    return NULL;
}

/* ---- the loop's thread
 * -------------------------------------------------------------------------------------------------- */

static void join_ended(SmtpPool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    GSList *threads = g_steal_pointer(&pool->ended_threads);
    pthread_mutex_unlock(&pool->mutex);
    for (GSList *at = threads; at; at = at->next)
        g_thread_join(at->data);
    g_slist_free(threads);
}

static void deliver_outcomes(SmtpPool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    GQueue taken = pool->finished;
    g_queue_init(&pool->finished);
    pthread_mutex_unlock(&pool->mutex);
    GList *link;
    while ((link = g_queue_pop_head_link(&taken))) {
        Job *job = link->data;
        pool->n_pending--;
        pool->callbacks.done(job->caller_job, &job->result, job->has_composed ? &job->composed : NULL, pool->callbacks.data);
        job_free(job);
    }
}

static gboolean on_outcomes(GSource *source, GSourceFunc callback, gpointer data)
{
    SmtpPool *pool = ((OutcomeSource *)source)->pool;
    (void)callback;
    (void)data;
    g_source_set_ready_time(source, -1); /* before the list is taken: what comes after sets it again */
    pool->dispatching = TRUE;
    deliver_outcomes(pool);
    pool->dispatching = FALSE;
    join_ended(pool);
    return G_SOURCE_CONTINUE;
}

static void start_worker_locked(SmtpPool *pool)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new("smtp", worker_main, pool, &error);
    if (thread) {
        pool->n_workers++;
    } else if (pool->n_workers == 0) { /* with others at work, they take what waits */
        g_autofree char *text = text_escape(error->message, SMTP_RESULT_TEXT);
        char none[] = "";
        const DeliveryResult result = {.class = DELIVERY_UNREACHABLE, .enhanced = none, .text = text};
        finish_queued_locked(pool, &result);
    }
}

void smtp_pool_submit(SmtpPool *pool, gpointer caller_job, const SmtpEnvelope *envelope)
{
    Job *job = job_new(caller_job, envelope);
    const char *sender_fault = smtp_wire_address_fault(job->sender, TRUE);
    const char *fault = sender_fault ? sender_fault : smtp_wire_address_fault(job->recipient, FALSE);
    pool->n_pending++;
    if (fault) {
        g_autofree char *text = g_strdup_printf("the %s's address %s", sender_fault ? "sender" : "recipient", fault);
        job_set_result(job, DELIVERY_FAILED, text);
        finish(pool, job);
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    if (pool->stopping) {
        job_set_result(job, DELIVERY_UNREACHABLE, "shutting down");
        finish_locked(pool, job);
    } else {
        g_queue_push_tail_link(&pool->queued, &job->link);
        if (pool->n_idle > 0)
            pthread_cond_signal(&pool->work);
        if (pool->queued.length > pool->n_idle && pool->n_workers < pool->account->smtp.connections)
            start_worker_locked(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
}

guint smtp_pool_pending(const SmtpPool *pool)
{
    return pool->n_pending;
}

/* ---- life
 * --------------------------------------------------------------------------------------------------------------- */

static void init_locks(SmtpPool *pool)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, &attributes);
    pthread_cond_init(&pool->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

SmtpPool *smtp_pool_new_limited(const Account *account, GMainContext *context, const SmtpCallbacks *callbacks,
                                const SmtpLimits *limits)
{
    static GSourceFuncs functions = {.dispatch = on_outcomes};
    SmtpPool *pool = g_new0(SmtpPool, 1);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted by libcurl, and undone in smtp_pool_free() */
    pool->account = account;
    pool->callbacks = *callbacks;
    pool->limits = *limits;
    g_queue_init(&pool->queued);
    g_queue_init(&pool->finished);
    init_locks(pool);
    pool->outcomes = g_source_new(&functions, sizeof(OutcomeSource));
    ((OutcomeSource *)pool->outcomes)->pool = pool;
    g_source_set_name(pool->outcomes, "smtp outcomes");
    g_source_attach(pool->outcomes, context);
    return pool;
}

SmtpPool *smtp_pool_new(const Account *account, GMainContext *context, const SmtpCallbacks *callbacks)
{
    return smtp_pool_new_limited(account, context, callbacks, &SMTP_LIMITS);
}

void smtp_pool_cut(SmtpPool *pool)
{
    g_atomic_int_set(&pool->cancelled, 1);
}

static void stop_workers(SmtpPool *pool, gint64 grace_ms)
{
    static char none[] = "", text[] = "shutting down";
    const DeliveryResult result = {.class = DELIVERY_UNREACHABLE, .enhanced = none, .text = text};
    struct timespec until = deadline_in(grace_ms);
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = TRUE;
    finish_queued_locked(pool, &result);
    pthread_cond_broadcast(&pool->work);
    int waited = 0;
    while (pool->n_workers > 0 && waited == 0)
        waited = pthread_cond_timedwait(&pool->ended, &pool->mutex, &until);
    smtp_pool_cut(pool);
    while (pool->n_workers > 0)
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    join_ended(pool);
}

void smtp_pool_free(SmtpPool *pool, gint64 grace_ms)
{
    g_assert(!pool->dispatching);
    stop_workers(pool, grace_ms);
    while (pool->n_pending > 0)
        deliver_outcomes(pool);
    g_source_destroy(pool->outcomes);
    g_source_unref(pool->outcomes);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->mutex);
    g_free(pool);
    curl_global_cleanup();
}
