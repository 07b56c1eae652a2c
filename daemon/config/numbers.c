/*
 * Numbers as they stand in the file, before libconfig loses what they were: it reads 5000000000 as 705032704 and 1e999 as infinity, and
 * says nothing. The text of each file is looked through once more, by libconfig's own lexical rules.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "config/parts.h"

typedef struct {
    Reader *reader;
    const char *file;
    const char *at;
    guint line;
} Scan;

static void skip_to(Scan *scan, const char *end)
{
    for (; scan->at < end; scan->at++)
        scan->line += *scan->at == '\n';
}

/* Behind the text that begins here, or the end of the file. */
static const char *text_end(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* Behind the comment that begins here; NULL where none does. */
static const char *comment_end(const char *at)
{
    if (*at == '#' || g_str_has_prefix(at, "//"))
        return at + strcspn(at, "\n");
    if (!g_str_has_prefix(at, "/*"))
        return NULL;
    const char *end = strstr(at + 2, "*/");
    return end ? end + 2 : at + strlen(at);
}

static gboolean is_hexadecimal(const char *number)
{
    return number[0] == '0' && (number[1] == 'x' || number[1] == 'X');
}

/* Behind the number that begins here: digits, a point, an exponent with its sign, the L of 64 bits. */
static const char *number_end(const char *at)
{
    const char *from = at;
    at += *at == '-' || *at == '+';
    gboolean hexadecimal = is_hexadecimal(at);
    for (; g_ascii_isalnum(*at) || *at == '.' || *at == '-' || *at == '+'; at++)
        if ((*at == '-' || *at == '+') && (hexadecimal || at == from || (at[-1] != 'e' && at[-1] != 'E')))
            break;
    return at;
}

/* The number is kept as it stands. A whole number without L has 32 bits. */
static gboolean fits(const char *number)
{
    const char *digits = number + (*number == '-' || *number == '+');
    gboolean wide = strpbrk(digits, "lL") != NULL;
    errno = 0;
    if (is_hexadecimal(digits)) {
        guint64 value = g_ascii_strtoull(digits + 2, NULL, 16);
        return errno == 0 && value <= (wide ? (guint64)G_MAXINT64 : G_MAXINT32);
    }
    if (strpbrk(digits, ".eE"))
        return isfinite(g_ascii_strtod(number, NULL));
    gint64 value = g_ascii_strtoll(number, NULL, 10);
    return errno == 0 && (wide || (value >= G_MININT32 && value <= G_MAXINT32));
}

static void check_number(const Scan *scan, const char *end)
{
    g_autofree char *number = g_strndup(scan->at, (gsize)(end - scan->at));
    if (fits(number))
        return;
    errno = 0;
    gboolean is_whole = strspn(number, "+-0123456789") == strlen(number);
    gboolean needs_l = is_whole && (g_ascii_strtoll(number, NULL, 10), errno == 0);
    g_autofree char *advice = needs_l ? g_strdup_printf("write %sL", number) : g_strdup("write a smaller one");
    g_ptr_array_add(scan->reader->faults, g_strdup_printf("%s:%u: the number %.40s is too large to be read as it stands; %s", scan->file,
                                                          scan->line, number, advice));
}

static void check_text(Reader *reader, const char *file, const char *text)
{
    Scan scan = {.reader = reader, .file = file, .at = text, .line = 1};
    while (*scan.at) {
        const char *end = comment_end(scan.at);
        if (!end && *scan.at == '"')
            end = text_end(scan.at);
        if (!end && g_ascii_isalpha(*scan.at))
            end = scan.at + strspn(scan.at, "-_*" G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS);
        if (!end && (g_ascii_isdigit(*scan.at) || (strchr("+-.", *scan.at) && (g_ascii_isdigit(scan.at[1]) || scan.at[1] == '.')))) {
            end = number_end(scan.at);
            check_number(&scan, end);
        }
        skip_to(&scan, end ? end : scan.at + 1);
    }
}

/* The files that the settings come from, once each. */
static void collect_files(const Reader *reader, config_setting_t *setting, GHashTable *files)
{
    const char *file = config_setting_source_file(setting);
    if (file)
        g_hash_table_add(files, reader_path(reader, file));
    if (!config_setting_is_aggregate(setting))
        return;
    for (int i = 0; i < config_setting_length(setting); i++)
        collect_files(reader, config_setting_get_elem(setting, (unsigned)i), files);
}

void numbers_check(Reader *reader, config_setting_t *root)
{
    g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    collect_files(reader, root, files);
    GHashTableIter iter;
    gpointer file;
    g_hash_table_iter_init(&iter, files);
    while (g_hash_table_iter_next(&iter, &file, NULL)) {
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        if (g_file_get_contents(file, &text, NULL, &error))
            check_text(reader, file, text);
        else
            g_ptr_array_add(reader->faults, g_strdup_printf("%s; it was there a moment ago: try again", error->message));
    }
}
