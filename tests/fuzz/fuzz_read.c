/* Any bytes are read as a message, and the record of it is one that the daemon accepts. */
#include <stdint.h>
#include <stdlib.h>

#include "mail/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(InboundMessage) message = mail_read((const char *)data, size, G_GINT64_CONSTANT(1795514400000));
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
    g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, NULL);
    if (again == NULL)
        abort();
    return 0;
}
