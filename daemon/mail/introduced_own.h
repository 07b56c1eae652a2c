/*
 * Who is no friend: the sender, and whom they wrote to. Private to mail/.
 */
#pragma once

#include "mail/introduced.h"

typedef struct {
    char *address;                       /* the sender's */
    char *name, *folded_first, *folded_last; /* "" where nobody knows; of the name, or what the address says of it */
    const GPtrArray *to;                 /* InboundMailbox* */
} Sender;

void sender_init(Sender *sender, const InboundMessage *message, const GPtrArray *to);
void sender_clear(Sender *sender);

/* Whether the name is the sender's, as people sign: whole, with an initial, or the first name alone. */
gboolean sender_is_name(const Sender *sender, const char *name);

/* Whether an address is another of the sender's: it spells their first and last name, or initial and last name. */
gboolean sender_is_spelled(const Sender *sender, const char *address);

/* Whether the name is that of somebody the mail was written to. */
gboolean sender_wrote_to(const Sender *sender, const char *name);

/* Whether they work at one place: the same domain, which is no mailbox provider's. */
gboolean sender_shares_domain(const Sender *sender, const char *address);

/* "info@", "no-reply@", "faktura@": nobody's own. */
gboolean address_is_role(const char *address);

/* The text without the sender's signature where no closing marked it, without disclaimers, and without a forwarded message.
 * ret_forward: what begins with the forwarded message's header, NULL for none; belongs to text. Caller frees. */
char *sender_own_words(const Sender *sender, const char *text, const char **ret_forward);
