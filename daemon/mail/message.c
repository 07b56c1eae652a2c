/*
 * The value types of mail/: making and freeing them, the names of their enumerations, and the form in which a message read
 * travels from the child that read it to the daemon.
 *
 * Pure; any thread. inbound_message_from_variant() runs in the process that holds the store and reads what a child sent that
 * hostile bytes may have taken over: each field is held to the same limits that mail_read() keeps.
 */
#include "mail/message.h"

#include <string.h>

#include "mail/error.h"
#include "mail/read.h"

static const char *const class_names[] = {
    [INBOUND_REPLY] = "reply",         [INBOUND_AUTO_REPLY] = "auto-reply",   [INBOUND_BOUNCE] = "bounce",
    [INBOUND_COMPLAINT] = "complaint", [INBOUND_UNSUBSCRIBE] = "unsubscribe", [INBOUND_OTHER] = "other",
};
static const char *const kind_names[] = {
    [BOUNCE_UNKNOWN] = "unknown", [BOUNCE_HARD] = "hard", [BOUNCE_SOFT] = "soft", [BOUNCE_DELAYED] = "delayed"};

void composed_message_clear(ComposedMessage *message)
{
    g_clear_pointer(&message->bytes, g_bytes_unref);
    g_clear_pointer(&message->subject, g_free);
    g_clear_pointer(&message->text, g_free);
}

const char *inbound_class_name(InboundClass class)
{
    g_assert((guint)class < G_N_ELEMENTS(class_names));
    return class_names[class];
}

const char *bounce_kind_name(BounceKind kind)
{
    g_assert((guint)kind < G_N_ELEMENTS(kind_names));
    return kind_names[kind];
}

void bounce_recipient_free(BounceRecipient *recipient)
{
    if (recipient == NULL)
        return;
    g_free(recipient->recipient);
    g_free(recipient->status);
    g_free(recipient->diagnostic);
    g_free(recipient);
}

void inbound_attachment_free(InboundAttachment *attachment)
{
    if (attachment == NULL)
        return;
    g_free(attachment->name);
    g_free(attachment->type);
    g_free(attachment);
}

InboundMessage *inbound_message_new(void)
{
    InboundMessage *message = g_new0(InboundMessage, 1);
    char **const texts[] = {&message->evidence,    &message->from,       &message->from_name,           &message->subject,
                            &message->message_id,  &message->in_reply_to, &message->text,               &message->full_text,
                            &message->token,       &message->fingerprint, &message->original_message_id,
                            &message->authentication_results};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = g_strdup("");
    message->class = INBOUND_OTHER;
    message->to = g_new0(char *, 1);
    message->references = g_new0(char *, 1);
    message->bounces = g_ptr_array_new_with_free_func((GDestroyNotify)bounce_recipient_free);
    message->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)inbound_attachment_free);
    return message;
}

void inbound_message_free(InboundMessage *message)
{
    if (message == NULL)
        return;
    g_free(message->evidence);
    g_free(message->from);
    g_free(message->from_name);
    g_strfreev(message->to);
    g_free(message->subject);
    g_free(message->message_id);
    g_free(message->in_reply_to);
    g_strfreev(message->references);
    g_free(message->text);
    g_free(message->full_text);
    g_ptr_array_unref(message->bounces);
    g_free(message->original_message_id);
    g_free(message->token);
    g_free(message->authentication_results);
    g_ptr_array_unref(message->attachments);
    g_free(message->fingerprint);
    g_free(message);
}

GVariant *inbound_message_to_variant(const InboundMessage *message)
{
    g_auto(GVariantBuilder) bounces, attachments;

    g_variant_builder_init(&bounces, G_VARIANT_TYPE("a(syss)"));
    for (guint i = 0; i < message->bounces->len; i++) {
        const BounceRecipient *bounce = g_ptr_array_index(message->bounces, i);
        g_variant_builder_add(&bounces, "(syss)", bounce->recipient, (guchar)bounce->kind, bounce->status, bounce->diagnostic);
    }
    g_variant_builder_init(&attachments, G_VARIANT_TYPE("a(ssx)"));
    for (guint i = 0; i < message->attachments->len; i++) {
        const InboundAttachment *attachment = g_ptr_array_index(message->attachments, i);
        g_variant_builder_add(&attachments, "(ssx)", attachment->name, attachment->type, attachment->size);
    }
    return g_variant_new("(ysss^assss^asxssa(syss)sxsbsa(ssx)sb)", (guchar)message->class, message->evidence, message->from,
                         message->from_name, message->to, message->subject, message->message_id, message->in_reply_to,
                         message->references, message->date_ms, message->text, message->full_text, &bounces,
                         message->original_message_id, message->absent_until_ms, message->token, message->asks_to_stop,
                         message->authentication_results, &attachments, message->fingerprint, message->truncated);
}

/* ---- reading one that another process made ------------------------------------------------------------------------------ */

/* Takes the tuple's members in their order; bad is the number (from 1) of the first that is beyond a limit. */
typedef struct {
    GVariant *tuple;
    gsize next;
    gsize bad;
} TupleReader;

static void refuse(TupleReader *reader)
{
    if (reader->bad == 0)
        reader->bad = reader->next;
}

static GVariant *tuple_next(TupleReader *reader)
{
    return g_variant_get_child_value(reader->tuple, reader->next++);
}

/* One line: no control character but the tabulator. */
static gboolean is_line(const char *text, gsize max_bytes)
{
    gsize len = 0;

    for (; text[len] != '\0'; len++)
        if (len >= max_bytes || ((guchar)text[len] < ' ' && text[len] != '\t') || text[len] == 0x7f)
            return FALSE;
    return TRUE;
}

static void take_text(TupleReader *reader, char **field, gsize max_bytes)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    gsize len;
    const char *text = g_variant_get_string(child, &len);

    if (len > max_bytes || strchr(text, '\r') != NULL) {
        refuse(reader);
        return;
    }
    g_free(*field);
    *field = g_strndup(text, len);
}

static void take_line(TupleReader *reader, char **field)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    const char *text = g_variant_get_string(child, NULL);

    if (!is_line(text, READ_MAX_HEADER)) {
        refuse(reader);
        return;
    }
    g_free(*field);
    *field = g_strdup(text);
}

static void take_lines(TupleReader *reader, char ***field, gsize max_count)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    gsize count;
    g_autofree const char **lines = NULL;

    if (g_variant_n_children(child) > max_count) {
        refuse(reader);
        return;
    }
    lines = g_variant_get_strv(child, &count);
    for (gsize i = 0; i < count; i++)
        if (!is_line(lines[i], READ_MAX_HEADER))
            refuse(reader);
    g_strfreev(*field);
    *field = g_strdupv((char **)lines);
}

static gint64 take_int64(TupleReader *reader)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    return g_variant_get_int64(child);
}

static gboolean take_boolean(TupleReader *reader)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    return g_variant_get_boolean(child);
}

static void take_class(TupleReader *reader, InboundClass *class)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    guchar value = g_variant_get_byte(child);

    if (value < G_N_ELEMENTS(class_names))
        *class = (InboundClass)value;
    else
        refuse(reader);
}

static void take_bounces(TupleReader *reader, GPtrArray *bounces)
{
    g_autoptr(GVariant) list = tuple_next(reader);
    gsize count = g_variant_n_children(list);

    if (count > READ_MAX_BOUNCES)
        refuse(reader);
    for (gsize i = 0; reader->bad == 0 && i < count; i++) {
        const char *recipient, *status, *diagnostic;
        guchar kind;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_get(item, "(&sy&s&s)", &recipient, &kind, &status, &diagnostic);
        if (kind >= G_N_ELEMENTS(kind_names) || !is_line(recipient, READ_MAX_HEADER) || !is_line(status, READ_MAX_HEADER) ||
            !is_line(diagnostic, READ_MAX_HEADER)) {
            refuse(reader);
            return;
        }
        BounceRecipient *bounce = g_new0(BounceRecipient, 1);
        *bounce = (BounceRecipient){g_strdup(recipient), (BounceKind)kind, g_strdup(status), g_strdup(diagnostic)};
        g_ptr_array_add(bounces, bounce);
    }
}

static void take_attachments(TupleReader *reader, GPtrArray *attachments)
{
    g_autoptr(GVariant) list = tuple_next(reader);
    gsize count = g_variant_n_children(list);

    if (count > READ_MAX_ATTACHMENTS)
        refuse(reader);
    for (gsize i = 0; reader->bad == 0 && i < count; i++) {
        const char *name, *type;
        gint64 size;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_get(item, "(&s&sx)", &name, &type, &size);
        if (size < 0 || !is_line(name, READ_MAX_HEADER) || !is_line(type, READ_MAX_HEADER)) {
            refuse(reader);
            return;
        }
        InboundAttachment *attachment = g_new0(InboundAttachment, 1);
        *attachment = (InboundAttachment){g_strdup(name), g_strdup(type), size};
        g_ptr_array_add(attachments, attachment);
    }
}

/* In the order of INBOUND_MESSAGE_VARIANT_TYPE. */
static gboolean take_message(TupleReader *reader, InboundMessage *message)
{
    take_class(reader, &message->class);
    take_line(reader, &message->evidence);
    take_line(reader, &message->from);
    take_line(reader, &message->from_name);
    take_lines(reader, &message->to, READ_MAX_RECIPIENTS);
    take_line(reader, &message->subject);
    take_line(reader, &message->message_id);
    take_line(reader, &message->in_reply_to);
    take_lines(reader, &message->references, READ_MAX_REFERENCES);
    message->date_ms = take_int64(reader);
    take_text(reader, &message->text, READ_MAX_TEXT);
    take_text(reader, &message->full_text, READ_MAX_TEXT);
    take_bounces(reader, message->bounces);
    take_line(reader, &message->original_message_id);
    message->absent_until_ms = take_int64(reader);
    take_line(reader, &message->token);
    message->asks_to_stop = take_boolean(reader);
    take_line(reader, &message->authentication_results);
    take_attachments(reader, message->attachments);
    take_line(reader, &message->fingerprint);
    message->truncated = take_boolean(reader);
    return reader->bad == 0;
}

InboundMessage *inbound_message_from_variant(GVariant *variant, GError **error)
{
    g_autoptr(InboundMessage) message = inbound_message_new();
    TupleReader reader = {.tuple = variant};

    /* the normal form is what makes every string valid UTF-8 and every offset lie inside */
    if (!g_variant_is_of_type(variant, G_VARIANT_TYPE(INBOUND_MESSAGE_VARIANT_TYPE)) || !g_variant_is_normal_form(variant)) {
        g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "the record of a message read is not of its form");
        return NULL;
    }
    if (!take_message(&reader, message)) {
        g_set_error(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "field %" G_GSIZE_FORMAT " of the record of a message read is beyond"
                    " its limits", reader.bad);
        return NULL;
    }
    return g_steal_pointer(&message);
}
