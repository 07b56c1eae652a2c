/*
 * A watcher that never read the mailbox before begins at each folder's end, having told of each whether it can be read. Runs a context of
 * its own in the caller's thread.
 */
#include "imap/probe.h"

#include "imap/link.h"

typedef struct {
    ImapProbe *probe;
    GMainLoop *loop;
    ImapLink *link;
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

/* ---- what the watcher tells ------------------------------------------------------------------------------------------ */

/* None is asked for; one that comes all the same holds the watcher up, which ends it with the time. */
static void on_message(ImapRecord *record, gpointer data)
{
    (void)record;
    (void)data;
}

static void on_position(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data)
{
    const Probing *probing = data;
    imap_link_committed(probing->link, folder, uidvalidity, last_uid);
}

static void end(Probing *probing, const char *fault)
{
    if (!probing->probe->fault)
        probing->probe->fault = g_strdup(fault);
    g_main_loop_quit(probing->loop);
}

/* It watches when it has looked at every folder. */
static void on_state(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    (void)retry_in_ms;
    if (state == IMAP_STATE_FAILED || state == IMAP_STATE_WATCHING)
        end(data, state == IMAP_STATE_FAILED ? text : NULL);
}

static void on_folder(const ImapFolderStatus *status, gpointer data)
{
    ImapProbe *probe = ((Probing *)data)->probe;
    if (status->kind == IMAP_FOLDER_SENT) {
        g_free(probe->sent);
        probe->sent = g_strdup(status->why);
    } else if (status->kind == IMAP_FOLDER_LISTED) {
        ImapProbedFolder *folder = g_new0(ImapProbedFolder, 1);
        folder->name = g_strdup(status->name);
        folder->fault = *status->why ? g_strdup(status->why) : NULL;
        g_ptr_array_add(probe->folders, folder);
    }
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
    end(data, "no answer in time");
    return G_SOURCE_REMOVE;
}

static void run_watcher(Probing *probing, const Account *account, const char *program, gint64 wait_ms)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) overdue = g_timeout_source_new((guint)wait_ms);
    const ImapCallbacks callbacks = {.on_message = on_message,
                                     .on_position = on_position,
                                     .on_state = on_state,
                                     .get_cursor = on_get_cursor,
                                     .on_answer = on_answer,
                                     .on_folder = on_folder,
                                     .get_token = on_get_token,
                                     .token_refused = on_token_refused,
                                     .data = probing};
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

ImapProbe *imap_probe(const Account *account, const char *program, gint64 wait_ms, char *(*get_token)(gpointer data, GError **error),
                      gpointer data)
{
    ImapProbe *probe = g_new0(ImapProbe, 1);
    probe->folders = g_ptr_array_new_with_free_func(folder_free);
    Probing probing = {.probe = probe, .get_token = get_token, .data = data};
    Account looked_at = *account; /* its strings are the account's */
    looked_at.imap.read_back = (Duration){0};
    looked_at.imap.watch_sent = account->imap.watch_sent || account->imap.save_sent;
    run_watcher(&probing, &looked_at, program, wait_ms);
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
