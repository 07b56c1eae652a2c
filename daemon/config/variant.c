/*
 * The variants of a step: templates that are tried side by side.
 */
#include "config/parts.h"

enum { MAX_WEIGHT = 1000, MAX_VARIANTS = 20 };

#define EXAMPLE "variants = [ \"ask-a\", \"ask-b\" ]"

static void variant_free(gpointer data)
{
    Variant *variant = data;
    g_free(variant->template_name);
    g_free(variant);
}

void variants_free(Variant **variants)
{
    for (Variant **variant = variants; variant && *variant; variant++)
        variant_free(*variant);
    g_free(variants);
}

/* "ask-a", or { template = "ask-a"; weight = 3; }; NULL where it is neither. */
static Variant *parse_variant(Reader *reader, config_setting_t *setting)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "template", Variant, template_name, "template = \"ask-a\""),
        KEY_NUMBER("weight", Variant, weight, 1, MAX_WEIGHT, "3"),
        KEY_END,
    };
    Variant *variant = g_new0(Variant, 1);
    variant->weight = 1;
    if (config_setting_is_group(setting))
        reader_read_group(reader, setting, keys, variant);
    else
        variant->template_name = g_strdup(reader_text(reader, setting, EXAMPLE));
    if (variant->template_name)
        return variant;
    variant_free(variant);
    return NULL;
}

static void check_variant(Reader *reader, const config_setting_t *setting, const GPtrArray *before, const Variant *variant)
{
    if (!is_template_name(variant->template_name))
        reader_fault(reader, setting,
                     "variant \"%s\": write the name of a template without folder and ending, in letters, digits, - and _",
                     variant->template_name);
    for (guint i = 0; i < before->len; i++)
        if (g_ascii_strcasecmp(((const Variant *)before->pdata[i])->template_name, variant->template_name) == 0)
            reader_fault(reader, setting,
                         "variant \"%s\" stands twice; write it once, with a weight: { template = \"%s\"; weight = 2; }",
                         variant->template_name, variant->template_name);
}

Variant **variant_parse_list(Reader *reader, config_setting_t *setting)
{
    GPtrArray *variants = g_ptr_array_new();
    gboolean is_list = config_setting_is_list(setting) || config_setting_is_array(setting);
    int length = is_list ? config_setting_length(setting) : 0;
    if (length < 2 || length > MAX_VARIANTS)
        reader_fault(reader, setting,
                     "variants names two templates at least, and %d at most; write " EXAMPLE ", or leave it out",
                     MAX_VARIANTS);
    for (int i = 0; i < MIN(length, MAX_VARIANTS); i++) {
        config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        Variant *variant = parse_variant(reader, element);
        if (!variant)
            continue;
        check_variant(reader, element, variants, variant);
        g_ptr_array_add(variants, variant);
    }
    g_ptr_array_add(variants, NULL);
    return (Variant **)g_ptr_array_free(variants, FALSE);
}
