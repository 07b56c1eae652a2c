/*
 * MS-OXTNEF: a signature, then attributes (level, id, length, data, checksum), some of which hold MAPI properties. A new attachment begins
 * with an attribute of its own. Only names, types, sizes and the plain text are taken; nothing is unpacked.
 *
 * Pure; any thread. Every length is held against what is there; each octet is looked at a bounded number of times.
 */
#include "mail/tnef.h"

#include <string.h>

#include "base/text.h"
#include "mail/message.h"
#include "mail/parse_charset.h"
#include "mail/read.h"

enum {
    SIGNATURE = 0x223e9f78,
    ATTRIBUTE_BODY = 0x0002800c,
    ATTRIBUTE_PROPERTIES = 0x00069003,
    ATTRIBUTE_CODE_PAGE = 0x00069007,
    ATTRIBUTE_ATTACHMENT_BEGINS = 0x00069002,
    ATTRIBUTE_ATTACHMENT_TITLE = 0x00018010,
    ATTRIBUTE_ATTACHMENT_DATA = 0x0006800f,
    ATTRIBUTE_ATTACHMENT_PROPERTIES = 0x00069005,

    PROPERTY_BODY = 0x1000,
    PROPERTY_DISPLAY_NAME = 0x3001,
    PROPERTY_DATA = 0x3701,
    PROPERTY_FILE_NAME = 0x3704,
    PROPERTY_LONG_FILE_NAME = 0x3707,
    PROPERTY_MIME_TYPE = 0x370e,

    TYPE_STRING = 0x1e, TYPE_UNICODE = 0x1f, TYPE_BINARY = 0x102, TYPE_OBJECT = 0x0d, TYPE_MANY = 0x1000,
    OBJECT_HEAD = 16,       /* of an embedded object: its interface */
    FIRST_NAMED = 0x8000,   /* properties from here on bear a name */
    MAX_PROPERTIES = 2000,  /* of one attribute */
    MAX_VALUES = 1000,      /* of one property */
    MAX_ATTRIBUTES = 10000,
    NAME_MAX_BYTES = 255
};

typedef struct {
    const guint8 *at;
    gsize left;
} Reader;

typedef struct {
    Tnef *tnef;
    InboundAttachment *open; /* the one that attributes are about; NULL: none */
    guint name_rank;         /* how good the name is that it has */
    char charset[16];
} State;

static gboolean skip(Reader *reader, gsize length)
{
    if (length > reader->left)
        return FALSE;
    reader->at += length;
    reader->left -= length;
    return TRUE;
}

static gboolean read_number(Reader *reader, guint octets, guint32 *ret_number)
{
    const guint8 *at = reader->at;
    if (!skip(reader, octets))
        return FALSE;
    *ret_number = 0;
    for (guint i = 0; i < octets; i++)
        *ret_number |= (guint32)at[i] << (8 * i);
    return TRUE;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static char *text_of(const State *state, const guint8 *bytes, gsize length, gboolean unicode, gsize max_bytes)
{
    gboolean cut = FALSE;
    while (!unicode && length > 0 && bytes[length - 1] == '\0')
        length--;
    return parse_charset_to_utf8((const char *)bytes, length, unicode ? "utf-16le" : state->charset, max_bytes, &cut);
}

/* Ranks: the old name of 8.3, the name for people, the long name. */
static void take_name(State *state, char *name, guint rank)
{
    if (state->open != NULL && *name != '\0' && rank > state->name_rank) {
        g_autofree char *line = text_one_line(name);
        g_free(state->open->name);
        state->open->name = text_escape(line, NAME_MAX_BYTES);
        state->name_rank = rank;
    }
    g_free(name);
}

static void take_text(State *state, char *text)
{
    if (state->tnef->text == NULL && *text != '\0')
        state->tnef->text = g_steal_pointer(&text);
    g_free(text);
}

static void take_mime_type(State *state, const char *type)
{
    if (*type == '\0' || strchr(type, '/') == NULL)
        return;
    g_free(state->open->type);
    state->open->type = text_escape(type, 100);
}

/* One value of variable length. */
static void take_property(State *state, guint32 id, guint32 type, const guint8 *bytes, gsize length)
{
    gboolean is_text = type == TYPE_STRING || type == TYPE_UNICODE;
    if (id == PROPERTY_BODY && is_text && state->open == NULL)
        take_text(state, text_of(state, bytes, length, type == TYPE_UNICODE, READ_MAX_TEXT));
    if (state->open == NULL)
        return;
    if (id == PROPERTY_DATA && state->open->size == 0)
        state->open->size = (gint64)(type == TYPE_OBJECT ? length - MIN(length, (gsize)OBJECT_HEAD) : length);
    if (!is_text)
        return;
    g_autofree char *text = text_of(state, bytes, length, type == TYPE_UNICODE, 4 * NAME_MAX_BYTES);
    if (id == PROPERTY_LONG_FILE_NAME)
        take_name(state, g_steal_pointer(&text), 3);
    else if (id == PROPERTY_DISPLAY_NAME)
        take_name(state, g_steal_pointer(&text), 2);
    else if (id == PROPERTY_FILE_NAME)
        take_name(state, g_steal_pointer(&text), 1);
    else if (id == PROPERTY_MIME_TYPE)
        take_mime_type(state, text);
}

/* Octets of a value of a fixed type, as it lies in the stream; 0: it is of another. */
static gsize fixed_size(guint32 type)
{
    switch (type) {
    case 0x02: case 0x03: case 0x04: case 0x0a: case 0x0b:
        return 4;
    case 0x05: case 0x06: case 0x07: case 0x14: case 0x40:
        return 8;
    case 0x48:
        return 16;
    default:
        return 0;
    }
}

static gboolean skip_padded(Reader *reader, gsize length)
{
    return length <= reader->left && skip(reader, MIN((length + 3) & ~(gsize)3, reader->left));
}

/* The set and the number or name of a named property. */
static gboolean skip_property_name(Reader *reader)
{
    guint32 kind, length;
    if (!skip(reader, 16) || !read_number(reader, 4, &kind) || !read_number(reader, 4, &length))
        return FALSE;
    return kind == 0 || skip_padded(reader, length);
}

static gboolean read_values(State *state, Reader *reader, guint32 id, guint32 type)
{
    guint32 base = type & ~(guint32)TYPE_MANY, count = 1, length;
    gsize fixed = fixed_size(base);
    gboolean variable = base == TYPE_STRING || base == TYPE_UNICODE || base == TYPE_BINARY || base == TYPE_OBJECT;
    if (((type & TYPE_MANY) != 0 || variable) && !read_number(reader, 4, &count))
        return FALSE;
    if (count > MAX_VALUES || (fixed == 0 && !variable))
        return FALSE;
    for (guint32 i = 0; i < count; i++) {
        if (!variable && !skip(reader, fixed))
            return FALSE;
        if (!variable)
            continue;
        if (!read_number(reader, 4, &length) || length > reader->left)
            return FALSE;
        take_property(state, id, base, reader->at, length);
        skip_padded(reader, length);
    }
    return TRUE;
}

static void read_properties(State *state, Reader reader)
{
    guint32 count, type, id;
    if (!read_number(&reader, 4, &count))
        return;
    for (guint32 i = 0; i < MIN(count, MAX_PROPERTIES); i++)
        if (!read_number(&reader, 2, &type) || !read_number(&reader, 2, &id) || (id >= FIRST_NAMED && !skip_property_name(&reader)) ||
            !read_values(state, &reader, id, type))
            return;
}

/* ---- attributes -------------------------------------------------------------------------------------------------------- */

static void begin_attachment(State *state)
{
    GPtrArray *all = state->tnef->attachments;
    state->open = NULL;
    state->name_rank = 0;
    if (all->len >= READ_MAX_ATTACHMENTS)
        return;
    state->open = g_new0(InboundAttachment, 1);
    state->open->name = g_strdup("");
    state->open->type = g_strdup("application/octet-stream");
    g_ptr_array_add(all, state->open);
}

static void read_code_page(State *state, Reader data)
{
    guint32 page;
    if (read_number(&data, 4, &page) && page > 0 && page < 100000)
        g_snprintf(state->charset, sizeof state->charset, "cp%u", page);
}

/* length: as the attribute announces it, which a message that was cut no longer holds. */
static void read_attribute(State *state, guint32 id, Reader data, guint32 length)
{
    if (id == ATTRIBUTE_CODE_PAGE)
        read_code_page(state, data);
    else if (id == ATTRIBUTE_BODY)
        take_text(state, text_of(state, data.at, data.left, FALSE, READ_MAX_TEXT));
    else if (id == ATTRIBUTE_PROPERTIES || id == ATTRIBUTE_ATTACHMENT_PROPERTIES)
        read_properties(state, data);
    else if (id == ATTRIBUTE_ATTACHMENT_BEGINS)
        begin_attachment(state);
    else if (id == ATTRIBUTE_ATTACHMENT_TITLE)
        take_name(state, text_of(state, data.at, data.left, FALSE, 4 * NAME_MAX_BYTES), 1);
    else if (id == ATTRIBUTE_ATTACHMENT_DATA && state->open != NULL)
        state->open->size = length;
}

static void attachment_free(gpointer attachment)
{
    inbound_attachment_free(attachment);
}

gboolean tnef_read(const guint8 *bytes, gsize len, Tnef *ret_tnef)
{
    Reader reader = {bytes, len};
    State state = {.tnef = ret_tnef, .charset = "windows-1252"};
    guint32 signature, level, id, length;
    *ret_tnef = (Tnef){.attachments = g_ptr_array_new_with_free_func(attachment_free)};
    if (!read_number(&reader, 4, &signature) || signature != SIGNATURE || !skip(&reader, 2))
        return FALSE;
    for (guint i = 0; i < MAX_ATTRIBUTES; i++) {
        if (!read_number(&reader, 1, &level) || !read_number(&reader, 4, &id) || !read_number(&reader, 4, &length))
            break;
        Reader data = {reader.at, MIN((gsize)length, reader.left)};
        read_attribute(&state, id, data, length);
        if (!skip(&reader, length) || !skip(&reader, 2))
            break;
    }
    return TRUE;
}

void tnef_clear(Tnef *tnef)
{
    g_clear_pointer(&tnef->attachments, g_ptr_array_unref);
    g_clear_pointer(&tnef->text, g_free);
}
