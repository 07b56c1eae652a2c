/*
 * Bounces and complaints that a sending service tells as JSON in a mail: Amazon SES by way of SNS. Private to mail/.
 */
#pragma once

#include "mail/parts.h"

/* TRUE where the message is such a notice: sets class and evidence, fills bounces and original_message_id. One of what arrived, was
 * opened or clicked is INBOUND_OTHER. */
gboolean provider_notice_read(const MailParts *parts, InboundMessage *message);
