/*
 * The life of one access token. Runs on the loop.
 *
 *   WITHDRAWN --file written by nurture account authorize--> WAITING --granted, on disk--> READY --before it ends--> (renewing)
 *   (renewing) --granted: written, then published--> READY
 *              --invalid_grant: written--> WITHDRAWN
 *              --no answer, refused client--> tried again with back-off; the token that there is serves until it ends
 *
 * A refresh token that the provider has rotated is used up by the answer that brings the next: that one is written before the access
 * token beside it is given to anybody, and writing is tried until it is done. What a person authorizes meanwhile is stronger
 * than what we bring back. Back-off counts machine time; when a token ends is the system's time, as the provider's is.
 */
#include "engine/token.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/secret.h"
#include "engine/oauth.h"

enum {
    MARGIN_LONGEST_MS = 5 * 60 * 1000, /* renewed so long before its end, and after four fifths of its life at the latest */
    ENDED_MS = 2000,                   /* what ends so soon would not survive a sign-in */
    NEW_MS = 60 * 1000,                /* a server that refuses one as new as this means something else */
    BACKOFF_FIRST_MS = 2000,
    BACKOFF_REFUSED_MS = 60 * 1000,
    BACKOFF_LONGEST_MS = 15 * 60 * 1000,
    WRITE_RETRY_MS = 3000,
    READ_RETRY_MS = 30 * 1000,
    MAX_DOUBLINGS = 12
};

/* ---- what others see of it ------------------------------------------------------------------------------------------- */

static void set_fault(Token *token, const char *fault)
{
    g_mutex_lock(&token->place->mutex);
    g_free(token->fault);
    token->fault = g_strdup(fault);
    g_mutex_unlock(&token->place->mutex);
}

/* ---- timers ---------------------------------------------------------------------------------------------------------- */

static gboolean on_timer(gpointer data)
{
    Token *token = data;
    g_clear_pointer(&token->timer, g_source_unref);
    token->retry_at_ms = 0;
    if (token->withdrawn)
        token_read_file(token); /* which could not be read */
    else
        token_renew(token);
    return G_SOURCE_REMOVE;
}

static void stop_timer(Token *token)
{
    if (token->timer)
        g_source_destroy(token->timer);
    g_clear_pointer(&token->timer, g_source_unref);
}

static void set_timer(Token *token, gint64 wait_ms)
{
    stop_timer(token);
    token->timer = g_timeout_source_new((guint)CLAMP(wait_ms, 0, G_MAXINT));
    g_source_set_callback(token->timer, on_timer, token, NULL);
    g_source_attach(token->timer, token->place->context);
}

gboolean token_is_usable(const Token *token)
{
    return token->stored.access_token && *token->stored.access_token &&
           token->stored.expires_ms - clock_system_now_ms() > ENDED_MS;
}

/* Many accounts of one provider do not come at once. */
static void renew_in_time(Token *token)
{
    const gint64 life_ms = token->stored.expires_ms - token->stored.obtained_ms;
    const gint64 margin_ms = CLAMP(life_ms / 5, 0, MARGIN_LONGEST_MS);
    const gint64 early_ms = (gint64)((double)margin_ms * g_random_double_range(0, 0.2));
    set_timer(token, token_is_usable(token) ? token->stored.expires_ms - margin_ms - early_ms - clock_system_now_ms() : 0);
}

static void try_later(Token *token, gint64 first_ms, gint64 at_least_s, const char *why)
{
    gint64 wait_ms = MIN(first_ms << MIN(token->failures, MAX_DOUBLINGS), BACKOFF_LONGEST_MS);
    wait_ms = MAX((gint64)((double)wait_ms * g_random_double_range(0.75, 1.0)), MIN(at_least_s, 24 * 3600) * 1000);
    token->failures++;
    token->retry_at_ms = clock_monotonic_ms() + wait_ms;
    set_fault(token, why);
    set_timer(token, wait_ms);
    log_event(LOG_LEVEL_WARNING, "token-unavailable", LOG_TEXT("account", token->name),
              LOG_TEXT("server", token->oauth->token_url), LOG_TEXT("reason", why),
              LOG_NUMBER("retry_in_s", wait_ms / 1000));
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

/* Takes the content over. */
static void set_stored(Token *token, StoredToken *content)
{
    g_mutex_lock(&token->place->mutex);
    stored_token_clear(&token->stored);
    token->stored = *content;
    *content = (StoredToken){0};
    g_mutex_unlock(&token->place->mutex);
}

static void withdraw(Token *token, const char *why)
{
    gboolean is_new = !token->withdrawn || g_strcmp0(token->fault, why) != 0;
    stop_timer(token);
    token->retry_at_ms = 0;
    token->withdrawn = TRUE;
    set_fault(token, why);
    g_mutex_lock(&token->place->mutex);
    secret_free(token->stored.access_token);
    token->stored.access_token = g_strdup("");
    g_mutex_unlock(&token->place->mutex);
    if (is_new) {
        log_event(LOG_LEVEL_ERROR, "authorization-needed", LOG_TEXT("account", token->name), LOG_TEXT("reason", why));
        token->place->on_change(token->name, token->place->data);
    }
}

static char *needs_authorizing(const Token *token, const char *why)
{
    gboolean is_word = token->name[strspn(token->name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_.@")] == '\0';
    g_autofree char *account = is_word ? g_strdup(token->name) : g_shell_quote(token->name);
    return g_strdup_printf("%s; write: nurture account authorize %s", why, account);
}

/* Why the token of a file does not serve this configuration; NULL: it does. */
static const char *misfit(const Token *token, const StoredToken *content)
{
    if (!g_str_equal(content->client_id, token->oauth->client_id))
        return "the token was given to another client_id";
    if (!g_str_equal(content->user, token->oauth->user))
        return "the token is another user's";
    if (!*content->refresh_token && (!*content->access_token || content->expires_ms <= clock_system_now_ms()))
        return "the token has ended, and the provider gave none to renew it with";
    return NULL;
}

static void take_file(Token *token, StoredToken *content)
{
    const char *wrong = *content->withdrawn ? content->withdrawn : misfit(token, content);
    gboolean same =
        token->stored.refresh_token && g_str_equal(token->stored.refresh_token, content->refresh_token) && !token->withdrawn;
    g_autofree char *why = wrong ? needs_authorizing(token, wrong) : NULL;
    if (wrong) {
        withdraw(token, why);
        return;
    }
    if (same && (token->call || token->unsaved.refresh_token))
        return; /* what is under way brings a newer one */
    if (token->call)
        http_cancel(g_steal_pointer(&token->call)); /* it renews what a person has replaced */
    stored_token_clear(&token->unsaved);
    token->withdrawn = FALSE;
    token->failures = 0;
    token->retry_at_ms = 0;
    token->published_ms = same ? token->published_ms : 0;
    set_fault(token, "");
    set_stored(token, content);
    renew_in_time(token);
    token->place->on_change(token->name, token->place->data);
}

void token_read_file(Token *token)
{
    g_autoptr(GError) error = NULL;
    gboolean found = FALSE;
    StoredToken content = {0};
    if (!token_file_read(token->config->tokens_dir, token->name, &found, &content, &error)) {
        withdraw(token, error->message);
        set_timer(token, READ_RETRY_MS);
    } else if (!found) {
        g_autofree char *why = needs_authorizing(token, "it is not authorized yet");
        withdraw(token, why);
    } else {
        take_file(token, &content);
    }
    stored_token_clear(&content);
}

/* Writes what was granted or withdrawn; FALSE: later again. */
static gboolean save(Token *token, const StoredToken *content)
{
    g_autoptr(GError) error = NULL;
    gboolean superseded = FALSE;
    if (!token_file_write(token->config->tokens_dir, token->name, content, token->stored.refresh_token, &superseded,
                          &error)) {
        g_autofree char *why = g_strdup_printf("%s; no sign-in before it can be written", error->message);
        token->retry_at_ms = clock_monotonic_ms() + WRITE_RETRY_MS;
        set_fault(token, why);
        set_timer(token, WRITE_RETRY_MS);
        log_event(LOG_LEVEL_ERROR, "token-not-saved", LOG_TEXT("account", token->name), LOG_TEXT("reason", error->message));
        return FALSE;
    }
    if (!superseded)
        return TRUE;
    stored_token_clear(&token->unsaved);
    token_read_file(token);
    return FALSE;
}

/* ---- renewing -------------------------------------------------------------------------------------------------------- */

static void save_and_publish(Token *token)
{
    if (!save(token, &token->unsaved))
        return;
    if (misfit(token, &token->unsaved)) { /* the configuration has changed since it was asked for: on disk it is, but not of use here */
        stored_token_clear(&token->unsaved);
        token_read_file(token);
        return;
    }
    token->withdrawn = FALSE;
    token->failures = 0;
    token->retry_at_ms = 0;
    token->published_ms = clock_monotonic_ms();
    set_fault(token, "");
    set_stored(token, &token->unsaved);
    renew_in_time(token);
    log_event(LOG_LEVEL_INFO, "token-renewed", LOG_TEXT("account", token->name),
              LOG_NUMBER("lifetime_s", (token->stored.expires_ms - token->stored.obtained_ms) / 1000));
    token->place->on_change(token->name, token->place->data);
}

static void take_grant(Token *token, const OAuthAnswer *answer)
{
    const gint64 now_ms = clock_system_now_ms();
    stored_token_clear(&token->unsaved);
    token->unsaved = stored_token_copy(&token->stored);
    secret_free(token->unsaved.access_token);
    token->unsaved.access_token = g_strdup(answer->access_token);
    if (answer->refresh_token) {
        secret_free(token->unsaved.refresh_token);
        token->unsaved.refresh_token = g_strdup(answer->refresh_token);
    }
    token->unsaved.obtained_ms = now_ms;
    token->unsaved.expires_ms = now_ms + answer->lifetime_s * 1000;
    save_and_publish(token);
}

/* Remembered on disk, so that a restart does not ask again. Where that cannot be written, it asks again. */
static void take_withdrawal(Token *token, const char *words)
{
    StoredToken content = stored_token_copy(&token->stored);
    g_autofree char *what = g_strdup_printf("the provider does not take the token any more (%s)", words);
    g_autofree char *why = needs_authorizing(token, what);
    gboolean superseded = FALSE;
    g_free(content.withdrawn);
    content.withdrawn = g_strdup(what);
    secret_free(content.access_token);
    content.access_token = g_strdup("");
    token_file_write(token->config->tokens_dir, token->name, &content, token->stored.refresh_token, &superseded, NULL);
    stored_token_clear(&content);
    if (superseded)
        token_read_file(token);
    else
        withdraw(token, why);
}

static void on_answer(const HttpAnswer *http, gpointer data)
{
    Token *token = data;
    OAuthAnswer answer = {0};
    token->call = NULL;
    oauth_read_answer(http, &answer);
    g_autofree char *why = g_strdup_printf("no access token from %s: %s", token->oauth->token_url, answer.words);
    switch (answer.verdict) {
    case OAUTH_GRANTED:
        take_grant(token, &answer);
        break;
    case OAUTH_WITHDRAWN:
        take_withdrawal(token, answer.words);
        break;
    case OAUTH_REFUSED:
        try_later(token, BACKOFF_REFUSED_MS, answer.retry_after_s, why);
        break;
    case OAUTH_PENDING:
    case OAUTH_SLOW_DOWN:
    case OAUTH_LATER:
        try_later(token, BACKOFF_FIRST_MS, answer.retry_after_s, why);
        break;
    }
    oauth_answer_clear(&answer);
}

void token_renew(Token *token)
{
    g_autoptr(GError) error = NULL;
    if (token->call || token->withdrawn)
        return;
    if (token->unsaved.refresh_token) {
        save_and_publish(token);
        return;
    }
    if (!*token->stored.refresh_token) { /* nothing to renew it with: it serves until it ends */
        if (token_is_usable(token))
            set_timer(token, token->stored.expires_ms - clock_system_now_ms());
        else
            token_read_file(token);
        return;
    }
    stop_timer(token);
    const OAuthField fields[] = {
        {"grant_type", "refresh_token"}, {"refresh_token", token->stored.refresh_token}, {NULL, NULL}};
    token->call = oauth_post(token->place->http, token->oauth, token->oauth->token_url, fields, on_answer, token, &error);
    if (!token->call)
        try_later(token, BACKOFF_REFUSED_MS, 0, error->message);
}

/* ---- a server that does not take it ---------------------------------------------------------------------------------- */

gboolean token_refused(Token *token)
{
    if (token->withdrawn)
        return FALSE;
    if (!token_is_usable(token))
        return TRUE; /* another connection said so before */
    if (token->published_ms && clock_monotonic_ms() - token->published_ms < NEW_MS)
        return FALSE;
    g_mutex_lock(&token->place->mutex);
    secret_free(token->stored.access_token);
    token->stored.access_token = g_strdup("");
    g_mutex_unlock(&token->place->mutex);
    log_event(LOG_LEVEL_NOTICE, "token-refused", LOG_TEXT("account", token->name),
              LOG_TEXT("reason", "the mail server does not take the access token; another is fetched"));
    if (!token->retry_at_ms)
        token_renew(token);
    return TRUE;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

Token *token_new(TokenPlace *place, const char *name)
{
    Token *token = g_new0(Token, 1);
    token->place = place;
    token->name = g_strdup(name);
    token->fault = g_strdup("");
    return token;
}

void token_free(Token *token)
{
    stop_timer(token);
    if (token->call)
        http_cancel(token->call);
    stored_token_clear(&token->stored);
    stored_token_clear(&token->unsaved);
    config_unref(token->config);
    g_free(token->name);
    g_free(token->fault);
    g_free(token);
}
