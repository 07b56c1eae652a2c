/*
 * What only the running daemon knows: the state of its accounts.
 */
#pragma once

#include "cli/context.h"

/* The daemon's status (include/engine/engine.h); NULL, soon, where none answers. Caller unrefs. */
JsonObject *live_status(Cli *cli);

/* The account's part of it; NULL where it is not there. Belongs to status, which may be NULL. */
JsonObject *live_account(JsonObject *status, const char *account);
