/*
 * What parent and child say to each other over their socket pair: frames of a length, a kind and a serialised GVariant of
 * the kind's one type. Neither side believes the other: lengths are bounded before memory is taken, values must be in
 * normal form (the child may have been taken over by a server, and the parent holds the store).
 */
#pragma once

#include <glib.h>

#include "imap/link.h"

typedef enum {
    /* parent to child */
    FRAME_HELLO = 1,
    FRAME_SECRET,    /* the raw octets of the password or access token, right after the hello; not a GVariant, so that it can be wiped */
    FRAME_COMMITTED, /* (uuu) index of the folder, UIDVALIDITY, UID */
    FRAME_TASK,      /* (tubsxxt) a Task */
    FRAME_PIECE,     /* (ttay) task, offset: of the message to be filed, as it was asked for by WANT */
    FRAME_PICKED,    /* au: UIDs of those that were asked about and are wanted */
    /* child to parent */
    FRAME_RECORD,    /* (uuuxv) index, UIDVALIDITY, UID, received ms, the InboundMessage */
    FRAME_POSITION,  /* (uuu) as COMMITTED */
    FRAME_SUSPECT,   /* (uuu) a message that is about to be read: whom to suspect if the child dies; UID 0: none any more */
    FRAME_STATE,     /* (us) ImapState, why */
    FRAME_FAULT,     /* (us) ImapFault, why; the last that it says */
    FRAME_WANT,      /* (tt) task, offset: the next piece of the message to be filed; each once, in order */
    FRAME_ANSWER,    /* (tus) task, ImapAnswer, why; in the order of the tasks */
    FRAME_FOLDER,    /* (uuxs) index, messages left to read, received ms of the oldest, why it cannot be read */
    FRAME_ASK,       /* (ua(ubv)) index, of each: UID, whether it may be a report, the InboundMessage of its header */
    FRAME_HEARTBEAT, /* () */
    FRAME_LAST = FRAME_HEARTBEAT
} FrameKind;

/* One folder, as the hello tells it. */
typedef struct {
    char *name;
    gboolean known; /* it was read before: the three below hold */
    guint32 uidvalidity, last_uid;
    gint64 again_since_ms; /* read what came since then if the UIDVALIDITY has changed; real time */
    guint32 suspect_uid;   /* hand this one on unread; 0: none */
    guint32 kind;          /* ImapFolderKind; name "" of one that is not listed: the one that the server says is it */
} HelloFolder;

typedef struct {
    char *host;
    guint16 port;
    guint32 tls; /* TlsMode */
    char *ca_file;
    char *user;
    guint32 sign_in;  /* SignIn */
    char **addresses; /* numeric */
    gint64 poll_ms;
    gint64 first_since_ms; /* a first run reads what came since then; 0: nothing */
    gboolean careful;      /* the child before died while reading: one message at a time, SUSPECT before each */
    GPtrArray *folders;    /* HelloFolder* */
    char *sent_name;       /* where copies are filed and searched; "": the one that the server says is it */
} Hello;

Hello *hello_new(void);
void hello_free(Hello *hello);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hello, hello_free)

/* To and from FRAME_HELLO's value. hello_parse() gives NULL for what cannot be (no folder, too many, an unknown TLS mode
 * …). */
GVariant *hello_to_variant(const Hello *hello);
Hello *hello_parse(GVariant *value);

/* What the child is asked to do in the Sent folder. */
typedef struct {
    guint64 id;          /* above 0 */
    ImapTaskKind kind;
    gboolean maybe_there; /* FILE: look for it first */
    char *message_id;
    gint64 at_ms;    /* FILE: the date that the copy bears */
    gint64 since_ms; /* look among what came on that day or later; 0: anywhere */
    guint64 size;    /* FILE: octets */
} Task;

void task_free(Task *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Task, task_free)

/* Whether it can be asked: the Message-ID is put on the wire between quotes. */
gboolean task_is_possible(const Task *task);

/* To and from FRAME_TASK's value. task_parse() gives NULL for what is not possible. */
GVariant *task_to_variant(const Task *task);
Task *task_parse(GVariant *value);

/* Appends a frame; value is sunk; NULL for FRAME_SECRET and FRAME_HEARTBEAT only. */
void frame_append(GByteArray *out, FrameKind kind, GVariant *value);
void frame_append_secret(GByteArray *out, const char *secret);

/* Octets of the frame of that value with its head. */
gsize frame_size(GVariant *value);

typedef enum { FRAME_NONE, FRAME_READY, FRAME_BROKEN } FrameStatus;

/*
 * Looks for a frame at *offset of in. READY: *ret_value (NULL for HEARTBEAT; owned by the caller) and *offset behind it;
 * for SECRET *ret_value is its octets ("ay"). NONE: more octets are needed. BROKEN: no frame of ours; the connection is of
 * no more use.
 */
FrameStatus frame_parse(const GByteArray *in, gsize *offset, FrameKind *ret_kind, GVariant **ret_value);
