/*
 * What is read, and how far: a folder's cursor is its UIDVALIDITY and the last UID read. Runs in the watcher, which has one
 * connection: it waits (IDLE) in the first listed folder that can be read; the others are looked at every poll_ms, and where the
 * server tells of them by itself (NOTIFY), at once.
 *
 *   EXAMINE --- never read ------> from UIDNEXT on, or (read_back) what came since then
 *           --- same UIDVALIDITY -> UIDs above the cursor
 *           --- other ------------> what came since shortly before the cursor's last step; the daemon drops repeats
 *           --- refused ----------> told; the other folders are read, and this one is tried again at the next look
 *
 * Flags are never read, and what is gone is of no interest, so CONDSTORE and QRESYNC would save nothing: UIDNEXT and one SEARCH
 * above the cursor tell all there is to know.
 */
#include "follow.h"

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "fetch.h"
#include "gather.h"
#include "idle.h"
#include "limits.h"
#include "notify.h"
#include "sent.h"
#include "special.h"

static const gint64 DAY_MS = G_GINT64_CONSTANT(24) * 60 * 60 * 1000;

typedef struct {
    guint index;
    ImapFolderKind kind;
    const char *label;
    char *wire_name; /* as the server is told; NULL: it is to say which folder that is */
    gboolean asked;  /* it was asked */
    gboolean well;   /* the last look succeeded */
    gboolean known;
    guint32 uidvalidity, last_uid;
    gint64 again_since_ms;
    guint32 suspect_uid;
} Folder;

typedef struct {
    Gatherer gatherer;
    Session *session;
    Channel *channel;
    const Hello *hello;
    Clock *clock;
    GPtrArray *folders; /* Folder* */
    SentPlace *sent;
    gint64 opened_ms;    /* when the folder that is waited in was opened */
    gint64 others_at_ms; /* when the others are to be looked at */
    gboolean notified;   /* the server was asked to tell of them */
    gboolean reading;    /* READING was told since the last rest */
} Follower;

static gboolean tell_reading(Follower *self, const char *text, GError **error)
{
    if (self->reading && *text == '\0')
        return TRUE;
    self->reading = TRUE;
    return channel_send_reading(self->channel, text, error);
}

static gboolean tell_folder(Follower *self, Folder *folder, const char *why, GError **error)
{
    folder->well = *why == '\0';
    return channel_send_folder(self->channel, folder->index, 0, 0, why, error);
}

static gboolean read_uids(Follower *self, const Folder *folder, const GArray *uids, gint64 min_received_ms, GError **error)
{
    const GatheredFolder gathered = {
        .index = folder->index, .label = folder->label, .uidvalidity = folder->uidvalidity, .suspect_uid = folder->suspect_uid,
        .all = folder->kind == IMAP_FOLDER_SENT};
    return tell_reading(self, "", error) && gather_uids(&self->gatherer, &gathered, uids, min_received_ms, error);
}

/* ---- one folder ------------------------------------------------------------------------------------------------------ */

/* Moves the cursor to last_uid, and has the parent told, since there may be no message at that place. */
static gboolean settle_at(Follower *self, Folder *folder, guint32 last_uid, GError **error)
{
    folder->last_uid = last_uid;
    folder->again_since_ms = clock_now_ms(self->clock);
    return channel_send_position(self->channel, folder->index, folder->uidvalidity, last_uid, error);
}

/* The mailbox under this UIDVALIDITY for the first time: begins at its end, or reads back to since_ms. */
static gboolean begin(Follower *self, Folder *folder, const FolderState *state, gint64 since_ms, gint64 min_received_ms,
                      GError **error)
{
    folder->known = TRUE;
    folder->uidvalidity = state->uidvalidity;
    folder->last_uid = 0;
    guint32 end = state->uidnext > 0 ? state->uidnext - 1 : 0;
    if (since_ms == 0 && state->uidnext > 0)
        return settle_at(self, folder, end, error);
    g_autoptr(GArray) uids =
        since_ms != 0 ? fetch_search_since(self->session, since_ms, error) : fetch_search_after(self->session, 0, error);
    if (uids == NULL)
        return FALSE;
    if (uids->len > 0)
        end = MAX(end, g_array_index(uids, guint32, uids->len - 1));
    if (since_ms != 0 && uids->len > 0 && !read_uids(self, folder, uids, min_received_ms, error))
        return FALSE;
    return settle_at(self, folder, end, error);
}

static gboolean begin_again(Follower *self, Folder *folder, const FolderState *state, GError **error)
{
    g_autofree char *name = text_escape(folder->label, 200);
    g_autofree char *text =
        g_strdup_printf("folder %s: its UIDVALIDITY changed from %u to %u; reading again what came lately", name,
                        folder->uidvalidity, state->uidvalidity);
    if (!tell_reading(self, text, error))
        return FALSE;
    if (folder->again_since_ms == 0)
        return begin(self, folder, state, self->hello->first_since_ms, self->hello->first_since_ms, error);
    gint64 since_ms = MIN(folder->again_since_ms, clock_now_ms(self->clock)) - 2 * DAY_MS;
    return begin(self, folder, state, MAX(since_ms, 1), 0, error);
}

/* TRUE in *ret_found where there was something to read. */
static gboolean read_new(Follower *self, Folder *folder, gboolean *ret_found, GError **error)
{
    g_autoptr(GArray) uids = fetch_search_after(self->session, folder->last_uid, error);
    if (uids == NULL)
        return FALSE;
    *ret_found = uids->len > 0;
    if (uids->len == 0)
        return TRUE;
    if (!read_uids(self, folder, uids, 0, error))
        return FALSE;
    return settle_at(self, folder, g_array_index(uids, guint32, uids->len - 1), error);
}

static gboolean has_nothing_new(const Folder *folder, const FolderState *state)
{
    return folder->known && folder->uidvalidity == state->uidvalidity && state->uidnext > 0 &&
           state->uidnext - 1 <= folder->last_uid;
}

static gboolean look_at_opened(Follower *self, Folder *folder, const FolderState *state, gboolean *ret_found, GError **error)
{
    if (has_nothing_new(folder, state))
        return TRUE;
    if (folder->known && folder->uidvalidity == state->uidvalidity)
        return read_new(self, folder, ret_found, error);
    *ret_found = TRUE; /* look again: more may have come meanwhile */
    if (folder->known)
        return begin_again(self, folder, state, error);
    gint64 since_ms = self->hello->first_since_ms;
    return begin(self, folder, state, since_ms, since_ms, error);
}

/* A folder that is not listed need not be there, and the server may be the one to say which it is; it is asked once. */
static gboolean find_marked(Follower *self, Folder *folder, GError **error)
{
    if (folder->wire_name != NULL)
        return TRUE;
    if (folder->kind == IMAP_FOLDER_SENT) { /* the place may have been found by a task meanwhile */
        if (!folder->asked && !sent_place_find(self->sent, self->session, error))
            return FALSE;
        folder->wire_name = g_strdup(self->sent->wire_name);
    } else if (!folder->asked && !special_folder_find(self->session, "Junk", &folder->wire_name, error)) {
        return FALSE;
    }
    folder->asked = TRUE;
    return TRUE;
}

/* The folder for junk may be listed as well; then it is read as the list says. */
static gboolean is_read_as_another(const Follower *self, const Folder *folder)
{
    for (guint i = 0; folder->kind == IMAP_FOLDER_JUNK && i < folder->index; i++) {
        const Folder *other = self->folders->pdata[i];
        if (g_strcmp0(other->wire_name, folder->wire_name) == 0)
            return TRUE;
    }
    return FALSE;
}

static const char *unknown_text(const Folder *folder)
{
    return folder->kind == IMAP_FOLDER_SENT ? sent_place_unknown()
                                            : "the server does not say which folder is for junk; write junk_folder = \"…\"";
}

/* Opens it unless STATUS says that there is nothing new. *ret_refused (caller frees): the server's words where it would not. */
static gboolean look_from_afar(Follower *self, Folder *folder, gboolean ask_first, gboolean *ret_found, char **ret_refused, GError **error)
{
    FolderState state;
    *ret_refused = NULL;
    if (ask_first && !session_status(self->session, folder->wire_name, &state, ret_refused, error))
        return FALSE;
    if (*ret_refused != NULL || (ask_first && has_nothing_new(folder, &state)))
        return TRUE;
    if (!session_try_examine(self->session, folder->wire_name, folder->label, &state, ret_refused, error))
        return FALSE;
    self->opened_ms = clock_monotonic_ms();
    return *ret_refused != NULL || look_at_opened(self, folder, &state, ret_found, error);
}

/* waited_in: it is to be the open one afterwards. */
static gboolean look(Follower *self, Folder *folder, gboolean waited_in, gboolean *ret_found, GError **error)
{
    g_autofree char *refused = NULL;
    *ret_found = FALSE;
    if (!find_marked(self, folder, error))
        return FALSE;
    if (folder->wire_name == NULL || is_read_as_another(self, folder))
        return tell_folder(self, folder, folder->wire_name == NULL ? unknown_text(folder) : "", error);
    gboolean is_open = g_strcmp0(self->session->selected, folder->wire_name) == 0;
    /* a folder may have been put in its place under our feet */
    gboolean fresh = is_open && clock_monotonic_ms() - self->opened_ms < IMAP_REOPEN_MS;
    if (!(fresh ? read_new(self, folder, ret_found, error)
                : look_from_afar(self, folder, !waited_in && !is_open, ret_found, &refused, error)))
        return FALSE;
    if (refused == NULL)
        return tell_folder(self, folder, "", error);
    const char *words = *refused != '\0' ? refused : "refused, no reason given";
    g_autofree char *why = folder->kind == IMAP_FOLDER_SENT ? g_strdup_printf("folder %s: %s", folder->label, words) : g_strdup(words);
    return tell_folder(self, folder, why, error);
}

/* ---- all folders ----------------------------------------------------------------------------------------------------- */

/* The first listed one that can be read, as far as is known; NULL: none. */
static Folder *waited_in(const Follower *self)
{
    for (guint i = 0; i < self->folders->len; i++) {
        Folder *folder = self->folders->pdata[i];
        if (folder->kind == IMAP_FOLDER_LISTED && folder->well)
            return folder;
    }
    return NULL;
}

/*
 * Looks until a look finds nothing and nothing changed during it: what the server tells in passing, in the answer to a
 * command, it does not tell again in IDLE. *ret_quiet FALSE: it never came to rest.
 */
static gboolean look_until_quiet(Follower *self, Folder *folder, gboolean *ret_quiet, GError **error)
{
    *ret_quiet = FALSE;
    for (guint i = 0; i < IMAP_LOOKS_IN_A_ROW && !*ret_quiet; i++) {
        gboolean found, was_open = g_strcmp0(self->session->selected, folder->wire_name) == 0;
        guint32 exists = session_exists(self->session);
        if (!look(self, folder, TRUE, &found, error))
            return FALSE;
        gboolean changed = was_open && session_changed(self->session, exists);
        *ret_quiet = !found && !changed;
    }
    return TRUE;
}

static gboolean look_at_others(Follower *self, const Folder *but, GError **error)
{
    for (guint i = 0; i < self->folders->len; i++) {
        Folder *folder = self->folders->pdata[i];
        gboolean ignored;
        if (folder != but && !look(self, folder, FALSE, &ignored, error))
            return FALSE;
    }
    self->others_at_ms = clock_monotonic_ms() + self->hello->poll_ms;
    return TRUE;
}

/* Where the folder that is waited in was lost, the next one takes its place. */
static gboolean look_at_all(Follower *self, gboolean *ret_quiet, GError **error)
{
    Folder *first = waited_in(self);
    *ret_quiet = TRUE;
    if (first != NULL && !look_until_quiet(self, first, ret_quiet, error))
        return FALSE;
    gboolean due = first == NULL || !first->well || clock_monotonic_ms() >= self->others_at_ms;
    if (due && !look_at_others(self, first, error))
        return FALSE;
    first = waited_in(self);
    return !due || first == NULL || look_until_quiet(self, first, ret_quiet, error);
}

/* Only a hint of when to look: so it does no harm that what is told in the answers of other commands goes by unheard. */
static gboolean ask_to_be_told(Follower *self, GError **error)
{
    if (self->notified || !self->session->has_notify)
        return TRUE;
    self->notified = TRUE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < self->folders->len; i++) {
        const Folder *folder = self->folders->pdata[i];
        if (folder->well && folder->wire_name != NULL && folder != waited_in(self))
            g_ptr_array_add(names, folder->wire_name);
    }
    return names->len == 0 || notify_begin(self->session, names, error);
}

static gboolean wait_for_more(Follower *self, gboolean quiet, GError **error)
{
    gboolean ignored, heard = FALSE;
    if (!quiet)
        return channel_wait(self->channel, -1, IMAP_RESETTLE_MS, &ignored, error);
    self->reading = FALSE;
    gint64 left_ms = MAX(self->others_at_ms - clock_monotonic_ms(), 1);
    gint64 timeout_ms = self->session->has_idle && self->folders->len == 1 && waited_in(self) != NULL ? IMAP_IDLE_MS : left_ms;
    if (!channel_rest(self->channel, error) || !idle_wait(self->session, self->channel, timeout_ms, &heard, error))
        return FALSE;
    if (heard || clock_monotonic_ms() >= self->others_at_ms)
        self->others_at_ms = 0;
    return TRUE;
}

static void folder_free(gpointer data)
{
    Folder *folder = data;
    g_free(folder->wire_name);
    g_free(folder);
}

static GPtrArray *folders_of(const Hello *hello, const GPtrArray *wire_names)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(folder_free);
    for (guint i = 0; i < hello->folders->len; i++) {
        const HelloFolder *told = hello->folders->pdata[i];
        const char *by_server = told->kind == IMAP_FOLDER_SENT ? IMAP_SENT_BY_SERVER : IMAP_JUNK_BY_SERVER;
        Folder *folder = g_new0(Folder, 1);
        *folder = (Folder){.index = i,
                           .kind = (ImapFolderKind)told->kind,
                           .label = *told->name != '\0' ? told->name : by_server,
                           .wire_name = g_strdup(wire_names->pdata[i]),
                           .known = told->known,
                           .uidvalidity = told->uidvalidity,
                           .last_uid = told->last_uid,
                           .again_since_ms = told->again_since_ms,
                           .suspect_uid = told->suspect_uid};
        g_ptr_array_add(folders, folder);
    }
    return folders;
}

/* One turn: everything new is read, what the parent asks is done, and, unless that may have hidden news, more is waited for. */
static gboolean turn(Follower *self, GError **error)
{
    gboolean quiet, done;
    return look_at_all(self, &quiet, error) && ask_to_be_told(self, error) &&
           sent_do_tasks(self->sent, self->session, self->channel, &done, error) && (done || wait_for_more(self, quiet, error));
}

void follow(Session *session, Channel *channel, const Hello *hello, const GPtrArray *wire_names, WatcherReadFunc read,
            GError **error)
{
    g_autoptr(Clock) clock = clock_new_system();
    g_autoptr(GPtrArray) folders = folders_of(hello, wire_names);
    SentPlace sent = {0};
    Follower self = {.gatherer = {.session = session, .channel = channel, .read = read, .clock = clock, .careful = hello->careful},
                     .session = session,
                     .channel = channel,
                     .hello = hello,
                     .clock = clock,
                     .folders = folders,
                     .sent = &sent};
    ((Folder *)folders->pdata[0])->well = TRUE; /* the first to be opened, since it is the one that is waited in */
    if (sent_place_init(&sent, hello->sent_name, error))
        while (turn(&self, error))
            ;
    sent_place_clear(&sent);
}
