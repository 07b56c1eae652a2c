/*
 * The canary of an account: true, false, or how often it is sent and how long it is waited for.
 */
#include "config/parts.h"

void canary_parse(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_SPAN("every", CanarySettings, every_ms, 60 * 1000, G_GINT64_CONSTANT(30) * 24 * 3600 * 1000, "\"1 day\""),
        KEY_SPAN("timeout", CanarySettings, timeout_ms, 1000, G_GINT64_CONSTANT(24) * 3600 * 1000, "\"30 minutes\""),
        KEY_END,
    };
    CanarySettings *canary = field;
    canary->wanted = TRUE;
    if (config_setting_type(setting) == CONFIG_TYPE_GROUP)
        reader_read_group(reader, setting, keys, canary);
    else if (!reader_bool(reader, setting, &canary->wanted))
        canary->wanted = FALSE;
}
