/*
 * Attributes: a JSON object as text, whose members are changed by name. Members are written in the order of their names, so that the
 * same attributes are the same text, and an import that changes nothing is seen without parsing. Pure functions.
 */
#include "base/json.h"
#include "store/contact_edit.h"

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the table's members that have a value, in order. The strings belong to the table. */
static GPtrArray *sorted_names(GHashTable *members)
{
    GPtrArray *names = g_ptr_array_sized_new(g_hash_table_size(members));
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, members);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (value != NULL && *(const char *)value != '\0')
            g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_names);
    return names;
}

static char *text_of(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    return json_line(node);
}

/* Nothing that JSON would write in another way. */
static gboolean is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((guchar)*text < 0x20 || *text == '"' || *text == '\\' || *text == 0x7f)
            return FALSE;
    return TRUE;
}

/* The text that json-glib would write, without its objects; NULL where something is to be escaped. */
static char *plain_text_of(GPtrArray *names, GHashTable *members)
{
    GString *text = g_string_new("{");
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i], *value = g_hash_table_lookup(members, name);
        if (!is_plain(name) || !is_plain(value)) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_string_append(text, i == 0 ? "\"" : ",\"");
        g_string_append(text, name);
        g_string_append(text, "\":\"");
        g_string_append(text, value);
        g_string_append_c(text, '"');
    }
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

/* The object that the changes alone make. */
static char *text_of_changes(GHashTable *changes)
{
    g_autoptr(GPtrArray) names = sorted_names(changes);
    char *plain = plain_text_of(names, changes);
    if (plain != NULL)
        return plain;
    g_autoptr(JsonObject) object = json_object_new();
    for (guint i = 0; i < names->len; i++)
        json_object_set_string_member(object, names->pdata[i], g_hash_table_lookup(changes, names->pdata[i]));
    return text_of(object);
}

static gboolean member_is(JsonObject *object, const char *name, const char *text)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
           g_strcmp0(json_node_get_string(node), text) == 0;
}

/* Applies the changes to the object; FALSE where nothing differed. */
static gboolean change(JsonObject *object, GHashTable *changes)
{
    gboolean changed = FALSE;
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, changes);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        gboolean clear = value == NULL || *(const char *)value == '\0';
        if (clear ? !json_object_has_member(object, name) : member_is(object, name, value))
            continue;
        changed = TRUE;
        if (clear)
            json_object_remove_member(object, name);
        else
            json_object_set_string_member(object, name, value);
    }
    return changed;
}

static char *sorted_text_of(JsonObject *object)
{
    g_autoptr(JsonObject) sorted = json_object_new();
    g_autoptr(GList) names = g_list_sort(json_object_get_members(object), (GCompareFunc)g_strcmp0);
    for (GList *l = names; l != NULL; l = l->next)
        json_object_set_member(sorted, l->data, json_object_dup_member(object, l->data));
    return text_of(sorted);
}

gboolean attributes_merge(const char *old, GHashTable *changes, char **ret_merged, GError **error)
{
    *ret_merged = NULL;
    if (changes == NULL || g_hash_table_size(changes) == 0)
        return TRUE;
    g_autofree char *alone = text_of_changes(changes);
    if (g_strcmp0(alone, old) == 0)
        return TRUE;
    if (g_strcmp0(old, "{}") == 0) {
        *ret_merged = g_steal_pointer(&alone);
        return TRUE;
    }
    g_autoptr(GError) problem = NULL;
    g_autoptr(JsonObject) object = json_parse_object(old, &problem);
    if (object == NULL) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "stored attributes are no JSON object: %s", problem->message);
        return FALSE;
    }
    if (change(object, changes))
        *ret_merged = sorted_text_of(object);
    return TRUE;
}
