/*
 * The words of the command line: GOptionContext with our own faults, which name the nearest option and show the usage line.
 */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/context.h"

/* "Unknown option --frist-name" -> the nearest of the entries, with its dashes, or NULL. Caller frees. */
static char *nearest_option(const char *message, const GOptionEntry *entries, const GOptionEntry *common)
{
    const char *dashes = strstr(message, "--");
    if (dashes == NULL)
        return NULL;
    g_autofree char *name = g_strndup(dashes + 2, strcspn(dashes + 2, "= "));
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++)
        g_ptr_array_add(known, (gpointer)entry->long_name);
    for (const GOptionEntry *entry = common; entry->long_name != NULL; entry++)
        if (entry->long_name[0] != '\0')
            g_ptr_array_add(known, (gpointer)entry->long_name);
    g_ptr_array_add(known, NULL);
    const char *near = text_nearest(name, (const char *const *)known->pdata);
    return near == NULL ? NULL : g_strconcat("--", near, NULL);
}

static void option_fault(Cli *cli, const GError *error, const GOptionEntry *entries, const GOptionEntry *common)
{
    g_autofree char *message = text_escape(error->message, 300);
    message[0] = g_ascii_tolower(message[0]);
    gboolean unknown = g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION);
    g_autofree char *near = unknown ? nearest_option(message, entries, common) : NULL;
    if (near != NULL)
        cli_wrong_usage(cli, "%s; did you mean %s?", message, near);
    else if (unknown)
        cli_wrong_usage(cli, "%s; write \"--\" before words that begin with a dash", message);
    else
        cli_wrong_usage(cli, "%s", message);
}

static void print_help(Cli *cli, GOptionContext *context)
{
    /* GOption heads the page with the program's name */
    g_autofree char *name = g_strdup(g_get_prgname());
    g_set_prgname(cli->path);
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    g_set_prgname(name);
    fputs(help, cli->out);
}

/* GOption skips the first word, and frees those that it takes. */
static char **with_program_name(char **words)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_add(builder, "nurture");
    g_strv_builder_addv(builder, (const char **)words);
    return g_strv_builder_end(builder);
}

static gboolean all_valid_utf8(char **words)
{
    for (char **word = words; *word != NULL; word++)
        if (!g_utf8_validate(*word, -1, NULL))
            return FALSE;
    return TRUE;
}

/* Whether the command has a --config of its own, as `forecast` has: GOption would fill both of two entries of one name. */
static gboolean has_own_config(const GOptionEntry *entries)
{
    for (; entries != NULL && entries->long_name != NULL; entries++)
        if (g_str_equal(entries->long_name, "config"))
            return TRUE;
    return FALSE;
}

/* Parses; the words left over in *ret_rest. FALSE with the status of the end otherwise. */
static gboolean parse(Cli *cli, char **words, const GOptionEntry *entries, gboolean leading, char ***ret_rest,
                      int *ret_status)
{
    g_auto(GStrv) rest = NULL;
    g_autofree char *config_file = NULL;
    gboolean help = FALSE, own_config = has_own_config(entries);
    const GOptionEntry common[] = {
        {own_config ? "c" : "config", 'c', own_config ? G_OPTION_FLAG_HIDDEN : 0, G_OPTION_ARG_FILENAME, &config_file,
         "The configuration; else $NURTURE_CONFIG names it", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print one JSON object a line", NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(cli->command == NULL ? "COMMAND …" : cli->command->synopsis);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, leading);
    if (cli->command != NULL)
        g_option_context_set_summary(context, cli->command->summary);
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);

    *ret_status = CLI_USAGE;
    if (!all_valid_utf8(words)) {
        cli_wrong_usage(cli, "an argument is not valid UTF-8");
        return FALSE;
    }
    g_auto(GStrv) list = with_program_name(words);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse_strv(context, &list, &error)) {
        option_fault(cli, error, entries, common);
        return FALSE;
    }
    if (help) {
        print_help(cli, context);
        *ret_status = CLI_DONE;
        return FALSE;
    }
    if (config_file != NULL) {
        g_free(cli->config_file);
        cli->config_file = g_steal_pointer(&config_file);
    }
    *ret_rest = rest != NULL ? g_steal_pointer(&rest) : g_new0(char *, 1);
    *ret_status = CLI_DONE;
    return TRUE;
}

/* The nth word of the synopsis that is no option, or NULL. Caller frees. */
static char *argument_name(const char *synopsis, guint n)
{
    g_auto(GStrv) parts = g_strsplit(synopsis, " ", -1);
    guint depth = 0; /* of square brackets */
    for (char **part = parts; *part != NULL; part++) {
        gboolean optional = depth > 0 || (*part)[0] == '[';
        for (const char *p = *part; *p != '\0'; p++)
            depth = *p == '[' ? depth + 1 : *p == ']' && depth > 0 ? depth - 1 : depth;
        if (!optional && n-- == 0)
            return g_strdup(*part);
    }
    return NULL;
}

/* "language=nb" where --language is an option: people write what they see in other programs. NULL: nothing of that kind. Caller frees. */
static char *option_meant(const char *word, const GOptionEntry *entries)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return NULL;
    g_autofree char *name = g_strdelimit(g_strndup(word, (gsize)(equals - word)), "_", '-');
    gboolean attributes = FALSE;
    for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++) {
        if (g_str_equal(entry->long_name, name))
            return g_strconcat("--", name, equals, NULL);
        attributes = attributes || g_str_equal(entry->long_name, "attribute");
    }
    return attributes ? g_strconcat("--attribute ", word, NULL) : NULL;
}

static int tell_surplus(Cli *cli, const char *word, const GOptionEntry *entries)
{
    g_autofree char *surplus = text_escape(word, 100);
    g_autofree char *meant = option_meant(surplus, entries);
    if (meant != NULL)
        return cli_wrong_usage(cli, "\"%s\" is one word too many; write it as %s", surplus, meant);
    return cli_wrong_usage(cli, "\"%s\" is one word too many; put quotation marks around what belongs together", surplus);
}

char **cli_parse(Cli *cli, char **words, const GOptionEntry *entries, guint at_least, guint at_most, int *ret_status)
{
    g_auto(GStrv) rest = NULL;
    if (!parse(cli, words, entries, FALSE, &rest, ret_status))
        return NULL;
    guint count = g_strv_length(rest);
    if (count < at_least) {
        g_autofree char *name = argument_name(cli->command->synopsis, count);
        *ret_status = cli_wrong_usage(cli, "%s is missing", name != NULL ? name : "an argument");
        return NULL;
    }
    if (count > at_most) {
        *ret_status = tell_surplus(cli, rest[at_most], entries);
        return NULL;
    }
    return g_steal_pointer(&rest);
}

char **cli_parse_leading(Cli *cli, char **words, const GOptionEntry *entries, int *ret_status)
{
    char **rest = NULL;
    return parse(cli, words, entries, TRUE, &rest, ret_status) ? rest : NULL;
}
