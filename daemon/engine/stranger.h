/*
 * Strangers who write in: where the folder says so, who writes as a person becomes a prospect of the mailbox's owner.
 */
#pragma once

#include "engine/effects.h"

/* Of all accounts, within 24 hours; who writes to more mailboxes than people do is no prospect but a flood. */
enum { STRANGER_MOST_A_DAY = 200 };

/* Whether the address is one that nobody reads: no-reply@, postmaster@, bounce+…@ and the like. */
gboolean stranger_is_unattended(const char *address);

/* Makes the sender a contact in the first stage, of source "mail". *ret_contact: NULL where not, and then *ret_why says why (static). Joins the
 * caller's transaction. */
gboolean stranger_adopt(EngineCore *core, const Arrival *arrival, Contact **ret_contact, const char **ret_why, GError **error);
