/*
 * A signed-in conversation with one server. Every call that fails has spoiled it: what remains is session_free(). Errors are
 * IMAP_FAULTs whose text is one escaped line.
 */
#pragma once

#include <glib.h>
#include <libetpan/libetpan.h>

#include "config/config.h"
#include "stream.h"

typedef struct {
    Stream *stream;
    mailimap *imap;
    gboolean has_idle;
    gboolean has_special_use, has_list_extended; /* RFC 6154, RFC 5258 */
    gboolean has_notify;                         /* RFC 5465 */
    gboolean is_gmail;                           /* X-GM-EXT-1: files what is sent through it by itself */
    char *selected; /* wire name of the folder that is open; NULL for none */
    guint32 raw_tag;
    const char *secret; /* while signing in with it; NULL else */
    char *said;         /* the last line that held it; NULL for none */
} Session;

typedef struct {
    const char *host; /* that the certificate must be for */
    guint16 port;
    TlsMode tls;
    gnutls_certificate_credentials_t trust; /* NULL for TLS_NONE */
    const char *user;                       /* "" for a server that needs no sign-in */
    SignIn sign_in;
    const char *secret; /* password or access token */
} SessionSettings;

/* Greets, starts TLS as the settings say, signs in. Takes the stream over, also when it fails. */
Session *session_open(Stream *stream, const SessionSettings *settings, GError **error);

typedef struct {
    guint32 uidvalidity;
    guint32 uidnext; /* 0: the server does not say */
    guint32 exists;
} FolderState;

/* EXAMINE: opens the folder (wire name, folder_wire_name()) for reading only. label: its name for messages. */
gboolean session_examine(Session *session, const char *wire_name, const char *label, FolderState *ret_state, GError **error);

/* The same, where a NO is no fault: *ret_refused (caller frees) is then the server's words, no folder is open, and nothing else is set;
 * NULL else. */
gboolean session_try_examine(Session *session, const char *wire_name, const char *label, FolderState *ret_state,
                             char **ret_refused, GError **error);

/* STATUS: the same of a folder that is not open (exists: 0). *ret_refused: the server's words (caller frees) where it says NO, so that
 * nothing else is set; NULL else. */
gboolean session_status(Session *session, const char *wire_name, FolderState *ret_state, char **ret_refused, GError **error);

/* FALSE always: sets error to what made the command fail, given libetpan's result code. */
gboolean session_failed(Session *session, int result, const char *command, GError **error);

/* Messages that the server says the open folder has, as far as it has told; and whether the last command's answer told of a
 * change of it in passing (exists: the number before). */
guint32 session_exists(const Session *session);
gboolean session_changed(const Session *session, guint32 exists);

/* Closes without a word (mailimap_free() alone would say LOGOUT, into a connection that may be broken). Accepts NULL. */
void session_free(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)
