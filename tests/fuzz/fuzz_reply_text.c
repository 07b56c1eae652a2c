/* Any text as the body of a reply: the new text is valid, no longer than the whole, and what stands in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mail/reply_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = text_make_valid(size > 0 ? (const char *)data : "", (gssize)size);
    g_autofree char *fresh = reply_text_extract(text);
    if (!g_utf8_validate(fresh, -1, NULL) || strlen(fresh) > strlen(text))
        abort();
    g_auto(GStrv) lines = g_strsplit(fresh, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (strstr(text, *line) == NULL)
            abort();
    return 0;
}
