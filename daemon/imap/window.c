/* The window of uncommitted records: at most WINDOW_RECORDS, so that going through them all is cheap. Used by both
 * processes. */
#include "window.h"

#include "limits.h"

void record_window_init(RecordWindow *window)
{
    *window = (RecordWindow){.sent = g_array_new(FALSE, FALSE, sizeof(WindowRecord))};
}

void record_window_clear(RecordWindow *window)
{
    g_clear_pointer(&window->sent, g_array_unref);
}

gboolean record_window_is_empty(const RecordWindow *window)
{
    return window->sent->len == 0;
}

gboolean record_window_has_room(const RecordWindow *window, gsize octets)
{
    return record_window_is_empty(window) ||
           (window->sent->len < WINDOW_RECORDS && window->octets + octets <= WINDOW_OCTETS);
}

void record_window_add(RecordWindow *window, const WindowRecord *record)
{
    g_array_append_vals(window->sent, record, 1);
    window->octets += record->octets;
}

guint record_window_commit(RecordWindow *window, guint folder, guint32 uidvalidity, guint32 uid, gint64 *ret_received_ms)
{
    guint kept = 0, before = window->sent->len;
    for (guint i = 0; i < window->sent->len; i++) {
        WindowRecord one = g_array_index(window->sent, WindowRecord, i);
        if (one.folder == folder && one.uidvalidity == uidvalidity && one.uid <= uid) {
            window->octets -= one.octets;
            if (ret_received_ms != NULL)
                *ret_received_ms = one.received_ms;
        } else {
            g_array_index(window->sent, WindowRecord, kept++) = one;
        }
    }
    g_array_set_size(window->sent, kept);
    return before - kept;
}

gboolean record_window_has_folder(const RecordWindow *window, guint folder)
{
    for (guint i = 0; i < window->sent->len; i++)
        if (g_array_index(window->sent, WindowRecord, i).folder == folder)
            return TRUE;
    return FALSE;
}
