/* Any bytes as HTML: the text is valid, within its limit, and a reply's new text can be taken from it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mail/html_text.h"
#include "mail/reply_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4096, BEYOND = 256 /* marks of quotes, and the last character */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gboolean cut = FALSE;
    g_autofree char *html = text_make_valid(size > 0 ? (const char *)data : "", (gssize)size);
    g_autofree char *text = html_to_text(html, strlen(html), LIMIT, &cut);
    if (!g_utf8_validate(text, -1, NULL) || strlen(text) > LIMIT + BEYOND)
        abort();
    g_autofree char *fresh = reply_text_extract(text);
    if (!g_utf8_validate(fresh, -1, NULL) || strlen(fresh) > strlen(text))
        abort();
    return 0;
}
