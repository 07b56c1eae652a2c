/*
 * AUTHENTICATE PLAIN (RFC 4616; any UTF-8, so it comes first) and LOGIN (printable ASCII). Runs in the watcher, over
 * wire.c; copies of the password are wiped. A refused PLAIN is not tried again as LOGIN: two failures a try would lock
 * accounts twice as fast.
 */
#include "sign_in.h"

#include <string.h>

#include "base/text.h"
#include "fault.h"
#include "limits.h"
#include "wire.h"

static void wipe_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

static gboolean refused(const char *words, GError **error)
{
    g_autofree char *escaped = text_escape(words, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN, "sign-in refused: %s", escaped);
    return FALSE;
}

/* BASE64("" NUL user NUL secret). Caller wipes and frees. */
static char *plain_message(const char *user, const char *secret)
{
    gsize user_len = strlen(user), secret_len = strlen(secret), size = user_len + secret_len + 2;
    guchar *message = g_malloc(size);
    message[0] = '\0';
    memcpy(message + 1, user, user_len);
    message[1 + user_len] = '\0';
    memcpy(message + 2 + user_len, secret, secret_len);
    char *encoded = g_base64_encode(message, size);
    explicit_bzero(message, size);
    g_free(message);
    return encoded;
}

static gboolean finish(Session *session, GError **error)
{
    WireKind kind;
    g_autofree char *words = NULL;
    if (!wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind == WIRE_OK)
        return TRUE;
    if (kind == WIRE_CONTINUE) { /* it wants more than PLAIN has */
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SERVER, "the server breaks the sign-in's protocol");
        return FALSE;
    }
    return refused(words, error);
}

static gboolean authenticate_plain(Session *session, gboolean initial_response, const char *user, const char *secret,
                                   GError **error)
{
    char *message = plain_message(user, secret);
    gboolean sent = FALSE;
    if (initial_response) {
        char *command = g_strconcat("AUTHENTICATE PLAIN ", message, NULL);
        sent = wire_command(session, command, TRUE, error);
        wipe_free(command);
    } else {
        WireKind kind;
        g_autofree char *words = NULL;
        if (wire_command(session, "AUTHENTICATE PLAIN", FALSE, error) && wire_read_answer(session, &kind, &words, error))
            sent = kind == WIRE_CONTINUE ? wire_send_line(session, message, TRUE, error) : refused(words, error);
    }
    wipe_free(message);
    return sent && finish(session, error);
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

static gboolean login(Session *session, const char *user, const char *secret, GError **error)
{
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
    return sent && finish(session, error);
}

gboolean sign_in(Session *session, const Capabilities *capabilities, const char *user, const char *secret, GError **error)
{
    if (strpbrk(user, "\r\n") != NULL || strpbrk(secret, "\r\n") != NULL) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "user or password holds a line end");
        return FALSE;
    }
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    if (capabilities->plain)
        return authenticate_plain(session, capabilities->initial_response, user, secret, error);
    if (!capabilities->login_disabled)
        return login(session, user, secret, error);
    g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN, "the server offers neither AUTHENTICATE PLAIN nor LOGIN");
    return FALSE;
}
