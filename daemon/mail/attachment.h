/*
 * What is attached to a received message. Private to mail/.
 */
#pragma once

#include <gmime/gmime.h>

#include "mail/message.h"

/* What the sender calls the part, decoded, on one line, without a folder; NULL: nothing. Caller frees. */
char *attachment_given_name(GMimeObject *object);

/* The part by its name (a message that bears none: by its subject), its type in lower case and its size. Caller frees. */
InboundAttachment *attachment_of(GMimeObject *object);
