/*
 * `auth` groups: how an account, or one of its servers, signs in, and where its access tokens come from.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

typedef struct {
    int method, provider; /* index of its names; -1: not given */
    char *user, *client_id, *client_secret, *client_secret_file, *client_secret_credential;
    char *token_url, *device_url, *authorize_url, *redirect_url, *scope, *ca_file;
} AuthKeys;

static const char *const methods[] = {
    [SIGN_IN_AUTO] = "auto",         [SIGN_IN_PLAIN] = "plain",   [SIGN_IN_LOGIN] = "login",
    [SIGN_IN_CRAM_MD5] = "cram-md5", [SIGN_IN_OAUTH2] = "oauth2", NULL};

const char *sign_in_name(SignIn sign_in)
{
    return methods[sign_in];
}

static void parse_method(Reader *reader, config_setting_t *setting, gpointer field)
{
    *(int *)field = reader_choice(reader, setting, methods);
}

static void parse_provider(Reader *reader, config_setting_t *setting, gpointer field)
{
    *(int *)field = reader_choice(reader, setting, provider_names());
}

/* A secret goes there, so nothing but https will do. */
static void parse_https(Reader *reader, config_setting_t *setting, gpointer field)
{
    const char *example = "\"https://login.example.com/token\"";
    const char *text = reader_text(reader, setting, example);
    if (!text)
        return;
    g_autofree char *name = reader_name_of(setting);
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_ENCODED, NULL);
    gboolean fits = uri && g_ascii_strcasecmp(g_uri_get_scheme(uri), "https") == 0 && g_uri_get_host(uri) &&
                    *g_uri_get_host(uri) && !g_uri_get_userinfo(uri) && !g_uri_get_fragment(uri);
    for (const char *c = text; *c; c++)
        fits = fits && g_ascii_isgraph(*c);
    if (!fits) { /* not shown where it may hold a password */
        g_autofree char *shown = text_escape(text, 80);
        reader_fault(reader, setting, "%s: \"%s\" is no https URL; write %s", name, strchr(shown, '@') ? "…" : shown,
                     example);
        return;
    }
    g_free(*(char **)field);
    *(char **)field = g_strdup(text);
}

/* Never a command: tokens are fetched on the loop, which must not wait for one. */
static void take_client_secret(Reader *reader, const config_setting_t *group, AuthKeys *keys, SecretSource *ret_source)
{
    struct {
        SecretKind kind;
        char **value;
    } sources[] = {{SECRET_TEXT, &keys->client_secret},
                   {SECRET_FILE, &keys->client_secret_file},
                   {SECRET_CREDENTIAL, &keys->client_secret_credential}};
    guint given = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
        if (*sources[i].value && given++ == 0)
            *ret_source = (SecretSource){sources[i].kind, g_steal_pointer(sources[i].value)};
    if (given > 1)
        reader_fault(reader, group, "auth: write only one of client_secret, client_secret_file, client_secret_credential");
    if (ret_source->kind == SECRET_FILE)
        secret_file_check(reader, group, "client_secret_file", ret_source->value);
    if (ret_source->kind == SECRET_CREDENTIAL && strchr(ret_source->value, '/'))
        reader_fault(reader, group,
                     "auth: client_secret_credential is a name, not a path; write client_secret_file for a path");
}

static char *or_preset(char **given, const char *preset)
{
    return *given ? g_steal_pointer(given) : g_strdup(preset ? preset : "");
}

static OAuth *take_oauth(Reader *reader, const config_setting_t *group, AuthKeys *keys, const Provider *provider)
{
    static const Provider none = {.name = ""};
    const Provider *preset = provider ? provider : &none;
    OAuth *oauth = g_new0(OAuth, 1);
    plain_check(reader, group, "client_id", keys->client_id);
    plain_check(reader, group, "scope", keys->scope);
    plain_check(reader, group, "redirect_url", keys->redirect_url);
    if (!keys->client_id)
        reader_fault(reader, group,
                     "auth.client_id is missing; register an application with the mail provider, and write client_id = "
                     "\"…\" as it says");
    if (!keys->token_url && !provider)
        reader_fault(reader, group,
                     "auth: where tokens come from is missing; write provider = \"gmail\" (microsoft, yahoo, fastmail), or "
                     "token_url = "
                     "\"https://login.example.com/token\"");
    take_client_secret(reader, group, keys, &oauth->client_secret);
    oauth->provider = g_strdup(preset->name);
    oauth->secret_in_header = preset->secret_in_header;
    oauth->client_id = or_preset(&keys->client_id, "");
    oauth->token_url = or_preset(&keys->token_url, preset->token_url);
    oauth->device_url = or_preset(&keys->device_url, preset->device_url);
    oauth->authorize_url = or_preset(&keys->authorize_url, preset->authorize_url);
    oauth->redirect_url = or_preset(&keys->redirect_url, preset->redirect_url);
    oauth->scope = or_preset(&keys->scope, preset->scope);
    oauth->ca_file = or_preset(&keys->ca_file, "");
    return oauth;
}

static void refuse_oauth_keys(Reader *reader, const config_setting_t *group, const AuthKeys *keys)
{
    const struct {
        const char *name, *value;
    } of_oauth[] = {{"client_id", keys->client_id},
                    {"client_secret", keys->client_secret},
                    {"client_secret_file", keys->client_secret_file},
                    {"client_secret_credential", keys->client_secret_credential},
                    {"token_url", keys->token_url},
                    {"device_url", keys->device_url},
                    {"authorize_url", keys->authorize_url},
                    {"redirect_url", keys->redirect_url},
                    {"scope", keys->scope},
                    {"ca_file", keys->ca_file}};
    for (gsize i = 0; i < G_N_ELEMENTS(of_oauth); i++)
        if (of_oauth[i].value)
            reader_fault(reader, group, "auth.%s belongs to method = \"oauth2\"; leave it out", of_oauth[i].name);
}

static void auth_keys_clear(AuthKeys *keys)
{
    g_free(keys->user);
    g_free(keys->client_id);
    secret_free(keys->client_secret);
    g_free(keys->client_secret_file);
    g_free(keys->client_secret_credential);
    g_free(keys->token_url);
    g_free(keys->device_url);
    g_free(keys->authorize_url);
    g_free(keys->redirect_url);
    g_free(keys->scope);
    g_free(keys->ca_file);
}

void auth_parse(Reader *reader, config_setting_t *setting, Auth *ret_auth)
{
    static const Key keys[] = {
        KEY_PARSED_NEEDED("method", AuthKeys, method, parse_method, "method = \"oauth2\""),
        KEY_PARSED("provider", AuthKeys, provider, parse_provider, "\"gmail\""),
        KEY_ROW(KEY_TEXT, "user", AuthKeys, user, "\"anna@example.com\""),
        KEY_ROW(KEY_TEXT, "client_id", AuthKeys, client_id, "the id of your application at the provider"),
        KEY_ROW(KEY_TEXT, "client_secret", AuthKeys, client_secret, "the application's secret"),
        KEY_ROW(KEY_PATH, "client_secret_file", AuthKeys, client_secret_file, "the path of a file with mode 600"),
        KEY_ROW(KEY_TEXT, "client_secret_credential", AuthKeys, client_secret_credential,
                "the name of a systemd credential"),
        KEY_PARSED("token_url", AuthKeys, token_url, parse_https, "\"https://login.example.com/token\""),
        KEY_PARSED("device_url", AuthKeys, device_url, parse_https, "\"https://login.example.com/device\""),
        KEY_PARSED("authorize_url", AuthKeys, authorize_url, parse_https, "\"https://login.example.com/authorize\""),
        KEY_ROW(KEY_TEXT, "redirect_url", AuthKeys, redirect_url, "\"http://localhost:8400/\", as you registered it"),
        KEY_ROW(KEY_TEXT, "scope", AuthKeys, scope, "\"imap smtp offline_access\""),
        KEY_ROW(KEY_PATH, "ca_file", AuthKeys, ca_file, "the path of a PEM file"),
        KEY_END,
    };
    AuthKeys found = {.method = -1, .provider = -1};
    *ret_auth = (Auth){0};
    if (!reader_read_group(reader, setting, keys, &found))
        return;
    plain_check(reader, setting, "user", found.user);
    ret_auth->provider = found.provider >= 0 ? provider_at(found.provider) : NULL;
    ret_auth->sign_in = found.method >= 0 ? (SignIn)found.method : SIGN_IN_AUTO;
    ret_auth->user = g_steal_pointer(&found.user);
    if (ret_auth->sign_in == SIGN_IN_OAUTH2)
        ret_auth->oauth = take_oauth(reader, setting, &found, ret_auth->provider);
    else if (found.method >= 0)
        refuse_oauth_keys(reader, setting, &found);
    auth_keys_clear(&found);
}

void auth_clear(Auth *auth)
{
    g_free(auth->user);
    oauth_free(auth->oauth);
    *auth = (Auth){0};
}

void oauth_free(OAuth *oauth)
{
    if (!oauth)
        return;
    g_free(oauth->token_name);
    g_free(oauth->provider);
    g_free(oauth->user);
    g_free(oauth->client_id);
    secret_free(oauth->client_secret.value);
    g_free(oauth->token_url);
    g_free(oauth->device_url);
    g_free(oauth->authorize_url);
    g_free(oauth->redirect_url);
    g_free(oauth->scope);
    g_free(oauth->ca_file);
    g_free(oauth);
}
