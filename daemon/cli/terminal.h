/*
 * The terminal: its width, whether to colour, and text laid out for it.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

/* $COLUMNS, else the width of the terminal that file is; 0 for what is no terminal: lines are not cut then. */
guint terminal_columns(FILE *file);

/* file is a terminal, $NO_COLOR is not set and $TERM is not "dumb". */
gboolean terminal_has_colour(FILE *file);

gboolean terminal_is(FILE *file);

/*
 * Prints text of any origin, every line indented by indent columns, escaped, and wrapped at spaces to columns (0: not
 * wrapped). Tabs go to the next eighth column; empty lines at either end are left out.
 */
void terminal_print_text(FILE *out, const char *text, guint indent, guint columns);
