/*
 * The terminal: its width, whether to colour, and text laid out for it. No state.
 */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 10000, COLUMNS_USUAL = 80, TEXT_COLUMNS_MIN = 20, TAB_COLUMNS = 8 };

/* fileno() of a memory stream is -1 */
gboolean terminal_is(FILE *file)
{
    int fd = fileno(file);
    return fd >= 0 && isatty(fd) == 1;
}

guint terminal_columns(FILE *file)
{
    const char *given = g_getenv("COLUMNS");
    guint64 columns = 0;
    if (given != NULL && g_ascii_string_to_unsigned(given, 10, COLUMNS_MIN, COLUMNS_MAX, &columns, NULL))
        return (guint)columns;
    if (!terminal_is(file))
        return 0;
    struct winsize size;
    if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return MAX((guint)size.ws_col, (guint)COLUMNS_MIN);
    return COLUMNS_USUAL;
}

gboolean terminal_has_colour(FILE *file)
{
    const char *no_colour = g_getenv("NO_COLOR");
    return terminal_is(file) && (no_colour == NULL || no_colour[0] == '\0') && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

/* Bytes of line that fit into room columns: up to the last space that does, else as many characters as do (one at least). */
static gsize bytes_that_fit(const char *line, guint room)
{
    gsize fit = 0, last_space = 0;
    guint columns = 0;
    for (const char *p = line; *p != '\0';) {
        const char *next = g_utf8_next_char(p);
        gunichar character = g_utf8_get_char(p);
        columns += g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
        if (columns > room)
            return last_space > 0 ? last_space : MAX(fit, (gsize)(g_utf8_next_char(line) - line));
        if (*p == ' ' && p > line)
            last_space = (gsize)(p - line);
        fit = (gsize)(next - line);
        p = next;
    }
    return fit;
}

static void print_line(FILE *out, const char *line, guint indent, guint columns)
{
    guint room = columns > indent + TEXT_COLUMNS_MIN ? columns - indent : TEXT_COLUMNS_MIN;
    const char *rest = line;
    do {
        gsize length = columns == 0 ? strlen(rest) : bytes_that_fit(rest, room);
        if (length > 0)
            fprintf(out, "%*s%.*s", (int)indent, "", (int)MIN(length, (gsize)G_MAXINT), rest);
        fputc('\n', out);
        rest += length;
        /* at a break, the spaces go; at the beginning of the text's own line they stay */
        while (*rest == ' ')
            rest++;
    } while (*rest != '\0');
}

/* With spaces for tabs, which would be escaped. Caller frees. */
static char *expand_tabs(const char *line)
{
    GString *out = g_string_new(NULL);
    guint column = 0;
    g_auto(GStrv) parts = g_strsplit(line, "\t", -1);
    for (char **part = parts; *part != NULL; part++) {
        g_autofree char *valid = text_make_valid(*part, -1);
        guint gap = part == parts ? 0 : TAB_COLUMNS - column % TAB_COLUMNS;
        g_string_append_printf(out, "%*s%s", (int)gap, "", valid);
        column += gap + text_columns(valid);
    }
    return g_string_free(out, FALSE);
}

void terminal_print_text(FILE *out, const char *text, guint indent, guint columns)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = g_strv_length(lines), first = 0;
    for (char **line = lines; *line != NULL; line++)
        g_strchomp(*line);
    while (count > 0 && lines[count - 1][0] == '\0')
        count--;
    while (first < count && lines[first][0] == '\0')
        first++;
    for (guint i = first; i < count; i++) {
        g_autofree char *expanded = expand_tabs(lines[i]);
        g_autofree char *escaped = text_escape(expanded, 0);
        print_line(out, escaped, indent, columns);
    }
}
