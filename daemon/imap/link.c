/*
 * The parent's side of one mailbox: when a watcher is started, what it is told, what becomes of what it says, and when the
 * next one is tried. Runs on the context's thread and never blocks there.
 *
 *   preparing (password, addresses; in a thread) -> watching (a Peer) -> pausing (back-off) -> preparing …
 *
 * Nothing that a child says is believed: folders are named by index, a record must read as an InboundMessage, and no more
 * records may be ahead of the commits than the window allows. Records of one child that are not committed when it ends come
 * again from the next, from the cursor on.
 *
 * A message that ends every watcher must not end the mailbox: after a crash the next child reads one message at a time and
 * says which (SUSPECT), and one that was being read in SUSPECT_DEATHS crashes is handed on unread.
 */
#include "imap/link.h"

#include "asked.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/secret.h"
#include "fault.h"
#include "launch.h"
#include "limits.h"
#include "peer.h"
#include "trouble.h"
#include "watched.h"
#include "window.h"

typedef struct {
    guint folder;
    guint32 uidvalidity, uid; /* uid 0: none */
} Place;

struct ImapLink {
    guint refs; /* the owner's, and those of calls that are under way */
    gboolean closed;
    const Account *account;
    char *program;
    GMainContext *context;
    ImapCallbacks callbacks;

    ImapState state;
    gint64 last_read_ms, watching_since_ms;
    guint failures; /* in a row */
    GSource *retry;

    Peer *peer; /* and of this peer: */
    RecordWindow window;
    Asked asked;
    GPtrArray *folders; /* WatchedFolder* */
    GError *fault; /* what it said last */
    gboolean settled;
    Place reading;

    gboolean careful;
    Place suspect;
    guint suspect_deaths;
};

static void start(ImapLink *link);

const char *imap_state_name(ImapState state)
{
    static const char *const names[] = {[IMAP_STATE_CONNECTING] = "connecting",
                                        [IMAP_STATE_WATCHING] = "watching",
                                        [IMAP_STATE_READING] = "reading",
                                        [IMAP_STATE_FAILED] = "failed"};
    g_assert((guint)state < G_N_ELEMENTS(names));
    return names[state];
}

static void link_unref(ImapLink *link)
{
    if (--link->refs > 0)
        return;
    g_clear_pointer(&link->context, g_main_context_unref);
    record_window_clear(&link->window);
    asked_clear(&link->asked);
    g_ptr_array_unref(link->folders);
    g_clear_error(&link->fault);
    g_free(link->program);
    g_free(link);
}

/* The caller must look at closed afterwards: the callee may have freed the link. */
static void set_state(ImapLink *link, ImapState state, const char *text, gint64 retry_in_ms)
{
    const gint64 now_ms = clock_monotonic_ms();
    /* Read to its end when it says so, and when the server has told of more; a connection found dead was so for an unknown time. */
    if (state == IMAP_STATE_WATCHING || (link->state == IMAP_STATE_WATCHING && state == IMAP_STATE_READING))
        link->last_read_ms = now_ms;
    if (state == IMAP_STATE_WATCHING && link->state != state)
        link->watching_since_ms = now_ms;
    link->state = state;
    link->callbacks.on_state(state, text, retry_in_ms, link->callbacks.data);
}

/* ---- folders --------------------------------------------------------------------------------------------------------- */

static WatchedFolder *folder_at(const ImapLink *link, guint index)
{
    return link->folders->pdata[index];
}

const ImapFolderStatus *imap_link_folder(const ImapLink *link, guint index)
{
    return index < link->folders->len ? &folder_at(link, index)->status : NULL;
}

/* ---- trying again ---------------------------------------------------------------------------------------------------- */

static gboolean on_retry(gpointer data)
{
    ImapLink *link = data;
    g_clear_pointer(&link->retry, g_source_unref);
    start(link);
    return G_SOURCE_REMOVE;
}

/* code: an ImapFault. */
static void fail(ImapLink *link, int code, const char *why)
{
    gint64 delay_ms = trouble_delay_ms(trouble_of(code, why), why, link->failures);
    g_autofree char *raw = g_strdup_printf("%s: %s", link->account->imap.server.url, why);
    g_autofree char *text = text_escape(raw, FRAME_TEXT_OCTETS);
    link->failures++;
    link->retry = g_timeout_source_new((guint)delay_ms);
    g_source_set_callback(link->retry, on_retry, link, NULL);
    g_source_attach(link->retry, link->context);
    set_state(link, IMAP_STATE_FAILED, text, delay_ms);
}

/* A watcher died in a way that what it read may be to blame for. */
static void suspect_reading(ImapLink *link)
{
    link->careful = TRUE;
    if (link->reading.uid == 0)
        return;
    gboolean again = link->reading.uid == link->suspect.uid && link->reading.folder == link->suspect.folder &&
                     link->reading.uidvalidity == link->suspect.uidvalidity;
    link->suspect_deaths = again ? link->suspect_deaths + 1 : 1;
    link->suspect = link->reading;
}

static gboolean has_token(const ImapLink *link)
{
    return link->account->imap.server.sign_in == SIGN_IN_OAUTH2;
}

/* What a child was asked and did not answer. */
static void lose_tasks(ImapLink *link, const char *how)
{
    guint64 id;
    while (!link->closed && asked_pop(&link->asked, &id))
        link->callbacks.on_answer(id, IMAP_ANSWER_LOST, how, link->callbacks.data);
}

static void on_end(PeerEnd end, const char *how, gpointer data)
{
    ImapLink *link = data;
    g_autoptr(GError) fault = g_steal_pointer(&link->fault);
    g_clear_pointer(&link->peer, peer_free);
    if (end == PEER_CRASHED || (end == PEER_EXITED && fault == NULL))
        suspect_reading(link);
    if (link->state == IMAP_STATE_WATCHING)
        link->settled |= clock_monotonic_ms() - link->watching_since_ms >= SETTLED_MS;
    if (link->settled)
        link->failures = 0;
    link->refs++;
    const char *why = end == PEER_EXITED && fault != NULL ? fault->message : how;
    g_autofree char *escaped = text_escape(why, FRAME_TEXT_OCTETS);
    lose_tasks(link, escaped);
    gboolean sign_in_failed = end == PEER_EXITED && fault != NULL && fault->code == IMAP_FAULT_SIGN_IN;
    if (!link->closed && sign_in_failed && has_token(link) && trouble_of(fault->code, fault->message) == TROUBLE_REFUSED)
        link->callbacks.token_refused(link->callbacks.data);
    if (!link->closed) /* else freed by a callee */
        fail(link, end == PEER_EXITED && fault != NULL ? fault->code : IMAP_FAULT_SERVER, why);
    link_unref(link);
}

/* ---- what the child says --------------------------------------------------------------------------------------------- */

static gboolean take_record(ImapLink *link, GVariant *value)
{
    guint32 folder, uidvalidity, uid;
    gint64 received_ms;
    g_autoptr(GVariant) content = NULL;
    g_variant_get(value, "(uuuxv)", &folder, &uidvalidity, &uid, &received_ms, &content);
    gsize octets = frame_size(value);
    if (folder >= link->folders->len || uidvalidity == 0 || uid == 0 || !record_window_has_room(&link->window, octets))
        return FALSE;
    g_autoptr(InboundMessage) message = inbound_message_from_variant(content, NULL);
    if (message == NULL)
        return FALSE;
    record_window_add(&link->window,
                      &(WindowRecord){.folder = folder,
                                      .uidvalidity = uidvalidity,
                                      .uid = uid,
                                      .octets = octets,
                                      .received_ms = received_ms});
    watched_folder_add_record(folder_at(link, folder));
    ImapRecord record = {.folder = folder_at(link, folder)->status.name,
                         .uidvalidity = uidvalidity,
                         .uid = uid,
                         .received_ms = received_ms,
                         .message = g_steal_pointer(&message),
                         .is_sent = folder_at(link, folder)->is_sent,
                         .is_junk = folder_at(link, folder)->status.kind == IMAP_FOLDER_JUNK};
    link->callbacks.on_message(&record, link->callbacks.data);
    inbound_message_free(record.message);
    return TRUE;
}

/* Of each message in turn; one that may be a report is wanted, since only its body says what it is about. */
static gboolean take_ask(ImapLink *link, GVariant *value)
{
    guint32 folder, uid;
    gboolean may_be_report;
    GVariant *content;
    g_autoptr(GVariantIter) headers = NULL;
    g_auto(GVariantBuilder) picked = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("au"));
    g_variant_get(value, "(ua(ubv))", &folder, &headers);
    if (folder >= link->folders->len || g_variant_iter_n_children(headers) > FETCH_CHUNK)
        return FALSE;
    const WatchedFolder *watched = folder_at(link, folder);
    while (g_variant_iter_next(headers, "(ubv)", &uid, &may_be_report, &content)) {
        g_autoptr(InboundMessage) message = inbound_message_from_variant(content, NULL);
        g_variant_unref(content);
        if (message == NULL)
            return FALSE;
        const ImapRecord header = {.folder = watched->status.name,
                                   .uid = uid,
                                   .message = message,
                                   .is_sent = watched->is_sent,
                                   .is_junk = watched->status.kind == IMAP_FOLDER_JUNK};
        if (may_be_report || link->callbacks.is_wanted == NULL || link->callbacks.is_wanted(&header, link->callbacks.data))
            g_variant_builder_add(&picked, "u", uid);
    }
    peer_send(link->peer, FRAME_PICKED, g_variant_builder_end(&picked));
    return TRUE;
}

static gboolean take_place(ImapLink *link, FrameKind kind, GVariant *value)
{
    Place place;
    g_variant_get(value, "(uuu)", &place.folder, &place.uidvalidity, &place.uid);
    if (place.folder >= link->folders->len || place.uidvalidity == 0)
        return FALSE;
    if (kind == FRAME_POSITION && record_window_has_folder(&link->window, place.folder))
        return FALSE; /* the cursor would pass a record that is not committed */
    if (kind == FRAME_SUSPECT)
        link->reading = place;
    else
        link->callbacks.on_position(folder_at(link, place.folder)->status.name, place.uidvalidity, place.uid, link->callbacks.data);
    return TRUE;
}

static gboolean take_state(ImapLink *link, GVariant *value)
{
    guint32 state;
    const char *text;
    g_variant_get(value, "(u&s)", &state, &text);
    if (state != IMAP_STATE_WATCHING && state != IMAP_STATE_READING)
        return FALSE;
    if (link->state == IMAP_STATE_WATCHING)
        link->settled |= clock_monotonic_ms() - link->watching_since_ms >= SETTLED_MS;
    if (state == IMAP_STATE_WATCHING) {
        link->careful = FALSE;
        link->suspect = link->reading = (Place){0};
        link->suspect_deaths = 0;
    }
    g_autofree char *escaped = text_escape(text, FRAME_TEXT_OCTETS);
    set_state(link, (ImapState)state, escaped, 0);
    return TRUE;
}

static gboolean take_fault(ImapLink *link, GVariant *value)
{
    guint32 code;
    const char *text;
    g_variant_get(value, "(u&s)", &code, &text);
    if (code > IMAP_FAULT_LAST)
        return FALSE;
    g_clear_error(&link->fault);
    link->fault = g_error_new_literal(IMAP_FAULT, (int)code, text);
    return TRUE;
}

static gboolean take_want(ImapLink *link, GVariant *value)
{
    guint64 id, offset;
    GVariant *piece = NULL;
    g_variant_get(value, "(tt)", &id, &offset);
    if (!asked_give_piece(&link->asked, id, offset, &piece))
        return FALSE;
    peer_send(link->peer, FRAME_PIECE, piece);
    return TRUE;
}

static gboolean take_answer(ImapLink *link, GVariant *value)
{
    guint64 id;
    guint32 answer;
    const char *text;
    g_variant_get(value, "(tu&s)", &id, &answer, &text);
    if (answer >= IMAP_ANSWER_LOST) /* ours to say */
        return FALSE;
    g_autofree char *escaped = text_escape(text, FRAME_TEXT_OCTETS);
    if (!asked_end(&link->asked, id))
        return FALSE;
    link->callbacks.on_answer(id, (ImapAnswer)answer, escaped, link->callbacks.data);
    return TRUE;
}

static gboolean take_folder(ImapLink *link, GVariant *value)
{
    guint32 index, left;
    gint64 oldest_ms;
    const char *text;
    g_variant_get(value, "(uux&s)", &index, &left, &oldest_ms, &text);
    if (index >= link->folders->len)
        return FALSE;
    WatchedFolder *folder = folder_at(link, index);
    g_autofree char *why = text_escape(text, FRAME_TEXT_OCTETS);
    if (watched_folder_tell(folder, left, oldest_ms, why, clock_monotonic_ms()) && link->callbacks.on_folder != NULL)
        link->callbacks.on_folder(&folder->status, link->callbacks.data);
    return TRUE;
}

static gboolean on_frame(FrameKind kind, GVariant *value, gpointer data)
{
    ImapLink *link = data;
    gboolean well = FALSE;
    link->refs++; /* the callee may free it */
    switch (kind) {
    case FRAME_RECORD:
        well = take_record(link, value);
        break;
    case FRAME_ASK:
        well = take_ask(link, value);
        break;
    case FRAME_POSITION:
    case FRAME_SUSPECT:
        well = take_place(link, kind, value);
        break;
    case FRAME_STATE:
        well = take_state(link, value);
        break;
    case FRAME_FOLDER:
        well = take_folder(link, value);
        break;
    case FRAME_FAULT:
        well = take_fault(link, value);
        break;
    case FRAME_WANT:
        well = take_want(link, value);
        break;
    case FRAME_ANSWER:
        well = take_answer(link, value);
        break;
    case FRAME_HEARTBEAT:
        well = TRUE;
        break;
    case FRAME_HELLO:
    case FRAME_SECRET:
    case FRAME_TASK:
    case FRAME_PIECE:
    case FRAME_PICKED:
    case FRAME_COMMITTED: /* the parent's to say */
        break;
    }
    link_unref(link);
    return well;
}

/* ---- starting -------------------------------------------------------------------------------------------------------- */

static void add_folder(const ImapLink *link, Hello *hello, guint index)
{
    const WatchedFolder *watched = folder_at(link, index);
    HelloFolder *folder = g_new0(HelloFolder, 1);
    folder->kind = (guint32)watched->status.kind;
    folder->name = g_strdup(watched->name_told);
    folder->known = link->callbacks.get_cursor(watched->status.name, &folder->uidvalidity, &folder->last_uid,
                                               &folder->again_since_ms, link->callbacks.data);
    if (link->suspect_deaths >= SUSPECT_DEATHS && link->suspect.folder == index &&
        link->suspect.uidvalidity == folder->uidvalidity)
        folder->suspect_uid = link->suspect.uid;
    g_ptr_array_add(hello->folders, folder);
}

static void say_hello(ImapLink *link, const Launch *launch)
{
    const ImapSettings *settings = &link->account->imap;
    g_autoptr(Hello) hello = hello_new();
    hello->host = g_strdup(settings->server.host);
    hello->port = settings->server.port;
    hello->tls = (guint32)settings->server.tls;
    hello->ca_file = g_strdup(settings->server.ca_file);
    hello->user = g_strdup(settings->server.user);
    hello->sign_in = (guint32)settings->server.sign_in;
    hello->addresses = g_strdupv(launch->addresses);
    hello->poll_ms = settings->poll_ms;
    /* real time, as the server's dates are, whatever the program's clock shows */
    hello->first_since_ms = launch_back_from(clock_system_now_ms(), &settings->read_back);
    hello->careful = link->careful;
    hello->sent_name = g_strdup(settings->sent_folder != NULL ? settings->sent_folder : "");
    for (guint i = 0; i < link->folders->len; i++)
        add_folder(link, hello, i);
    peer_send(link->peer, FRAME_HELLO, hello_to_variant(hello));
    peer_send_secret(link->peer, launch->secret);
}

static void on_prepared(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)source;
    ImapLink *link = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Launch) launch = launch_finish(result, &error);
    const PeerCallbacks callbacks = {.on_frame = on_frame, .on_end = on_end, .data = link};
    if (launch != NULL && !link->closed && link->folders->len > MAX_FOLDERS)
        g_set_error(&error, IMAP_FAULT, IMAP_FAULT_LOCAL, "at most %d folders can be watched", MAX_FOLDERS);
    else if (launch != NULL && !link->closed)
        link->peer = peer_start(link->program, link->context, &callbacks, &error);
    if (!link->closed && link->peer != NULL)
        say_hello(link, launch);
    else if (!link->closed)
        fail(link, error->code, error->message);
    link_unref(link);
}

/* The token, or the password in a thread, and the addresses. */
static void prepare(ImapLink *link)
{
    g_autoptr(GError) error = NULL;
    char *token = has_token(link) ? link->callbacks.get_token(link->callbacks.data, &error) : NULL;
    if (link->closed || (has_token(link) && token == NULL)) {
        if (!link->closed)
            fail(link, IMAP_FAULT_SIGN_IN, error->message);
        secret_free(token);
        link_unref(link);
        return;
    }
    launch_prepare(&link->account->imap.server, token, link->context, on_prepared, link);
    secret_free(token);
}

static void start(ImapLink *link)
{
    record_window_clear(&link->window);
    record_window_init(&link->window);
    watched_folders_restart(link->folders);
    link->settled = FALSE;
    link->reading = (Place){0};
    link->refs += 2; /* one for on_prepared(), one until we return */
    set_state(link, IMAP_STATE_CONNECTING, "", 0);
    if (!link->closed)
        prepare(link);
    else
        link_unref(link);
    link_unref(link);
}

ImapLink *imap_link_new(const Account *account, const char *program, GMainContext *context, const ImapCallbacks *callbacks)
{
    ImapLink *link = g_new0(ImapLink, 1);
    link->refs = 1;
    link->account = account;
    link->program = g_strdup(program);
    link->context = context != NULL ? g_main_context_ref(context) : NULL;
    link->callbacks = *callbacks;
    link->state = IMAP_STATE_CONNECTING;
    record_window_init(&link->window);
    asked_init(&link->asked);
    link->folders = watched_folders_new(account);
    link->retry = g_timeout_source_new(0); /* from the loop: no callback comes before the owner has its link */
    g_source_set_callback(link->retry, on_retry, link, NULL);
    g_source_attach(link->retry, link->context);
    return link;
}

void imap_link_committed(ImapLink *link, const char *folder, guint32 uidvalidity, guint32 uid)
{
    for (guint i = 0; i < link->folders->len; i++) {
        if (!g_str_equal(folder_at(link, i)->status.name, folder))
            continue;
        gint64 received_ms = 0;
        guint n = record_window_commit(&link->window, i, uidvalidity, uid, &received_ms);
        watched_folder_commit(folder_at(link, i), n, received_ms, clock_monotonic_ms());
        if (link->peer != NULL)
            peer_send(link->peer, FRAME_COMMITTED, g_variant_new("(uuu)", i, uidvalidity, uid));
    }
}

void imap_link_retry(ImapLink *link)
{
    if (link->retry == NULL)
        return;
    link->failures = 0;
    g_source_set_ready_time(link->retry, 0);
}

gboolean imap_link_ask(ImapLink *link, const ImapTask *task)
{
    gboolean signed_in = link->state == IMAP_STATE_WATCHING || link->state == IMAP_STATE_READING;
    if (link->peer == NULL || !signed_in || !asked_has_room(&link->asked))
        return FALSE;
    peer_send(link->peer, FRAME_TASK, asked_add(&link->asked, task));
    return TRUE;
}

GPid imap_link_pid(const ImapLink *link)
{
    return link->peer != NULL ? peer_pid(link->peer) : 0;
}

gint64 imap_link_last_read_ms(const ImapLink *link)
{
    return watched_folders_read_ms(link->folders, link->state == IMAP_STATE_WATCHING ? clock_monotonic_ms() : link->last_read_ms);
}

void imap_link_free(ImapLink *link)
{
    if (link == NULL)
        return;
    link->closed = TRUE;
    if (link->retry != NULL)
        g_source_destroy(link->retry);
    g_clear_pointer(&link->retry, g_source_unref);
    g_clear_pointer(&link->peer, peer_free);
    link_unref(link);
}
