/*
 * The life of access tokens. Runs on the loop, but for tokens_get(), which workers call.
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
#include "engine/tokens.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/secret.h"
#include "engine/http.h"
#include "engine/oauth.h"
#include "engine/templates.h"
#include "engine/token_file.h"

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

typedef struct {
    Tokens *tokens;
    Config *config; /* the one that oauth belongs to */
    const OAuth *oauth;
    char *name;
    StoredToken stored;  /* as on disk; guarded for tokens_get() */
    StoredToken unsaved; /* granted, but not written yet; refresh_token NULL: none */
    gint64 published_ms; /* monotonic, when stored's access token came; 0: from a file */
    gboolean withdrawn;
    char *fault; /* why there is no new one; "" for none */
    guint failures;
    gint64 retry_at_ms; /* monotonic; 0: none */
    GSource *timer;     /* renews, or tries again */
    HttpCall *call;     /* renewing */
    gboolean seen;      /* by the configuration being taken */
} Token;

struct Tokens {
    GMainContext *context;
    HttpClient *http;
    GMutex mutex;       /* guards table, and each token's stored, fault and oauth */
    GHashTable *table;  /* char* (of the token) -> Token* */
    GPtrArray *changed; /* char*: to be told */
    GSource *tell;
    void (*on_change)(const char *name, gpointer data);
    gpointer data;
};

static void renew(Token *token);
static void read_file(Token *token);

/* ---- telling --------------------------------------------------------------------------------------------------------- */

static gboolean on_tell(gpointer data)
{
    Tokens *tokens = data;
    g_autoptr(GPtrArray) changed = g_steal_pointer(&tokens->changed);
    tokens->changed = g_ptr_array_new_with_free_func(g_free);
    g_clear_pointer(&tokens->tell, g_source_unref);
    for (guint i = 0; i < changed->len; i++)
        tokens->on_change(changed->pdata[i], tokens->data);
    return G_SOURCE_REMOVE;
}

static void tell_later(Token *token)
{
    Tokens *tokens = token->tokens;
    g_ptr_array_add(tokens->changed, g_strdup(token->name));
    if (tokens->tell)
        return;
    tokens->tell = g_idle_source_new();
    g_source_set_priority(tokens->tell, G_PRIORITY_DEFAULT);
    g_source_set_callback(tokens->tell, on_tell, tokens, NULL);
    g_source_attach(tokens->tell, tokens->context);
}

static void set_fault(Token *token, const char *fault)
{
    g_mutex_lock(&token->tokens->mutex);
    g_free(token->fault);
    token->fault = g_strdup(fault);
    g_mutex_unlock(&token->tokens->mutex);
}

/* ---- timers ---------------------------------------------------------------------------------------------------------- */

static gboolean on_timer(gpointer data)
{
    Token *token = data;
    g_clear_pointer(&token->timer, g_source_unref);
    token->retry_at_ms = 0;
    if (token->withdrawn)
        read_file(token); /* which could not be read */
    else
        renew(token);
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
    g_source_attach(token->timer, token->tokens->context);
}

static gboolean is_usable(const Token *token)
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
    set_timer(token, is_usable(token) ? token->stored.expires_ms - margin_ms - early_ms - clock_system_now_ms() : 0);
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
    g_mutex_lock(&token->tokens->mutex);
    stored_token_clear(&token->stored);
    token->stored = *content;
    *content = (StoredToken){0};
    g_mutex_unlock(&token->tokens->mutex);
}

static void withdraw(Token *token, const char *why)
{
    gboolean is_new = !token->withdrawn || g_strcmp0(token->fault, why) != 0;
    stop_timer(token);
    token->retry_at_ms = 0;
    token->withdrawn = TRUE;
    set_fault(token, why);
    g_mutex_lock(&token->tokens->mutex);
    secret_free(token->stored.access_token);
    token->stored.access_token = g_strdup("");
    g_mutex_unlock(&token->tokens->mutex);
    if (is_new) {
        log_event(LOG_LEVEL_ERROR, "authorization-needed", LOG_TEXT("account", token->name), LOG_TEXT("reason", why));
        tell_later(token);
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
    tell_later(token);
}

static void read_file(Token *token)
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
    read_file(token);
    return FALSE;
}

/* ---- renewing -------------------------------------------------------------------------------------------------------- */

static void save_and_publish(Token *token)
{
    if (!save(token, &token->unsaved))
        return;
    if (misfit(token, &token->unsaved)) { /* the configuration has changed since it was asked for: on disk it is, but not of use here */
        stored_token_clear(&token->unsaved);
        read_file(token);
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
    tell_later(token);
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
        read_file(token);
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

static void renew(Token *token)
{
    g_autoptr(GError) error = NULL;
    if (token->call || token->withdrawn)
        return;
    if (token->unsaved.refresh_token) {
        save_and_publish(token);
        return;
    }
    if (!*token->stored.refresh_token) { /* nothing to renew it with: it serves until it ends */
        if (is_usable(token))
            set_timer(token, token->stored.expires_ms - clock_system_now_ms());
        else
            read_file(token);
        return;
    }
    stop_timer(token);
    const OAuthField fields[] = {
        {"grant_type", "refresh_token"}, {"refresh_token", token->stored.refresh_token}, {NULL, NULL}};
    token->call = oauth_post(token->tokens->http, token->oauth, token->oauth->token_url, fields, on_answer, token, &error);
    if (!token->call)
        try_later(token, BACKOFF_REFUSED_MS, 0, error->message);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

/* A courier that was retired may have another identity by the same name. */
static Token *find(Tokens *tokens, const OAuth *oauth)
{
    Token *token = g_hash_table_lookup(tokens->table, oauth->token_name);
    gboolean same = token && g_str_equal(token->oauth->user, oauth->user) && g_str_equal(token->oauth->client_id, oauth->client_id);
    return same ? token : NULL;
}

char *tokens_get(Tokens *tokens, const OAuth *oauth, gint64 *ret_until_ms, GError **error)
{
    char *secret = NULL;
    g_mutex_lock(&tokens->mutex);
    const Token *token = find(tokens, oauth);
    if (token && is_usable(token)) {
        secret = g_strdup(token->stored.access_token);
        if (ret_until_ms)
            *ret_until_ms = clock_monotonic_ms() + token->stored.expires_ms - clock_system_now_ms();
    } else {
        const char *why = token && *token->fault ? token->fault : "the access token is being fetched";
        g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_TOKEN,
                            token ? why : "the configuration has changed: this token is not the account's any more");
    }
    g_mutex_unlock(&tokens->mutex);
    return secret;
}

TokenState tokens_state(Tokens *tokens, const OAuth *oauth, char **ret_reason, gint64 *ret_retry_in_ms)
{
    Token *token = find(tokens, oauth);
    *ret_retry_in_ms = 0;
    if (token && is_usable(token)) {
        *ret_reason = g_strdup(token->fault);
        return TOKEN_READY;
    }
    if (token && !token->withdrawn && !token->call && !token->retry_at_ms)
        renew(token); /* the machine slept over the timer's time */
    *ret_reason = g_strdup(token && *token->fault ? token->fault : "the access token is being fetched");
    if (token && token->retry_at_ms)
        *ret_retry_in_ms = MAX(token->retry_at_ms - clock_monotonic_ms(), 1);
    return token && token->withdrawn ? TOKEN_WITHDRAWN : TOKEN_WAITING;
}

gboolean tokens_refused(Tokens *tokens, const OAuth *oauth)
{
    Token *token = find(tokens, oauth);
    if (!token || token->withdrawn)
        return FALSE;
    if (!is_usable(token))
        return TRUE; /* another connection said so before */
    if (token->published_ms && clock_monotonic_ms() - token->published_ms < NEW_MS)
        return FALSE;
    g_mutex_lock(&tokens->mutex);
    secret_free(token->stored.access_token);
    token->stored.access_token = g_strdup("");
    g_mutex_unlock(&tokens->mutex);
    log_event(LOG_LEVEL_NOTICE, "token-refused", LOG_TEXT("account", token->name),
              LOG_TEXT("reason", "the mail server does not take the access token; another is fetched"));
    if (!token->retry_at_ms)
        renew(token);
    return TRUE;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void token_free(gpointer data)
{
    Token *token = data;
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

Tokens *tokens_new(GMainContext *context, void (*on_change)(const char *name, gpointer data), gpointer data)
{
    Tokens *tokens = g_new0(Tokens, 1);
    tokens->context = context;
    tokens->http = http_client_new(context);
    tokens->table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, token_free);
    tokens->changed = g_ptr_array_new_with_free_func(g_free);
    tokens->on_change = on_change;
    tokens->data = data;
    g_mutex_init(&tokens->mutex);
    return tokens;
}

static void take_oauth(Tokens *tokens, Config *config, const OAuth *oauth)
{
    Token *token = g_hash_table_lookup(tokens->table, oauth->token_name);
    gboolean is_new = !token;
    if (is_new) {
        token = g_new0(Token, 1);
        token->tokens = tokens;
        token->name = g_strdup(oauth->token_name);
        token->fault = g_strdup("");
    }
    Config *before = token->config;
    g_mutex_lock(&tokens->mutex); /* workers compare it */
    token->config = config_ref(config);
    token->oauth = oauth;
    if (is_new)
        g_hash_table_insert(tokens->table, token->name, token);
    g_mutex_unlock(&tokens->mutex);
    config_unref(before);
    token->seen = TRUE;
    read_file(token);
}

static gboolean forget_unseen(gpointer name, gpointer value, gpointer unused)
{
    Token *token = value;
    (void)name, (void)unused;
    gboolean forget = !token->seen;
    token->seen = FALSE;
    return forget;
}

void tokens_configure(Tokens *tokens, Config *config)
{
    for (Account **account = config->accounts; *account; account++)
        for (OAuth **oauth = (*account)->oauths; *oauth; oauth++)
            take_oauth(tokens, config, *oauth);
    g_mutex_lock(&tokens->mutex);
    g_hash_table_foreach_remove(tokens->table, forget_unseen, NULL);
    g_mutex_unlock(&tokens->mutex);
}

void tokens_free(Tokens *tokens)
{
    if (!tokens)
        return;
    g_hash_table_unref(tokens->table);
    if (tokens->tell)
        g_source_destroy(tokens->tell);
    g_clear_pointer(&tokens->tell, g_source_unref);
    g_ptr_array_unref(tokens->changed);
    http_client_free(tokens->http);
    g_mutex_clear(&tokens->mutex);
    g_free(tokens);
}
