/*
 * The post. Runs on the loop. A notice counts in no limit, and none is written into a contact's history; a paused account sends none.
 *
 *   idle --wake--> takes the oldest --> under way --done--> the next | (not sent) waits AGAIN_MS
 */
#include "engine/post.h"

#include "base/log.h"
#include "mail/compose.h"
#include "smtp/pool.h"
#include "store/accounts.h"
#include "store/notices.h"

enum { AGAIN_MS = 5 * 60 * 1000, PAUSED_MS = 30 * 1000, TRIES = 50, GRACE_MS = 1000 };

struct Post {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    Tokens *tokens;
    SmtpPool *pool; /* NULL before the first */
    Notice *notice; /* under way; NULL: none */
    guint source;
};

static void schedule(Post *post, guint delay_ms);

static gboolean on_compose(gpointer data, ComposedMessage *ret_message, GError **error)
{
    const Post *post = data;
    const Account *account = post->account;
    const Organisation *organisation = &post->config->organisation;
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    const RenderedTemplate rendered = {.subject = post->notice->subject, .text = post->notice->text};
    const ComposeInput input = {
        .rendered = &rendered,
        .from_name = account->from_name,
        .from_address = account->from_address,
        .to_name = account->from_name,
        .to_address = account->from_address,
        .reply_to = "",
        .message_id = post->notice->message_id,
        .in_reply_to = "",
        .references = "",
        .date_ms = post->notice->created_ms,
        .date_zone = zone,
        .organisation = organisation->name,
        .postal_address = organisation->postal_address,
        .language = "",
        .auto_submitted = TRUE,
    };
    return mail_compose(&input, ret_message, error);
}

/* One of unknown fate counts as sent: what it says is on the histories. */
static void on_done(gpointer job, const DeliveryResult *result, const ComposedMessage *composed, gpointer data)
{
    Post *post = data;
    g_autoptr(Notice) notice = g_steal_pointer(&post->notice);
    g_autoptr(GError) error = NULL;
    gboolean sent = result->class == DELIVERY_SENT || result->class == DELIVERY_UNCERTAIN;
    gboolean failed = result->class == DELIVERY_FAILED || result->class == DELIVERY_NOT_COMPOSED || notice->tries + 1 >= TRIES;
    (void)job;
    (void)composed;
    log_event(sent ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, sent ? "notice-sent" : failed ? "notice-failed" : "notice-deferred",
              LOG_TEXT("account", notice->account), LOG_TEXT("subject", notice->is_digest ? notice->subject : NULL),
              LOG_TEXT("reason", sent ? NULL : result->text));
    if (!store_notice_end(post->core->store, notice->id, sent, failed, clock_now_ms(post->core->clock), &error))
        log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", notice->account), LOG_TEXT("reason", error->message));
    schedule(post, sent || failed ? 0 : AGAIN_MS);
}

static char *on_get_token(gint64 *ret_until_ms, gpointer data, GError **error)
{
    const Post *post = data;
    return tokens_get(post->tokens, post->account->smtp.server.oauth, ret_until_ms, error);
}

static void submit(Post *post)
{
    if (!post->pool) {
        const SmtpCallbacks callbacks = {.compose = on_compose, .done = on_done, .get_token = on_get_token, .data = post};
        post->pool = smtp_pool_new(post->account, NULL, &callbacks);
    }
    const SmtpEnvelope envelope = {.sender = post->account->from_address, .recipient = post->account->from_address};
    smtp_pool_submit(post->pool, post, &envelope);
}

static gboolean is_paused(const Post *post, gboolean *ret_paused, GError **error)
{
    g_autofree char *all = NULL;
    g_autofree char *own = NULL;
    if (!store_account_pause_get(post->core->store, "", &all, error) ||
        !store_account_pause_get(post->core->store, post->account->name, &own, error))
        return FALSE;
    *ret_paused = *all || *own;
    return TRUE;
}

static gboolean take(Post *post, gboolean *ret_paused, GError **error)
{
    return is_paused(post, ret_paused, error) && (*ret_paused || store_notice_take(post->core->store, post->account->name, &post->notice, error));
}

static gboolean on_look(gpointer data)
{
    Post *post = data;
    gboolean paused = FALSE;
    g_autoptr(GError) error = NULL;
    post->source = 0;
    if (!take(post, &paused, &error)) {
        log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", post->account->name), LOG_TEXT("reason", error->message));
        schedule(post, AGAIN_MS);
    } else if (paused) {
        schedule(post, PAUSED_MS);
    } else if (post->notice) {
        submit(post);
    }
    return G_SOURCE_REMOVE;
}

static void schedule(Post *post, guint delay_ms)
{
    if (!post->source)
        post->source = g_timeout_add(delay_ms, on_look, post);
}

void post_wake(Post *post)
{
    if (!post->notice)
        schedule(post, 0);
}

Post *post_new(EngineCore *core, const Account *account, Tokens *tokens)
{
    Post *post = g_new0(Post, 1);
    post->core = core;
    post->config = config_ref(core->config);
    post->account = account;
    post->tokens = tokens;
    schedule(post, 0);
    return post;
}

void post_free(Post *post)
{
    if (post->pool)
        smtp_pool_free(post->pool, GRACE_MS);
    g_clear_handle_id(&post->source, g_source_remove);
    notice_free(post->notice);
    config_unref(post->config);
    g_free(post);
}
