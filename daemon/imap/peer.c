/*
 * One child process and its socket. Owns both, and the buffers: what comes in is bounded by the largest frame, what waits
 * to go out by MAX_UNSENT (a child that does not read is ended).
 *
 *   running -> (silent for SILENCE_MS, or protocol broken: SIGKILL) -> pidfd readable -> reaped, on_end()
 *           -> socket closed by it -> (HEARTBEAT_MS to leave, else SIGKILL)
 *
 * Callbacks may free the peer; a count of references keeps it whole until the dispatch is over.
 */
#include "peer.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "limits.h"
#include "spawn.h"

enum { READ_OCTETS = 64 * 1024, MAX_UNSENT = 256 * 1024 };

struct Peer {
    guint refs;
    gboolean closed, broken, stalled;
    gint64 quiet_ms; /* monotonic: its end of the socket was closed then; 0: it is open */
    SpawnedChild child;
    GMainContext *context;
    PeerCallbacks callbacks;
    GByteArray *in, *out;
    GSource *readable, *writable, *ended, *watchdog;
    gint64 heard_ms;
};

static void peer_unref(Peer *peer)
{
    if (--peer->refs > 0)
        return;
    g_byte_array_unref(peer->in);
    g_byte_array_unref(peer->out);
    if (peer->context != NULL)
        g_main_context_unref(peer->context);
    g_free(peer);
}

static void drop_source(GSource **source)
{
    if (*source != NULL) {
        g_source_destroy(*source);
        g_source_unref(*source);
    }
    *source = NULL;
}

/* Stops listening and reaps the child (ending it where it runs); returns its wait status. */
static int shut(Peer *peer)
{
    drop_source(&peer->readable);
    drop_source(&peer->writable);
    drop_source(&peer->ended);
    drop_source(&peer->watchdog);
    explicit_bzero(peer->out->data, peer->out->len);
    return peer->child.pid != 0 ? spawn_end_child(&peer->child) : 0;
}

void peer_free(Peer *peer)
{
    if (peer == NULL)
        return;
    peer->closed = TRUE;
    shut(peer);
    peer_unref(peer);
}

GPid peer_pid(const Peer *peer)
{
    return peer->child.pid;
}

/* ---- its end --------------------------------------------------------------------------------------------------------- */

/* Ends it where it still runs, and tells. The caller holds a reference. */
static void finish(Peer *peer)
{
    if (peer->broken || peer->stalled) /* it may be stopped, or taken over: no grace */
        spawn_kill_child(&peer->child);
    int status = shut(peer);
    peer->closed = TRUE;
    PeerEnd end = PEER_EXITED;
    g_autofree char *how = NULL;
    if (peer->broken) {
        end = PEER_BROKEN;
        how = g_strdup("watcher ended: it broke the protocol");
    } else if (peer->stalled) {
        end = PEER_CRASHED;
        how = g_strdup_printf("watcher ended: nothing heard of it for %d s", SILENCE_MS / 1000);
    } else if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        end = number == SIGKILL || number == SIGTERM ? PEER_KILLED : PEER_CRASHED;
        how = g_strdup_printf("watcher %s (signal %d)", end == PEER_KILLED ? "was killed" : "crashed", number);
    } else {
        how = g_strdup_printf("watcher ended (status %d)", WEXITSTATUS(status));
    }
    peer->callbacks.on_end(end, how, peer->callbacks.data);
}

/* ---- in -------------------------------------------------------------------------------------------------------------- */

static void take_frames(Peer *peer)
{
    gsize offset = 0;
    FrameStatus status = FRAME_NONE;
    while (!peer->closed && !peer->broken) {
        FrameKind kind;
        g_autoptr(GVariant) value = NULL;
        status = frame_parse(peer->in, &offset, &kind, &value);
        if (status != FRAME_READY)
            break;
        if (!peer->callbacks.on_frame(kind, value, peer->callbacks.data))
            status = FRAME_BROKEN;
        if (status == FRAME_BROKEN)
            break;
    }
    peer->broken |= status == FRAME_BROKEN && !peer->closed;
    if (offset > 0)
        g_byte_array_remove_range(peer->in, 0, (guint)offset);
}

/* One recv() and what it completes. FALSE: nothing more comes for now (*ret_over: for ever). */
static gboolean read_some(Peer *peer, gboolean *ret_over)
{
    guint filled = peer->in->len;
    g_byte_array_set_size(peer->in, filled + READ_OCTETS);
    gssize got = recv(peer->child.socket, peer->in->data + filled, READ_OCTETS, MSG_DONTWAIT);
    int fault = errno;
    g_byte_array_set_size(peer->in, filled + (got > 0 ? (guint)got : 0));
    *ret_over = got == 0 || (got < 0 && fault != EAGAIN && fault != EWOULDBLOCK && fault != EINTR);
    if (got <= 0)
        return FALSE;
    peer->heard_ms = clock_monotonic_ms();
    take_frames(peer);
    return !peer->closed && !peer->broken;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd, (void)condition;
    Peer *peer = data;
    gboolean over;
    peer->refs++;
    read_some(peer, &over);
    if (!peer->closed && over) { /* its end, which the pidfd tells, is near */
        peer->quiet_ms = clock_monotonic_ms();
        drop_source(&peer->readable);
    }
    if (!peer->closed && peer->broken)
        finish(peer);
    gboolean go_on = !peer->closed && !over;
    peer_unref(peer);
    return go_on;
}

/* It has ended: hand on what it said last, as much as the socket held. */
static gboolean on_ended(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd, (void)condition;
    Peer *peer = data;
    gboolean over;
    peer->refs++;
    while (read_some(peer, &over))
        ;
    if (!peer->closed)
        finish(peer);
    peer_unref(peer);
    return G_SOURCE_REMOVE;
}

static gboolean on_watchdog(gpointer data)
{
    Peer *peer = data;
    gboolean over;
    peer->refs++;
    read_some(peer, &over); /* our own loop may have been the one that was busy */
    const gint64 now_ms = clock_monotonic_ms();
    peer->stalled = now_ms - peer->heard_ms > SILENCE_MS || (peer->quiet_ms != 0 && now_ms - peer->quiet_ms > HEARTBEAT_MS);
    if (!peer->closed && (peer->broken || peer->stalled))
        finish(peer);
    gboolean go_on = !peer->closed;
    peer_unref(peer);
    return go_on;
}

/* ---- out ------------------------------------------------------------------------------------------------------------- */

static GSource *watch_fd(Peer *peer, int fd, GIOCondition condition, GUnixFDSourceFunc func)
{
    GSource *source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(func), peer, NULL);
    g_source_attach(source, peer->context);
    return source;
}

/* Sends what goes without waiting. A broken socket is found by the reader. */
static void flush(Peer *peer)
{
    gsize sent = 0;
    while (sent < peer->out->len) {
        gssize put = send(peer->child.socket, peer->out->data + sent, peer->out->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        sent += (gsize)put;
    }
    if (sent > 0) {
        explicit_bzero(peer->out->data, sent);
        g_byte_array_remove_range(peer->out, 0, (guint)sent);
    }
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    Peer *peer = data;
    flush(peer);
    if (peer->out->len > 0 && (condition & (G_IO_HUP | G_IO_ERR)) == 0)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&peer->writable, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* Sends at once what can be sent; the rest when the socket takes it. */
static void push(Peer *peer)
{
    if (peer->writable == NULL)
        flush(peer);
    if (peer->out->len > MAX_UNSENT)
        peer->broken = TRUE; /* it does not read: ended by the next reader or watchdog */
    if (peer->out->len > 0 && peer->writable == NULL)
        peer->writable = watch_fd(peer, peer->child.socket, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable);
}

void peer_send(Peer *peer, FrameKind kind, GVariant *value)
{
    if (peer->closed || peer->broken) {
        if (value != NULL)
            g_variant_unref(g_variant_ref_sink(value));
        return;
    }
    frame_append(peer->out, kind, value);
    push(peer);
}

void peer_send_secret(Peer *peer, const char *secret)
{
    if (peer->closed || peer->broken)
        return;
    frame_append_secret(peer->out, secret);
    push(peer);
}

Peer *peer_start(const char *program, GMainContext *context, const PeerCallbacks *callbacks, GError **error)
{
    SpawnedChild child;
    if (!spawn_child(program, &child, error))
        return NULL;
    Peer *peer = g_new0(Peer, 1);
    peer->refs = 1;
    peer->child = child;
    peer->context = context != NULL ? g_main_context_ref(context) : NULL;
    peer->callbacks = *callbacks;
    peer->in = g_byte_array_new();
    peer->out =
        g_byte_array_sized_new(64 * 1024); /* the hello fits: the secret behind it is not left in a buffer outgrown */
    peer->heard_ms = clock_monotonic_ms();
    peer->readable = watch_fd(peer, child.socket, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
    peer->ended = watch_fd(peer, child.pidfd, G_IO_IN, on_ended);
    peer->watchdog = g_timeout_source_new(HEARTBEAT_MS);
    g_source_set_callback(peer->watchdog, on_watchdog, peer, NULL);
    g_source_attach(peer->watchdog, peer->context);
    return peer;
}
