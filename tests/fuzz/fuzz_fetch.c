/*
 * The way of a message from the server to the daemon: any bytes are sent as the literal of a FETCH, taken off the real stream, read, and
 * handed on as a record, which the daemon's side must take as it was meant. What is around the literal is as it should be, since the
 * parser of libetpan, which does not withstand other things, has a process of its own for that reason.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz/loopback.h"
#include "imap/fetch.h"
#include "imap/protocol.h"
#include "mail/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hand_on(const char *bytes, gsize length)
{
    g_autoptr(InboundMessage) message = mail_read(bytes, length, G_GINT64_CONSTANT(1795514400000));
    g_autoptr(GByteArray) frame = g_byte_array_new();
    g_autoptr(GVariant) value = NULL, boxed = NULL;
    gsize offset = 0;
    FrameKind kind;
    frame_append(frame, FRAME_RECORD, g_variant_new("(uuuxv)", 0, 1, 1, (gint64)0, inbound_message_to_variant(message)));
    if (frame_parse(frame, &offset, &kind, &value) != FRAME_READY || kind != FRAME_RECORD)
        abort();
    g_variant_get(value, "(uuuxv)", NULL, NULL, NULL, NULL, &boxed);
    g_autoptr(InboundMessage) taken = inbound_message_from_variant(boxed, NULL);
    if (taken == NULL || !g_str_equal(taken->text, message->text) || taken->class != message->class)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    int peer;
    if (size > LOOPBACK_MAX / 2)
        return -1;
    g_string_append_printf(answer, "* 1 FETCH (UID 7 BODY[]<0> {%zu}\r\n", size);
    g_string_append_len(answer, (const char *)data, (gssize)size);
    g_string_append(answer, ")\r\n1 OK done\r\n");
    Session *session = loopback_session(answer->str, answer->len, &peer);
    session->imap->imap_state = MAILIMAP_STATE_SELECTED;
    const FetchItem item = {.uid = 7, .size = (guint32)size};
    g_autoptr(FetchBodies) bodies = fetch_bodies(session, &item, 1, NULL);
    gsize length = 0;
    const char *bytes = bodies != NULL ? fetch_bodies_find(bodies, 7, &length) : NULL;
    /* libetpan gives an empty literal as nothing, and drops NULs */
    if (size > 0 && memchr(data, 0, size) == NULL && (bytes == NULL || length != size || memcmp(bytes, data, size) != 0))
        abort();
    if (bytes != NULL)
        hand_on(bytes, length);
    loopback_close(session, peer);
    return 0;
}
