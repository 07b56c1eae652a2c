/*
 * json-glib in the two shapes that we need: one object a line out, attributes in.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* The node on one line, without a line end. Caller frees. */
char *json_line(JsonNode *node);

/* Parses text; the root must be an object. Free with json_object_unref(). BASE_ERROR_SYNTAX. NULL or "" gives {}. */
JsonObject *json_parse_object(const char *text, GError **error);

/* Adds the member unless text is NULL or "". */
void json_add_text(JsonObject *object, const char *member, const char *text);

/* Adds at_ms as RFC 3339 unless 0. */
void json_add_time(JsonObject *object, const char *member, gint64 at_ms);
