/*
 * The last look at what is about to leave. libcurl neither refuses CR and LF in envelope addresses (a second command
 * could be put into one) nor repairs bare line ends (with which a server that takes "LF . LF" for the end of a message
 * can be made to see two). Both are settled here, whoever composed the message. Pure functions.
 */
#include "wire.h"

#include <string.h>

#include "limits.h"

const char *smtp_wire_address_fault(const char *address, gboolean may_be_empty)
{
    gsize length = strlen(address);
    if (length == 0)
        return may_be_empty ? NULL : "is empty";
    if (length > SMTP_ADDRESS_OCTETS)
        return "is too long";
    for (const char *at = address; *at; at++) {
        if (*at == '\r' || *at == '\n')
            return "holds a line end";
        if (g_ascii_isspace(*at))
            return "holds white space";
        if (g_ascii_iscntrl(*at))
            return "holds a control character";
        if (*at == '<' || *at == '>')
            return "holds an angle bracket";
    }
    return NULL;
}

static gboolean has_line_ends_right(const char *data, gsize size)
{
    if (size < 2 || data[size - 2] != '\r' || data[size - 1] != '\n')
        return FALSE;
    gsize n_lf = 0, n_cr = 0;
    const char *end = data + size;
    for (const char *at = data; (at = memchr(at, '\n', (gsize)(end - at))); at++, n_lf++)
        if (at == data || at[-1] != '\r')
            return FALSE;
    for (const char *at = data; (at = memchr(at, '\r', (gsize)(end - at))); at++)
        n_cr++;
    return n_cr == n_lf; /* each LF has its CR before it, so an equal number leaves no CR alone */
}

GBytes *smtp_wire_lines(GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (has_line_ends_right(data, size))
        return g_bytes_ref(bytes);

    GByteArray *out = g_byte_array_sized_new((guint)MIN(size + size / 32 + 2, G_MAXUINT));
    gsize start = 0;
    for (gsize i = 0; i < size; i++) {
        if (data[i] != '\r' && data[i] != '\n')
            continue;
        g_byte_array_append(out, (const guint8 *)data + start, (guint)(i - start));
        g_byte_array_append(out, (const guint8 *)"\r\n", 2);
        if (data[i] == '\r' && i + 1 < size && data[i + 1] == '\n')
            i++;
        start = i + 1;
    }
    if (start < size) {
        g_byte_array_append(out, (const guint8 *)data + start, (guint)(size - start));
        g_byte_array_append(out, (const guint8 *)"\r\n", 2);
    }
    return g_byte_array_free_to_bytes(out);
}
