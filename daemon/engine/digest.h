/*
 * The digest of an account: one mail a business day to its owner with who answered since the last one, and what waits for them. A day with
 * nothing to tell has none.
 */
#pragma once

#include "engine/core.h"

typedef struct Digest Digest;

/* on_made(data): one was queued. account has notify = "digest" and belongs to core's configuration of now, which the digest keeps. */
Digest *digest_new(EngineCore *core, const Account *account, void (*on_made)(gpointer data), gpointer data);
void digest_free(Digest *digest);

/* The next time after after_ms that the account's digest is due: at its minute, from Monday to Friday, on no holiday. */
gint64 digest_next(EngineCore *core, const Account *account, gint64 after_ms);

/* Makes the one of now, in a transaction that is open. *ret_text: NULL where there is nothing to tell. Caller frees. */
gboolean digest_text(EngineCore *core, const Account *account, gint64 after_id, char **ret_text, GError **error);
