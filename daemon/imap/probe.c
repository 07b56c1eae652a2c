/*
 * A watcher that never read the mailbox before begins at each folder's end and tells so: a position is a folder that can be read. It ends
 * at the first folder that cannot, so that another is started for those behind it. Runs a context of its own in the caller's thread.
 */
#include "imap/probe.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "imap/link.h"

typedef struct {
    ImapProbe *probe;
    GPtrArray *left; /* char*, owned: names of folders that were not seen yet */
    GMainLoop *loop;
    ImapLink *link;
    char *fault; /* why this watcher ended; NULL: it saw everything */
    char *(*get_token)(gpointer data, GError **error);
    gpointer data;
} Probing;

static void folder_free(gpointer data)
{
    ImapProbedFolder *folder = data;
    g_free(folder->name);
    g_free(folder->fault);
    g_free(folder);
}

static void add_seen(Probing *probing, guint index, const char *fault)
{
    ImapProbedFolder *folder = g_new0(ImapProbedFolder, 1);
    folder->name = g_strdup(probing->left->pdata[index]);
    folder->fault = g_strdup(fault);
    g_ptr_array_add(probing->probe->folders, folder);
    g_ptr_array_remove_index(probing->left, index);
}

/* ---- what the watcher tells ------------------------------------------------------------------------------------------ */

/* None is asked for; one that comes all the same holds the watcher up, which ends it with the time. */
static void on_message(const ImapRecord *record, gpointer data)
{
    (void)record;
    (void)data;
}

static void on_position(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data)
{
    Probing *probing = data;
    guint index = 0;
    if (g_ptr_array_find_with_equal_func(probing->left, folder, g_str_equal, &index))
        add_seen(probing, index, NULL);
    imap_link_committed(probing->link, folder, uidvalidity, last_uid);
}

static void on_state(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    Probing *probing = data;
    (void)retry_in_ms;
    if (state != IMAP_STATE_FAILED && state != IMAP_STATE_WATCHING)
        return;
    if (state == IMAP_STATE_FAILED && !probing->fault)
        probing->fault = g_strdup(text);
    g_main_loop_quit(probing->loop);
}

static void on_sent_folder(gboolean watched, const char *text, gpointer data)
{
    ImapProbe *probe = ((Probing *)data)->probe;
    g_free(probe->sent);
    probe->sent = g_strdup(watched ? "" : text);
}

/* Nothing is asked of it. */
static void on_answer(guint64 id, ImapAnswer answer, const char *text, gpointer data)
{
    (void)id;
    (void)answer;
    (void)text;
    (void)data;
}

static gboolean on_get_cursor(const char *folder, guint32 *ret_uidvalidity, guint32 *ret_last_uid, gint64 *ret_updated_ms, gpointer data)
{
    (void)folder;
    (void)ret_uidvalidity;
    (void)ret_last_uid;
    (void)ret_updated_ms;
    (void)data;
    return FALSE;
}

static char *on_get_token(gpointer data, GError **error)
{
    const Probing *probing = data;
    return probing->get_token(probing->data, error);
}

static void on_token_refused(gpointer data)
{
    (void)data; /* the state says it, too */
}

static gboolean on_overdue(gpointer data)
{
    Probing *probing = data;
    if (!probing->fault)
        probing->fault = g_strdup("no answer in time");
    g_main_loop_quit(probing->loop);
    return G_SOURCE_REMOVE;
}

/* ---- one watcher after the other ------------------------------------------------------------------------------------- */

static void run_watcher(Probing *probing, const Account *account, const char *program, gint64 wait_ms)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) overdue = g_timeout_source_new((guint)wait_ms);
    const ImapCallbacks callbacks = {.on_message = on_message,
                                     .on_position = on_position,
                                     .on_state = on_state,
                                     .get_cursor = on_get_cursor,
                                     .on_answer = on_answer,
                                     .on_sent_folder = on_sent_folder,
                                     .get_token = on_get_token,
                                     .token_refused = on_token_refused,
                                     .data = probing};
    g_clear_pointer(&probing->fault, g_free);
    probing->loop = g_main_loop_new(context, FALSE);
    probing->link = imap_link_new(account, program, context, &callbacks);
    g_source_set_callback(overdue, on_overdue, probing, NULL);
    g_source_attach(overdue, context);
    g_main_loop_run(probing->loop);
    g_source_destroy(overdue);
    imap_link_free(g_steal_pointer(&probing->link));
    while (g_main_context_iteration(context, FALSE)) /* what was under way for the link lets go of it */
        ;
    g_clear_pointer(&probing->loop, g_main_loop_unref);
}

/* The folder that the watcher ended at, if it was one: it takes them in their order. */
static gboolean blame_folder(Probing *probing)
{
    if (probing->left->len == 0)
        return FALSE;
    g_autofree char *name = text_escape(probing->left->pdata[0], 200);
    g_autofree char *words = g_strdup_printf("folder %s", name);
    const char *said = strstr(probing->fault, words);
    gsize gap = said ? strspn(said + strlen(words), ": ") : 0;
    if (gap > 0)
        add_seen(probing, 0, said + strlen(words) + gap);
    return gap > 0;
}

static const char *readable_folder(const ImapProbe *probe)
{
    for (guint i = 0; i < probe->folders->len; i++) {
        const ImapProbedFolder *folder = probe->folders->pdata[i];
        if (!folder->fault)
            return folder->name;
    }
    return NULL;
}

/* Those that were not seen; and one that was, where none is left, since the folder for sent mail comes last. NULL: there is none. */
static char **names_to_see(const Probing *probing)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *readable = readable_folder(probing->probe);
    for (guint i = 0; i < probing->left->len; i++)
        g_strv_builder_add(builder, probing->left->pdata[i]);
    if (probing->left->len == 0 && !readable)
        return NULL;
    if (probing->left->len == 0)
        g_strv_builder_add(builder, readable);
    return g_strv_builder_end(builder);
}

ImapProbe *imap_probe(const Account *account, const char *program, gint64 wait_ms, char *(*get_token)(gpointer data, GError **error),
                      gpointer data)
{
    ImapProbe *probe = g_new0(ImapProbe, 1);
    probe->folders = g_ptr_array_new_with_free_func(folder_free);
    g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
    Probing probing = {.probe = probe, .left = left, .get_token = get_token, .data = data};
    const gint64 until_ms = clock_monotonic_ms() + wait_ms;
    gboolean again = TRUE;
    for (char **folder = account->imap.folders; *folder; folder++)
        if (!g_ptr_array_find_with_equal_func(left, *folder, g_str_equal, NULL))
            g_ptr_array_add(left, g_strdup(*folder));
    while (again) {
        g_auto(GStrv) names = names_to_see(&probing);
        if (!names)
            break;
        Account looked_at = *account; /* its strings are the account's */
        looked_at.imap.folders = names;
        looked_at.imap.read_back = (Duration){0};
        looked_at.imap.watch_sent = account->imap.watch_sent || account->imap.save_sent;
        run_watcher(&probing, &looked_at, program, MAX(until_ms - clock_monotonic_ms(), 1));
        again = probing.fault && blame_folder(&probing);
    }
    if (!again)
        probe->fault = g_steal_pointer(&probing.fault);
    g_free(probing.fault);
    return probe;
}

void imap_probe_free(ImapProbe *probe)
{
    if (!probe)
        return;
    g_free(probe->fault);
    g_free(probe->sent);
    g_ptr_array_unref(probe->folders);
    g_free(probe);
}
