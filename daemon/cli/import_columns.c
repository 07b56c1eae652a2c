/*
 * What the first line of a CSV means, and a row under it as a contact's fields.
 *
 * Owns the names of the columns, as the file has them and as they are used.
 */
#include "cli/import_columns.h"

#include <string.h>

#include "base/text.h"

typedef struct {
    char *written; /* as the file has it; "" for one without a name, which must be empty in every row */
    char *name;    /* a field's or an attribute's */
    int field;     /* contact_field_index(); -1: an attribute */
} Column;

struct ImportColumns {
    GPtrArray *columns; /* Column* */
};

static void column_free(gpointer data)
{
    Column *column = data;
    g_free(column->written);
    g_free(column->name);
    g_free(column);
}

void import_columns_free(ImportColumns *columns)
{
    if (columns == NULL)
        return;
    g_ptr_array_unref(columns->columns);
    g_free(columns);
}

/* ---- the header ------------------------------------------------------------------------------------------------------ */

static void note_attribute(const Column *column, ImportNote note, gpointer data)
{
    /* variables of every template, which hide an attribute of that name */
    static const char *const shadowed[] = {"rule", "step", "organisation", "contact", "attributes", NULL};
    const char *near = text_nearest(column->name, contact_field_names());
    g_autofree char *shown = text_quote(column->written, 60);
    g_autofree char *text = NULL;
    if (g_strv_contains(shadowed, column->name))
        text = g_strdup_printf(
            "column %s becomes an attribute, but {{%s}} means something else in templates; write {{attributes.%s}} "
            "there, or rename it",
            shown, column->name, column->name);
    else if (near != NULL)
        text = g_strdup_printf("column %s becomes the attribute \"%s\"; did you mean \"%s\"?", shown, column->name, near);
    else if (!g_str_equal(column->name, column->written))
        text = g_strdup_printf("column %s becomes the attribute \"%s\"", shown, column->name);
    if (text != NULL)
        note(text, data);
}

static gboolean column_read(const char *written, ImportNote note, gpointer data, Column *column, GError **error)
{
    column->written = g_strdup(written);
    if (written[0] == '\0') {
        column->name = g_strdup("");
        return TRUE;
    }
    column->name = contact_attribute_name(written, error);
    if (column->name == NULL)
        return FALSE;
    column->field = contact_field_index(column->name);
    if (column->field < 0)
        note_attribute(column, note, data);
    return TRUE;
}

static gboolean refuse_repeated(const ImportColumns *columns, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < columns->columns->len; i++) {
        const Column *column = g_ptr_array_index(columns->columns, i);
        if (column->name[0] == '\0' || g_hash_table_add(seen, column->name))
            continue;
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "two columns mean \"%s\"; rename one of them, or take it out",
                    column->name);
        return FALSE;
    }
    if (g_hash_table_contains(seen, "email"))
        return TRUE;
    for (guint i = 0; i < columns->columns->len; i++) {
        const Column *column = g_ptr_array_index(columns->columns, i);
        if (strstr(column->name, "mail") == NULL)
            continue;
        g_autofree char *shown = text_quote(column->written, 60);
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "no column is \"email\"; rename %s to email", shown);
        return FALSE;
    }
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT,
                        "no column is \"email\"; the first line names the columns: write for example "
                        "email,first_name,last_name,company,stage");
    return FALSE;
}

ImportColumns *import_columns_new(char *const *header, ImportNote note, gpointer data, GError **error)
{
    g_autoptr(ImportColumns) columns = g_new0(ImportColumns, 1);
    columns->columns = g_ptr_array_new_with_free_func(column_free);
    for (char *const *cell = header; *cell != NULL; cell++) {
        Column *column = g_new0(Column, 1);
        g_ptr_array_add(columns->columns, column);
        if (!column_read(*cell, note, data, column, error))
            return NULL;
    }
    return refuse_repeated(columns, error) ? g_steal_pointer(&columns) : NULL;
}

/* ---- a row ----------------------------------------------------------------------------------------------------------- */

static gboolean take_cell(const Column *column, const char *cell, ContactFields *fields, GError **error)
{
    if (cell[0] == '\0')
        return TRUE;
    if (column->name[0] == '\0') {
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT,
                            "a value stands in a column without a name; name it in the first line");
        return FALSE;
    }
    if (column->field < 0)
        return contact_fields_set_attribute(fields, column->name, cell, error);
    return contact_fields_set_at(fields, column->field, cell, error);
}

static gboolean right_number(guint columns, guint cells, GError **error)
{
    if (columns == cells)
        return TRUE;
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "the row has %u values, and the first line has %u columns; %s", cells,
                columns,
                cells > columns ? "put a value that holds the separator in quotation marks"
                                : "write a separator for each empty value");
    return FALSE;
}

static const char *written_name(const ImportColumns *columns, const char *name)
{
    for (guint i = 0; i < columns->columns->len; i++) {
        const Column *column = g_ptr_array_index(columns->columns, i);
        if (g_str_equal(column->name, name))
            return column->written;
    }
    return NULL;
}

const ContactEdit *import_columns_read(const ImportColumns *columns, char *const *row, GTimeZone *zone,
                                       ContactFields *fields, const char **ret_column, GError **error)
{
    const char *field = NULL;
    *ret_column = NULL;
    if (!right_number(columns->columns->len, g_strv_length((char **)row), error))
        return NULL;
    for (guint i = 0; i < columns->columns->len; i++) {
        const Column *column = g_ptr_array_index(columns->columns, i);
        if (take_cell(column, row[i], fields, error))
            continue;
        *ret_column = column->written[0] != '\0' ? column->written : NULL;
        return NULL;
    }
    const ContactEdit *edit = contact_fields_finish(fields, zone, NULL, &field, error);
    if (edit == NULL)
        *ret_column = written_name(columns, field);
    return edit;
}
