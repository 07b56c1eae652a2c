/* Modified UTF-7: printable ASCII as it is, "&" as "&-", all else as UTF-16BE in a base 64 without padding and with "," for
 * "/", between "&" and "-". Pure; any thread. */
#include "folder_name.h"

#include <string.h>

#include "base/text.h"
#include "fault.h"

enum { NAME_MAX_OCTETS = 1000 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

typedef struct {
    GString *out;
    gboolean shifted;
    guint32 bits;
    guint n_bits;
} Encoder;

static void put_unit(Encoder *encoder, guint32 unit)
{
    if (!encoder->shifted)
        g_string_append_c(encoder->out, '&');
    encoder->shifted = TRUE;
    encoder->bits = encoder->bits << 16 | unit;
    for (encoder->n_bits += 16; encoder->n_bits >= 6; encoder->n_bits -= 6)
        g_string_append_c(encoder->out, alphabet[encoder->bits >> (encoder->n_bits - 6) & 63]);
    encoder->bits &= (1U << encoder->n_bits) - 1;
}

static void shift_out(Encoder *encoder)
{
    if (encoder->n_bits > 0)
        g_string_append_c(encoder->out, alphabet[encoder->bits << (6 - encoder->n_bits) & 63]);
    if (encoder->shifted)
        g_string_append_c(encoder->out, '-');
    encoder->shifted = FALSE;
    encoder->bits = encoder->n_bits = 0;
}

static void put(Encoder *encoder, gunichar c)
{
    if (c < 0x80) {
        shift_out(encoder);
        g_string_append_c(encoder->out, (char)c);
        if (c == '&')
            g_string_append_c(encoder->out, '-');
    } else if (c < 0x10000) {
        put_unit(encoder, c);
    } else {
        put_unit(encoder, 0xD800 + ((c - 0x10000) >> 10));
        put_unit(encoder, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
}

static gboolean is_possible(const char *name)
{
    gsize length = strlen(name);
    if (length == 0 || length > NAME_MAX_OCTETS || !g_utf8_validate(name, -1, NULL))
        return FALSE;
    for (const char *at = name; *at != '\0'; at = g_utf8_next_char(at))
        if (g_unichar_iscntrl(g_utf8_get_char(at)))
            return FALSE;
    return TRUE;
}

char *folder_wire_name(const char *name, GError **error)
{
    if (!is_possible(name)) {
        g_autofree char *escaped = text_escape(name, 100);
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "folder \"%s\": that is no name of a folder", escaped);
        return NULL;
    }
    Encoder encoder = {.out = g_string_new(NULL)};
    for (const char *at = name; *at != '\0'; at = g_utf8_next_char(at))
        put(&encoder, g_utf8_get_char(at));
    shift_out(&encoder);
    return g_string_free(encoder.out, FALSE);
}
