/*
 * A low score is told to the owner at once, whatever they want to be told of otherwise. Inside the caller's transaction.
 */
#pragma once

#include "engine/core.h"
#include "mail/message.h"

/* Does nothing for any other answer. */
gboolean score_tell_owner(EngineCore *core, const Contact *contact, const InboundMessage *message, GError **error);
