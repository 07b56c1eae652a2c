/*
 * IDLE (RFC 2177) spoken line by line (wire.c), since libetpan's loses what comes in one segment with the "+" and takes
 * data before it for an error. Runs in the watcher.
 *
 *   IDLE -> "+" -> (lines | commits | heartbeats)* -> DONE -> tagged OK
 *
 * Anything untagged but "OK …" (servers send "* OK Still here") ends the wait, and also what came before the "+" or with
 * the answer.
 */
#include "idle.h"

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "limits.h"
#include "wire.h"

static gboolean is_word(const char *text, const char *word)
{
    gsize length = strlen(word);
    return g_ascii_strncasecmp(text, word, length) == 0 && (text[length] == ' ' || text[length] == '\0');
}

typedef struct {
    gboolean changed, answered;
    WireKind answer; /* where answered */
    char *words;
} Heard;

/* One line. FALSE: connection lost, or the server says goodbye. */
static gboolean hear_line(Session *session, Heard *heard, GError **error)
{
    g_autofree char *text = NULL;
    WireKind kind;
    stream_arm(session->stream, IMAP_COMMAND_MS, 2 * IMAP_LINE_OCTETS);
    if (!wire_read(session, &kind, &text, error))
        return FALSE;
    if (kind == WIRE_UNTAGGED && is_word(text, "BYE")) {
        g_autofree char *escaped = text_escape(text, 200);
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "the server says goodbye: %s", escaped);
        return FALSE;
    }
    if (kind == WIRE_UNTAGGED) {
        heard->changed |= !is_word(text, "OK");
        return TRUE;
    }
    heard->answered = TRUE;
    heard->answer = kind;
    g_free(heard->words);
    heard->words = g_steal_pointer(&text);
    return TRUE;
}

/* Reads to an answer: "+", or the tagged line. Lines before it may be many, but the time is one. */
static gboolean hear_answer(Session *session, Heard *heard, gint64 timeout_ms, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + timeout_ms;
    heard->answered = FALSE;
    while (!heard->answered) {
        if (clock_monotonic_ms() >= until_ms) {
            g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "the server takes too long");
            return FALSE;
        }
        if (!hear_line(session, heard, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean unexpected(const Heard *heard, GError **error)
{
    g_autofree char *escaped = text_escape(heard->words, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "IDLE: unexpected answer: %s", escaped);
    return FALSE;
}

/* While the server is idle for us. It may also end the IDLE by itself (heard->answered). */
static gboolean listen_until(Session *session, Channel *channel, gint64 until_ms, Heard *heard, GError **error)
{
    while (!heard->changed && !heard->answered && !channel_has_task(channel) && clock_monotonic_ms() < until_ms) {
        gboolean readable = stream_has_buffered(session->stream, session->imap->imap_stream);
        gint64 left_ms = until_ms - clock_monotonic_ms();
        if (!readable && !channel_wait(channel, stream_fd(session->stream), left_ms, &readable, error))
            return FALSE;
        if (readable && !hear_line(session, heard, error))
            return FALSE;
        channel_tick(channel);
    }
    return TRUE;
}

static gboolean converse(Session *session, Channel *channel, gint64 timeout_ms, Heard *heard, GError **error)
{
    stream_arm(session->stream, IMAP_COMMAND_MS, 2 * IMAP_LINE_OCTETS);
    if (!wire_command(session, "IDLE", FALSE, error) || !hear_answer(session, heard, IMAP_COMMAND_MS, error))
        return FALSE;
    if (heard->answer != WIRE_CONTINUE) { /* offered, but refused: this server is polled from now on */
        session->has_idle = FALSE;
        return heard->answer != WIRE_OK || unexpected(heard, error);
    }
    heard->answered = FALSE;
    const gint64 until_ms = clock_monotonic_ms() + MIN(timeout_ms, IMAP_IDLE_MS);
    if (!listen_until(session, channel, until_ms, heard, error))
        return FALSE;
    if (!heard->answered) {
        stream_arm(session->stream, IMAP_DONE_MS, 2 * IMAP_LINE_OCTETS);
        if (!wire_send_line(session, "DONE", FALSE, error) || !hear_answer(session, heard, IMAP_DONE_MS, error))
            return FALSE;
    }
    return heard->answer == WIRE_OK || unexpected(heard, error);
}

gboolean idle_wait(Session *session, Channel *channel, gint64 timeout_ms, gboolean *ret_heard, GError **error)
{
    *ret_heard = FALSE;
    if (session->has_idle) {
        Heard heard = {0};
        gboolean well = converse(session, channel, timeout_ms, &heard, error);
        g_free(heard.words);
        *ret_heard = heard.changed;
        return well;
    }
    const gint64 until_ms = clock_monotonic_ms() + MIN(timeout_ms, IMAP_QUIET_MS);
    gboolean readable = stream_has_buffered(session->stream, session->imap->imap_stream);
    while (!readable && !channel_has_task(channel) && clock_monotonic_ms() < until_ms)
        if (!channel_wait(channel, stream_fd(session->stream), until_ms - clock_monotonic_ms(), &readable, error))
            return FALSE;
    return TRUE; /* what the server said by itself is read with the next command's answer */
}
