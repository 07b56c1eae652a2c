/*
 * The child's half of the protocol. Sends block (the parent is the one who must not); what comes is taken whenever the
 * watcher waits. Owns the socket, the window of records not yet committed, and the positions that wait for them.
 */
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/secret.h"
#include "fault.h"
#include "limits.h"
#include "window.h"

typedef struct {
    guint32 uidvalidity, uid;
    gboolean waiting;
} Position;

struct Channel {
    int fd;
    GByteArray *in, *out;
    gint64 last_sent_ms;
    RecordWindow window;
    Position positions[MAX_FOLDERS];
    gboolean resting, told_watching;
    GQueue tasks; /* Task*: given, not yet taken */
    struct {
        guint64 id, offset; /* what was asked for; id 0: nothing */
        GBytes *octets;
    } piece;
    gboolean asking;
    GArray *picked; /* guint32: the answer; NULL: not there yet */
};

Channel *channel_new(int fd)
{
    Channel *channel = g_new0(Channel, 1);
    channel->fd = fd;
    channel->in = g_byte_array_new();
    channel->out = g_byte_array_new();
    record_window_init(&channel->window);
    g_queue_init(&channel->tasks);
    channel->last_sent_ms = clock_monotonic_ms();
    return channel;
}

void channel_free(Channel *channel)
{
    if (channel == NULL)
        return;
    close(channel->fd);
    g_byte_array_unref(channel->in);
    g_byte_array_unref(channel->out);
    record_window_clear(&channel->window);
    g_queue_clear_full(&channel->tasks, (GDestroyNotify)task_free);
    g_clear_pointer(&channel->piece.octets, g_bytes_unref);
    g_clear_pointer(&channel->picked, g_array_unref);
    g_free(channel);
}

static gboolean parent_gone(GError **error)
{
    g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_PARENT, "the parent is gone");
    return FALSE;
}

/* ---- out ------------------------------------------------------------------------------------------------------------- */

static gboolean flush(Channel *channel, GError **error)
{
    gsize sent = 0;
    while (sent < channel->out->len) {
        gssize put = send(channel->fd, channel->out->data + sent, channel->out->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) {
            sent += (gsize)put;
        } else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd wanted = {.fd = channel->fd, .events = POLLOUT};
            if (poll(&wanted, 1, -1) < 0 && errno != EINTR)
                return parent_gone(error);
        } else if (errno != EINTR) {
            return parent_gone(error);
        }
    }
    g_byte_array_set_size(channel->out, 0);
    channel->last_sent_ms = clock_monotonic_ms();
    return TRUE;
}

static gboolean send_frame(Channel *channel, FrameKind kind, GVariant *value, GError **error)
{
    frame_append(channel->out, kind, value);
    return flush(channel, error);
}

void channel_tick(gpointer data)
{
    Channel *channel = data;
    if (clock_monotonic_ms() - channel->last_sent_ms < HEARTBEAT_MS)
        return;
    struct pollfd wanted = {.fd = channel->fd, .events = POLLOUT};
    if (poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0)
        send_frame(channel, FRAME_HEARTBEAT, NULL, NULL);
}

gboolean channel_send_suspect(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, GError **error)
{
    return send_frame(channel, FRAME_SUSPECT, g_variant_new("(uuu)", folder, uidvalidity, uid), error);
}

gboolean channel_send_reading(Channel *channel, const char *text, GError **error)
{
    channel->resting = channel->told_watching = FALSE;
    return send_frame(channel, FRAME_STATE, g_variant_new("(us)", (guint32)IMAP_STATE_READING, text), error);
}

gboolean channel_send_folder(Channel *channel, guint folder, guint left, gint64 oldest_ms, const char *why, GError **error)
{
    return send_frame(channel, FRAME_FOLDER, g_variant_new("(uuxs)", folder, left, oldest_ms, why), error);
}

static gboolean tell_watching(Channel *channel, GError **error)
{
    if (!channel->resting || channel->told_watching || !record_window_is_empty(&channel->window))
        return TRUE;
    channel->told_watching = TRUE;
    return send_frame(channel, FRAME_STATE, g_variant_new("(us)", (guint32)IMAP_STATE_WATCHING, ""), error);
}

gboolean channel_rest(Channel *channel, GError **error)
{
    channel->resting = TRUE;
    return tell_watching(channel, error);
}

void channel_send_fault(Channel *channel, const GError *fault)
{
    frame_append(channel->out, FRAME_FAULT, g_variant_new("(us)", (guint32)fault->code, fault->message));
    gssize put = send(channel->fd, channel->out->data, channel->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)put; /* without it the parent knows that the child ended, though not why */
}

/* ---- what waits for commits ------------------------------------------------------------------------------------------ */

static gboolean release_position(Channel *channel, guint folder, GError **error)
{
    Position *position = &channel->positions[folder];
    if (!position->waiting || record_window_has_folder(&channel->window, folder))
        return TRUE;
    position->waiting = FALSE;
    return send_frame(channel, FRAME_POSITION, g_variant_new("(uuu)", folder, position->uidvalidity, position->uid), error);
}

gboolean channel_send_position(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, GError **error)
{
    channel->positions[folder] = (Position){.uidvalidity = uidvalidity, .uid = uid, .waiting = TRUE};
    return release_position(channel, folder, error);
}

static gboolean take_committed(Channel *channel, GVariant *value, GError **error)
{
    guint32 folder, uidvalidity, uid;
    g_variant_get(value, "(uuu)", &folder, &uidvalidity, &uid);
    if (folder >= MAX_FOLDERS)
        return TRUE;
    record_window_commit(&channel->window, folder, uidvalidity, uid, NULL);
    return release_position(channel, folder, error) && tell_watching(channel, error);
}

gboolean channel_send_record(Channel *channel, guint folder, guint32 uidvalidity, guint32 uid, gint64 received_ms,
                             GVariant *message, GError **error)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new("(uuuxv)", folder, uidvalidity, uid, received_ms, message));
    gsize octets = frame_size(value);
    gboolean ignored;
    while (!record_window_has_room(&channel->window, octets))
        if (!channel_wait(channel, -1, HEARTBEAT_MS, &ignored, error))
            return FALSE;
    record_window_add(&channel->window,
                      &(WindowRecord){.folder = folder, .uidvalidity = uidvalidity, .uid = uid, .octets = octets});
    return send_frame(channel, FRAME_RECORD, value, error);
}

/* ---- tasks ----------------------------------------------------------------------------------------------------------- */

static gboolean take_task(Channel *channel, GVariant *value)
{
    Task *task = channel->tasks.length < TASK_WINDOW ? task_parse(value) : NULL;
    if (task != NULL)
        g_queue_push_tail(&channel->tasks, task);
    return task != NULL;
}

static gboolean take_piece(Channel *channel, GVariant *value)
{
    guint64 id, offset;
    g_autoptr(GVariant) octets = NULL;
    g_variant_get(value, "(tt@ay)", &id, &offset, &octets);
    gsize length = g_variant_get_size(octets);
    gboolean wanted = channel->piece.id != 0 && channel->piece.octets == NULL && id == channel->piece.id &&
                      offset == channel->piece.offset && length > 0 && length <= TASK_PIECE_OCTETS;
    if (wanted)
        channel->piece.octets = g_variant_get_data_as_bytes(octets);
    return wanted;
}

gboolean channel_has_task(const Channel *channel)
{
    return channel->tasks.length > 0;
}

Task *channel_take_task(Channel *channel)
{
    return g_queue_pop_head(&channel->tasks);
}

gboolean channel_send_answer(Channel *channel, guint64 id, ImapAnswer answer, const char *text, GError **error)
{
    return send_frame(channel, FRAME_ANSWER, g_variant_new("(tus)", id, (guint32)answer, text), error);
}

GBytes *channel_read_piece(Channel *channel, const Task *task, guint64 offset, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + TASK_PIECE_MS;
    gboolean ignored;
    channel->piece.id = task->id;
    channel->piece.offset = offset;
    if (!send_frame(channel, FRAME_WANT, g_variant_new("(tt)", task->id, offset), error))
        return NULL;
    while (channel->piece.octets == NULL) {
        gint64 left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0) {
            parent_gone(error);
            return NULL;
        }
        if (!channel_wait(channel, -1, left_ms, &ignored, error))
            return NULL;
    }
    channel->piece.id = 0;
    g_autoptr(GBytes) octets = g_steal_pointer(&channel->piece.octets);
    if (g_bytes_get_size(octets) <= task->size - offset)
        return g_steal_pointer(&octets);
    g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_PARENT, "the parent gives more than it said");
    return NULL;
}

/* ---- which messages are wanted --------------------------------------------------------------------------------------- */

static gboolean take_picked(Channel *channel, GVariant *value)
{
    if (!channel->asking || channel->picked != NULL)
        return FALSE;
    gsize n = 0;
    const guint32 *uids = g_variant_get_fixed_array(value, &n, sizeof *uids);
    channel->picked = g_array_sized_new(FALSE, FALSE, sizeof *uids, (guint)n);
    if (n > 0)
        g_array_append_vals(channel->picked, uids, (guint)n);
    return TRUE;
}

gboolean channel_ask(Channel *channel, guint folder, GVariant *headers, GArray **ret_uids, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + ASK_MS;
    gboolean ignored;
    channel->asking = TRUE;
    if (!send_frame(channel, FRAME_ASK, g_variant_new("(u@a(ubv))", folder, headers), error))
        return FALSE;
    while (channel->picked == NULL) {
        gint64 left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return parent_gone(error);
        if (!channel_wait(channel, -1, left_ms, &ignored, error))
            return FALSE;
    }
    channel->asking = FALSE;
    *ret_uids = g_steal_pointer(&channel->picked);
    return TRUE;
}

/* ---- in -------------------------------------------------------------------------------------------------------------- */

/* One recv(). FALSE: the parent is gone. */
static gboolean receive(Channel *channel, GError **error)
{
    guint8 piece[16 * 1024];
    gssize got = recv(channel->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (got > 0)
        g_byte_array_append(channel->in, piece, (guint)got);
    explicit_bzero(piece, sizeof piece); /* the secret comes this way */
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return TRUE;
    return parent_gone(error);
}

static gboolean take_frames(Channel *channel, GError **error)
{
    gsize offset = 0;
    FrameKind kind;
    GVariant *taken = NULL;
    FrameStatus status;
    while ((status = frame_parse(channel->in, &offset, &kind, &taken)) == FRAME_READY) {
        g_autoptr(GVariant) value = taken;
        if (kind == FRAME_COMMITTED && !take_committed(channel, value, error))
            return FALSE;
        gboolean well = kind == FRAME_COMMITTED || (kind == FRAME_TASK && take_task(channel, value)) ||
                        (kind == FRAME_PIECE && take_piece(channel, value)) ||
                        (kind == FRAME_PICKED && take_picked(channel, value));
        if (!well) {
            status = FRAME_BROKEN;
            break;
        }
    }
    if (status == FRAME_BROKEN) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_PARENT, "the parent breaks the protocol");
        return FALSE;
    }
    if (offset > 0)
        g_byte_array_remove_range(channel->in, 0, (guint)offset);
    return TRUE;
}

gboolean channel_wait(Channel *channel, int fd, gint64 timeout_ms, gboolean *ret_readable, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + timeout_ms;
    *ret_readable = FALSE;
    for (;;) {
        channel_tick(channel);
        gint64 left_ms = CLAMP(until_ms - clock_monotonic_ms(), 0, HEARTBEAT_MS);
        struct pollfd wanted[] = {{.fd = channel->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}}; /* poll() skips -1 */
        int ready = poll(wanted, G_N_ELEMENTS(wanted), (int)left_ms);
        if (ready < 0 && errno != EINTR)
            return parent_gone(error);
        gboolean heard = ready > 0 && wanted[0].revents != 0;
        if (heard && (!receive(channel, error) || !take_frames(channel, error)))
            return FALSE;
        *ret_readable = ready > 0 && wanted[1].revents != 0;
        if (*ret_readable || heard || clock_monotonic_ms() >= until_ms)
            return TRUE;
    }
}

/* The next frame, which must be of that kind. NULL and an error otherwise. */
static GVariant *expect_frame(Channel *channel, FrameKind wanted_kind, gint64 until_ms, GError **error)
{
    for (;;) {
        gsize offset = 0;
        FrameKind kind;
        g_autoptr(GVariant) value = NULL;
        FrameStatus status = frame_parse(channel->in, &offset, &kind, &value);
        if (status == FRAME_READY && kind == wanted_kind) {
            explicit_bzero(channel->in->data, offset);
            g_byte_array_remove_range(channel->in, 0, (guint)offset);
            return g_steal_pointer(&value);
        }
        struct pollfd wanted = {.fd = channel->fd, .events = POLLIN};
        gint64 left_ms = until_ms - clock_monotonic_ms();
        if (status != FRAME_NONE || left_ms <= 0) {
            g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_PARENT, "the parent does not say hello");
            return NULL;
        }
        if (poll(&wanted, 1, (int)left_ms) == 1 && !receive(channel, error))
            return NULL;
    }
}

gboolean channel_read_hello(Channel *channel, Hello **ret_hello, char **ret_secret, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + HELLO_MS;
    g_autoptr(GVariant) value = expect_frame(channel, FRAME_HELLO, until_ms, error);
    g_autoptr(GVariant) octets = value != NULL ? expect_frame(channel, FRAME_SECRET, until_ms, error) : NULL;
    if (octets == NULL)
        return FALSE;
    g_autoptr(Hello) hello = hello_parse(value);
    gsize length = g_variant_get_size(octets);
    const char *secret = g_variant_get_data(octets);
    if (hello == NULL || (length > 0 && memchr(secret, '\0', length) != NULL)) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_PARENT, "the parent's hello makes no sense");
        return FALSE;
    }
    *ret_secret = g_strndup(length > 0 ? secret : "", length);
    if (length > 0)
        explicit_bzero((gpointer)secret, length); /* our own copy, made by frame_parse() */
    *ret_hello = g_steal_pointer(&hello);
    return TRUE;
}
