/*
 * What template.c makes of a template and template_render.c renders. Private to them.
 */
#pragma once

#include "mail/template.h"

struct MailTemplate {
    TemplateKind kind;
    Mustache *subject, *body;
    Mustache *from_name;    /* NULL: it has none */
    GHashTable *defaults;   /* name -> JsonNode* */
    GPtrArray *attachments; /* TemplateFile* */
    GPtrArray *images;      /* TemplateFile*, of the body */
};

/* Without byte order mark, LF line ends. Caller frees. */
char *template_normal_text(const char *text);
