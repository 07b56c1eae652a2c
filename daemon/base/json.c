/*
 * json-glib in the shapes that the program needs: one object a line out, a contact's attributes in. Text is checked before
 * json-glib's recursive parser sees it, because deep nesting would overflow the stack. Owns nothing; any thread.
 */
#include "base/json.h"

#include <string.h>

#include "base/error.h"
#include "base/timestamp.h"

enum { JSON_DEPTH_MAX = 32 };

/* json-glib leaves one control character, 0x1f, as it is; JSON has none in its strings, so a line has none at all. */
char *json_line(JsonNode *node)
{
    g_autofree char *line = json_to_string(node, FALSE);
    if (strchr(line, 0x1f) == NULL)
        return g_steal_pointer(&line);
    GString *escaped = g_string_new(line);
    g_string_replace(escaped, "\x1f", "\\u001f", 0);
    return g_string_free(escaped, FALSE);
}

/* Only what JSON has outside of strings, nested no deeper than JSON_DEPTH_MAX. json-glib would accept comments and single
 * quotes as well; refusing them here keeps this count of brackets true. */
static gboolean json_is_tame(const char *text)
{
    int depth = 0;
    gboolean quoted = FALSE;
    for (const char *at = text; *at != '\0'; at++) {
        if (quoted) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            else if (*at == '"')
                quoted = FALSE;
        } else if (*at == '"') {
            quoted = TRUE;
        } else if (*at == '{' || *at == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return FALSE;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (!g_ascii_isalnum(*at) && strchr(" \t\r\n:,+-.", *at) == NULL) {
            return FALSE;
        }
    }
    return !quoted;
}

JsonObject *json_parse_object(const char *text, GError **error)
{
    if (text == NULL || *text == '\0')
        return json_object_new();
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_SYNTAX, "not valid UTF-8; write a JSON object such as {\"plan\": \"gold\"}");
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) inner = NULL;
    if (!json_is_tame(text) || !json_parser_load_from_data(parser, text, -1, &inner)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "not valid JSON; write an object such as {\"plan\": \"gold\"}%s%s",
                    inner != NULL ? ": " : "", inner != NULL ? inner->message : "");
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_SYNTAX, "not a JSON object; write one such as {\"plan\": \"gold\"}");
        return NULL;
    }
    return json_node_dup_object(root);
}

void json_add_text(JsonObject *object, const char *member, const char *text)
{
    if (text != NULL && *text != '\0')
        json_object_set_string_member(object, member, text);
}

void json_add_time(JsonObject *object, const char *member, gint64 at_ms)
{
    if (at_ms == 0)
        return;
    g_autofree char *text = timestamp_format(at_ms);
    json_object_set_string_member(object, member, text);
}
