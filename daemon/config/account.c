/*
 * Accounts: who writes, by which servers, how much.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

typedef struct {
    char *name, *from, *reply_to, *signature, *dkim_selector, *on_uncertain;
    config_setting_t *smtp, *imap, *auth, *window, *notify, *digest;
    gboolean one_way, reply_token;
    AccountLimits limits;
    CanarySettings canary;
} AccountKeys;

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

/* "mail2026", or labels with dots between them: it becomes part of a name of DNS. */
static gboolean is_selector(const char *text)
{
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);
    for (char **label = labels; *label; label++)
        if (!**label || strlen(*label) > 63 ||
            strspn(*label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != strlen(*label))
            return FALSE;
    return *labels && strlen(text) <= 128;
}

static void take_dkim_selector(Reader *reader, const config_setting_t *group, char *selector, Account *account)
{
    if (selector && !is_selector(selector)) {
        g_autofree char *shown = text_escape(selector, 80);
        reader_fault(reader, group, "dkim_selector \"%s\": write what stands behind s= in the DKIM-Signature of the account's mail: \"mail2026\"", shown);
    }
    account->dkim_selector = selector ? selector : g_strdup("");
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
        smtp_parse(reader, found->smtp, &auth, &account->smtp);
    account->has_imap = found->imap || (auth.auth.provider && !found->one_way);
    if (account->has_imap)
        imap_parse(reader, found->imap, &auth, &account->imap);
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
        KEY_ROW(KEY_BOOL, "reply_token", AccountKeys, reply_token, "true or false"),
        KEY_ROW(KEY_TEXT, "signature", AccountKeys, signature, "\"anna\", for the template _anna.md"),
        KEY_KEPT("auth", AccountKeys, auth, "auth = { method = \"oauth2\"; provider = \"gmail\"; … }"),
        KEY_KEPT("smtp", AccountKeys, smtp, "smtp = { url = \"smtps://smtp.example.com:465\"; … }"),
        KEY_KEPT("imap", AccountKeys, imap, "imap = { … }"),
        KEY_ROW(KEY_BOOL, "one_way", AccountKeys, one_way, "true or false"),
        KEY_PARSED("limits", AccountKeys, limits, parse_limits, "limits = { per_day = 400; }"),
        KEY_KEPT("window", AccountKeys, window, "window = { from = \"10:00\"; to = \"14:00\"; }"),
        KEY_PARSED("canary", AccountKeys, canary, canary_parse, "canary = true, or { every = \"1 day\"; timeout = \"30 minutes\"; }"),
        KEY_ROW(KEY_TEXT, "dkim_selector", AccountKeys, dkim_selector, "\"mail2026\""),
        KEY_KEPT("notify", AccountKeys, notify, "\"none\", \"digest\" or \"at once\""),
        KEY_KEPT("digest", AccountKeys, digest, "digest = { at = \"08:00\"; }"),
        KEY_ROW(KEY_TEXT, "on_uncertain", AccountKeys, on_uncertain, "\"hold\""),
        KEY_END,
    };
    AccountKeys found = {.canary = {.every_ms = 24 * 3600 * 1000, .timeout_ms = 30 * 60 * 1000}};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    Account *account = g_new0(Account, 1);
    plain_check(reader, group, "name", found.name);
    take_addresses(reader, group, &found, account);
    account->name = found.name ? found.name : g_strdup("");
    take_signature(reader, group, found.signature, account);
    take_dkim_selector(reader, group, found.dkim_selector, account);
    account->source = reader_place_of(reader, group);
    account->limits = found.limits;
    account->one_way = found.one_way;
    account->reply_token = found.reply_token;
    account->on_uncertain = parse_on_uncertain(reader, group, found.on_uncertain);
    account->has_window = found.window != NULL;
    if (found.window)
        window_parse_own(reader, found.window, &account->window);
    account->notify = found.notify ? notify_parse(reader, found.notify) : NOTIFY_NONE;
    account->digest_min = digest_time_parse(reader, found.digest);
    parse_ways(reader, group, &found, account);
    account->canary = found.canary;
    if (account->canary.wanted && account->one_way)
        reader_fault(reader, group, "canary: an account that is one_way cannot see whether its message arrives; leave it out, or write imap = { … }");
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

void account_free(Account *account)
{
    g_free(account->name);
    g_free(account->from_name);
    g_free(account->from_address);
    g_free(account->reply_to);
    g_free(account->reply_to_name);
    g_free(account->signature);
    g_free(account->dkim_selector);
    g_free(account->source);
    for (OAuth **oauth = account->oauths; oauth && *oauth; oauth++)
        oauth_free(*oauth);
    g_free(account->oauths);
    endpoint_clear(&account->smtp.server);
    endpoint_clear(&account->imap.server);
    g_strfreev(account->imap.folders);
    g_strfreev(account->imap.prospect_folders);
    g_free(account->imap.junk_folder);
    g_free(account->imap.sent_folder);
    g_free(account);
}
