/*
 * Lines of the IMAP protocol on libetpan's mailstream, without libetpan's parser, which gives no reason where a sign-in is
 * refused and loses what comes before the "+" of IDLE. Runs in the watcher. Tags are "N1", "N2" … (libetpan's are plain
 * numbers).
 */
#include "wire.h"

#include <string.h>

#include "base/text.h"
#include "config/secret.h"
#include "fault.h"
#include "limits.h"

enum { TELLING_OCTETS = 4 }; /* shorter words stand in any text */

static gboolean stream_failed(Session *session, GError **error)
{
    if (!stream_fault(session->stream, error))
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "the connection failed");
    return FALSE;
}

/* A line that held the secret, by its words: what all lines of that kind hold says nothing. */
static gboolean said_is_told(const char *said, const char *words)
{
    static const char *const known[] = {"AUTHENTICATE", "PLAIN", "OAUTHBEARER", "XOAUTH2", "LOGIN", NULL};
    char **parts = g_strsplit(said, " ", -1);
    gboolean told = FALSE;
    for (char **part = parts; *part != NULL; part++) {
        told |= strlen(*part) >= TELLING_OCTETS && !g_strv_contains(known, *part) && secret_is_told(*part, words);
        explicit_bzero(*part, strlen(*part));
    }
    g_strfreev(parts);
    return told;
}

char *wire_quote(const Session *session, const char *words, gsize max_octets)
{
    gboolean told = session->secret != NULL && (secret_is_told(session->secret, words) ||
                                                (session->said != NULL && said_is_told(session->said, words)));
    return told ? g_strdup("(the server repeats what is secret)") : text_escape(words, max_octets);
}

char *wire_quoted_string(const char *printable)
{
    GString *quoted = g_string_new("\"");
    for (const char *p = printable; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *p);
    }
    return g_string_free(g_string_append_c(quoted, '"'), FALSE);
}

gboolean wire_send_line(Session *session, const char *text, gboolean secret, GError **error)
{
    mailstream *over = session->imap->imap_stream;
    gboolean sent = mailstream_write(over, text, strlen(text)) >= 0 && mailstream_write(over, "\r\n", 2) >= 0 &&
                    mailstream_flush(over) >= 0;
    if (secret) {
        explicit_bzero(over->write_buffer, over->buffer_max_size);
        secret_free(session->said);
        session->said = g_strdup(text);
    }
    return sent || stream_failed(session, error);
}

gboolean wire_send_octets(Session *session, GBytes *octets, GError **error)
{
    gsize length;
    const char *data = g_bytes_get_data(octets, &length);
    return mailstream_write(session->imap->imap_stream, data, length) >= 0 || stream_failed(session, error);
}

gboolean wire_command(Session *session, const char *text, gboolean secret, GError **error)
{
    session->raw_tag++;
    g_autofree char *line = g_strdup_printf("N%u %s", session->raw_tag, text);
    gboolean sent = wire_send_line(session, line, secret, error);
    if (secret)
        explicit_bzero(line, strlen(line));
    return sent;
}

/* Up to and without the line end. NUL octets and a line that is too long are faults. */
static char *read_line(Session *session, GError **error)
{
    mailstream *over = session->imap->imap_stream;
    g_autoptr(GString) line = g_string_new(NULL);
    for (;;) {
        if (over->read_buffer_len == 0 && mailstream_feed_read_buffer(over) <= 0) {
            stream_failed(session, error);
            return NULL;
        }
        const char *end = memchr(over->read_buffer, '\n', over->read_buffer_len);
        gsize taken = end != NULL ? (gsize)(end - over->read_buffer) + 1 : over->read_buffer_len;
        if (line->len + taken > IMAP_LINE_OCTETS || memchr(over->read_buffer, '\0', taken) != NULL) {
            g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SERVER, "the server sent a line that is no IMAP");
            return NULL;
        }
        char piece[IMAP_LINE_OCTETS];
        if (mailstream_read(over, piece, taken) != (gssize)taken) {
            stream_failed(session, error);
            return NULL;
        }
        g_string_append_len(line, piece, (gssize)taken);
        if (end != NULL)
            break;
    }
    g_string_truncate(line, line->len - 1);
    if (line->len > 0 && line->str[line->len - 1] == '\r')
        g_string_truncate(line, line->len - 1);
    return g_string_free(g_steal_pointer(&line), FALSE);
}

static gboolean starts_with_word(const char *text, const char *word)
{
    gsize length = strlen(word);
    return g_ascii_strncasecmp(text, word, length) == 0 && (text[length] == '\0' || text[length] == ' ');
}

gboolean wire_read(Session *session, WireKind *ret_kind, char **ret_text, GError **error)
{
    static const struct {
        const char *word;
        WireKind kind;
    } answers[] = {{"OK", WIRE_OK}, {"NO", WIRE_NO}, {"BAD", WIRE_BAD}};
    g_autofree char *line = read_line(session, error);
    if (line == NULL)
        return FALSE;
    if (line[0] == '*' && line[1] == ' ') {
        *ret_kind = WIRE_UNTAGGED;
        *ret_text = g_strdup(line + 2);
        return TRUE;
    }
    if (line[0] == '+') {
        *ret_kind = WIRE_CONTINUE;
        *ret_text = g_strdup(line[1] == ' ' ? line + 2 : line + 1);
        return TRUE;
    }
    g_autofree char *tag = g_strdup_printf("N%u", session->raw_tag);
    gsize skip = strlen(tag);
    for (gsize i = 0; starts_with_word(line, tag) && line[skip] != '\0' && i < G_N_ELEMENTS(answers); i++)
        if (starts_with_word(line + skip + 1, answers[i].word)) {
            *ret_kind = answers[i].kind;
            *ret_text = g_strstrip(g_strdup(line + skip + 1 + strlen(answers[i].word)));
            return TRUE;
        }
    g_autofree char *quoted = wire_quote(session, line, 100);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "the server answers out of step: %s", quoted);
    return FALSE;
}

gboolean wire_read_answer(Session *session, WireKind *ret_kind, char **ret_text, GError **error)
{
    for (;;) {
        g_autofree char *text = NULL;
        WireKind kind;
        if (!wire_read(session, &kind, &text, error))
            return FALSE;
        if (kind == WIRE_UNTAGGED && starts_with_word(text, "BYE")) {
            g_autofree char *quoted = wire_quote(session, text, 200);
            g_set_error(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "the server says goodbye: %s", quoted);
            return FALSE;
        }
        if (kind == WIRE_UNTAGGED)
            continue;
        *ret_kind = kind;
        *ret_text = g_steal_pointer(&text);
        return TRUE;
    }
}
