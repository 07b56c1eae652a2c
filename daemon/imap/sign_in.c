/*
 * AUTHENTICATE and LOGIN. Runs in the watcher, over wire.c; copies of the secret are wiped. A way that the server refused is not
 * followed by another: two failures a try would lock accounts twice as fast.
 */
#include "sign_in.h"

#include <string.h>

#include "base/text.h"
#include "config/secret.h"
#include "fault.h"
#include "limits.h"
#include "sasl.h"
#include "wire.h"

/* A mechanism in which the client speaks first. */
typedef struct {
    const char *name;
    const char *message;   /* base64 */
    const char *end_fault; /* what ends a failure that comes as "+ reason"; NULL where none may */
} Mechanism;

static gboolean refused(const Session *session, const char *words, GError **error)
{
    g_autofree char *quoted = wire_quote(session, words, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN, "sign-in refused: %s", quoted);
    return FALSE;
}

static gboolean not_offered(const char *what, GError **error)
{
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN, "the server offers no sign-in by %s", what);
    return FALSE;
}

static gboolean out_of_step(GError **error)
{
    g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SERVER, "the server breaks the sign-in's protocol");
    return FALSE;
}

/* A failure told as "+ reason", which has to be acknowledged before the tagged answer comes. */
static gboolean end_fault(Session *session, const Mechanism *mechanism, const char *challenge, GError **error)
{
    WireKind kind;
    g_autofree char *words = NULL;
    g_autofree char *reason = sasl_oauth_reason(challenge);
    if (!wire_send_line(session, mechanism->end_fault, FALSE, error) || !wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind != WIRE_NO && kind != WIRE_BAD)
        return out_of_step(error);
    g_autofree char *all = *reason != '\0' ? g_strdup_printf("%s (%s)", words, reason) : g_strdup(words);
    return refused(session, all, error);
}

static gboolean finish(Session *session, const Mechanism *mechanism, GError **error)
{
    WireKind kind;
    g_autofree char *words = NULL;
    if (!wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind == WIRE_OK)
        return TRUE;
    if (kind != WIRE_CONTINUE)
        return refused(session, words, error);
    return mechanism->end_fault != NULL ? end_fault(session, mechanism, words, error) : out_of_step(error);
}

static gboolean authenticate(Session *session, const Capabilities *capabilities, const Mechanism *mechanism, GError **error)
{
    g_autofree char *command = g_strconcat("AUTHENTICATE ", mechanism->name, NULL);
    if (capabilities->initial_response) {
        char *whole = g_strconcat(command, " ", mechanism->message, NULL);
        gboolean sent = wire_command(session, whole, TRUE, error);
        secret_free(whole);
        return sent && finish(session, mechanism, error);
    }
    WireKind kind;
    g_autofree char *words = NULL;
    if (!wire_command(session, command, FALSE, error) || !wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind != WIRE_CONTINUE)
        return refused(session, words, error);
    return wire_send_line(session, mechanism->message, TRUE, error) && finish(session, mechanism, error);
}

static gboolean authenticate_plain(Session *session, const Capabilities *capabilities, const SessionSettings *settings,
                                   GError **error)
{
    char *message = sasl_plain(settings->user, settings->secret);
    const Mechanism plain = {.name = "PLAIN", .message = message};
    gboolean ok = authenticate(session, capabilities, &plain, error);
    secret_free(message);
    return ok;
}

/* OAUTHBEARER is the standard, XOAUTH2 what there was before it. */
static gboolean authenticate_bearer(Session *session, const Capabilities *capabilities, const SessionSettings *settings,
                                    GError **error)
{
    if (!capabilities->oauthbearer && !capabilities->xoauth2)
        return not_offered("OAUTHBEARER or XOAUTH2; leave method = \"oauth2\" out if it takes passwords", error);
    char *message = capabilities->oauthbearer
                        ? sasl_oauthbearer(settings->user, settings->secret, settings->host, settings->port)
                        : sasl_xoauth2(settings->user, settings->secret);
    const Mechanism bearer = {.name = capabilities->oauthbearer ? "OAUTHBEARER" : "XOAUTH2",
                              .message = message,
                              .end_fault = capabilities->oauthbearer ? "AQ==" : ""};
    gboolean ok = authenticate(session, capabilities, &bearer, error);
    secret_free(message);
    return ok;
}

static gboolean authenticate_cram_md5(Session *session, const SessionSettings *settings, GError **error)
{
    const Mechanism cram = {.name = "CRAM-MD5"};
    WireKind kind;
    g_autofree char *words = NULL;
    if (!wire_command(session, "AUTHENTICATE CRAM-MD5", FALSE, error) || !wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind != WIRE_CONTINUE)
        return refused(session, words, error);
    char *answer = sasl_cram_md5(settings->user, settings->secret, words);
    if (answer == NULL)
        return out_of_step(error);
    gboolean sent = wire_send_line(session, answer, TRUE, error);
    secret_free(answer);
    return sent && finish(session, &cram, error);
}

/* A quoted string, or FALSE where the text has what no quoted string may have. */
static gboolean append_quoted(GString *command, const char *text)
{
    g_string_append_c(command, '"');
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isprint(*at))
            return FALSE;
        if (*at == '"' || *at == '\\')
            g_string_append_c(command, '\\');
        g_string_append_c(command, *at);
    }
    g_string_append_c(command, '"');
    return TRUE;
}

static gboolean login_command(Session *session, const SessionSettings *settings, GError **error)
{
    const Mechanism by_command = {.name = "LOGIN"};
    const char *user = settings->user, *secret = settings->secret;
    GString *command =
        g_string_sized_new(2 * (strlen(user) + strlen(secret)) + 16); /* never grows, so nothing is left behind */
    g_string_append(command, "LOGIN ");
    gboolean fits = append_quoted(command, user);
    g_string_append_c(command, ' ');
    fits = append_quoted(command, secret) && fits;
    gboolean sent = fits && wire_command(session, command->str, TRUE, error);
    if (!fits)
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN,
                            "the server offers LOGIN alone, which takes only printable ASCII in user and password");
    explicit_bzero(command->str, command->allocated_len);
    g_string_free(command, TRUE);
    return sent && finish(session, &by_command, error);
}

static gboolean can_login(const Capabilities *capabilities)
{
    return capabilities->login || !capabilities->login_disabled;
}

/* AUTHENTICATE LOGIN asks for user and password in turn, and takes any UTF-8; the command of that name takes printable ASCII. */
static gboolean login(Session *session, const Capabilities *capabilities, const SessionSettings *settings, GError **error)
{
    const Mechanism by_turns = {.name = "LOGIN"};
    const char *const answers[] = {settings->user, settings->secret};
    gboolean sent = capabilities->login && wire_command(session, "AUTHENTICATE LOGIN", FALSE, error);
    if (!capabilities->login)
        return login_command(session, settings, error);
    for (gsize i = 0; sent && i < G_N_ELEMENTS(answers); i++) {
        WireKind kind;
        g_autofree char *words = NULL;
        if (!wire_read_answer(session, &kind, &words, error))
            return FALSE;
        if (kind != WIRE_CONTINUE)
            return refused(session, words, error);
        char *encoded = g_base64_encode((const guchar *)answers[i], strlen(answers[i]));
        sent = wire_send_line(session, encoded, TRUE, error);
        secret_free(encoded);
    }
    return sent && finish(session, &by_turns, error);
}

/* CRAM-MD5 comes last: it needs a server that knows the password itself, as few do that offer it. */
static gboolean by_password(Session *session, const Capabilities *capabilities, const SessionSettings *settings,
                            GError **error)
{
    if (capabilities->plain)
        return authenticate_plain(session, capabilities, settings, error);
    if (can_login(capabilities))
        return login(session, capabilities, settings, error);
    if (capabilities->cram_md5)
        return authenticate_cram_md5(session, settings, error);
    return not_offered("AUTHENTICATE PLAIN, LOGIN or CRAM-MD5", error);
}

static gboolean by_settings(Session *session, const Capabilities *capabilities, const SessionSettings *settings,
                            GError **error)
{
    if (strpbrk(settings->user, "\r\n") != NULL || strpbrk(settings->secret, "\r\n") != NULL) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "user or password holds a line end");
        return FALSE;
    }
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    switch (settings->sign_in) {
    case SIGN_IN_AUTO:
        return by_password(session, capabilities, settings, error);
    case SIGN_IN_PLAIN:
        return capabilities->plain ? authenticate_plain(session, capabilities, settings, error)
                                   : not_offered("AUTHENTICATE PLAIN", error);
    case SIGN_IN_LOGIN:
        return can_login(capabilities) ? login(session, capabilities, settings, error) : not_offered("LOGIN", error);
    case SIGN_IN_CRAM_MD5:
        return capabilities->cram_md5 ? authenticate_cram_md5(session, settings, error) : not_offered("CRAM-MD5", error);
    case SIGN_IN_OAUTH2:
        return authenticate_bearer(session, capabilities, settings, error);
    }
    g_assert_not_reached();
}

gboolean sign_in(Session *session, const Capabilities *capabilities, const SessionSettings *settings, GError **error)
{
    session->secret = settings->secret;
    gboolean ok = by_settings(session, capabilities, settings, error);
    session->secret = NULL;
    secret_free(g_steal_pointer(&session->said));
    return ok;
}
