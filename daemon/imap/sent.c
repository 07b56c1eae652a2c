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
    g_clear_pointer(&place->told, g_free);
}

const char *sent_place_unknown(void)
{
    return "the server does not say which folder is for sent mail; write sent_folder = \"…\"";
}

static gboolean has_sent_flag(const struct mailimap_mailbox_list *mailbox)
{
    const clist *flags = mailbox->mb_flag != NULL ? mailbox->mb_flag->mbf_oflags : NULL;
    for (clistiter *i = flags != NULL ? clist_begin(flags) : NULL; i != NULL; i = clist_next(i)) {
        const struct mailimap_mbx_list_oflag *flag = clist_content(i);
        const char *name = flag->of_type == MAILIMAP_MBX_LIST_OFLAG_FLAG_EXT ? flag->of_flag_ext : NULL;
        if (name != NULL && g_ascii_strcasecmp(*name == '\\' ? name + 1 : name, "Sent") == 0)
            return TRUE;
    }
    return FALSE;
}

/* A server's word that goes back to it in commands: nothing may be in it that ends one. */
static gboolean is_wire_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (*p < 0x20 || *p >= 0x7f)
            return FALSE;
    return *name != '\0' && strlen(name) <= IMAP_NAME_OCTETS;
}

static char *choose_sent(const clist *mailboxes)
{
    for (clistiter *i = mailboxes != NULL ? clist_begin(mailboxes) : NULL; i != NULL; i = clist_next(i)) {
        const struct mailimap_mailbox_list *mailbox = clist_content(i);
        if (has_sent_flag(mailbox) && is_wire_name(mailbox->mb_name))
            return g_strdup(mailbox->mb_name);
    }
    return NULL;
}

/* A server may mark folders in a plain LIST without offering SPECIAL-USE (Exchange does); of one that may not, the upper folders are
 * enough to look at. */
static const char *list_command(const Session *session)
{
    if (session->has_special_use && session->has_list_extended)
        return "LIST (SPECIAL-USE) \"\" \"*\"\r\n";
    return session->has_special_use ? "LIST \"\" \"*\"\r\n" : "LIST \"\" \"%\"\r\n";
}

/* libetpan's own LIST cannot ask for what RFC 5258 adds; its parser reads the answer all the same. */
static int send_list(mailimap *imap, const char *command)
{
    struct mailimap_response *response = NULL;
    int result = mailimap_send_current_tag(imap);
    if (result != MAILIMAP_NO_ERROR)
        return result;
    if (mailstream_write(imap->imap_stream, command, strlen(command)) < 0 || mailstream_flush(imap->imap_stream) < 0 ||
        mailimap_read_line(imap) == NULL)
        return MAILIMAP_ERROR_STREAM;
    result = mailimap_parse_response(imap, &response);
    if (result != MAILIMAP_NO_ERROR)
        return result;
    gboolean well = response->rsp_resp_done->rsp_type == MAILIMAP_RESP_DONE_TYPE_TAGGED &&
                    response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type == MAILIMAP_RESP_COND_STATE_OK;
    mailimap_response_free(response);
    return well ? MAILIMAP_NO_ERROR : MAILIMAP_ERROR_LIST;
}

gboolean sent_place_find(SentPlace *place, Session *session, GError **error)
{
    if (place->wire_name != NULL)
        return TRUE;
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_LIST_OCTETS);
    int result = send_list(session->imap, list_command(session));
    if (result == MAILIMAP_ERROR_LIST) /* refused: as if none were marked */
        return TRUE;
    if (result != MAILIMAP_NO_ERROR)
        return session_failed(session, result, "LIST", error);
    const struct mailimap_response_info *info = session->imap->imap_response_info;
    place->wire_name = info != NULL ? choose_sent(info->rsp_mailbox_list) : NULL;
    return TRUE;
}

gboolean sent_place_tell(SentPlace *place, Channel *channel, const char *why, GError **error)
{
    if (g_strcmp0(place->told, why) == 0)
        return TRUE;
    g_free(place->told);
    place->told = g_strdup(why);
    return channel_send_answer(channel, 0, *why == '\0' ? IMAP_ANSWER_FOUND : IMAP_ANSWER_NO_FOLDER, why, error);
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

/* A quoted string; the name holds nothing but printable ASCII. */
static char *quote(const char *wire_name)
{
    GString *quoted = g_string_new("\"");
    for (const char *p = wire_name; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *p);
    }
    return g_string_free(g_string_append_c(quoted, '"'), FALSE);
}

static gboolean begin_append(const SentPlace *place, Session *session, const Task *task, GError **error)
{
    g_autofree char *folder = quote(place->wire_name);
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
