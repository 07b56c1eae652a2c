/*
 * A message template: header lines (`Subject:` required; `Default: name = value` gives a variable a value where it has none), an
 * empty line, the body. `.md` bodies are Markdown and become text and HTML, `.txt` bodies are text alone. Thread-safe.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "mail/error.h"
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

typedef struct {
    char *subject; /* one line of at most 500 characters: line ends and controls in values became spaces */
    char *text;    /* LF line ends */
    char *html;    /* a fragment without <html>; NULL for TEMPLATE_TEXT */
} RenderedTemplate;

void rendered_template_clear(RenderedTemplate *rendered);

/* Renders with the variables in context; partials as in MustacheOptions (their text is of the template's own kind). Values cannot
 * act as Markdown or HTML, but may be part of a link whose "https://" the template itself holds; {{{x}}} may act as Markdown.
 * A variable without value or default, or a subject or text that turns out empty, is MAIL_ERROR_MISSING. */
gboolean mail_template_render(const MailTemplate *mail_template, JsonObject *context,
                              const char *(*partial)(const char *name, gpointer data), gpointer data,
                              RenderedTemplate *ret_rendered, GError **error);
