/*
 * What a mail server found of a message's sender (RFC 8601). Pure. Private to engine/.
 */
#pragma once

#include <glib.h>

/* "pass", "fail", "none" …, in lower case; "" where the header does not tell. Of several DKIM signatures one that passes counts. */
typedef struct {
    char *spf, *dkim, *dmarc;
} AuthResults;

/* The value of one Authentication-Results header; any bytes. Free with auth_results_clear(). */
AuthResults auth_results_parse(const char *value);
void auth_results_clear(AuthResults *results);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuthResults, auth_results_clear)

/* Whether the header says that the sender is forged: dmarc=fail. One that says nothing does not. */
gboolean auth_results_deny(const char *value);

/* "spf=pass dkim=pass dmarc=pass", without those that are not told. Caller frees. */
char *auth_results_text(const AuthResults *results);
