/*
 * Of which class a received message is, and by what evidence. Private to mail/.
 */
#pragma once

#include "mail/parts.h"

/* Sets class, evidence and text (and, where they apply, bounces, original_message_id, absent_until_ms, asks_to_stop)
 * of a message whose header fields and full text have been read. */
void classify(const MailParts *parts, InboundMessage *message);
