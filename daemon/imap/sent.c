/*
 * Filing and finding in the folder for sent mail. Runs in the watcher, between looks at the folders.
 *
 *   APPEND (\Seen) "date" {n} -> "+" -> pieces, as the parent gives them -> OK | NO
 *
 * This is the one command that changes the mailbox, and only where the account asks for copies (save_sent). An earlier try may have
 * come to its end unheard: then the message is looked for first (maybe_there). Gmail is always asked first, since it may have filed
 * what went through it by itself.
 */
#include "sent.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "fetch.h"
#include "folder_name.h"
#include "limits.h"
#include "special.h"
#include "wire.h"

/* ---- which folder ---------------------------------------------------------------------------------------------------- */

gboolean sent_place_init(SentPlace *place, const char *name, GError **error)
{
    *place = (SentPlace){.label = *name != '\0' ? name : "\\Sent"};
    if (*name != '\0')
        place->wire_name = folder_wire_name(name, error);
    return *name == '\0' || place->wire_name != NULL;
}

void sent_place_clear(SentPlace *place)
{
    g_clear_pointer(&place->wire_name, g_free);
}

const char *sent_place_unknown(void)
{
    return "the server does not say which folder is for sent mail; write sent_folder = \"…\"";
}

gboolean sent_place_find(SentPlace *place, Session *session, GError **error)
{
    return place->wire_name != NULL || special_folder_find(session, "Sent", &place->wire_name, error);
}

/* ---- an answer ------------------------------------------------------------------------------------------------------- */

typedef struct {
    ImapAnswer answer;
    char *text; /* NULL: nothing to say */
} Verdict;

/* Takes the text. */
static void decide(Verdict *verdict, ImapAnswer answer, char *text)
{
    g_free(verdict->text);
    *verdict = (Verdict){.answer = answer, .text = text};
}

static void decide_missing(Verdict *verdict, const SentPlace *place, const char *words)
{
    g_autofree char *label = text_escape(place->label, 200);
    g_autofree char *escaped = text_escape(words, 200);
    decide(verdict, IMAP_ANSWER_NO_FOLDER, g_strdup_printf("folder %s: %s", label, escaped));
}

/* ---- looking for it -------------------------------------------------------------------------------------------------- */

/* verdict: FOUND, NOT_FOUND, or why it is not known. */
static gboolean look_for(const SentPlace *place, Session *session, const Task *task, Verdict *verdict, GError **error)
{
    FolderState state;
    g_autofree char *refused = NULL;
    gboolean found = FALSE;
    if (!session_try_examine(session, place->wire_name, place->label, &state, &refused, error))
        return FALSE;
    if (refused != NULL) {
        decide_missing(verdict, place, refused);
        return TRUE;
    }
    if (!fetch_has_message_id(session, task->message_id, task->since_ms, &found, &refused, error))
        return FALSE;
    if (refused != NULL)
        decide(verdict, IMAP_ANSWER_REFUSED, g_steal_pointer(&refused));
    else
        decide(verdict, found ? IMAP_ANSWER_FOUND : IMAP_ANSWER_NOT_FOUND, NULL);
    return TRUE;
}

/* ---- filing ---------------------------------------------------------------------------------------------------------- */

/* "24-Nov-2026 12:15:00 +0000", as RFC 3501 writes it in every locale. */
static char *date_text(gint64 at_ms)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_ms / 1000);
    if (at == NULL || g_date_time_get_year(at) < 1970)
        return NULL;
    return g_strdup_printf("%02d-%s-%04d %02d:%02d:%02d +0000", g_date_time_get_day_of_month(at),
                           months[g_date_time_get_month(at) - 1], g_date_time_get_year(at), g_date_time_get_hour(at),
                           g_date_time_get_minute(at), g_date_time_get_second(at));
}

static gboolean begin_append(const SentPlace *place, Session *session, const Task *task, GError **error)
{
    g_autofree char *folder = wire_quoted_string(place->wire_name);
    g_autofree char *date = date_text(task->at_ms);
    g_autofree char *when = date != NULL ? g_strdup_printf(" \"%s\"", date) : g_strdup("");
    g_autofree char *command = g_strdup_printf("APPEND %s (\\Seen)%s {%" G_GUINT64_FORMAT "}", folder, when, task->size);
    return wire_command(session, command, FALSE, error);
}

static gboolean send_content(Session *session, Channel *channel, const Task *task, GError **error)
{
    for (guint64 offset = 0; offset < task->size;) {
        g_autoptr(GBytes) piece = channel_read_piece(channel, task, offset, error);
        if (piece == NULL || !wire_send_octets(session, piece, error))
            return FALSE;
        offset += g_bytes_get_size(piece);
    }
    return wire_send_line(session, "", FALSE, error);
}

static void decide_refused(Verdict *verdict, const SentPlace *place, const char *words)
{
    if (g_ascii_strncasecmp(words, "[TRYCREATE]", 11) == 0)
        decide_missing(verdict, place, words);
    else
        decide(verdict, IMAP_ANSWER_REFUSED, text_escape(words, 200));
}

static gboolean append(const SentPlace *place, Session *session, Channel *channel, const Task *task, Verdict *verdict,
                       GError **error)
{
    g_autofree char *words = NULL;
    WireKind kind;
    stream_arm(session->stream, IMAP_COMMAND_MS + (gint64)(task->size / (IMAP_SLOWEST_OCTETS_PER_S / 1000)),
               IMAP_COMMAND_OCTETS);
    if (!begin_append(place, session, task, error) || !wire_read_answer(session, &kind, &words, error))
        return FALSE;
    if (kind == WIRE_CONTINUE) {
        g_clear_pointer(&words, g_free);
        if (!send_content(session, channel, task, error) || !wire_read_answer(session, &kind, &words, error))
            return FALSE;
    } else if (kind == WIRE_OK) {
        kind = WIRE_BAD; /* to half a command */
    }
    if (kind == WIRE_OK)
        decide(verdict, IMAP_ANSWER_FILED, NULL);
    else
        decide_refused(verdict, place, words);
    return TRUE;
}

/* ---- tasks ----------------------------------------------------------------------------------------------------------- */

static gboolean do_task(SentPlace *place, Session *session, Channel *channel, const Task *task, Verdict *verdict,
                        GError **error)
{
    if (!sent_place_find(place, session, error))
        return FALSE;
    if (place->wire_name == NULL) {
        decide(verdict, IMAP_ANSWER_NO_FOLDER, g_strdup(sent_place_unknown()));
        return TRUE;
    }
    gboolean look_first = task->kind == IMAP_TASK_SEARCH || task->maybe_there || session->is_gmail;
    if (look_first && !look_for(place, session, task, verdict, error))
        return FALSE;
    gboolean missing = !look_first || verdict->answer == IMAP_ANSWER_NOT_FOUND;
    return task->kind != IMAP_TASK_FILE || !missing || append(place, session, channel, task, verdict, error);
}

static gboolean do_and_answer(SentPlace *place, Session *session, Channel *channel, const Task *task, GError **error)
{
    Verdict verdict = {0};
    gboolean well = do_task(place, session, channel, task, &verdict, error) &&
                    channel_send_answer(channel, task->id, verdict.answer, verdict.text != NULL ? verdict.text : "", error);
    g_free(verdict.text);
    return well;
}

gboolean sent_do_tasks(SentPlace *place, Session *session, Channel *channel, gboolean *ret_done, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + TASKS_IN_A_ROW_MS;
    gboolean ignored;
    *ret_done = FALSE;
    while (channel_has_task(channel) && clock_monotonic_ms() < until_ms) {
        g_autoptr(Task) task = channel_take_task(channel);
        *ret_done = TRUE;
        if (!do_and_answer(place, session, channel, task, error) || !channel_wait(channel, -1, 0, &ignored, error))
            return FALSE;
    }
    return TRUE;
}
