/*
 * The parent's end of the socket pair, with the process behind it: frames in, frames out, and a watchdog, on the context's
 * loop, never blocking. It knows the protocol's form; what is said is the link's.
 */
#pragma once

#include <glib.h>

#include "protocol.h"

typedef struct Peer Peer;

typedef enum {
    PEER_EXITED,  /* by itself */
    PEER_KILLED,  /* by somebody's SIGTERM or SIGKILL */
    PEER_CRASHED, /* by a signal of its own making, or it stalled and was ended */
    PEER_BROKEN   /* it broke the protocol, and was ended */
} PeerEnd;

typedef struct {
    /* A frame from the child; value as frame_parse() gives it. FALSE: it breaks the protocol. */
    gboolean (*on_frame)(FrameKind kind, GVariant *value, gpointer data);
    /* The child is gone and reaped; all that it had said was handed on. The peer may be freed here. how: for people. */
    void (*on_end)(PeerEnd end, const char *how, gpointer data);
    gpointer data;
} PeerCallbacks;

/* Starts the process (spawn_child()). IMAP_FAULT_LOCAL. */
Peer *peer_start(const char *program, GMainContext *context, const PeerCallbacks *callbacks, GError **error);

/* Queues a frame; value is sunk. */
void peer_send(Peer *peer, FrameKind kind, GVariant *value);
void peer_send_secret(Peer *peer, const char *secret);

/* Process id; 0 after its end. */
GPid peer_pid(const Peer *peer);

/* Ends the child if it still runs (up to GRACE_MS), and frees. No callback comes any more. Accepts NULL. */
void peer_free(Peer *peer);
