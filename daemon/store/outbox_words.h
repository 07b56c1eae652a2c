/*
 * How outbox.c writes what outbox_read.c reads, where it is no state (include/store/outbox.h has those).
 */
#pragma once

#include "store/outbox.h"

/* "none", "awaited", "given"; an unknown word is APPROVAL_AWAITED, so that nothing goes that a person wanted to see. */
const char *outbox_approval_name(Approval approval);
Approval outbox_approval_parse(const char *name);
