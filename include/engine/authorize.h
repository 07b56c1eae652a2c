/*
 * Getting the first token of an account, from the terminal: a person allows it at the provider's page. Each blocks until it is done,
 * runs a context of its own, and ends with the token in its file, from which the daemon takes it.
 */
#pragma once

#include <glib.h>

#include "config/config.h"

typedef struct {
    /* The page to open, the code to type there, and a page that has the code in it ("" for none). */
    void (*show_code)(const char *page, const char *code, const char *complete_page, gpointer data);
    /* The page to open; answered by the browser itself, or by the address that it ends at, written to standard input. */
    void (*show_page)(const char *page, gpointer data);
    gpointer data;
} AuthorizeCallbacks;

/* By a device code (RFC 8628); needs oauth->device_url. ENGINE_ERROR_TOKEN with what to do. */
gboolean authorize_by_device(const Config *config, const OAuth *oauth, const AuthorizeCallbacks *callbacks, GError **error);

/* By a browser (RFC 8252, 7636), which is led back to this machine at port (0: any); needs oauth->authorize_url. input: descriptor of what
 * people write, -1: none. */
gboolean authorize_by_browser(const Config *config, const OAuth *oauth, guint16 port, int input,
                              const AuthorizeCallbacks *callbacks, GError **error);

/* By a refresh token that was got elsewhere; it is tried, and kept. */
gboolean authorize_by_refresh_token(const Config *config, const OAuth *oauth, const char *refresh_token, GError **error);

/* What the file says, for people: "authorized", "not authorized", or why the token does not serve. Caller frees. */
char *authorize_state(const Config *config, const OAuth *oauth);
