/*
 * Whether a program answered by itself. Private to mail/.
 */
#pragma once

#include "mail/parts.h"

/* The evidence of a message that says in words that a program wrote it. */
#define AUTOREPLY_SAYS_SO "it says that a program wrote it"

/* What tells that nobody wrote this: a header that says so (RFC 3834, vendors'), or the form of an automatic answer's
 * subject together with the words of one, or new text that says it of itself. NULL: nothing does. X-Auto-Response-Suppress alone, which programs put on
 * people's mail too, and a word in the subject alone are no evidence. Caller frees. */
char *autoreply_evidence(const MailParts *parts, const InboundMessage *message);
