/* Any bytes as winmail.dat. */
#include <stdint.h>
#include <stdlib.h>

#include "mail/message.h"
#include "mail/read.h"
#include "mail/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Tnef tnef;
    gboolean is_one = tnef_read(data, size, &tnef);
    if ((!is_one && tnef.attachments->len > 0) || tnef.attachments->len > READ_MAX_ATTACHMENTS)
        abort();
    for (guint i = 0; i < tnef.attachments->len; i++) {
        const InboundAttachment *one = tnef.attachments->pdata[i];
        if (!g_utf8_validate(one->name, -1, NULL) || !g_utf8_validate(one->type, -1, NULL) || one->size < 0)
            abort();
    }
    if (tnef.text != NULL && !g_utf8_validate(tnef.text, -1, NULL))
        abort();
    tnef_clear(&tnef);
    return 0;
}
