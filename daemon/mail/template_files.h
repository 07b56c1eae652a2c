/*
 * Files that templates name. Private to mail/.
 */
#pragma once

#include "mail/template.h"

GPtrArray *template_files_new(void);

/* Adds the path, unless it is there. MAIL_ERROR_TEMPLATE "line N: …" for one that could lead out of the folder of templates, holds
 * variables, or is not the plain name of a file; and for more than 50. */
gboolean template_files_add(GPtrArray *files, const char *path, guint line, GError **error);
