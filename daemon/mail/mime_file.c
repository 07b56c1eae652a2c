/*
 * Files as parts of a message. Pure, any thread.
 */
#include "mail/mime_file.h"

#include <string.h>

#include "mail/mime_header.h"

enum {
    QUOTED_MAX = 60,   /* longest name that stands in quotes */
    SECTION_MAX = 56,  /* encoded octets of a section of a name, so that its line stays below 78 columns */
    HEADERS_ROOM = 512 /* of a part with an ordinary name */
};

/* RFC 2231's attribute-char */
static gboolean is_attribute_char(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$&+-.^_`{|}~", c));
}

/* Whether a name can stand in quotes and mean the same to every reader. */
static gboolean is_quotable(const char *name)
{
    if (strlen(name) > QUOTED_MAX)
        return FALSE;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isprint(*p) || *p == '"' || *p == '\\' || *p == '%' || (p[0] == '=' && p[1] == '?'))
            return FALSE;
    return TRUE;
}

static void append_percent(GString *out, const char *octets, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (is_attribute_char(octets[i]))
            g_string_append_c(out, octets[i]);
        else
            g_string_append_printf(out, "%%%02X", (guint)(guchar)octets[i]);
    }
}

/* How many octets of text, in whole characters, fit into a section. */
static gsize section_length(const char *text)
{
    gsize taken = 0, used = 0;
    while (text[taken]) {
        gsize next = (gsize)(g_utf8_next_char(text + taken) - text);
        for (gsize i = taken; i < next; i++)
            used += is_attribute_char(text[i]) ? 1 : 3;
        if (taken > 0 && used > SECTION_MAX)
            break;
        taken = next;
    }
    return taken;
}

/* ";\r\n filename*0*=utf-8''…;\r\n filename*1*=…", or in one piece where it fits. */
static void append_encoded_name(GString *out, const char *name)
{
    gsize length = section_length(name);
    gboolean is_whole = name[length] == '\0';
    g_string_append(out, is_whole ? ";\r\n filename*=utf-8''" : ";\r\n filename*0*=utf-8''");
    append_percent(out, name, length);
    for (guint section = 1; name[length]; section++) {
        name += length;
        length = section_length(name);
        g_string_append_printf(out, ";\r\n filename*%u*=", section);
        append_percent(out, name, length);
    }
}

void mime_file_append(GString *out, const MailFile *file, MimeFilePlace place)
{
    gboolean is_inline = place == MIME_FILE_INLINE;
    g_autofree char *name = mime_header_clean(file->name);
    const char *shown = *name ? name : "file";
    g_string_append_printf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", file->type);
    if (is_inline)
        g_string_append_printf(out, "Content-ID: <%s>\r\n", file->content_id);
    g_string_append(out, is_inline ? "Content-Disposition: inline" : "Content-Disposition: attachment");
    if (is_quotable(shown))
        g_string_append_printf(out, ";\r\n filename=\"%s\"", shown);
    else
        append_encoded_name(out, shown);
    g_string_append(out, "\r\n\r\n");
    gsize size = 0;
    const char *base64 = g_bytes_get_data(file->base64, &size);
    g_string_append_len(out, base64, (gssize)size);
}

gsize mime_file_room(const GPtrArray *files)
{
    gsize room = 0;
    for (guint i = 0; files && i < files->len; i++)
        room += g_bytes_get_size(((const MailFile *)files->pdata[i])->base64) + HEADERS_ROOM;
    return room;
}
