/*
 * Signing in with user and password, or user and access token.
 */
#pragma once

#include <glib.h>

#include "session.h"

typedef struct {
    gboolean idle, initial_response, login_disabled, starttls;
    gboolean plain, login, cram_md5, xoauth2, oauthbearer; /* AUTH=… */
    gboolean special_use, list_extended, notify, gmail;
} Capabilities;

/*
 * By settings->sign_in. AUTO: AUTHENTICATE PLAIN where the server offers it, else LOGIN (AUTHENTICATE or the command), else CRAM-MD5; OAUTH2: OAUTHBEARER, else
 * XOAUTH2. IMAP_FAULT_SIGN_IN with the server's words where it refuses, or offers nothing of that kind; never with the secret, even
 * if the server says it.
 */
gboolean sign_in(Session *session, const Capabilities *capabilities, const SessionSettings *settings, GError **error);
