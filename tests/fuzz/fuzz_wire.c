/* Any bytes as a server's lines, on the real stream: each is of a known kind or a fault, and while a secret is being said no fault
 * repeats it. */
#include <stdint.h>
#include <string.h>

#include "fuzz/loopback.h"
#include "imap/wire.h"

#define SECRET "Quorum-of-Zebras" /* begins with what no escape ends with */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    int peer;
    if (size > LOOPBACK_MAX)
        return -1;
    Session *session = loopback_session(data, size, &peer);
    session->secret = SECRET;
    gboolean going_on = wire_command(session, "LOGIN \"anna\" \"" SECRET "\"", TRUE, &error);
    while (going_on) {
        g_autofree char *text = NULL;
        WireKind kind;
        going_on = wire_read_answer(session, &kind, &text, &error);
        if (going_on && (kind == WIRE_UNTAGGED || text == NULL))
            abort();
        if (going_on) {
            g_autofree char *quoted = wire_quote(session, text, 200);
            if (strstr(quoted, SECRET) != NULL)
                abort();
        }
    }
    if (error == NULL || strstr(error->message, SECRET) != NULL)
        abort();
    loopback_close(session, peer);
    return 0;
}
