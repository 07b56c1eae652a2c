/*
 * The servers of an account: where they are, how TLS is begun, and how we sign in.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/parts.h"

enum { DEFAULT_CONNECTIONS = 2, DEFAULT_POLL_MS = 60 * 1000 };

/* What stands in an smtp or imap group, before it is checked as a whole. */
typedef struct {
    const config_setting_t *url;
    char *user, *ca_file, *tls;
    char *password, *password_file, *password_command, *password_credential;
    gboolean allow_plaintext;
    config_setting_t *auth;
} ServerKeys;

typedef struct {
    ServerKeys server;
    guint connections;
} SmtpKeys;

typedef struct {
    ServerKeys server;
    config_setting_t *folders;
    char *sent_folder, *junk_folder;
    gboolean save_sent, watch_sent, watch_junk;
    Duration read_back;
    gint64 poll_ms;
} ImapKeys;

#define SERVER_ROWS(type_, url_example_)                                                                                    \
    KEY_KEPT("url", type_, server.url, url_example_),                                                                       \
        KEY_KEPT("auth", type_, server.auth, "auth = { method = \"oauth2\"; provider = \"gmail\"; … }"),                    \
        KEY_ROW(KEY_TEXT, "user", type_, server.user, "\"anna\""),                                                          \
        KEY_ROW(KEY_PATH, "ca_file", type_, server.ca_file, "the path of a PEM file"),                                      \
        KEY_ROW(KEY_TEXT, "tls", type_, server.tls, "tls = \"none\", or leave it out"),                                     \
        KEY_ROW(KEY_BOOL, "allow_plaintext", type_, server.allow_plaintext, "true or false"),                               \
        KEY_ROW(KEY_TEXT, "password", type_, server.password, "the password"),                                              \
        KEY_ROW(KEY_PATH, "password_file", type_, server.password_file, "the path of a file with mode 600"),                \
        KEY_ROW(KEY_TEXT, "password_command", type_, server.password_command, "\"pass show mail/anna\""),                   \
        KEY_ROW(KEY_TEXT, "password_credential", type_, server.password_credential, "the name of a systemd credential")

void secret_file_check(Reader *reader, const config_setting_t *where, const char *key, const char *path)
{
    const char *what = g_str_has_prefix(key, "password") ? "password" : "secret";
    struct stat status;
    if (stat(path, &status) != 0)
        reader_fault(reader, where, "%s %s: %s; make it, with the %s on its first line", key, path, g_strerror(errno), what);
    else if (!S_ISREG(status.st_mode))
        reader_fault(reader, where, "%s %s is not a file; name one with the %s on its first line", key, path, what);
    else if (status.st_mode & 077)
        reader_fault(reader, where, "%s %s can be read by others; write chmod 600 %s", key, path, path);
    else if (status.st_size == 0)
        reader_fault(reader, where, "%s %s is empty; write the %s on its first line", key, path, what);
}

static void take_secret(Reader *reader, const config_setting_t *group, ServerKeys *keys, SignIn sign_in,
                        SecretSource *ret_source)
{
    struct {
        SecretKind kind;
        char **value;
    } sources[] = {{SECRET_TEXT, &keys->password},
                   {SECRET_FILE, &keys->password_file},
                   {SECRET_COMMAND, &keys->password_command},
                   {SECRET_CREDENTIAL, &keys->password_credential}};
    guint given = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (!*sources[i].value)
            continue;
        if (given++ == 0) {
            ret_source->kind = sources[i].kind;
            ret_source->value = g_steal_pointer(sources[i].value);
        }
    }
    g_autofree char *name = reader_name_of(group);
    if (given > 1)
        reader_fault(reader, group, "%s: write only one of password, password_file, password_command, password_credential",
                     name);
    if (given == 0 && keys->user && sign_in != SIGN_IN_OAUTH2)
        reader_fault(reader, group,
                     "%s: the user \"%s\" has no password; write password_file = \"/etc/nurtured/NAME.secret\" (mode 600)",
                     name, keys->user);
    if (given > 0 && !keys->user)
        reader_fault(reader, group, "%s: there is a password, but no user; write user = \"…\"", name);
    if (ret_source->kind == SECRET_FILE)
        secret_file_check(reader, group, "password_file", ret_source->value);
    if (ret_source->kind == SECRET_CREDENTIAL && strchr(ret_source->value, '/'))
        reader_fault(reader, group, "%s: password_credential is a name, not a path; write password_file for a path", name);
}

static void check_tls(Reader *reader, const config_setting_t *group, const ServerKeys *keys, Endpoint *endpoint)
{
    g_autofree char *name = reader_name_of(group);
    if (!keys->tls || !endpoint->host)
        return;
    if (!g_str_equal(keys->tls, "none")) {
        reader_fault(reader, group, "%s: tls can only be \"none\"; the URL's scheme says how TLS is begun", name);
        return;
    }
    if (endpoint->tls == TLS_IMPLICIT)
        reader_fault(reader, group, "%s: tls = \"none\" contradicts the URL's scheme; write %.4s://…", name, endpoint->url);
    else if (!url_is_loopback(endpoint->host) && !keys->allow_plaintext)
        reader_fault(reader, group,
                     "%s: tls = \"none\" would send password and mail in the clear to %s; leave it out, or write "
                     "allow_plaintext = true",
                     name, endpoint->host);
    endpoint->tls = TLS_NONE;
}

void plain_check(Reader *reader, const config_setting_t *where, const char *what, const char *text)
{
    for (const char *p = text; p && *p; p++)
        if ((guchar)*p < 0x20 || *p == 0x7f) {
            reader_fault(reader, where, "%s must not hold control characters; write it on one line", what);
            return;
        }
}

static gboolean has_password(const ServerKeys *keys)
{
    return keys->password || keys->password_file || keys->password_command || keys->password_credential;
}

/* The server's own way of signing in, else the account's; a password of the server's own is stronger than the account's tokens. */
static SignIn choose_sign_in(Reader *reader, const config_setting_t *group, const ServerKeys *keys, const char *way,
                             const Auth *used)
{
    if (used->sign_in != SIGN_IN_OAUTH2 || !has_password(keys))
        return used->sign_in;
    if (keys->auth)
        reader_fault(reader, group, "%s: there are a password and auth.method = \"oauth2\"; leave one of the two out", way);
    return SIGN_IN_AUTO;
}

/* used: own, where the server has its own, whose tokens become the account's. */
static void take_oauth(const ServerKeys *keys, const char *way, AccountAuth *account, Auth *used, gboolean is_own,
                       Endpoint *endpoint)
{
    OAuth *oauth = used->oauth;
    endpoint->oauth = oauth;
    if (!g_ptr_array_find(account->oauths, oauth, NULL))
        g_ptr_array_add(account->oauths, oauth);
    if (!is_own)
        return;
    oauth->token_name = g_strconcat(account->name, ".", way, NULL);
    oauth->user = g_strdup(keys->user);
    used->oauth = NULL;
}

static void take_auth(Reader *reader, const config_setting_t *group, ServerKeys *keys, const char *way, AccountAuth *account,
                      Endpoint *endpoint)
{
    Auth own = {0};
    if (keys->auth)
        auth_parse(reader, keys->auth, &own);
    Auth *used = keys->auth ? &own : &account->auth;
    endpoint->sign_in = choose_sign_in(reader, group, keys, way, used);
    if (!keys->user && (endpoint->sign_in == SIGN_IN_OAUTH2 || (used->provider && has_password(keys))))
        keys->user = g_strdup(used->user ? used->user : account->address);
    if (endpoint->sign_in == SIGN_IN_OAUTH2 && used->oauth)
        take_oauth(keys, way, account, used, keys->auth != NULL, endpoint);
    const Provider *provider = own.provider ? own.provider : account->auth.provider;
    if (!keys->url && provider)
        provider_server(g_str_equal(way, "smtp") ? &provider->smtp : &provider->imap, endpoint);
    auth_clear(&own);
}

/* way: "smtp" or "imap". */
static void take_server(Reader *reader, const config_setting_t *group, ServerKeys *keys, const char *way,
                        AccountAuth *account, Endpoint *endpoint)
{
    plain_check(reader, group, "user", keys->user);
    take_auth(reader, group, keys, way, account, endpoint);
    if (!endpoint->host && !keys->url)
        reader_fault(reader, group, "%s.url is missing; write url = \"%ss://%s.example.com:%s\"", way, way, way,
                     g_str_equal(way, "smtp") ? "465" : "993");
    check_tls(reader, group, keys, endpoint);
    take_secret(reader, group, keys, endpoint->sign_in, &endpoint->password);
    if (keys->ca_file && access(keys->ca_file, R_OK) != 0)
        reader_fault(reader, group, "ca_file %s: %s; name a PEM file that nurtured's user can read", keys->ca_file,
                     g_strerror(errno));
    else if (keys->ca_file && !g_file_test(keys->ca_file, G_FILE_TEST_IS_REGULAR))
        reader_fault(reader, group, "ca_file %s is not a file; name a PEM file that nurtured's user can read",
                     keys->ca_file);
    endpoint->user = keys->user ? g_steal_pointer(&keys->user) : g_strdup("");
    endpoint->ca_file = keys->ca_file ? g_steal_pointer(&keys->ca_file) : g_strdup("");
    endpoint->url = endpoint->url ? endpoint->url : g_strdup("");
    endpoint->host = endpoint->host ? endpoint->host : g_strdup("");
}

static void server_keys_clear(ServerKeys *keys)
{
    g_free(keys->user);
    g_free(keys->ca_file);
    g_free(keys->tls);
    secret_free(keys->password);
    g_free(keys->password_file);
    g_free(keys->password_command);
    g_free(keys->password_credential);
}

void smtp_parse(Reader *reader, config_setting_t *group, AccountAuth *auth, SmtpSettings *smtp)
{
    static const Key keys[] = {
        SERVER_ROWS(SmtpKeys, "url = \"smtps://smtp.example.com:465\""),
        KEY_NUMBER("connections", SmtpKeys, connections, 1, 64, "4"),
        KEY_END,
    };
    SmtpKeys found = {.connections = DEFAULT_CONNECTIONS};
    if (group)
        reader_read_group(reader, group, keys, &found);
    else
        group = auth->where;
    if (found.server.url)
        url_parse(reader, found.server.url, "smtps", "smtp", 465, 587, &smtp->server);
    take_server(reader, group, &found.server, "smtp", auth, &smtp->server);
    smtp->connections = found.connections;
    server_keys_clear(&found.server);
}

void imap_parse(Reader *reader, config_setting_t *group, AccountAuth *auth, ImapSettings *imap)
{
    static const Key keys[] = {
        SERVER_ROWS(ImapKeys, "url = \"imaps://imap.example.com:993\""),
        KEY_KEPT("folders", ImapKeys, folders, FOLDERS_EXAMPLE),
        KEY_ROW(KEY_TEXT, "junk_folder", ImapKeys, junk_folder, "\"Junk\""),
        KEY_ROW(KEY_BOOL, "watch_junk", ImapKeys, watch_junk, "true or false"),
        KEY_ROW(KEY_TEXT, "sent_folder", ImapKeys, sent_folder, "\"Sent\""),
        KEY_ROW(KEY_BOOL, "save_sent", ImapKeys, save_sent, "true or false"),
        KEY_ROW(KEY_BOOL, "watch_sent", ImapKeys, watch_sent, "true or false"),
        KEY_ROW(KEY_DURATION, "read_back", ImapKeys, read_back, "\"7 days\""),
        KEY_SPAN("poll", ImapKeys, poll_ms, 1000, 24 * 3600 * 1000, "\"1 minute\""),
        KEY_END,
    };
    ImapKeys found = {.watch_sent = TRUE, .watch_junk = TRUE, .poll_ms = DEFAULT_POLL_MS};
    if (group)
        reader_read_group(reader, group, keys, &found);
    else
        group = auth->where;
    if (found.server.url)
        url_parse(reader, found.server.url, "imaps", "imap", 993, 143, &imap->server);
    take_server(reader, group, &found.server, "imap", auth, &imap->server);
    if (!*imap->server.user)
        reader_fault(reader, group, "imap: a mailbox needs a user; write user = \"anna\" and a password");
    plain_check(reader, group, "sent_folder", found.sent_folder);
    plain_check(reader, group, "junk_folder", found.junk_folder);
    folders_parse(reader, found.folders, imap);
    imap->junk_folder = found.junk_folder ? found.junk_folder : g_strdup("");
    imap->watch_junk = found.watch_junk;
    imap->sent_folder = found.sent_folder ? found.sent_folder : g_strdup("");
    imap->save_sent = found.save_sent;
    imap->watch_sent = found.watch_sent;
    imap->read_back = found.read_back;
    imap->poll_ms = found.poll_ms;
    server_keys_clear(&found.server);
}

void endpoint_clear(Endpoint *endpoint)
{
    g_free(endpoint->url);
    g_free(endpoint->host);
    g_free(endpoint->ca_file);
    g_free(endpoint->user);
    secret_free(endpoint->password.value);
}
