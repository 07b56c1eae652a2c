/*
 * Sizes: "5 MB", "500 kB".
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

static guint64 unit_bytes(const char *unit)
{
    if (g_ascii_strcasecmp(unit, "kB") == 0)
        return 1000;
    return g_ascii_strcasecmp(unit, "MB") == 0 ? 1000 * 1000 : 0;
}

void size_parse(Reader *reader, config_setting_t *setting, gint64 max, const char *example, gint64 *ret_bytes)
{
    const char *text = reader_text(reader, setting, example);
    const char *number = text ? text + strspn(text, " ") : "";
    gsize digits = strspn(number, G_CSET_DIGITS);
    guint64 count = g_ascii_strtoull(number, NULL, 10); /* the greatest there is where it is too large */
    g_autofree char *unit = g_strstrip(g_strdup(number + digits));
    guint64 bytes = digits ? unit_bytes(unit) : 0;
    if (!text)
        return;
    if (bytes && count > 0 && count <= (guint64)max / bytes) {
        *ret_bytes = (gint64)(count * bytes);
        return;
    }
    g_autofree char *name = reader_name_of(setting);
    g_autofree char *shown = text_escape(text, 40);
    reader_fault(reader, setting,
                 bytes ? "%s: \"%s\" is not between \"1 kB\" and \"%" G_GINT64_FORMAT " MB\"; write %s"
                       : "%s: \"%s\" is no size (at most \"%" G_GINT64_FORMAT " MB\"); write %s",
                 name, shown, max / 1000000, example);
}
