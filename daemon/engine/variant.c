/*
 * Which of a step's variants a contact gets: by a checksum, so that no state is needed, and neighbours fall apart. Pure.
 */
#include "engine/variant.h"

#include <string.h>

enum { DRAW_CHARS = 15 }; /* hexadecimal digits, which are 60 bits */

static guint64 draw(const Rule *rule, const Step *step, gint64 contact_id)
{
    g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT "/%s/%s", contact_id, rule->name, step->template_name);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
    sum[DRAW_CHARS] = '\0';
    return g_ascii_strtoull(sum, NULL, 16);
}

const char *variant_choose(const Rule *rule, const Step *step, gint64 contact_id, const char *kept)
{
    guint64 total = 0;
    for (Variant **variant = step->variants; *variant; variant++) {
        if (g_str_equal((*variant)->template_name, kept))
            return (*variant)->template_name;
        total += (*variant)->weight;
    }
    if (total == 0)
        return "";
    guint64 left = draw(rule, step, contact_id) % total;
    Variant **variant = step->variants;
    for (; left >= (*variant)->weight; variant++)
        left -= (*variant)->weight;
    return (*variant)->template_name;
}
