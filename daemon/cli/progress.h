/*
 * A progress bar on a terminal, for work that takes over a second. On what is no terminal it shows nothing.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct Progress Progress;

/* label is static: "storing". Free with progress_finish(). */
Progress *progress_new(FILE *out, const char *label);

/* Shows how far it is, rarely enough to cost nothing. */
void progress_update(Progress *progress, guint64 done, guint64 total);

/* Takes the bar off the screen, for a line of text; the next update shows it again. */
void progress_clear(Progress *progress);

/* Takes the bar off and frees. Accepts NULL. */
void progress_finish(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_finish)
