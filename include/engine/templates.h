/*
 * The folder of templates, read and parsed once into an immutable, reference-counted set that worker threads may use.
 * A message template is `<name>.md` or `<name>.txt`, with variants `<name>.<language>.md`; a partial is a file of the same
 * form whose name begins with "_" and that has no header lines (`_signature.md`, `_signature.nb.md`). Files that templates attach or show as images are read with them, and kept in memory.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "mail/template.h"

#define ENGINE_ERROR (engine_error_quark())
GQuark engine_error_quark(void);
typedef enum {
    ENGINE_ERROR_TEMPLATES, /* faults in templates; they are in the list of faults */
    ENGINE_ERROR_CONTROL,   /* no daemon answers, or it refused */
    ENGINE_ERROR_MISSING,   /* no such rule, step, template or account */
    ENGINE_ERROR_RECALLED,  /* a message that may not leave any more */
    ENGINE_ERROR_TOKEN      /* no access token, or its file cannot be read or written */
} EngineError;

typedef struct TemplateSet TemplateSet;

/* Reads all of config->templates_dir. On faults (syntax, a partial or file that is not there, files larger than
 * sending.max_attachment, a rule's step without template, an account's signature that is not there, or an address of one
 * that no message can bear) NULL,
 * ENGINE_ERROR_TEMPLATES, and all of them "file:line: what" in *ret_faults (may be NULL), as config_load() gives them. */
TemplateSet *templates_load(const Config *config, GPtrArray **ret_faults, GError **error);
TemplateSet *templates_ref(TemplateSet *set);
void templates_unref(TemplateSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TemplateSet, templates_unref)

/* The variant of the template for the language ("nb-NO" tries nb-no, nb, then without); NULL: no such template. *ret_language (may be NULL;
 * belongs to the set) is the variant's, "" for the plain one. */
const MailTemplate *templates_find(const TemplateSet *set, const char *name, const char *language, const char **ret_language);

/* The partial's text in the language, for MustacheOptions.partial; NULL: none. Belongs to the set. */
const char *templates_partial(const TemplateSet *set, const char *name, TemplateKind kind, const char *language);

/* The account's signature for a template of this kind ("" for none): the partial of that name in the same kind, or else in the other
 * one, which *ret_kind tells. NULL: none. Belongs to the set. */
const Mustache *templates_signature(const TemplateSet *set, const char *name, TemplateKind kind, const char *language,
                                    TemplateKind *ret_kind);

/* The image of this path, where a template or partial of the set shows it; NULL: none. Belongs to the set. */
const MailFile *templates_image(const TemplateSet *set, const char *path);

/* What the template attaches (const MailFile*, which belong to the set); NULL: nothing. Free with g_ptr_array_unref(). */
GPtrArray *templates_attachments(const TemplateSet *set, const MailTemplate *mail_template);
