/*
 * The parent's side of a mailbox watcher: starts the child (the daemon's own program with --watch, nothing inherited but a
 * socket pair), hands it what it needs of one account, takes one bounded record a message, and starts it again with back-off when
 * it crashes, stalls or grows. All callbacks on the context's thread. Does not log.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "mail/message.h"

typedef struct ImapLink ImapLink;

/* A message as it was found. The callee may take the InboundMessage (g_steal_pointer()); else it goes with the call. */
typedef struct {
    const char *folder;
    guint32 uidvalidity, uid;
    gint64 received_ms; /* INTERNALDATE; 0 where unknown */
    InboundMessage *message;
    gboolean is_sent; /* found in the Sent folder: written by the owner, or a copy of what we sent */
    gboolean is_junk; /* found in the folder for junk */
} ImapRecord;

/* What the folders are called that the server says are the ones for sent mail and for junk, where the account names none: keys of
 * their cursors. */
#define IMAP_SENT_BY_SERVER "\\Sent"
#define IMAP_JUNK_BY_SERVER "\\Junk"

typedef enum {
    IMAP_FOLDER_LISTED, /* among the account's folders */
    IMAP_FOLDER_SENT,   /* beside them; neither need be there */
    IMAP_FOLDER_JUNK
} ImapFolderKind;

/* How a folder goes. Its strings are the link's. */
typedef struct {
    const char *name;
    ImapFolderKind kind;
    const char *why;  /* "" where it can be read, else why not; NULL: not looked at yet */
    gboolean again;   /* it can be read, and before it could not */
    gint64 read_ms;   /* monotonic: when it was last read to its end and all of it committed; 0: never */
    guint left;       /* messages that are known to be there and not committed */
    gint64 oldest_ms; /* when the oldest of them arrived, about; 0: not known */
} ImapFolderStatus;

typedef enum {
    IMAP_TASK_FILE,  /* a copy of a message into the Sent folder, seen */
    IMAP_TASK_SEARCH /* whether the Sent folder holds the message */
} ImapTaskKind;

typedef struct {
    ImapTaskKind kind;
    guint64 id;           /* the asker's, above 0; the answer bears it */
    const char *message_id; /* without brackets */
    gboolean maybe_there; /* FILE: an earlier try may have come to its end unheard; looked for first */
    gint64 at_ms;         /* FILE: the date that the copy bears */
    gint64 since_ms;      /* only what came on that day or later is looked at; 0: everything */
    GBytes *content;      /* FILE: the message, with CRLF line ends, not empty; a reference is taken */
} ImapTask;

typedef enum {
    IMAP_ANSWER_FILED,
    IMAP_ANSWER_FOUND, /* it is there; FILE: nothing was added */
    IMAP_ANSWER_NOT_FOUND,
    IMAP_ANSWER_REFUSED,   /* the server's words are in text */
    IMAP_ANSWER_NO_FOLDER, /* there is none, or none is known; text says what to do */
    IMAP_ANSWER_LOST       /* the connection or the watcher ended on the way: a copy may be there or not */
} ImapAnswer;

typedef enum {
    IMAP_STATE_CONNECTING,
    IMAP_STATE_WATCHING, /* signed in, everything there was is read and committed, waiting for more */
    IMAP_STATE_READING,  /* connected, with messages on the way */
    IMAP_STATE_FAILED    /* see text; tried again at retry_in_ms from now */
} ImapState;

const char *imap_state_name(ImapState state);

typedef struct {
    /* A new message. The callee commits its effects and the cursor together, then calls imap_link_committed(); it may do so later. */
    void (*on_message)(ImapRecord *record, gpointer data);
    /* Whether the message is wanted, given its header alone (what the body would tell is missing, of the class too): others are passed
     * over. Asked where many are read, or large ones, to save fetching them. May be NULL: all are. */
    gboolean (*is_wanted)(const ImapRecord *header, gpointer data);
    /* Reading of a folder stands at this cursor without a message (first run, or messages that are gone): to be committed as it is. */
    void (*on_position)(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data);
    /* State changed. text: why, escaped, one line. */
    void (*on_state)(ImapState state, const char *text, gint64 retry_in_ms, gpointer data);
    /* Asked before each (re)start: the folder's cursor, and the business time (UTC ms) of its last step; FALSE where it was never read. After
     * a change of UIDVALIDITY the child reads again what came since shortly before that time; repeats are the callee's to drop. */
    gboolean (*get_cursor)(const char *folder, guint32 *ret_uidvalidity, guint32 *ret_last_uid, gint64 *ret_updated_ms, gpointer data);
    /* SIGN_IN_OAUTH2: an access token of now, to be freed with secret_free(), asked for before each (re)start; NULL and why where there is
     * none, which is tried again like a sign-in that failed, or sooner by imap_link_retry(). */
    char *(*get_token)(gpointer data, GError **error);
    /* The server refused the sign-in with the token that it was given last. */
    void (*token_refused)(gpointer data);
    /* What became of a task. Never called from inside imap_link_ask(). */
    void (*on_answer)(guint64 id, ImapAnswer answer, const char *text, gpointer data);
    /* The folder was looked at for the first time, or folder->why is other than before. It is looked at again and again, whatever is
     * wrong with it. May be NULL. */
    void (*on_folder)(const ImapFolderStatus *folder, gpointer data);
    gpointer data;
} ImapCallbacks;

/* program: the path of the executable to start with --watch. account is kept (the caller holds its Config). Starts at once. */
ImapLink *imap_link_new(const Account *account, const char *program, GMainContext *context, const ImapCallbacks *callbacks);

/* "Committed up to uid of the folder": lets the child go on; it keeps a bounded number of records ahead of this. */
void imap_link_committed(ImapLink *link, const char *folder, guint32 uidvalidity, guint32 uid);

/* What it waits for may be there now: tries again at once, if it is not connected. */
void imap_link_retry(ImapLink *link);

/* FALSE for what can never be done: a message of nothing or of more than 64 MiB, a Message-ID that is no word of printable ASCII. */
gboolean imap_task_is_possible(const ImapTask *task);

/* Hands the child a task, to be done when it has read what is new. FALSE: not now; ask again after the next answer, or when the state
 * is WATCHING or READING. A task that was taken is answered once, be it by LOST. on_answer must be there, and the task possible. */
gboolean imap_link_ask(ImapLink *link, const ImapTask *task);

/* The process id of the child, 0 where none runs; for status and tests. */
GPid imap_link_pid(const ImapLink *link);

/* Monotonic ms at which all listed folders were last known to be read to their ends (while WATCHING, with nothing wrong: now; the
 * server's silence is believed for IMAP_IDLE_MS at most); 0: never. */
gint64 imap_link_last_read_ms(const ImapLink *link);

/* How each watched folder goes, in the account's order, then Sent and junk; index from 0. NULL: there are no more. */
const ImapFolderStatus *imap_link_folder(const ImapLink *link, guint index);

/* Ends the child (SIGTERM, then SIGKILL after a second) and frees. Accepts NULL. */
void imap_link_free(ImapLink *link);
