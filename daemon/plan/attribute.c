/*
 * What a contact has of an attribute: their own value, else their company's. Pure functions, called from any thread.
 */
#include "plan/attribute.h"

static AttributeValue member_value(JsonObject *attributes, const char *name)
{
    AttributeValue value = {0};
    JsonNode *node = attributes ? json_object_get_member(attributes, name) : NULL;
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return value;

    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        value.text = text && *text ? text : NULL;
    } else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
        value.is_number = TRUE;
        value.number = json_node_get_double(node);
    } else if (type == G_TYPE_BOOLEAN) {
        value.text = json_node_get_boolean(node) ? "true" : "false";
    }
    return value;
}

AttributeValue attribute_value(const PlanFacts *facts, const char *name)
{
    if (!name)
        return (AttributeValue){0};
    AttributeValue value = member_value(facts->attributes, name);
    return value.is_number || value.text ? value : member_value(facts->company_attributes, name);
}
