/*
 * The inside of a TemplateSet. Private to templates.c and template_checks.c.
 */
#pragma once

#include "engine/enclosures.h"
#include "engine/templates.h"

typedef struct {
    char *path;            /* of its file, for faults */
    char *language;        /* "" for the plain one */
    TemplateKind kind;
    MailTemplate *message; /* NULL for a partial */
    char *text;            /* of a partial; NULL for a message */
    Mustache *parsed;      /* the same, for a signature */
    GPtrArray *images;     /* TemplateFile*, of a partial; NULL for a message, and for a text */
} TemplateEntry;

struct TemplateSet {
    gatomicrefcount references;
    GHashTable *messages; /* "pitch-1", "pitch-1.nb" -> TemplateEntry* */
    GHashTable *partials; /* "signature.md", "signature.md:nb" -> TemplateEntry* */
    Enclosures *files;    /* all that they attach or show */
};

/* The entry of the partial in the language, or in less of it; NULL: none. */
const TemplateEntry *template_set_partial(const TemplateSet *set, const char *name, TemplateKind kind, const char *language);

/* The same for a signature, in the kind where there is one, else in the other. */
const TemplateEntry *template_set_signature(const TemplateSet *set, const char *name, TemplateKind kind, const char *language);

/* "signature.md:nb": the key of a partial. Caller frees. */
char *template_set_partial_key(const char *name, TemplateKind kind, const char *language);

/* Octets of all files of the message, with its partials and the signature ("" for none). */
gsize template_set_load(const TemplateSet *set, const TemplateEntry *message, const char *signature);

/* What stands between the entries, their files, and what the configuration wants of them; reads the files. faulty: names of those that
 * have a fault of their own ("pitch-1", "_anna"), which is told already. */
void template_set_check(TemplateSet *set, GHashTable *faulty, const Config *config, GPtrArray *faults);
