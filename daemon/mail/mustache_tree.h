/*
 * The tree that mustache_parse.c makes of a template and mustache.c renders. Private to mail/.
 */
#pragma once

#include <glib.h>

#include "mail/mustache.h"

typedef enum {
    NODE_TEXT,       /* text, never beyond a line's end */
    NODE_LINE_START, /* a line of the template begins: the current indentation is due */
    NODE_VARIABLE,   /* {{name}} */
    NODE_RAW,        /* {{{name}}}, {{&name}} */
    NODE_SECTION,    /* {{#name}} */
    NODE_INVERTED,   /* {{^name}} */
    NODE_PARTIAL,    /* {{>name}} */
    NODE_PARENT,     /* {{<name}}: of its children only the blocks count */
    NODE_BLOCK       /* {{$name}} */
} NodeType;

typedef struct {
    NodeType type;
    char *text;          /* TEXT: the text; else the name */
    char *indent;        /* PARTIAL, PARENT, BLOCK: what stands before it on a line of its own; "" else */
    gboolean begins_line; /* BLOCK: nothing but white space stands before it */
    guint line;          /* of the template, from 1 */
    GPtrArray *children; /* MustacheNode*; NULL where the type has none */
} MustacheNode;

struct Mustache {
    GPtrArray *nodes; /* MustacheNode* */
};

enum { MUSTACHE_MAX_NESTING = 100 };

/* The nodes of the text; NULL and MAIL_ERROR_TEMPLATE. Free with g_ptr_array_unref(). */
GPtrArray *mustache_tree_parse(const char *text, GError **error);
