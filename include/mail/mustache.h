/*
 * Mustache (the specification's comments, delimiters, interpolation, inverted, partials, sections and inheritance) over
 * json-glib's nodes as context. Thread-safe once parsed.
 *
 * One addition to what the specification leaves open: an object that has a member "" is printed as that member's text, so that
 * {{company}} is its name while {{company.city}} looks inside.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "mail/error.h"

typedef struct Mustache Mustache;

/* Parses; MAIL_ERROR_TEMPLATE "line N: …" for unclosed tags and sections. Free with mustache_free(). */
Mustache *mustache_parse(const char *text, GError **error);
void mustache_free(Mustache *mustache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mustache, mustache_free)

typedef struct {
    /* Appends value to out, as the surrounding language needs it; for {{x}}, not for {{{x}}} and {{&x}}. */
    void (*escape)(const char *value, GString *out);
    /* The partial's text, owned by the callee until rendering ends; NULL: there is none. */
    const char *(*partial)(const char *name, gpointer data);
    gpointer data;
    /* Asked for a name that no context has; the value belongs to the callee until rendering ends. NULL: there is none. No function: as
     * if it always said so. */
    JsonNode *(*variable)(const char *name, gpointer variables);
    gpointer variables;
    gboolean missing_is_error; /* {{x}} without value (absent, null or "") is MAIL_ERROR_MISSING; FALSE: is nothing */
    GHashTable *defaults; /* whole name ("company.name") -> JsonNode* that stands in for a missing value; NULL: none */
} MustacheOptions;

/* Renders; partials nest at most 50 deep, the result is at most 8 MiB and the work is bounded (MAIL_ERROR_LIMIT). NULL on error.
 * A section over what is absent, null, false, "" or an empty list is false. Caller frees. */
char *mustache_render(const Mustache *mustache, JsonNode *context, const MustacheOptions *options, GError **error);

/* &amp; &lt; &gt; &quot; — the escape that the specification asks for. */
void mustache_escape_html(const char *value, GString *out);

/* The names of all partials and parents that the template calls for, NULL-terminated. Free with g_strfreev(). */
char **mustache_partials(const Mustache *mustache);
