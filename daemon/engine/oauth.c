/*
 * What is said to and by OAuth2 endpoints. Everything that an answer holds is a stranger's: types, lengths and characters are
 * checked before anything is believed.
 */
#include "engine/oauth.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "config/secret.h"

enum {
    WORDS_OCTETS = 300,
    DEFAULT_LIFETIME_S = 3600,
    SHORTEST_LIFETIME_S = 5,
    LONGEST_LIFETIME_S = 10 * 365 * 24 * 3600,
    DEFAULT_INTERVAL_S = 5,
    LONGEST_INTERVAL_S = 300,
    LONGEST_RETRY_S = 24 * 3600,
    HTTP_OK = 200,
    HTTP_TOO_MANY = 429,
    HTTP_BROKEN = 500
};

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

/* Grows by whole new strings; what is outgrown is wiped. */
static char *add_field(char *form, const char *name, const char *value)
{
    char *escaped = g_uri_escape_string(value, NULL, FALSE);
    char *longer = g_strconcat(form ? form : "", form ? "&" : "", name, "=", escaped, NULL);
    secret_free(escaped);
    secret_free(form);
    return longer;
}

static char *make_basic(const OAuth *oauth, const char *secret)
{
    char *id = g_uri_escape_string(oauth->client_id, NULL, FALSE);
    char *escaped = g_uri_escape_string(secret, NULL, FALSE);
    char *basic = g_strconcat(id, ":", escaped, NULL);
    g_free(id);
    secret_free(escaped);
    return basic;
}

HttpCall *oauth_post(HttpClient *client, const OAuth *oauth, const char *url, const OAuthField *fields, HttpDoneFunc done,
                     gpointer data, GError **error)
{
    char *secret = secret_read(&oauth->client_secret, error);
    if (!secret)
        return NULL;
    gboolean has_secret = oauth->client_secret.kind != SECRET_NONE;
    char *basic = has_secret && oauth->secret_in_header ? make_basic(oauth, secret) : NULL;
    char *form = add_field(NULL, "client_id", oauth->client_id);
    if (has_secret && !oauth->secret_in_header)
        form = add_field(form, "client_secret", secret);
    for (; fields->name; fields++)
        form = add_field(form, fields->name, fields->value);
    const HttpRequest request = {.url = url, .ca_file = oauth->ca_file, .form = form, .basic = basic};
    HttpCall *call = http_post(client, &request, done, data);
    secret_free(form);
    secret_free(basic);
    secret_free(secret);
    return call;
}

char *oauth_query(const OAuthField *fields)
{
    char *query = NULL;
    for (; fields->name; fields++)
        query = add_field(query, fields->name, fields->value);
    return query;
}

/* ---- reading answers ------------------------------------------------------------------------------------------------- */

/* A text member, NULL where there is none or it is of another type. */
static const char *text_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* A number, which some servers write as text; fallback where it is none. */
static gint64 number_of(JsonObject *object, const char *name, gint64 fallback, gint64 least, gint64 most)
{
    JsonNode *node = json_object_get_member(object, name);
    gint64 number = fallback;
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64)
        number = json_node_get_int(node);
    else if (text_of(object, name))
        number = g_ascii_strtoll(text_of(object, name), NULL, 10);
    return CLAMP(number, least, most);
}

static gboolean is_token(const char *text)
{
    if (!text || !*text || strlen(text) > TOKEN_OCTETS)
        return FALSE;
    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c))
            return FALSE;
    return TRUE;
}

static void hide(GString *words, const char *secret)
{
    if (*secret)
        g_string_replace(words, secret, "…", 0);
}

/* What we sent and no one else may read: secret and tokens, as they are and as they stood in the form. */
static void hide_sent(GString *words, const HttpAnswer *http)
{
    static const char *const harmless[] = {"client_id", "grant_type", "redirect_uri", "scope", NULL};
    char **fields = g_strsplit(http->form, "&", -1);
    for (char **field = fields; *field; field++) {
        char *equals = strchr(*field, '=');
        *equals = '\0';
        char *value = g_uri_unescape_string(equals + 1, NULL);
        if (value && !g_strv_contains(harmless, *field)) {
            hide(words, value);
            hide(words, equals + 1);
        }
        secret_free(value);
        explicit_bzero(equals + 1, strlen(equals + 1));
    }
    g_strfreev(fields);
    if (!http->basic)
        return;
    char *secret = g_uri_unescape_string(strchr(http->basic, ':') + 1, NULL);
    char *encoded = g_base64_encode((const guchar *)http->basic, strlen(http->basic));
    hide(words, secret);
    hide(words, encoded);
    secret_free(secret);
    secret_free(encoded);
}

/* "error: description" as people read it. */
static char *words_of(JsonObject *object, const char *error, const HttpAnswer *http)
{
    const char *description = text_of(object, "error_description");
    g_autoptr(GString) words = g_string_new(error);
    if (description && *description)
        g_string_append_printf(words, ": %s", description);
    hide_sent(words, http);
    return text_escape(words->str, WORDS_OCTETS);
}

static OAuthVerdict verdict_of(const char *error)
{
    static const struct {
        const char *error;
        OAuthVerdict verdict;
    } known[] = {{"authorization_pending", OAUTH_PENDING}, {"slow_down", OAUTH_SLOW_DOWN},
                 {"invalid_grant", OAUTH_WITHDRAWN},       {"interaction_required", OAUTH_WITHDRAWN},
                 {"consent_required", OAUTH_WITHDRAWN},    {"login_required", OAUTH_WITHDRAWN},
                 {"access_denied", OAUTH_WITHDRAWN},       {"expired_token", OAUTH_WITHDRAWN},
                 {"code_expired", OAUTH_WITHDRAWN},        {"authorization_declined", OAUTH_WITHDRAWN},
                 {"temporarily_unavailable", OAUTH_LATER}, {"server_error", OAUTH_LATER}};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_equal(known[i].error, error))
            return known[i].verdict;
    return OAUTH_REFUSED;
}

static void take_grant(JsonObject *object, OAuthAnswer *answer)
{
    const char *access = text_of(object, "access_token"), *refresh = text_of(object, "refresh_token");
    const char *type = text_of(object, "token_type");
    if (!is_token(access) || (refresh && !is_token(refresh)) || (type && g_ascii_strcasecmp(type, "Bearer") != 0)) {
        answer->verdict = OAUTH_LATER;
        answer->words = g_strdup("the answer holds no bearer token");
        return;
    }
    answer->verdict = OAUTH_GRANTED;
    answer->access_token = g_strdup(access);
    answer->refresh_token = g_strdup(refresh);
    answer->lifetime_s = number_of(object, "expires_in", DEFAULT_LIFETIME_S, SHORTEST_LIFETIME_S, LONGEST_LIFETIME_S);
    answer->words = g_strdup("");
}

static void take_error(JsonObject *object, const HttpAnswer *http, OAuthAnswer *answer)
{
    const char *error = object ? text_of(object, "error") : NULL;
    if (http->status == 0) {
        answer->words = text_escape(http->fault, WORDS_OCTETS);
    } else if (!error || http->status >= HTTP_BROKEN || http->status == HTTP_TOO_MANY) {
        answer->words = g_strdup_printf("it answered HTTP %d%s", http->status, error ? "" : " without saying why");
    } else {
        answer->verdict = verdict_of(error);
        answer->words = words_of(object, error, http);
    }
}

void oauth_read_answer(const HttpAnswer *http, OAuthAnswer *ret_answer)
{
    g_autoptr(JsonObject) object = http->status ? json_parse_object(http->body, NULL) : NULL;
    *ret_answer = (OAuthAnswer){.verdict = OAUTH_LATER, .retry_after_s = CLAMP(http->retry_after_s, 0, LONGEST_RETRY_S)};
    if (http->status == HTTP_OK && object && !text_of(object, "error"))
        take_grant(object, ret_answer);
    else
        take_error(object, http, ret_answer);
}

void oauth_answer_clear(OAuthAnswer *answer)
{
    secret_free(answer->access_token);
    secret_free(answer->refresh_token);
    g_free(answer->words);
    *answer = (OAuthAnswer){0};
}

/* ---- device codes ---------------------------------------------------------------------------------------------------- */

/* It is shown in a terminal, and opened by a person. */
static gboolean is_page(const char *url)
{
    if (!url || !g_str_has_prefix(url, "https://") || strlen(url) > 2000)
        return FALSE;
    for (const char *c = url; *c; c++)
        if (!g_ascii_isgraph(*c))
            return FALSE;
    return TRUE;
}

gboolean oauth_read_device_code(const HttpAnswer *http, DeviceCode *ret_code, char **ret_words)
{
    g_autoptr(JsonObject) object = http->status ? json_parse_object(http->body, NULL) : NULL;
    const char *device = object ? text_of(object, "device_code") : NULL,
               *user = object ? text_of(object, "user_code") : NULL;
    const char *page = object ? text_of(object, "verification_uri") : NULL;
    if (object && !page)
        page = text_of(object, "verification_url"); /* Google's, older than the standard */
    if (http->status != HTTP_OK || !is_token(device) || !user || !*user || !is_page(page)) {
        OAuthAnswer answer = {0};
        take_error(object, http, &answer);
        *ret_words = http->status == HTTP_OK ? g_strdup("the answer holds no device code") : g_steal_pointer(&answer.words);
        oauth_answer_clear(&answer);
        return FALSE;
    }
    const char *complete = text_of(object, "verification_uri_complete");
    *ret_code = (DeviceCode){.device_code = g_strdup(device),
                             .user_code = text_escape(user, 60),
                             .verification_url = g_strdup(page),
                             .complete_url = g_strdup(is_page(complete) ? complete : ""),
                             .lifetime_s = number_of(object, "expires_in", 900, SHORTEST_LIFETIME_S, 24 * 3600),
                             .interval_s = number_of(object, "interval", DEFAULT_INTERVAL_S, 1, LONGEST_INTERVAL_S)};
    return TRUE;
}

void device_code_clear(DeviceCode *code)
{
    secret_free(code->device_code);
    g_free(code->user_code);
    g_free(code->verification_url);
    g_free(code->complete_url);
    *code = (DeviceCode){0};
}
