/*
 * Comma-separated values. A row at a time, over text in memory.
 */
#include "cli/csv.h"

#include <string.h>

enum { MAX_FIELDS = 500, MAX_FIELD_BYTES = 1024 * 1024 };

struct CsvReader {
    const char *text, *at;
    char separator;
    guint line;
};

static char separator_of(const char *text)
{
    static const char candidates[] = {',', ';', '\t'};
    gsize length = strcspn(text, "\r\n"), best_count = 0;
    char best = ',';
    for (gsize i = 0; i < G_N_ELEMENTS(candidates); i++) {
        gsize count = 0;
        for (gsize j = 0; j < length; j++)
            count += text[j] == candidates[i];
        if (count > best_count) {
            best_count = count;
            best = candidates[i];
        }
    }
    return best;
}

CsvReader *csv_reader_new(const char *text)
{
    CsvReader *reader = g_new0(CsvReader, 1);
    reader->text = reader->at = text;
    reader->separator = separator_of(text);
    reader->line = 1;
    return reader;
}

void csv_reader_free(CsvReader *reader)
{
    g_free(reader);
}

gsize csv_reader_position(const CsvReader *reader)
{
    return (gsize)(reader->at - reader->text);
}

static gboolean at_line_end(const CsvReader *reader)
{
    return *reader->at == '\n' || *reader->at == '\0' || (*reader->at == '\r' && (reader->at[1] == '\n' || reader->at[1] == '\0'));
}

static void skip_line_end(CsvReader *reader)
{
    if (*reader->at == '\r')
        reader->at++;
    if (*reader->at == '\n') {
        reader->at++;
        reader->line++;
    }
}

/* Behind the opening quote; a doubled quote is one. */
static const char *read_quoted(CsvReader *reader, GString *field)
{
    for (;; reader->at++) {
        if (*reader->at == '\0')
            return "a quote is opened and never closed; write \" at the end of the value, and \"\" for a quote inside";
        if (*reader->at == '"') {
            if (reader->at[1] != '"')
                break;
            reader->at++;
        }
        if (*reader->at == '\n')
            reader->line++;
        if (*reader->at != '\r' || reader->at[1] != '\n')
            g_string_append_c(field, *reader->at);
        if (field->len > MAX_FIELD_BYTES)
            return "a value is larger than 1 MiB; look for a missing quote";
    }
    reader->at++;
    if (*reader->at != reader->separator && !at_line_end(reader))
        return "there is text behind a closing quote; write \"\" for a quote inside of a value";
    return NULL;
}

static const char *read_plain(CsvReader *reader, GString *field)
{
    while (*reader->at != reader->separator && !at_line_end(reader)) {
        g_string_append_c(field, *reader->at++);
        if (field->len > MAX_FIELD_BYTES)
            return "a value is larger than 1 MiB";
    }
    return NULL;
}

static const char *read_row(CsvReader *reader, GPtrArray *fields)
{
    for (;;) {
        GString *field = g_string_new(NULL);
        gboolean quoted = *reader->at == '"';
        if (quoted)
            reader->at++;
        const char *fault = quoted ? read_quoted(reader, field) : read_plain(reader, field);
        g_ptr_array_add(fields, g_strstrip(g_string_free(field, FALSE)));
        if (fault)
            return fault;
        if (fields->len > MAX_FIELDS)
            return "a row has more than 500 values";
        if (*reader->at != reader->separator)
            break;
        reader->at++;
    }
    skip_line_end(reader);
    return NULL;
}

static void skip_empty_lines(CsvReader *reader)
{
    while (*reader->at && at_line_end(reader)) {
        const char *before = reader->at;
        skip_line_end(reader);
        if (reader->at == before)
            return;
    }
}

char **csv_reader_next(CsvReader *reader, guint *ret_line, const char **ret_fault)
{
    *ret_fault = NULL;
    skip_empty_lines(reader);
    *ret_line = reader->line;
    if (!*reader->at)
        return NULL;
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    *ret_fault = read_row(reader, fields);
    if (*ret_fault) {
        g_ptr_array_unref(fields);
        reader->at += strcspn(reader->at, "\n"); /* go on with the next line */
        skip_line_end(reader);
        return NULL;
    }
    g_ptr_array_add(fields, NULL);
    return (char **)g_ptr_array_free(fields, FALSE);
}

char *csv_decode(const char *bytes, gsize len, gboolean *ret_converted)
{
    *ret_converted = FALSE;
    if (memchr(bytes, '\0', len))
        return NULL;
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    if (g_utf8_validate(bytes, (gssize)len, NULL))
        return g_strndup(bytes, len);
    *ret_converted = TRUE;
    char *text = g_convert_with_fallback(bytes, (gssize)len, "UTF-8", "WINDOWS-1252", "\xEF\xBF\xBD", NULL, NULL, NULL);
    return text ? text : g_utf8_make_valid(bytes, (gssize)len);
}
