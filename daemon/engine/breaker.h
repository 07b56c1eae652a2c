/*
 * An account that gets too much back pauses itself, before the world takes it for a sender of spam.
 */
#pragma once

#include "engine/core.h"

/* After a bounce or a complaint of the account's messages was stored: pauses it, with the reason, where the shares of sending.breaker
 * are exceeded. Joins the caller's transaction. A person ends the pause (nurture resume ACCOUNT), and counting begins anew. */
gboolean breaker_check(EngineCore *core, const char *account, GError **error);
