/*
 * Files that templates name: which paths may be named, and which images a Markdown text has. No file is opened here.
 */
#include "mail/template_files.h"

#include <string.h>

#include "base/text.h"
#include "mail/markdown.h"

enum { PATH_MAX_BYTES = 200, MAX_FILES = 50 };

static void template_file_free(gpointer data)
{
    TemplateFile *file = data;
    g_free(file->path);
    g_free(file);
}

GPtrArray *template_files_new(void)
{
    return g_ptr_array_new_with_free_func(template_file_free);
}

/* Parts that are names: none empty, and none that begins with a dot, as "..", "." and hidden files do. */
static gboolean is_inside(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++)
        if (!**part || **part == '.')
            return FALSE;
    return TRUE;
}

/* What is wrong with the path; NULL: nothing. */
static const char *path_fault(const char *path)
{
    if (strstr(path, "{{"))
        return "holds a variable, but files are read once for all; write the name of a file";
    if (strlen(path) > PATH_MAX_BYTES)
        return "is too long; give the file a shorter name";
    for (const char *p = path; *p; p++)
        if (g_ascii_iscntrl(*p) || *p == '\\')
            return "holds a character that is no part of a file's name; write it as \"offers/offer.pdf\"";
    return is_inside(path) ? NULL : "does not lie in the folder of templates; copy it there, and write \"offers/offer.pdf\"";
}

static gboolean is_there(const GPtrArray *files, const char *path)
{
    for (guint i = 0; i < files->len; i++)
        if (g_str_equal(((const TemplateFile *)files->pdata[i])->path, path))
            return TRUE;
    return FALSE;
}

gboolean template_files_add(GPtrArray *files, const char *path, guint line, GError **error)
{
    const char *fault = path_fault(path);
    if (fault) {
        g_autofree char *shown = text_escape(path, 80);
        g_set_error(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE, "line %u: the file \"%s\" %s", line, shown, fault);
        return FALSE;
    }
    if (is_there(files, path))
        return TRUE;
    if (files->len == MAX_FILES) {
        g_set_error(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE, "line %u: these are more than %d files; leave some out", line, MAX_FILES);
        return FALSE;
    }
    TemplateFile *file = g_new0(TemplateFile, 1);
    file->path = g_strdup(path);
    file->line = line;
    g_ptr_array_add(files, file);
    return TRUE;
}

/* Where the path stands first; the first line where it is written in another way than it reads. */
static guint line_of(const char *markdown, const char *path, guint first_line)
{
    const char *found = strstr(markdown, path);
    for (const char *p = markdown; found && p < found; p++)
        first_line += *p == '\n';
    return first_line;
}

GPtrArray *template_images_of(const char *markdown, guint first_line, GError **error)
{
    g_autoptr(GPtrArray) files = template_files_new();
    g_auto(GStrv) paths = markdown_image_paths(markdown);
    for (char **path = paths; *path; path++) {
        gboolean is_raw = g_str_has_prefix(*path, "{{{") || g_str_has_prefix(*path, "{{&"); /* may be a whole URL */
        if (!is_raw && !template_files_add(files, *path, line_of(markdown, *path, first_line), error))
            return NULL;
    }
    return g_steal_pointer(&files);
}
