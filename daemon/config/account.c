/*
 * Accounts: who writes, by which servers, how much.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
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

/* Of the account that a server belongs to. */
typedef struct {
    Auth auth;
    const char *name, *address;
    config_setting_t *where; /* what stands for a group that is left out */
    GPtrArray *oauths; /* OAuth*: what is used */
} AccountAuth;

typedef struct {
    ServerKeys server;
    guint connections;
} SmtpKeys;

typedef struct {
    ServerKeys server;
    char **folders;
    char *sent_folder;
    gboolean save_sent, watch_sent;
    Duration read_back;
    gint64 poll_ms;
} ImapKeys;

typedef struct {
    char *name, *from, *reply_to, *signature, *on_uncertain;
    config_setting_t *smtp, *imap, *auth, *window;
    gboolean one_way;
    AccountLimits limits;
} AccountKeys;

#define SERVER_ROWS(type_, url_example_)                                                                                 \
    KEY_KEPT("url", type_, server.url, url_example_),                                                                    \
        KEY_KEPT("auth", type_, server.auth, "auth = { method = \"oauth2\"; provider = \"gmail\"; … }"),                     \
        KEY_ROW(KEY_TEXT, "user", type_, server.user, "\"anna\""),                                                       \
        KEY_ROW(KEY_PATH, "ca_file", type_, server.ca_file, "the path of a PEM file"),                                   \
        KEY_ROW(KEY_TEXT, "tls", type_, server.tls, "tls = \"none\", or leave it out"),                                  \
        KEY_ROW(KEY_BOOL, "allow_plaintext", type_, server.allow_plaintext, "true or false"),                            \
        KEY_ROW(KEY_TEXT, "password", type_, server.password, "the password"),                                           \
        KEY_ROW(KEY_PATH, "password_file", type_, server.password_file, "the path of a file with mode 600"),             \
        KEY_ROW(KEY_TEXT, "password_command", type_, server.password_command, "\"pass show mail/anna\""),                \
        KEY_ROW(KEY_TEXT, "password_credential", type_, server.password_credential, "the name of a systemd credential")

/* ---- servers --------------------------------------------------------------------------------------------------------- */

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

static void take_secret(Reader *reader, const config_setting_t *group, ServerKeys *keys, SignIn sign_in, SecretSource *ret_source)
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
        reader_fault(reader, group, "%s: write only one of password, password_file, password_command, password_credential", name);
    if (given == 0 && keys->user && sign_in != SIGN_IN_OAUTH2)
        reader_fault(reader, group, "%s: the user \"%s\" has no password; write password_file = \"/etc/nurtured/NAME.secret\" (mode 600)",
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
                     "%s: tls = \"none\" would send password and mail in the clear to %s; leave it out, or write allow_plaintext = true",
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
static void take_auth(Reader *reader, const config_setting_t *group, ServerKeys *keys, const char *way, AccountAuth *account, Endpoint *endpoint)
{
    Auth own = {0};
    if (keys->auth)
        auth_parse(reader, keys->auth, &own);
    const Auth *used = keys->auth ? &own : &account->auth;
    endpoint->sign_in = used->sign_in;
    if (used->sign_in == SIGN_IN_OAUTH2 && has_password(keys)) {
        if (keys->auth)
            reader_fault(reader, group, "%s: there are a password and auth.method = \"oauth2\"; leave one of the two out", way);
        endpoint->sign_in = SIGN_IN_AUTO;
    }
    if (!keys->user && (endpoint->sign_in == SIGN_IN_OAUTH2 || (used->provider && has_password(keys))))
        keys->user = g_strdup(used->user ? used->user : account->address);
    if (endpoint->sign_in == SIGN_IN_OAUTH2 && used->oauth) {
        OAuth *oauth = used->oauth;
        endpoint->oauth = oauth;
        if (keys->auth) {
            own.oauth = NULL;
            oauth->token_name = g_strconcat(account->name, ".", way, NULL);
        }
        if (!oauth->user)
            oauth->user = g_strdup(keys->user);
        if (!g_ptr_array_find(account->oauths, oauth, NULL))
            g_ptr_array_add(account->oauths, oauth);
    }
    const Provider *provider = keys->auth && own.provider ? own.provider : account->auth.provider;
    if (!keys->url && provider)
        provider_server(g_str_equal(way, "smtp") ? &provider->smtp : &provider->imap, endpoint);
    auth_clear(&own);
}

/* way: "smtp" or "imap". */
static void take_server(Reader *reader, const config_setting_t *group, ServerKeys *keys, const char *way, AccountAuth *account, Endpoint *endpoint)
{
    plain_check(reader, group, "user", keys->user);
    take_auth(reader, group, keys, way, account, endpoint);
    if (!endpoint->host && !keys->url)
        reader_fault(reader, group, "%s.url is missing; write url = \"%ss://%s.example.com:%s\"", way, way, way, g_str_equal(way, "smtp") ? "465" : "993");
    check_tls(reader, group, keys, endpoint);
    take_secret(reader, group, keys, endpoint->sign_in, &endpoint->password);
    if (keys->ca_file && access(keys->ca_file, R_OK) != 0)
        reader_fault(reader, group, "ca_file %s: %s; name a PEM file that nurtured's user can read", keys->ca_file, g_strerror(errno));
    else if (keys->ca_file && !g_file_test(keys->ca_file, G_FILE_TEST_IS_REGULAR))
        reader_fault(reader, group, "ca_file %s is not a file; name a PEM file that nurtured's user can read", keys->ca_file);
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

static void parse_smtp(Reader *reader, config_setting_t *group, AccountAuth *auth, SmtpSettings *smtp)
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

static void parse_imap(Reader *reader, config_setting_t *group, AccountAuth *auth, ImapSettings *imap)
{
    static const Key keys[] = {
        SERVER_ROWS(ImapKeys, "url = \"imaps://imap.example.com:993\""),
        KEY_ROW(KEY_TEXTS, "folders", ImapKeys, folders, "[ \"INBOX\" ]"),
        KEY_ROW(KEY_TEXT, "sent_folder", ImapKeys, sent_folder, "\"Sent\""),
        KEY_ROW(KEY_BOOL, "save_sent", ImapKeys, save_sent, "true or false"),
        KEY_ROW(KEY_BOOL, "watch_sent", ImapKeys, watch_sent, "true or false"),
        KEY_ROW(KEY_DURATION, "read_back", ImapKeys, read_back, "\"7 days\""),
        KEY_SPAN("poll", ImapKeys, poll_ms, 1000, 24 * 3600 * 1000, "\"60 seconds\""),
        KEY_END,
    };
    const char *const inbox[] = {"INBOX", NULL};
    ImapKeys found = {.folders = g_strdupv((char **)inbox), .watch_sent = TRUE, .poll_ms = DEFAULT_POLL_MS};
    if (group)
        reader_read_group(reader, group, keys, &found);
    else
        group = auth->where;
    if (found.server.url)
        url_parse(reader, found.server.url, "imaps", "imap", 993, 143, &imap->server);
    take_server(reader, group, &found.server, "imap", auth, &imap->server);
    if (!*imap->server.user)
        reader_fault(reader, group, "imap: a mailbox needs a user; write user = \"anna\" and a password");
    if (!found.folders[0])
        reader_fault(reader, group, "imap.folders is empty; write folders = [ \"INBOX\" ]");
    for (char **folder = found.folders; *folder; folder++)
        plain_check(reader, group, "a folder's name", *folder);
    plain_check(reader, group, "sent_folder", found.sent_folder);
    imap->folders = found.folders;
    imap->sent_folder = found.sent_folder ? found.sent_folder : g_strdup("");
    imap->save_sent = found.save_sent;
    imap->watch_sent = found.watch_sent;
    imap->read_back = found.read_back;
    imap->poll_ms = found.poll_ms;
    server_keys_clear(&found.server);
}

/* ---- addresses ------------------------------------------------------------------------------------------------------- */

static gboolean is_address(const char *address)
{
    const char *at = strchr(address, '@');
    if (!at || at == address || !at[1] || strchr(at + 1, '@') || strlen(address) > 254)
        return FALSE;
    for (const char *p = address; *p; p++)
        if ((guchar)*p <= 0x20 || *p == 0x7f || strchr("<>\"(),;:\\[]", *p))
            return FALSE;
    return TRUE;
}

/* "Anna Berg <anna@example.com>" or "anna@example.com". */
static gboolean split_address(const char *text, char **ret_name, char **ret_address)
{
    const char *open = strrchr(text, '<');
    gsize length = strlen(text);
    g_autofree char *address = NULL;
    g_autofree char *name = NULL;
    if (open && text[length - 1] == '>') {
        address = g_strndup(open + 1, (gsize)(text + length - 1 - (open + 1)));
        name = g_strstrip(g_strndup(text, (gsize)(open - text)));
        gsize end = strlen(name);
        if (end >= 2 && name[0] == '"' && name[end - 1] == '"') {
            memmove(name, name + 1, end - 2);
            name[end - 2] = '\0';
        }
    } else {
        address = g_strdup(text);
        name = g_strdup("");
    }
    g_strstrip(address);
    if (!is_address(address))
        return FALSE;
    for (const char *p = name; *p; p++)
        if ((guchar)*p < 0x20 || *p == 0x7f || *p == '<' || *p == '>')
            return FALSE;
    *ret_address = g_utf8_strdown(address, -1);
    *ret_name = g_steal_pointer(&name);
    return TRUE;
}

static void take_addresses(Reader *reader, const config_setting_t *group, const AccountKeys *found, Account *account)
{
    if (found->from && !split_address(found->from, &account->from_name, &account->from_address)) {
        g_autofree char *shown = text_escape(found->from, 80);
        reader_fault(reader, group, "from: \"%s\" is no address; write \"Anna Berg <anna@example.com>\"", shown);
    }
    if (found->reply_to && !split_address(found->reply_to, &account->reply_to_name, &account->reply_to)) {
        g_autofree char *shown = text_escape(found->reply_to, 80);
        reader_fault(reader, group, "reply_to: \"%s\" is no address; write \"anna@example.com\"", shown);
    }
    account->from_name = account->from_name ? account->from_name : g_strdup("");
    account->from_address = account->from_address ? account->from_address : g_strdup("");
    account->reply_to_name = account->reply_to_name ? account->reply_to_name : g_strdup("");
    account->reply_to = account->reply_to ? account->reply_to : g_strdup("");
}

static void take_signature(Reader *reader, const config_setting_t *group, char *signature, Account *account)
{
    if (signature && !is_template_name(signature))
        reader_fault(reader, group, "signature \"%s\": write the name of a template without folder, _ and ending: \"anna\" for _anna.md", signature);
    account->signature = signature ? signature : g_strdup("");
}

/* ---- accounts -------------------------------------------------------------------------------------------------------- */

/* A ramp without step stays where it starts, which is right only where it is meant to. */
static void parse_ramp(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_NUMBER_NEEDED("start", AccountLimits, ramp_start, 1, 10000000, "start = 20"),
        KEY_NUMBER("step", AccountLimits, ramp_step, 0, 10000000, "10"),
        KEY_NUMBER_NEEDED("max", AccountLimits, ramp_max, 1, 10000000, "max = 400"),
        KEY_END,
    };
    AccountLimits *limits = field;
    if (!reader_read_group(reader, setting, keys, limits) || !limits->ramp_start || !limits->ramp_max)
        return;
    if (limits->ramp_max < limits->ramp_start)
        reader_fault(reader, setting, "ramp: max is below start; write start = 20; step = 10; max = 400;");
    else if (limits->ramp_max > limits->ramp_start && !limits->ramp_step)
        reader_fault(reader, setting, "ramp: without step it would never rise to max; write step = 10, for so many more each day");
}

static void parse_limits(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_NUMBER("per_hour", AccountLimits, per_hour, 1, 1000000, "60"),
        KEY_NUMBER("per_day", AccountLimits, per_day, 1, 10000000, "400"),
        KEY_ROW(KEY_DURATION_MS, "every", AccountLimits, every_ms, "\"30 seconds\""),
        KEY_ROW(KEY_DURATION_MS, "jitter", AccountLimits, jitter_ms, "\"20 seconds\""),
        {.name = "ramp", .kind = KEY_CUSTOM, .parse = parse_ramp, .example = "ramp = { start = 20; step = 10; max = 400; }"}, /* the whole struct */
        KEY_END,
    };
    reader_read_group(reader, setting, keys, field);
}

static OnUncertain parse_on_uncertain(Reader *reader, const config_setting_t *group, const char *text)
{
    if (text && !g_str_equal(text, "hold") && !g_str_equal(text, "resend"))
        reader_fault(reader, group, "on_uncertain: write \"hold\" (the default: a person decides) or \"resend\" (it may arrive twice)");
    return text && g_str_equal(text, "resend") ? ON_UNCERTAIN_RESEND : ON_UNCERTAIN_HOLD;
}

/* provider: whose mailbox is taken where the account names none. */
static void check_ways(Reader *reader, config_setting_t *group, const AccountKeys *found, const Provider *provider)
{
    if (!found->smtp && !provider)
        reader_fault(reader, group, "account \"%s\" has no smtp; write smtp = { url = \"smtps://smtp.example.com:465\"; … }",
                     found->name ? found->name : "?");
    if (!found->imap && !found->one_way && !provider)
        reader_fault(reader, group, "account \"%s\" has no imap, so replies would not be heard; write imap = { … }, or one_way = true if that is meant",
                     found->name ? found->name : "?");
    if (found->imap && found->one_way)
        reader_fault(reader, found->imap, "account \"%s\" has an imap although it says one_way = true; leave one of the two out",
                     found->name ? found->name : "?");
}

static void parse_ways(Reader *reader, config_setting_t *group, const AccountKeys *found, Account *account)
{
    AccountAuth auth = {.name = account->name, .address = account->from_address, .where = found->auth, .oauths = g_ptr_array_new()};
    if (found->auth)
        auth_parse(reader, found->auth, &auth.auth);
    if (auth.auth.oauth) {
        auth.auth.oauth->token_name = g_strdup(account->name);
        auth.auth.oauth->user = g_strdup(auth.auth.user ? auth.auth.user : account->from_address);
    }
    check_ways(reader, group, found, auth.auth.provider);
    if (found->smtp || auth.auth.provider)
        parse_smtp(reader, found->smtp, &auth, &account->smtp);
    account->has_imap = found->imap || (auth.auth.provider && !found->one_way);
    if (account->has_imap)
        parse_imap(reader, found->imap, &auth, &account->imap);
    if (g_ptr_array_find(auth.oauths, auth.auth.oauth, NULL))
        auth.auth.oauth = NULL; /* the account's now */
    else if (auth.auth.oauth)
        reader_fault(reader, found->auth, "auth is used by no server of the account; leave it out, or the passwords");
    g_ptr_array_add(auth.oauths, NULL);
    account->oauths = (OAuth **)g_ptr_array_free(auth.oauths, FALSE);
    auth_clear(&auth.auth);
}

static Account *parse_account(Reader *reader, config_setting_t *group)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "name", AccountKeys, name, "name = \"anna\""),
        KEY_NEEDED(KEY_TEXT, "from", AccountKeys, from, "from = \"Anna Berg <anna@example.com>\""),
        KEY_ROW(KEY_TEXT, "reply_to", AccountKeys, reply_to, "\"anna@example.com\""),
        KEY_ROW(KEY_TEXT, "signature", AccountKeys, signature, "\"anna\", for the template _anna.md"),
        KEY_KEPT("auth", AccountKeys, auth, "auth = { method = \"oauth2\"; provider = \"gmail\"; … }"),
        KEY_KEPT("smtp", AccountKeys, smtp, "smtp = { url = \"smtps://smtp.example.com:465\"; … }"),
        KEY_KEPT("imap", AccountKeys, imap, "imap = { … }"),
        KEY_ROW(KEY_BOOL, "one_way", AccountKeys, one_way, "true or false"),
        KEY_PARSED("limits", AccountKeys, limits, parse_limits, "limits = { per_day = 400; }"),
        KEY_KEPT("window", AccountKeys, window, "window = { from = \"10:00\"; to = \"14:00\"; }"),
        KEY_ROW(KEY_TEXT, "on_uncertain", AccountKeys, on_uncertain, "\"hold\""),
        KEY_END,
    };
    AccountKeys found = {0};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    Account *account = g_new0(Account, 1);
    plain_check(reader, group, "name", found.name);
    take_addresses(reader, group, &found, account);
    account->name = found.name ? found.name : g_strdup("");
    take_signature(reader, group, found.signature, account);
    account->source = reader_place_of(reader, group);
    account->limits = found.limits;
    account->one_way = found.one_way;
    account->on_uncertain = parse_on_uncertain(reader, group, found.on_uncertain);
    account->has_window = found.window != NULL;
    if (found.window)
        window_parse_own(reader, found.window, &account->window);
    parse_ways(reader, group, &found, account);
    g_free(found.from);
    g_free(found.reply_to);
    g_free(found.on_uncertain);
    return account;
}

/* "anna.smtp" may be an account, and may be the token of another's smtp. */
static gboolean share_token(const Account *one, const Account *other)
{
    for (OAuth **a = one->oauths; *a; a++)
        for (OAuth **b = other->oauths; *b; b++)
            if (g_ascii_strcasecmp((*a)->token_name, (*b)->token_name) == 0)
                return TRUE;
    return FALSE;
}

/* Owners are matched to accounts without regard to case, so two names that differ in it alone would be one. */
static void check_unique(Reader *reader, const config_setting_t *setting, const GPtrArray *accounts, const Account *account)
{
    for (guint i = 0; i < accounts->len; i++) {
        const Account *other = accounts->pdata[i];
        if (*account->name && g_ascii_strcasecmp(other->name, account->name) == 0)
            reader_fault(reader, setting, "there are two accounts named \"%s\"; give each a name of its own", account->name);
        else if (share_token(account, other))
            reader_fault(reader, setting, "the names \"%s\" and \"%s\" would share one token; give one of the accounts another name", account->name,
                         other->name);
    }
}

void account_parse_list(Reader *reader, config_setting_t *setting, gpointer field)
{
    guint length = reader_list_length(reader, setting, "accounts = ( { name = \"anna\"; … } );");
    GPtrArray *accounts = g_ptr_array_new();
    for (guint i = 0; i < length; i++) {
        config_setting_t *group = config_setting_get_elem(setting, i);
        Account *account = parse_account(reader, group);
        if (!account)
            continue;
        check_unique(reader, group, accounts, account);
        g_ptr_array_add(accounts, account);
    }
    if (length == 0)
        reader_fault(reader, setting, "accounts is empty; write at least one: accounts = ( { name = \"anna\"; … } );");
    g_ptr_array_add(accounts, NULL);
    *(Account ***)field = (Account **)g_ptr_array_free(accounts, FALSE);
}

static void endpoint_clear(Endpoint *endpoint)
{
    g_free(endpoint->url);
    g_free(endpoint->host);
    g_free(endpoint->ca_file);
    g_free(endpoint->user);
    secret_free(endpoint->password.value);
}

void account_free(Account *account)
{
    g_free(account->name);
    g_free(account->from_name);
    g_free(account->from_address);
    g_free(account->reply_to);
    g_free(account->reply_to_name);
    g_free(account->signature);
    g_free(account->source);
    for (OAuth **oauth = account->oauths; oauth && *oauth; oauth++)
        oauth_free(*oauth);
    g_free(account->oauths);
    endpoint_clear(&account->smtp.server);
    endpoint_clear(&account->imap.server);
    g_strfreev(account->imap.folders);
    g_free(account->imap.sent_folder);
    g_free(account);
}
