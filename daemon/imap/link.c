/*
 * The parent's side of one mailbox. On the context's loop; what may block (the password, the name) is done by a thread that knows
 * nothing of the link.
 *
 *   preparing (thread: password, addresses) -> running (peer.h) -> ended -> waiting (back-off) -> preparing …
 *
 * Nothing that the child says is believed: folders are indices into our own list, messages pass inbound_message_from_variant(), and
 * there are never more records under way than the window allows.
 */
#include "imap/link.h"

#include <gio/gio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "limits.h"
#include "peer.h"
#include "window.h"

enum { MAX_SUSPECTS = 64, JITTER_PART = 4 };
#define DAY_MS ((gint64)24 * 3600 * 1000)

/* A message during whose reading the child died. */
typedef struct {
    guint folder;
    guint32 uidvalidity, uid;
    guint deaths;
} Suspect;

/* What the thread finds out; shared with it, so it outlives a link that is freed meanwhile. */
typedef struct {
    gint references; /* atomic */
    ImapLink *link;  /* the loop's only; NULL once the link is gone */
    char *host;
    SecretSource source; /* a copy */
    char *secret;
    char **addresses;
    GError *error;
} Preparation;

struct ImapLink {
    const Account *account;
    char *program;
    GMainContext *context;
    ImapCallbacks callbacks;
    Preparation *preparation; /* under way; NULL: none */
    Peer *peer;               /* NULL: no child */
    RecordWindow window;
    GSource *retry;
    ImapState state;
    guint failures;
    gint64 watching_since_ms; /* monotonic; 0: not WATCHING */
    gint64 last_read_ms;
    char *fault; /* what the child said last of why it ends */
    ImapFault fault_code;
    gboolean careful;
    Suspect current; /* uid 0: none */
    GArray *suspects;
};

static void start(ImapLink *link);

const char *imap_state_name(ImapState state)
{
    static const char *const names[] = {"connecting", "watching", "reading", "failed"};
    g_assert((guint)state < G_N_ELEMENTS(names));
    return names[state];
}

/* ---- state ------------------------------------------------------------------------------------------------------------- */

static void set_state(ImapLink *link, ImapState state, const char *text, gint64 retry_in_ms)
{
    gint64 now_ms = clock_monotonic_ms();
    if (link->state == IMAP_STATE_WATCHING && state != IMAP_STATE_WATCHING)
        link->last_read_ms = now_ms;
    if (state == IMAP_STATE_WATCHING && link->state != IMAP_STATE_WATCHING)
        link->watching_since_ms = now_ms;
    if (state != IMAP_STATE_WATCHING)
        link->watching_since_ms = 0;
    link->state = state;
    link->callbacks.on_state(state, text, retry_in_ms, link->callbacks.data);
}

gint64 imap_link_last_read_ms(const ImapLink *link)
{
    return link->state == IMAP_STATE_WATCHING ? clock_monotonic_ms() : link->last_read_ms;
}

GPid imap_link_pid(const ImapLink *link)
{
    return link->peer != NULL ? peer_pid(link->peer) : 0;
}

/* ---- trying again ------------------------------------------------------------------------------------------------------ */

static gboolean on_retry(gpointer data)
{
    ImapLink *link = data;
    g_clear_pointer(&link->retry, g_source_unref);
    start(link);
    return G_SOURCE_REMOVE;
}

static gint64 back_off_ms(const ImapLink *link, ImapFault code)
{
    gboolean refused = code == IMAP_FAULT_CERTIFICATE || code == IMAP_FAULT_SIGN_IN;
    gint64 wait_ms = (refused ? (gint64)RETRY_REFUSED_MS : (gint64)RETRY_FIRST_MS) << MIN(link->failures, 9u);
    wait_ms = MIN(wait_ms, (gint64)RETRY_MAX_MS);
    return wait_ms + g_random_int_range(0, (gint32)(wait_ms / JITTER_PART) + 1);
}

/* Says why, and begins anew after a while. */
static void fail(ImapLink *link, ImapFault code, const char *why)
{
    if (link->watching_since_ms != 0 && clock_monotonic_ms() - link->watching_since_ms > SETTLED_MS)
        link->failures = 0;
    gint64 wait_ms = back_off_ms(link, code);
    g_autofree char *text = text_escape(why, FRAME_TEXT_OCTETS);
    link->failures++;
    link->retry = g_timeout_source_new((guint)wait_ms);
    g_source_set_callback(link->retry, on_retry, link, NULL);
    g_source_attach(link->retry, link->context);
    set_state(link, IMAP_STATE_FAILED, text, wait_ms);
}

/* ---- what the child says ----------------------------------------------------------------------------------------------- */

static const char *folder_name(const ImapLink *link, guint index)
{
    return index < g_strv_length(link->account->imap.folders) ? link->account->imap.folders[index] : NULL;
}

static gboolean take_record(ImapLink *link, GVariant *value)
{
    guint32 folder, uidvalidity, uid;
    gint64 received_ms;
    g_autoptr(GVariant) content = NULL;
    gsize octets = frame_size(value);
    g_variant_get(value, "(uuuxv)", &folder, &uidvalidity, &uid, &received_ms, &content);
    g_autoptr(InboundMessage) message = inbound_message_from_variant(content, NULL);
    const char *name = folder_name(link, folder);
    if (message == NULL || name == NULL || uid == 0 || !record_window_has_room(&link->window, octets))
        return FALSE;
    const WindowRecord sent = {.folder = folder, .uidvalidity = uidvalidity, .uid = uid, .octets = octets};
    record_window_add(&link->window, &sent);
    const ImapRecord record = {
        .folder = name, .uidvalidity = uidvalidity, .uid = uid, .received_ms = MAX(received_ms, 0), .message = message};
    link->callbacks.on_message(&record, link->callbacks.data);
    return TRUE;
}

static gboolean take_position(ImapLink *link, GVariant *value)
{
    guint32 folder, uidvalidity, uid;
    g_variant_get(value, "(uuu)", &folder, &uidvalidity, &uid);
    const char *name = folder_name(link, folder);
    if (name == NULL || record_window_has_folder(&link->window, folder))
        return FALSE; /* it would pass a record that is not committed */
    link->callbacks.on_position(name, uidvalidity, uid, link->callbacks.data);
    return TRUE;
}

static gboolean take_suspect(ImapLink *link, GVariant *value)
{
    g_variant_get(value, "(uuu)", &link->current.folder, &link->current.uidvalidity, &link->current.uid);
    return folder_name(link, link->current.folder) != NULL;
}

static gboolean take_state(ImapLink *link, GVariant *value)
{
    guint32 state;
    const char *text;
    g_variant_get(value, "(u&s)", &state, &text);
    if (state != IMAP_STATE_WATCHING && state != IMAP_STATE_READING)
        return FALSE;
    g_autofree char *safe = text_escape(text, FRAME_TEXT_OCTETS);
    set_state(link, (ImapState)state, safe, 0);
    return TRUE;
}

static gboolean take_fault(ImapLink *link, GVariant *value)
{
    guint32 code;
    const char *text;
    g_variant_get(value, "(u&s)", &code, &text);
    g_free(link->fault);
    link->fault = text_escape(text, FRAME_TEXT_OCTETS);
    link->fault_code = code <= IMAP_FAULT_LAST ? (ImapFault)code : IMAP_FAULT_LOCAL;
    return TRUE;
}

static gboolean on_frame(FrameKind kind, GVariant *value, gpointer data)
{
    ImapLink *link = data;
    switch (kind) {
    case FRAME_RECORD:
        return take_record(link, value);
    case FRAME_POSITION:
        return take_position(link, value);
    case FRAME_SUSPECT:
        return take_suspect(link, value);
    case FRAME_STATE:
        return take_state(link, value);
    case FRAME_FAULT:
        return take_fault(link, value);
    case FRAME_HEARTBEAT:
        return TRUE;
    default:
        return FALSE; /* a parent's word from a child */
    }
}

/* ---- its end ----------------------------------------------------------------------------------------------------------- */

static Suspect *find_suspect(ImapLink *link, guint folder, guint32 uidvalidity, guint32 uid)
{
    for (guint i = 0; i < link->suspects->len; i++) {
        Suspect *suspect = &g_array_index(link->suspects, Suspect, i);
        if (suspect->folder == folder && suspect->uidvalidity == uidvalidity && suspect->uid == uid)
            return suspect;
    }
    return NULL;
}

/* The child died: reads carefully from now on, and remembers what it was reading. */
static void note_death(ImapLink *link)
{
    link->careful = TRUE;
    if (link->current.uid == 0)
        return;
    Suspect *suspect = find_suspect(link, link->current.folder, link->current.uidvalidity, link->current.uid);
    if (suspect != NULL) {
        suspect->deaths++;
        return;
    }
    if (link->suspects->len >= MAX_SUSPECTS)
        g_array_remove_index(link->suspects, 0);
    link->current.deaths = 1;
    g_array_append_val(link->suspects, link->current);
}

static void on_end(PeerEnd end, const char *how, gpointer data)
{
    ImapLink *link = data;
    g_autofree char *why = NULL;
    ImapFault code = IMAP_FAULT_LOCAL;
    if (end == PEER_ENDED && link->fault != NULL) {
        code = link->fault_code;
        why = g_strdup_printf("%s: %s", link->account->imap.server.url, link->fault);
    } else {
        why = g_strdup(how);
    }
    if (end == PEER_CRASHED)
        note_death(link);
    g_clear_pointer(&link->fault, g_free);
    g_clear_pointer(&link->peer, peer_free);
    fail(link, code, why);
}

/* ---- starting ---------------------------------------------------------------------------------------------------------- */

static void preparation_unref(gpointer data)
{
    Preparation *preparation = data;
    if (!g_atomic_int_dec_and_test(&preparation->references))
        return;
    g_free(preparation->host);
    secret_free(preparation->source.value);
    secret_free(preparation->secret);
    g_strfreev(preparation->addresses);
    g_clear_error(&preparation->error);
    g_free(preparation);
}

static char **resolve(const char *host, GError **error)
{
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    GList *found = g_resolver_lookup_by_name(resolver, host, NULL, error);
    GPtrArray *addresses = g_ptr_array_new();
    for (GList *item = found; item != NULL && addresses->len < MAX_ADDRESSES; item = item->next)
        g_ptr_array_add(addresses, g_inet_address_to_string(item->data));
    g_resolver_free_addresses(found);
    g_ptr_array_add(addresses, NULL);
    char **list = (char **)g_ptr_array_free(addresses, FALSE);
    if (found != NULL)
        return list;
    g_strfreev(list);
    return NULL;
}

static void prepare_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    (void)source, (void)cancellable;
    Preparation *preparation = data;
    preparation->secret = secret_read(&preparation->source, &preparation->error);
    if (preparation->secret != NULL)
        preparation->addresses = resolve(preparation->host, &preparation->error);
    g_task_return_boolean(task, preparation->addresses != NULL);
}

static guint32 suspect_uid_of(ImapLink *link, guint folder, guint32 uidvalidity)
{
    for (guint i = 0; i < link->suspects->len; i++) {
        const Suspect *suspect = &g_array_index(link->suspects, Suspect, i);
        if (suspect->folder == folder && suspect->uidvalidity == uidvalidity && suspect->deaths >= SUSPECT_DEATHS)
            return suspect->uid;
    }
    return 0;
}

/* read_back as days of machine time: IMAP searches by day. */
static gint64 first_since_ms(const ImapLink *link)
{
    const Duration *back = &link->account->imap.read_back;
    gint64 length_ms = (back->months * 31 + back->days + back->business_days * 2) * DAY_MS + back->ms;
    return length_ms > 0 ? clock_system_now_ms() - length_ms : 0;
}

static Hello *make_hello(ImapLink *link, const Preparation *preparation)
{
    const ImapSettings *imap = &link->account->imap;
    Hello *hello = hello_new();
    hello->host = g_strdup(imap->server.host);
    hello->port = imap->server.port;
    hello->tls = imap->server.tls;
    hello->ca_file = g_strdup(imap->server.ca_file);
    hello->user = g_strdup(imap->server.user);
    hello->addresses = g_strdupv(preparation->addresses);
    hello->poll_ms = imap->poll_ms;
    hello->first_since_ms = first_since_ms(link);
    hello->careful = link->careful;
    for (guint i = 0; imap->folders[i] != NULL; i++) {
        HelloFolder *folder = g_new0(HelloFolder, 1);
        gint64 updated_ms = 0;
        folder->name = g_strdup(imap->folders[i]);
        folder->known = link->callbacks.get_cursor(folder->name, &folder->uidvalidity, &folder->last_uid, &updated_ms, link->callbacks.data);
        folder->again_since_ms = MIN(updated_ms, clock_system_now_ms()); /* business time may run ahead of the server's */
        folder->suspect_uid = suspect_uid_of(link, i, folder->uidvalidity);
        g_ptr_array_add(hello->folders, folder);
    }
    return hello;
}

static void run_child(ImapLink *link, const Preparation *preparation)
{
    const PeerCallbacks callbacks = {.on_frame = on_frame, .on_end = on_end, .data = link};
    g_autoptr(GError) error = NULL;
    record_window_clear(&link->window);
    record_window_init(&link->window);
    link->current = (Suspect){0};
    link->peer = peer_start(link->program, link->context, &callbacks, &error);
    if (link->peer == NULL) {
        fail(link, IMAP_FAULT_LOCAL, error->message);
        return;
    }
    g_autoptr(Hello) hello = make_hello(link, preparation);
    peer_send(link->peer, FRAME_HELLO, hello_to_variant(hello));
    peer_send_secret(link->peer, preparation->secret);
}

static void on_prepared(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)source, (void)result;
    Preparation *preparation = data;
    ImapLink *link = preparation->link;
    if (link != NULL) {
        link->preparation = NULL;
        if (preparation->addresses != NULL) {
            run_child(link, preparation);
        } else {
            g_autofree char *why = g_strdup_printf("%s: %s", link->account->imap.server.url, preparation->error->message);
            fail(link, preparation->secret != NULL ? IMAP_FAULT_NETWORK : IMAP_FAULT_SIGN_IN, why);
        }
    }
    preparation_unref(preparation);
}

static void start(ImapLink *link)
{
    const Endpoint *server = &link->account->imap.server;
    Preparation *preparation = g_new0(Preparation, 1);
    preparation->references = 2; /* the task's and on_prepared()'s */
    preparation->link = link;
    preparation->host = g_strdup(server->host);
    preparation->source = (SecretSource){.kind = server->password.kind, .value = g_strdup(server->password.value)};
    link->preparation = preparation;
    set_state(link, IMAP_STATE_CONNECTING, "", 0);
    if (link->context != NULL)
        g_main_context_push_thread_default(link->context);
    GTask *task = g_task_new(NULL, NULL, on_prepared, preparation);
    g_task_set_task_data(task, preparation, preparation_unref);
    g_task_run_in_thread(task, prepare_in_thread);
    g_object_unref(task);
    if (link->context != NULL)
        g_main_context_pop_thread_default(link->context);
}

ImapLink *imap_link_new(const Account *account, const char *program, GMainContext *context, const ImapCallbacks *callbacks)
{
    ImapLink *link = g_new0(ImapLink, 1);
    link->account = account;
    link->program = g_strdup(program);
    link->context = context != NULL ? g_main_context_ref(context) : NULL;
    link->callbacks = *callbacks;
    link->suspects = g_array_new(FALSE, FALSE, sizeof(Suspect));
    record_window_init(&link->window);
    start(link);
    return link;
}

void imap_link_committed(ImapLink *link, const char *folder, guint32 uidvalidity, guint32 uid)
{
    for (guint i = 0; link->account->imap.folders[i] != NULL; i++) {
        if (!g_str_equal(link->account->imap.folders[i], folder))
            continue;
        record_window_commit(&link->window, i, uidvalidity, uid);
        if (link->peer != NULL)
            peer_send(link->peer, FRAME_COMMITTED, g_variant_new("(uuu)", i, uidvalidity, uid));
    }
}

void imap_link_free(ImapLink *link)
{
    if (link == NULL)
        return;
    if (link->preparation != NULL)
        link->preparation->link = NULL;
    peer_free(link->peer);
    if (link->retry != NULL) {
        g_source_destroy(link->retry);
        g_source_unref(link->retry);
    }
    record_window_clear(&link->window);
    g_array_unref(link->suspects);
    if (link->context != NULL)
        g_main_context_unref(link->context);
    g_free(link->fault);
    g_free(link->program);
    g_free(link);
}
