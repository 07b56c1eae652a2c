/*
 * The tree that mustache_parse.c makes of a template and mustache.c renders. Private to mail/.
 */
#pragma once

#include <glib.h>

#include "mail/mustache.h"

typedef enum {
    NODE_TEXT,
    NODE_VARIABLE, /* {{name}} */
    NODE_RAW,      /* {{{name}}}, {{&name}} */
    NODE_SECTION,  /* {{#name}} */
    NODE_INVERTED, /* {{^name}} */
    NODE_PARTIAL,  /* {{>name}} */
    NODE_PARENT,   /* {{<name}}: of its children only the blocks count */
    NODE_BLOCK     /* {{$name}} */
} NodeType;

typedef struct {
    NodeType type;
    char *text;            /* TEXT: the text; else the name */
    gsize length;          /* TEXT: of text */
    gboolean line_start;   /* TEXT: a line of the template begins with it; an empty one stands where a tag begins a line */
    gboolean standalone;   /* PARTIAL, PARENT, BLOCK: nothing else stands on its line */
    gboolean dedented;     /* BLOCK: its content was freed of the indentation that it has in the template */
    char *indent;          /* PARTIAL, PARENT, BLOCK: what each of its lines is indented by; "" for nothing */
    char **path;           /* VARIABLE, RAW, SECTION, INVERTED: the name cut at its dots; empty for "." */
    GPtrArray *children;   /* MustacheNode*; NULL where the type has none */
    GHashTable *overrides; /* PARENT: name -> the NODE_BLOCK among the children */
} MustacheNode;

struct Mustache {
    GPtrArray *nodes; /* MustacheNode* */
};

enum {
    MUSTACHE_MAX_NESTING = 100, /* of sections and blocks in one template */
    MUSTACHE_MAX_NAME = 200     /* octets of a name, and of a delimiter */
};
