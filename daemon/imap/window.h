/*
 * Records that were sent and are not yet committed. The child keeps one, so as not to run ahead, the parent another, so as
 * not to rely on that.
 */
#pragma once

#include <glib.h>

typedef struct {
    GArray *sent; /* of WindowRecord, as sent */
    gsize octets;
} RecordWindow;

typedef struct {
    guint folder;
    guint32 uidvalidity, uid;
    gsize octets;
    gint64 received_ms;
} WindowRecord;

void record_window_init(RecordWindow *window);
void record_window_clear(RecordWindow *window); /* frees what it holds; to be initialised again */

/* Whether a record of that size may be sent now; into an empty window, any may. */
gboolean record_window_has_room(const RecordWindow *window, gsize octets);
void record_window_add(RecordWindow *window, const WindowRecord *record);

/* Takes away those of the folder up to uid; how many they were. *ret_received_ms (may be NULL): of the last of them, if any. */
guint record_window_commit(RecordWindow *window, guint folder, guint32 uidvalidity, guint32 uid, gint64 *ret_received_ms);
gboolean record_window_is_empty(const RecordWindow *window);
gboolean record_window_has_folder(const RecordWindow *window, guint folder);
