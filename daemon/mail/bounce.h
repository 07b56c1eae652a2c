/*
 * Bounces: whom a mail could not reach, and why. Private to mail/.
 */
#pragma once

#include "mail/parts.h"

/* TRUE where the message reports a failed or delayed delivery: fills message->bounces, original_message_id and evidence. */
gboolean bounce_read(const MailParts *parts, InboundMessage *message);
