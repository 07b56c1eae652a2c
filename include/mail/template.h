/*
 * A message template: header lines, an empty line, the body. `.md` bodies are Markdown and become text and HTML, `.txt` bodies are
 * text alone. Thread-safe.
 *
 *   Subject: …               required
 *   From-Name: …             the sender's name instead of the account's
 *   Attach: offer.pdf        a file that goes along, by its path in the folder of templates; may stand several times
 *   Default: name = value    gives a variable a value where it has none
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "mail/error.h"
#include "mail/file.h"
#include "mail/mustache.h"

typedef enum { TEMPLATE_MARKDOWN, TEMPLATE_TEXT } TemplateKind;
typedef struct MailTemplate MailTemplate;

/* MAIL_ERROR_TEMPLATE, "line N: …". Free with mail_template_free(). */
MailTemplate *mail_template_parse(const char *text, TemplateKind kind, GError **error);
void mail_template_free(MailTemplate *mail_template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailTemplate, mail_template_free)

TemplateKind mail_template_kind(const MailTemplate *mail_template);

/* As mustache_partials(), for subject and body. */
char **mail_template_partials(const MailTemplate *mail_template);

/* A file that a template names: its path is relative and leads nowhere but below the folder of templates; whether it is there is
 * for the caller to see. */
typedef struct {
    char *path;
    guint line; /* of the template where it is named */
} TemplateFile;

/* What it attaches, and the images of its body (`![logo](logo.png)`), each path once (TemplateFile*). They belong to the template. */
const GPtrArray *mail_template_attachments(const MailTemplate *mail_template);
const GPtrArray *mail_template_images(const MailTemplate *mail_template);

/* The images of a Markdown text with Mustache in it whose first line is first_line (TemplateFile*, freed with the array);
 * MAIL_ERROR_TEMPLATE, "line N: …", for paths that lead out of the folder, or hold variables. */
GPtrArray *template_images_of(const char *markdown, guint first_line, GError **error);

typedef struct {
    char *subject;     /* one line of at most 500 characters: line ends and controls in values became spaces */
    char *from_name;   /* likewise; NULL where the template has none */
    char *text;        /* LF line ends */
    char *html;        /* a fragment without <html>; NULL for TEMPLATE_TEXT */
    GPtrArray *images; /* const MailFile*: what html refers to by its Content-ID; NULL for none */
} RenderedTemplate;

void rendered_template_clear(RenderedTemplate *rendered);

/* Where a template finds what is not its own. */
typedef struct {
    const char *(*partial)(const char *name, TemplateKind kind, gpointer data); /* as in MustacheOptions */
    const MailFile *(*image)(const char *path, gpointer data); /* NULL: not known. No function: images that are files are their text */
    gpointer data;
    JsonNode *(*variable)(const char *name, gpointer variables); /* as in MustacheOptions */
    gpointer variables;
    const Mustache *signature;   /* stands behind the text; NULL: none */
    TemplateKind signature_kind; /* a Markdown one may stand behind a text, and the other way round */
} TemplateSources;

/* Renders with the variables in context. Values cannot act as Markdown or HTML, but may be part of a link whose "https://" the
 * template itself holds; {{{x}}} may act as Markdown. A variable without value or default, an image that is not known, or a subject
 * or text that turns out empty, is MAIL_ERROR_MISSING. */
gboolean mail_template_render(const MailTemplate *mail_template, JsonObject *context, const TemplateSources *sources,
                              RenderedTemplate *ret_rendered, GError **error);
