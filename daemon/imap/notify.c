/* One command a connection; what it brings are untagged STATUS lines, which IDLE hears (idle.c). */
#include "notify.h"

#include "limits.h"
#include "wire.h"

gboolean notify_begin(Session *session, const GPtrArray *wire_names, GError **error)
{
    g_autoptr(GString) command = g_string_new("NOTIFY SET (selected (MessageNew MessageExpunge)) (mailboxes (");
    for (guint i = 0; i < wire_names->len; i++) {
        g_autofree char *name = wire_quoted_string(wire_names->pdata[i]);
        g_string_append_printf(command, "%s%s", i > 0 ? " " : "", name);
    }
    g_string_append(command, ") (MessageNew MessageExpunge))");
    if (command->len > IMAP_LINE_OCTETS) { /* longer than servers take a command to be */
        session->has_notify = FALSE;
        return TRUE;
    }
    g_autofree char *words = NULL;
    WireKind kind;
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    if (!wire_command(session, command->str, FALSE, error) || !wire_read_answer(session, &kind, &words, error))
        return FALSE;
    session->has_notify = kind == WIRE_OK;
    return TRUE;
}
