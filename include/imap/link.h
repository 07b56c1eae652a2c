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

/* A message as it was found. The InboundMessage belongs to the call. */
typedef struct {
    const char *folder;
    guint32 uidvalidity, uid;
    gint64 received_ms; /* INTERNALDATE; 0 where unknown */
    const InboundMessage *message;
} ImapRecord;

typedef enum {
    IMAP_STATE_CONNECTING,
    IMAP_STATE_WATCHING, /* signed in, everything there was is read and committed, waiting for more */
    IMAP_STATE_READING,  /* connected, with messages on the way */
    IMAP_STATE_FAILED    /* see text; tried again at retry_in_ms from now */
} ImapState;

const char *imap_state_name(ImapState state);

typedef struct {
    /* A new message. The callee commits its effects and the cursor together, then calls imap_link_committed(); it may do so later. */
    void (*on_message)(const ImapRecord *record, gpointer data);
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
    gpointer data;
} ImapCallbacks;

/* program: the path of the executable to start with --watch. account is kept (the caller holds its Config). Starts at once. */
ImapLink *imap_link_new(const Account *account, const char *program, GMainContext *context, const ImapCallbacks *callbacks);

/* "Committed up to uid of the folder": lets the child go on; it keeps a bounded number of records ahead of this. */
void imap_link_committed(ImapLink *link, const char *folder, guint32 uidvalidity, guint32 uid);

/* What it waits for may be there now: tries again at once, if it is not connected. */
void imap_link_retry(ImapLink *link);

/* The process id of the child, 0 where none runs; for status and tests. */
GPid imap_link_pid(const ImapLink *link);

/* Monotonic ms at which the mailbox was last known to be read to its end (while WATCHING: now; the server's silence is
 * believed for ten minutes at most); 0: never. */
gint64 imap_link_last_read_ms(const ImapLink *link);

/* Ends the child (SIGTERM, then SIGKILL after a second) and frees. Accepts NULL. */
void imap_link_free(ImapLink *link);
