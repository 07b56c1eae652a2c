/*
 * All access tokens, by name; what becomes of each is token.c's. Runs on the loop, but for tokens_get(), which workers call.
 */
#include "engine/tokens.h"

#include "base/clock.h"
#include "engine/templates.h"
#include "engine/token.h"

struct Tokens {
    TokenPlace place;
    GHashTable *table;  /* char* (of the token) -> Token*; guarded by place.mutex, for tokens_get() */
    GPtrArray *changed; /* char*: to be told */
    GSource *tell;
    void (*on_change)(const char *name, gpointer data);
    gpointer data;
};

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

static void tell_later(const char *name, gpointer data)
{
    Tokens *tokens = data;
    g_ptr_array_add(tokens->changed, g_strdup(name));
    if (tokens->tell)
        return;
    tokens->tell = g_idle_source_new();
    g_source_set_priority(tokens->tell, G_PRIORITY_DEFAULT);
    g_source_set_callback(tokens->tell, on_tell, tokens, NULL);
    g_source_attach(tokens->tell, tokens->place.context);
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
    g_mutex_lock(&tokens->place.mutex);
    const Token *token = find(tokens, oauth);
    if (token && token_is_usable(token)) {
        secret = g_strdup(token->stored.access_token);
        if (ret_until_ms)
            *ret_until_ms = clock_monotonic_ms() + token->stored.expires_ms - clock_system_now_ms();
    } else {
        const char *why = token && *token->fault ? token->fault : "the access token is being fetched";
        g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_TOKEN,
                            token ? why : "the configuration has changed: this token is not the account's any more");
    }
    g_mutex_unlock(&tokens->place.mutex);
    return secret;
}

TokenState tokens_state(Tokens *tokens, const OAuth *oauth, char **ret_reason, gint64 *ret_retry_in_ms)
{
    Token *token = find(tokens, oauth);
    *ret_retry_in_ms = 0;
    if (token && token_is_usable(token)) {
        *ret_reason = g_strdup(token->fault);
        return TOKEN_READY;
    }
    if (token && !token->withdrawn && !token->call && !token->retry_at_ms)
        token_renew(token); /* the machine slept over the timer's time */
    *ret_reason = g_strdup(token && *token->fault ? token->fault : "the access token is being fetched");
    if (token && token->retry_at_ms)
        *ret_retry_in_ms = MAX(token->retry_at_ms - clock_monotonic_ms(), 1);
    return token && token->withdrawn ? TOKEN_WITHDRAWN : TOKEN_WAITING;
}

gboolean tokens_refused(Tokens *tokens, const OAuth *oauth)
{
    Token *token = find(tokens, oauth);
    return token && token_refused(token);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

Tokens *tokens_new(GMainContext *context, void (*on_change)(const char *name, gpointer data), gpointer data)
{
    Tokens *tokens = g_new0(Tokens, 1);
    tokens->place.context = context;
    tokens->place.http = http_client_new(context);
    tokens->table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)token_free);
    tokens->changed = g_ptr_array_new_with_free_func(g_free);
    tokens->on_change = on_change;
    tokens->data = data;
    tokens->place.on_change = tell_later;
    tokens->place.data = tokens;
    g_mutex_init(&tokens->place.mutex);
    return tokens;
}

static void take_oauth(Tokens *tokens, Config *config, const OAuth *oauth)
{
    Token *token = g_hash_table_lookup(tokens->table, oauth->token_name);
    gboolean is_new = !token;
    if (is_new)
        token = token_new(&tokens->place, oauth->token_name);
    Config *before = token->config;
    g_mutex_lock(&tokens->place.mutex); /* workers compare it */
    token->config = config_ref(config);
    token->oauth = oauth;
    if (is_new)
        g_hash_table_insert(tokens->table, token->name, token);
    g_mutex_unlock(&tokens->place.mutex);
    config_unref(before);
    token->seen = TRUE;
    token_read_file(token);
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
    g_mutex_lock(&tokens->place.mutex);
    g_hash_table_foreach_remove(tokens->table, forget_unseen, NULL);
    g_mutex_unlock(&tokens->place.mutex);
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
    http_client_free(tokens->place.http);
    g_mutex_clear(&tokens->place.mutex);
    g_free(tokens);
}
