/*
 * The servers of an account, tried as the daemon uses them, but for sending and reading.
 *
 * An access token is the one that the daemon keeps; it is not renewed here, where a rotated refresh token could be lost between the two.
 */
#include "base/clock.h"
#include "config/secret.h"
#include "engine/doctor_parts.h"
#include "engine/token_file.h"
#include "imap/probe.h"
#include "smtp/probe.h"

enum { SMTP_WAIT_MS = 15 * 1000, IMAP_WAIT_MS = 40 * 1000 };

/* Where a token is read from. */
typedef struct {
    const Config *config;
    const Endpoint *server;
} TokenPlace;

static const char *tls_text(const Endpoint *server)
{
    return server->tls == TLS_NONE ? "without TLS" : server->tls == TLS_STARTTLS ? "TLS by STARTTLS" : "TLS";
}

static char *user_text(const Endpoint *server)
{
    return *server->user ? g_strdup_printf("signed in as %s", server->user) : g_strdup("without sign-in");
}

/* ---- access tokens --------------------------------------------------------------------------------------------------- */

static char *read_token(const TokenPlace *place, GError **error)
{
    return token_file_now(place->config->tokens_dir, place->server->oauth->token_name, error);
}

static char *get_smtp_token(gint64 *ret_until_ms, gpointer data, GError **error)
{
    if (ret_until_ms)
        *ret_until_ms = 0;
    return read_token(data, error);
}

static char *get_imap_token(gpointer data, GError **error)
{
    return read_token(data, error);
}

/* TRUE where the daemon has yet to get one, and trying would only say so. */
static gboolean lacks_token(const DoctorSetup *setup, const Account *account, const char *check, const TokenPlace *place)
{
    g_autoptr(GError) error = NULL;
    if (place->server->sign_in != SIGN_IN_OAUTH2)
        return FALSE;
    char *token = read_token(place, &error);
    secret_free(token);
    if (!token)
        doctor_tell(setup, account->name, check, FINDING_NOT_ASKED, "the daemon renews tokens while it runs; nurture account list tells more",
                    "%s: %s", place->server->url, error->message);
    return !token;
}

/* ---- SMTP ------------------------------------------------------------------------------------------------------------ */

static void check_smtp(const DoctorSetup *setup, const Account *account)
{
    const Endpoint *server = &account->smtp.server;
    TokenPlace place = {.config = setup->config, .server = server};
    const SmtpCallbacks callbacks = {.get_token = get_smtp_token, .data = &place};
    DeliveryResult trouble = {0};
    if (lacks_token(setup, account, "smtp", &place))
        return;
    if (smtp_probe(account, &callbacks, SMTP_WAIT_MS, &trouble)) {
        g_autofree char *user = user_text(server);
        doctor_tell(setup, account->name, "smtp", FINDING_OK, "", "%s: %s, %s", server->url, tls_text(server), user);
        return;
    }
    const char *advice = trouble.sign_in_refused ? "correct user and password of the account's smtp" : "";
    if (trouble.code)
        doctor_tell(setup, account->name, "smtp", FINDING_FAIL, advice, "%s: %d %s%s%s", server->url, trouble.code, trouble.enhanced,
                    *trouble.enhanced ? " " : "", trouble.text);
    else
        doctor_tell(setup, account->name, "smtp", FINDING_FAIL, advice, "%s: %s", server->url, trouble.text);
    delivery_result_clear(&trouble);
}

/* ---- IMAP ------------------------------------------------------------------------------------------------------------ */

static void tell_folders(const DoctorSetup *setup, const Account *account, const ImapProbe *probe)
{
    const char *sent = *account->imap.sent_folder ? account->imap.sent_folder : "the one that the server says is it";
    for (guint i = 0; i < probe->folders->len; i++) {
        const ImapProbedFolder *folder = probe->folders->pdata[i];
        if (folder->fault)
            doctor_tell(setup, account->name, "folder", FINDING_FAIL, "correct the name in the account's imap, or make the folder", "%s: %s",
                        folder->name, folder->fault);
        else
            doctor_tell(setup, account->name, "folder", FINDING_OK, "", "%s can be read", folder->name);
    }
    if (!probe->sent)
        return;
    if (!*probe->sent)
        doctor_tell(setup, account->name, "sent folder", FINDING_OK, "", "%s can be read", sent);
    else /* without copies to file, no more is lost than what the owner writes by hand */
        doctor_tell(setup, account->name, "sent folder", account->imap.save_sent ? FINDING_FAIL : FINDING_WARN,
                    "name it in the account's imap (sent_folder), or make it", "%s", probe->sent);
}

static void check_imap(const DoctorSetup *setup, const Account *account)
{
    const Endpoint *server = &account->imap.server;
    TokenPlace place = {.config = setup->config, .server = server};
    if (!account->has_imap) {
        doctor_tell(setup, account->name, "imap", FINDING_WARN, "give the account imap = { … }, so that replies stop what they answer",
                    "none: the account is one_way, and hears no reply and no bounce");
        return;
    }
    if (lacks_token(setup, account, "imap", &place))
        return;
    g_autoptr(ImapProbe) probe = imap_probe(account, setup->program, IMAP_WAIT_MS, get_imap_token, &place);
    if (probe->fault) {
        doctor_tell(setup, account->name, "imap", FINDING_FAIL, "", "%s", probe->fault);
    } else {
        g_autofree char *user = user_text(server);
        doctor_tell(setup, account->name, "imap", FINDING_OK, "", "%s: %s, %s", server->url, tls_text(server), user);
    }
    tell_folders(setup, account, probe);
}

void doctor_check_mail(const DoctorSetup *setup, const Account *account)
{
    check_smtp(setup, account);
    check_imap(setup, account);
}
