/*
 * Where a password comes from, and reading it at the moment it is needed, so that a changed one is picked up.
 */
#pragma once

#include <glib.h>

typedef enum { SECRET_NONE, SECRET_TEXT, SECRET_FILE, SECRET_COMMAND, SECRET_CREDENTIAL } SecretKind;

typedef struct {
    SecretKind kind;
    char *value; /* the password itself; an absolute path; a shell command line; a name in $CREDENTIALS_DIRECTORY */
} SecretSource;

/*
 * Reads the secret: the first line of the file, of the command's output (run by /bin/sh, at most 30 s), or of the
 * credential. A file that group or others can read is refused. May block: call it from a worker, not the loop. A command that
 * takes too long is ended, with all that it started. The result is never NULL on success; free with secret_free(). Errors:
 * CONFIG_ERROR_SECRET, never holding the secret or a command's output.
 */
char *secret_read(const SecretSource *source, GError **error);

/* The same, but a command is ended soon after *cancelled (atomic; NULL: never) is set, which is an error. */
char *secret_read_until(const SecretSource *source, const gint *cancelled, GError **error);

/* Overwrites and frees. Accepts NULL. */
void secret_free(char *secret);

/* TRUE where a text from elsewhere holds the secret, or 16 octets of it in a row: whoever repeats it may have cut it. */
gboolean secret_is_told(const char *secret, const char *text);
