/*
 * Signing in with user and password.
 */
#pragma once

#include <glib.h>

#include "session.h"

typedef struct {
    gboolean idle, plain, initial_response, login_disabled, starttls;
} Capabilities;

/* AUTHENTICATE PLAIN where the server offers it, else LOGIN. IMAP_FAULT_SIGN_IN with the server's words where it refuses. */
gboolean sign_in(Session *session, const Capabilities *capabilities, const char *user, const char *secret, GError **error);
