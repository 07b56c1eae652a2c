/*
 * The file that keeps one account's OAuth2 token: in Config.tokens_dir, mode 600, written whole or not at all, so that neither a
 * crash nor two writers (the daemon, which renews it; `nurture account authorize`) lose a token that the provider has rotated.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *client_id, *user;         /* for whom it was given: with others it is none */
    char *refresh_token;            /* never NULL in a file; "" where the provider gave none */
    char *access_token;             /* "" for none */
    gint64 obtained_ms, expires_ms; /* of the access token, system's time */
    char *withdrawn;                /* why the provider does not take it any more; "" while it does */
} StoredToken;

void stored_token_clear(StoredToken *token);
StoredToken stored_token_copy(const StoredToken *token);

/* *ret_found FALSE: there is none. ENGINE_ERROR_TOKEN where the file cannot be read, can be read by others, or is damaged. */
gboolean token_file_read(const char *folder, const char *name, gboolean *ret_found, StoredToken *ret_token, GError **error);

/*
 * Writes, and makes the folder where it is missing. With before (NULL: whatever there is) only if the file's refresh token is still
 * that one; *ret_superseded: it is not, and nothing was written. Where root writes, the file is given to the owner of the folder
 * around. ENGINE_ERROR_TOKEN.
 */
gboolean token_file_write(const char *folder, const char *name, const StoredToken *token, const char *before,
                          gboolean *ret_superseded, GError **error);

/* Where it lies. Caller frees. */
char *token_file_path(const char *folder, const char *name);

/* The access token that is on the disk and good now, for a command; to be freed with secret_free(). ENGINE_ERROR_TOKEN where the daemon has yet to get one. */
char *token_file_now(const char *folder, const char *name, GError **error);
