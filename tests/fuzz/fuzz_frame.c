/* What the daemon and its watcher believe of each other: any bytes as frames. What is taken for a message, a task or a hello goes there and
 * back as it is. */
#include <stdint.h>
#include <stdlib.h>

#include "imap/protocol.h"
#include "mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_record(GVariant *value)
{
    g_autoptr(GVariant) boxed = NULL;
    g_variant_get(value, "(uuuxv)", NULL, NULL, NULL, NULL, &boxed);
    if (!g_variant_is_of_type(boxed, G_VARIANT_TYPE(INBOUND_MESSAGE_VARIANT_TYPE)))
        return;
    g_autoptr(InboundMessage) message = inbound_message_from_variant(boxed, NULL);
    if (message == NULL)
        return;
    g_autoptr(GVariant) again = g_variant_ref_sink(inbound_message_to_variant(message));
    if (!g_variant_equal(boxed, again))
        abort();
}

static void try_task(GVariant *value)
{
    Task *task = task_parse(value);
    if (task != NULL && !task_is_possible(task))
        abort();
    task_free(task);
}

static void try_hello(GVariant *value)
{
    g_autoptr(Hello) hello = hello_parse(value);
    if (hello != NULL)
        g_variant_unref(g_variant_ref_sink(hello_to_variant(hello)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) in = g_byte_array_append(g_byte_array_new(), data, (guint)size);
    gsize offset = 0;
    FrameKind kind;
    for (;;) {
        g_autoptr(GVariant) value = NULL;
        if (frame_parse(in, &offset, &kind, &value) != FRAME_READY)
            return 0;
        if (offset > size)
            abort();
        if (kind == FRAME_RECORD)
            try_record(value);
        else if (kind == FRAME_TASK)
            try_task(value);
        else if (kind == FRAME_HELLO)
            try_hello(value);
    }
}
