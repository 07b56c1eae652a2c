/*
 * How outbox.c writes what outbox_read.c reads, where it is no state (include/store/outbox.h has those).
 */
#pragma once

#include "store/outbox.h"

/* SQL over outbox o: what counts for the limits of a contact. The last is the condition of the index outbox_contacted. */
#define OUTBOX_REACHED \
    "(o.state = 'sending' OR o.state = 'sent' OR o.state = 'uncertain') AND o.is_task = 0 AND o.sending_ms > 0"

/* SQL over outbox o, with $2 the time: what must hold as a message leaves. Written so that SQLite makes no table of a list meanwhile. */
#define OUTBOX_MAY_LEAVE                                                                                                    \
    "EXISTS (SELECT 1 FROM enrolment e WHERE e.id = o.enrolment_id AND e.state = 'active')"                                 \
    " AND EXISTS (SELECT 1 FROM contact c WHERE c.id = o.contact_id AND c.paused_until_ms <= $2)"                           \
    " AND NOT EXISTS (SELECT 1 FROM contact_address a WHERE a.contact_id = o.contact_id"                                    \
    "     AND (EXISTS (SELECT 1 FROM suppression s WHERE s.address = a.address)"                                            \
    "         OR EXISTS (SELECT 1 FROM suppression s WHERE s.address = a.domain)))"

/* "none", "awaited", "given"; an unknown word is APPROVAL_AWAITED, so that nothing goes that a person wanted to see. */
const char *outbox_approval_name(Approval approval);
Approval outbox_approval_parse(const char *name);
