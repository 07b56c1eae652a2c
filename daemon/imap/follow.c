/*
 * What is read, and how far: a folder's cursor is its UIDVALIDITY and the last UID read. Runs in the watcher, which has one
 * connection: the first folder is the one that IDLE waits in; the others are looked at after each wake and every poll_ms.
 *
 *   EXAMINE --- never read ------> from UIDNEXT on, or (read_back) what came since then
 *           --- same UIDVALIDITY -> UIDs above the cursor
 *           --- other ------------> what came since shortly before the cursor's last step; the daemon drops repeats
 *
 * A UID that SEARCH lists must be given by FETCH, be it at the second try, or have vanished meanwhile: nothing is passed
 * over because a server was in disorder.
 */
#include "follow.h"

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "fetch.h"
#include "idle.h"
#include "limits.h"
#include "sent.h"

static const gint64 DAY_MS = G_GINT64_CONSTANT(24) * 60 * 60 * 1000;

typedef struct {
    guint index;
    const char *name, *wire_name; /* the hello's, and as the server is told */
    gboolean known;
    guint32 uidvalidity, last_uid;
    gint64 again_since_ms;
    guint32 suspect_uid;
    gboolean is_sent; /* wire_name is the SentPlace's, NULL while it is not known */
} Folder;

typedef struct {
    Session *session;
    Channel *channel;
    const Hello *hello;
    WatcherReadFunc read;
    Clock *clock;
    GArray *folders;  /* Folder */
    SentPlace *sent;
    gboolean reading; /* READING was told since the last rest */
} Follower;

static gboolean tell_reading(Follower *self, const char *text, GError **error)
{
    if (self->reading && *text == '\0')
        return TRUE;
    self->reading = TRUE;
    return channel_send_reading(self->channel, text, error);
}

/* ---- one message ----------------------------------------------------------------------------------------------------- */

/* For a message that the watcher died on again and again: known to be there, and no more. */
static InboundMessage *unread_message(const Folder *folder, guint32 uid)
{
    InboundMessage *message = inbound_message_new();
    g_autofree char *identity = g_strdup_printf("unread %u %u %s", folder->uidvalidity, uid, folder->name);
    g_free(message->evidence);
    message->evidence = g_strdup_printf("not read: it ended the watcher %d times", SUSPECT_DEATHS);
    g_free(message->fingerprint);
    message->fingerprint = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    message->truncated = TRUE;
    return message;
}

static GVariant *message_to_bounded_variant(InboundMessage *message)
{
    g_autoptr(GVariant) whole = g_variant_ref_sink(inbound_message_to_variant(message));
    if (frame_size(whole) + FETCH_ITEM_OCTETS <= FRAME_OCTETS)
        return g_steal_pointer(&whole);
    /* mail_read()'s limits leave room to spare; should they grow, the parent still gets all but the text */
    message->truncated = TRUE;
    g_free(message->text);
    g_free(message->full_text);
    message->text = g_strdup("");
    message->full_text = g_strdup("");
    return g_variant_ref_sink(inbound_message_to_variant(message));
}

static gboolean deliver(Follower *self, const Folder *folder, const FetchItem *item, const char *octets, gsize length,
                        GError **error)
{
    gint64 now_ms = item->received_ms != 0 ? item->received_ms : clock_now_ms(self->clock);
    g_autoptr(InboundMessage) message =
        octets != NULL ? self->read(octets, length, now_ms) : unread_message(folder, item->uid);
    if (octets != NULL && item->size > FETCH_BODY_OCTETS)
        message->truncated = TRUE;
    g_autoptr(GVariant) value = message_to_bounded_variant(message);
    channel_tick(self->channel);
    return channel_send_record(self->channel, folder->index, folder->uidvalidity, item->uid, item->received_ms, value,
                               error);
}

/* ---- many messages --------------------------------------------------------------------------------------------------- */

static gboolean is_missing_for_good(Follower *self, const Folder *folder, guint32 uid, gboolean *ret_gone, GError **error)
{
    g_autoptr(GArray) left = fetch_search_these(self->session, &uid, 1, error);
    if (left == NULL)
        return FALSE;
    *ret_gone = left->len == 0;
    if (*ret_gone)
        return TRUE;
    g_autofree char *name = text_escape(folder->name, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "folder %s: the server lists message %u but does not give it", name,
                uid);
    return FALSE;
}

/* One that a batch's answer lacked: asked for again by itself, unless it has vanished. */
static gboolean retry_body(Follower *self, const Folder *folder, const FetchItem *item, GError **error)
{
    g_autoptr(FetchBodies) bodies = fetch_bodies(self->session, item, 1, error);
    if (bodies == NULL)
        return FALSE;
    gsize length = 0;
    gboolean gone;
    const char *octets = fetch_bodies_find(bodies, item->uid, &length);
    if (octets != NULL)
        return deliver(self, folder, item, octets, length, error);
    return is_missing_for_good(self, folder, item->uid, &gone, error);
}

static gboolean read_batch(Follower *self, const Folder *folder, const FetchItem *items, guint n, GError **error)
{
    g_autoptr(FetchBodies) bodies = fetch_bodies(self->session, items, n, error);
    if (bodies == NULL)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        gsize length = 0;
        const char *octets = fetch_bodies_find(bodies, items[i].uid, &length);
        gboolean well = octets != NULL ? deliver(self, folder, &items[i], octets, length, error)
                                       : retry_body(self, folder, &items[i], error);
        if (!well)
            return FALSE;
    }
    return TRUE;
}

/* After a death: one message at a time, and the parent knows which. */
static gboolean read_with_care(Follower *self, const Folder *folder, const FetchItem *item, GError **error)
{
    if (item->uid == folder->suspect_uid)
        return deliver(self, folder, item, NULL, 0, error);
    return channel_send_suspect(self->channel, folder->index, folder->uidvalidity, item->uid, error) &&
           read_batch(self, folder, item, 1, error) &&
           channel_send_suspect(self->channel, folder->index, folder->uidvalidity, 0, error);
}

static gboolean read_items(Follower *self, const Folder *folder, const GArray *items, GError **error)
{
    const FetchItem *all = (const FetchItem *)(gconstpointer)items->data;
    for (guint i = 0; i < items->len;) {
        if (self->hello->careful) {
            if (!read_with_care(self, folder, &all[i++], error))
                return FALSE;
            continue;
        }
        guint n = 0;
        for (gsize octets = 0; i + n < items->len; n++) {
            octets += MIN(all[i + n].size, FETCH_BODY_OCTETS);
            if (n > 0 && octets > FETCH_BATCH_OCTETS)
                break;
        }
        if (!read_batch(self, folder, &all[i], n, error))
            return FALSE;
        i += n;
    }
    return TRUE;
}

/* Those of the UIDs that FETCH did not describe must have vanished; a second answer may have them. */
static GArray *describe(Follower *self, const Folder *folder, const guint32 *uids, guint n, GError **error)
{
    g_autoptr(GArray) items = fetch_items(self->session, uids, n, error);
    if (items == NULL || items->len == n)
        return g_steal_pointer(&items);
    g_autoptr(GArray) left = fetch_search_these(self->session, uids, n, error);
    if (left == NULL || left->len == 0)
        return left != NULL ? g_array_new(FALSE, FALSE, sizeof(FetchItem)) : NULL;
    g_autoptr(GArray) again =
        fetch_items(self->session, (const guint32 *)(gconstpointer)left->data, MIN(left->len, n), error);
    if (again == NULL || again->len == left->len)
        return g_steal_pointer(&again);
    g_autofree char *name = text_escape(folder->name, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "folder %s: the server lists %u messages but does not give them", name,
                left->len - again->len);
    return NULL;
}

/* Reads the UIDs (ascending), those that came before min_received_ms left out. */
static gboolean read_uids(Follower *self, const Folder *folder, const GArray *uids, gint64 min_received_ms, GError **error)
{
    const guint32 *all = (const guint32 *)(gconstpointer)uids->data;
    for (guint i = 0; i < uids->len; i += FETCH_CHUNK) {
        g_autoptr(GArray) items = describe(self, folder, all + i, MIN(uids->len - i, FETCH_CHUNK), error);
        if (items == NULL)
            return FALSE;
        guint kept = 0;
        for (guint k = 0; k < items->len; k++) {
            FetchItem item = g_array_index(items, FetchItem, k);
            if (item.received_ms == 0 || item.received_ms >= min_received_ms)
                g_array_index(items, FetchItem, kept++) = item;
        }
        g_array_set_size(items, kept);
        if (!read_items(self, folder, items, error))
            return FALSE;
    }
    return TRUE;
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
    if (since_ms != 0 && uids->len > 0 &&
        (!tell_reading(self, "", error) || !read_uids(self, folder, uids, min_received_ms, error)))
        return FALSE;
    return settle_at(self, folder, end, error);
}

static gboolean begin_again(Follower *self, Folder *folder, const FolderState *state, GError **error)
{
    g_autofree char *name = text_escape(folder->name, 200);
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
    if (!tell_reading(self, "", error) || !read_uids(self, folder, uids, 0, error))
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

static gboolean look(Follower *self, Folder *folder, gboolean *ret_found, GError **error)
{
    *ret_found = FALSE;
    if (g_strcmp0(self->session->selected, folder->wire_name) == 0)
        return read_new(self, folder, ret_found, error);
    FolderState state;
    return session_examine(self->session, folder->wire_name, folder->name, &state, error) &&
           look_at_opened(self, folder, &state, ret_found, error);
}

/* The folder for sent mail need not be there: what is wrong with it is told, and the others are read on. */
static gboolean look_at_sent(Follower *self, Folder *folder, GError **error)
{
    FolderState state;
    g_autofree char *refused = NULL;
    gboolean ignored = FALSE;
    if (self->sent->told == NULL && !sent_place_find(self->sent, self->session, error)) /* asked once, and again by each task */
        return FALSE;
    folder->wire_name = self->sent->wire_name;
    if (folder->wire_name == NULL)
        return sent_place_tell(self->sent, self->channel, sent_place_unknown(), error);
    if (!session_status(self->session, folder->wire_name, &state, &refused, error))
        return FALSE;
    gboolean news = refused == NULL && !has_nothing_new(folder, &state);
    if (news && !session_try_examine(self->session, folder->wire_name, folder->name, &state, &refused, error))
        return FALSE;
    g_autofree char *why = refused != NULL ? g_strdup_printf("folder %s: %s", self->sent->label, refused) : g_strdup("");
    return sent_place_tell(self->sent, self->channel, why, error) &&
           (!news || refused != NULL || look_at_opened(self, folder, &state, &ignored, error));
}

/* ---- all folders ----------------------------------------------------------------------------------------------------- */

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
        if (!look(self, folder, &found, error))
            return FALSE;
        gboolean changed = was_open && session_changed(self->session, exists);
        *ret_quiet = !found && !changed;
    }
    return TRUE;
}

static gboolean look_at_others(Follower *self, gboolean *ret_quiet, GError **error)
{
    for (guint i = 1; i < self->folders->len; i++) {
        Folder *folder = &g_array_index(self->folders, Folder, i);
        gboolean found;
        if (!(folder->is_sent ? look_at_sent(self, folder, error) : look(self, folder, &found, error)))
            return FALSE;
    }
    return self->folders->len == 1 || look_until_quiet(self, &g_array_index(self->folders, Folder, 0), ret_quiet, error);
}

static gboolean wait_for_more(Follower *self, gboolean quiet, GError **error)
{
    gboolean ignored;
    if (!quiet)
        return channel_wait(self->channel, -1, IMAP_RESETTLE_MS, &ignored, error);
    self->reading = FALSE;
    gint64 timeout_ms = self->session->has_idle && self->folders->len == 1 ? IMAP_IDLE_MS : self->hello->poll_ms;
    return channel_rest(self->channel, error) && idle_wait(self->session, self->channel, timeout_ms, error);
}

static GArray *folders_of(const Hello *hello, const GPtrArray *wire_names)
{
    GArray *folders = g_array_new(FALSE, FALSE, sizeof(Folder));
    for (guint i = 0; i < hello->folders->len; i++) {
        const HelloFolder *told = hello->folders->pdata[i];
        Folder folder = {.index = i,
                         .name = *told->name != '\0' ? told->name : IMAP_SENT_BY_SERVER,
                         .wire_name = wire_names->pdata[i],
                         .known = told->known,
                         .uidvalidity = told->uidvalidity,
                         .last_uid = told->last_uid,
                         .again_since_ms = told->again_since_ms,
                         .suspect_uid = told->suspect_uid,
                         .is_sent = told->is_sent};
        g_array_append_val(folders, folder);
    }
    return folders;
}

/* One turn: everything new is read, what the parent asks is done, and, unless that may have hidden news, more is waited for. */
static gboolean turn(Follower *self, GError **error)
{
    gboolean quiet, done;
    return look_until_quiet(self, &g_array_index(self->folders, Folder, 0), &quiet, error) &&
           look_at_others(self, &quiet, error) && sent_do_tasks(self->sent, self->session, self->channel, &done, error) &&
           (done || wait_for_more(self, quiet, error));
}

void follow(Session *session, Channel *channel, const Hello *hello, const GPtrArray *wire_names, WatcherReadFunc read,
            GError **error)
{
    g_autoptr(Clock) clock = clock_new_system();
    g_autoptr(GArray) folders = folders_of(hello, wire_names);
    SentPlace sent = {0};
    Follower self = {.session = session,
                     .channel = channel,
                     .hello = hello,
                     .read = read,
                     .clock = clock,
                     .folders = folders,
                     .sent = &sent};
    if (sent_place_init(&sent, hello->sent_name, error))
        while (turn(&self, error))
            ;
    sent_place_clear(&sent);
}
