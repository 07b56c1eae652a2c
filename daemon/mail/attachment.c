/*
 * A part of a received message as an attachment: its name, however it is written, its type and its size. Pure; any thread.
 */
#include "mail/attachment.h"

#include <string.h>

#include "base/text.h"
#include "mail/parse_header.h"
#include "mail/parse_param.h"

enum { ATTACHMENT_NAME_MAX = 255, TOLD_MAX = 10 };

/* Octets, decoded; of a message inside, all of it. */
static gint64 content_size(GMimeObject *object)
{
    GMimeStream *nowhere = g_mime_stream_null_new();
    gssize size = 0;

    if (GMIME_IS_MESSAGE_PART(object) && g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) != NULL)
        size = g_mime_object_write_to_stream(GMIME_OBJECT(g_mime_message_part_get_message(GMIME_MESSAGE_PART(object))), NULL,
                                             nowhere);
    else if (GMIME_IS_PART(object) && g_mime_part_get_content(GMIME_PART(object)) != NULL)
        size = g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(object)), nowhere);
    g_object_unref(nowhere);
    return MAX(size, 0);
}

static const char *raw_header(GMimeObject *object, const char *name)
{
    GMimeHeader *header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
    return header != NULL ? g_mime_header_get_raw_value(header) : NULL;
}

char *attachment_given_name(GMimeObject *object)
{
    const char *disposition = raw_header(object, "Content-Disposition"), *type = raw_header(object, "Content-Type");
    g_autofree char *name = disposition != NULL ? parse_param(disposition, "filename", ATTACHMENT_NAME_MAX) : NULL;
    if (name == NULL && type != NULL)
        name = parse_param(type, "name", ATTACHMENT_NAME_MAX);
    if (name == NULL || *name == '\0')
        return NULL;
    const char *start = name;
    for (const char *p = name; *p != '\0'; p++)
        if ((*p == '/' || *p == '\\') && p[1] != '\0')
            start = p + 1;
    return g_strdup(start);
}

/* A message that is attached without a name goes by its subject. Caller frees. */
static char *message_name(GMimeObject *object)
{
    GMimeMessage *inside = GMIME_IS_MESSAGE_PART(object) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) : NULL;
    const char *raw = inside != NULL ? raw_header(GMIME_OBJECT(inside), "Subject") : NULL;
    g_autofree char *subject = raw != NULL ? parse_header_decode(raw, ATTACHMENT_NAME_MAX / 2) : NULL;
    return subject != NULL && *subject != '\0' ? g_strconcat(subject, ".eml", NULL) : g_strdup("");
}

InboundAttachment *attachment_of(GMimeObject *object)
{
    InboundAttachment *attachment = g_new0(InboundAttachment, 1);
    g_autofree char *given = attachment_given_name(object), *name = given != NULL ? g_steal_pointer(&given) : message_name(object);
    g_autofree char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    g_autofree char *valid_type = text_make_valid(type != NULL ? type : "", -1);
    g_autofree char *lower = g_utf8_strdown(valid_type, -1);
    attachment->name = text_escape(name, ATTACHMENT_NAME_MAX);
    attachment->type = text_escape(lower, 100);
    attachment->size = content_size(object);
    return attachment;
}

char *inbound_attachments_words(const InboundMessage *message)
{
    GString *words = g_string_new(NULL);
    for (guint i = 0; i < MIN(message->attachments->len, TOLD_MAX); i++) {
        const InboundAttachment *attachment = message->attachments->pdata[i];
        g_string_append_printf(words, "%s%s (%s, %" G_GINT64_FORMAT " octets)", i > 0 ? ", " : "attached: ",
                               *attachment->name != '\0' ? attachment->name : "without a name", attachment->type, attachment->size);
    }
    if (message->attachments->len > TOLD_MAX)
        g_string_append_printf(words, " and %u more", message->attachments->len - TOLD_MAX);
    return g_string_free(words, FALSE);
}
