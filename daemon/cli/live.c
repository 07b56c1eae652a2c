/*
 * Asking a running nurtured. Commands that show it as well work without one.
 */
#include "cli/live.h"

#include "engine/control.h"

enum { STATUS_TIMEOUT_MS = 2000 };

JsonObject *live_status(Cli *cli)
{
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "status");
    return control_call(cli->config, request, STATUS_TIMEOUT_MS, NULL);
}

JsonObject *live_account(JsonObject *status, const char *account)
{
    JsonNode *node = status ? json_object_get_member(status, "accounts") : NULL;
    JsonArray *accounts = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    for (guint i = 0; accounts && i < json_array_get_length(accounts); i++) {
        JsonObject *one = json_array_get_object_element(accounts, i);
        if (g_str_equal(json_object_get_string_member_with_default(one, "account", ""), account))
            return one;
    }
    return NULL;
}
