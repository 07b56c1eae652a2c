/*
 * The files of the templates' folder that travel with messages, each read once for a set of templates. Private to engine/.
 */
#pragma once

#include <glib.h>

#include "mail/file.h"

typedef enum { ENCLOSURE_ATTACHMENT, ENCLOSURE_IMAGE } EnclosureUse;

typedef struct Enclosures Enclosures;

/* max_bytes: of one file. */
Enclosures *enclosures_new(const char *folder, gint64 max_bytes);
void enclosures_free(Enclosures *enclosures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Enclosures, enclosures_free)

/* Reads the file, unless it was read for this use before. NULL: what is wrong with it and what to do; caller frees. */
char *enclosures_read(Enclosures *enclosures, const char *path, EnclosureUse use);

/* One that was read for this use; NULL: none of this path. Belongs to enclosures; any thread once all are read. */
const MailFile *enclosures_find(const Enclosures *enclosures, const char *path, EnclosureUse use);
