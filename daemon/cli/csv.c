/*
 * Comma-separated values: a row at a time, over text in memory. Owns the cells of the row that it read last, in one buffer, so that a
 * row costs no allocation.
 */
#include "cli/csv.h"

#include <string.h>

struct CsvReader {
    const char *text, *at;
    char separator;
    guint line;
    gboolean ends_plain[256]; /* octets that a value without quotes does not hold */
    GString *cells;           /* the values, each ended by NUL */
    GArray *starts;           /* gsize: where each begins in cells */
    GPtrArray *row;           /* char*, NULL at the end */
};

/* ---- the separator --------------------------------------------------------------------------------------------------- */

static const char separators[] = {',', ';', '\t'};

static char separator_of(const char *text)
{
    gsize counts[G_N_ELEMENTS(separators)] = {0};
    gboolean quoted = FALSE;
    for (const char *p = text; *p != '\0' && (quoted || (*p != '\n' && *p != '\r')); p++) {
        if (*p == '"')
            quoted = !quoted;
        for (gsize i = 0; i < G_N_ELEMENTS(separators) && !quoted; i++)
            counts[i] += *p == separators[i];
    }
    gsize best = 0;
    for (gsize i = 1; i < G_N_ELEMENTS(separators); i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

/* The line `sep=;` that spreadsheets put first; 0: there is none. */
static char separator_named(const char *text)
{
    if (g_ascii_strncasecmp(text, "sep=", 4) != 0 || text[4] == '\0' || (text[5] != '\r' && text[5] != '\n'))
        return 0;
    return memchr(separators, text[4], sizeof(separators)) != NULL ? text[4] : 0;
}

/* ---- lines ----------------------------------------------------------------------------------------------------------- */

static gboolean at_line_end(const CsvReader *reader)
{
    return *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\0';
}

/* Over CRLF, LF or CR; nothing at the end of the text. */
static void skip_line_end(CsvReader *reader)
{
    if (*reader->at == '\0')
        return;
    reader->at += reader->at[0] == '\r' && reader->at[1] == '\n' ? 2 : 1;
    reader->line++;
}

static void skip_line(CsvReader *reader)
{
    reader->at += strcspn(reader->at, "\r\n");
    skip_line_end(reader);
}

CsvReader *csv_reader_new(const char *text)
{
    CsvReader *reader = g_new0(CsvReader, 1);
    reader->text = reader->at = text;
    reader->line = 1;
    reader->separator = separator_named(text);
    if (reader->separator != 0)
        skip_line(reader);
    else
        reader->separator = separator_of(text);
    const char ends[] = {reader->separator, '"', '\r', '\n', '\0'};
    for (gsize i = 0; i < sizeof(ends); i++)
        reader->ends_plain[(guchar)ends[i]] = TRUE;
    reader->cells = g_string_new(NULL);
    reader->starts = g_array_new(FALSE, FALSE, sizeof(gsize));
    reader->row = g_ptr_array_new();
    return reader;
}

void csv_reader_free(CsvReader *reader)
{
    if (reader == NULL)
        return;
    g_string_free(reader->cells, TRUE);
    g_array_unref(reader->starts);
    g_ptr_array_unref(reader->row);
    g_free(reader);
}

gsize csv_reader_position(const CsvReader *reader)
{
    return (gsize)(reader->at - reader->text);
}

void csv_reader_seek(CsvReader *reader, CsvPlace place)
{
    reader->at = reader->text + place.offset;
    reader->line = place.line;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static const char CELL_TOO_LARGE[] = "a value is larger than 64 KiB; look for a quotation mark that is missing";

/* Behind the opening quote; a doubled quote is one. Line ends inside become LF. */
static const char *read_quoted(CsvReader *reader)
{
    GString *cells = reader->cells;
    const gsize start = cells->len;
    for (;;) {
        if (*reader->at == '\0')
            return "a quotation mark is opened and never closed; write \" at the end of the value, and \"\" for one inside";
        if (cells->len - start > CSV_MAX_CELL)
            return CELL_TOO_LARGE;
        if (reader->at[0] == '"' && reader->at[1] != '"')
            break;
        if (at_line_end(reader)) {
            skip_line_end(reader);
            g_string_append_c(cells, '\n');
            continue;
        }
        reader->at += *reader->at == '"';
        g_string_append_c(cells, *reader->at++);
    }
    reader->at++;
    /* some write spaces before the separator */
    reader->at += strspn(reader->at, " ");
    if (*reader->at != reader->separator && !at_line_end(reader))
        return "there is text behind a closing quotation mark; write \"\" for a quotation mark inside of a value";
    return NULL;
}

static const char *read_plain(CsvReader *reader)
{
    const char *end = reader->at;
    while (!reader->ends_plain[(guchar)*end])
        end++;
    gsize length = (gsize)(end - reader->at);
    if (*end != '"' && length <= CSV_MAX_CELL)
        g_string_append_len(reader->cells, reader->at, (gssize)length);
    reader->at = end;
    if (*end == '"')
        return "there is a quotation mark inside of a value without them; put the whole value in quotation marks, and write "
               "\"\" inside";
    return length > CSV_MAX_CELL ? CELL_TOO_LARGE : NULL;
}

/* One value to the buffer, without white space at its ends. */
static const char *read_cell(CsvReader *reader)
{
    GString *cells = reader->cells;
    gsize start = cells->len;
    while (*reader->at == ' ')
        reader->at++;
    gboolean quoted = *reader->at == '"';
    reader->at += quoted;
    const char *fault = quoted ? read_quoted(reader) : read_plain(reader);
    if (fault != NULL)
        return fault;
    while (start < cells->len && g_ascii_isspace(cells->str[start]))
        start++;
    while (start < cells->len && g_ascii_isspace(cells->str[cells->len - 1]))
        g_string_truncate(cells, cells->len - 1);
    g_array_append_val(reader->starts, start);
    g_string_append_c(cells, '\0');
    return NULL;
}

static const char *read_row(CsvReader *reader)
{
    g_string_truncate(reader->cells, 0);
    g_array_set_size(reader->starts, 0);
    for (;;) {
        const char *fault = read_cell(reader);
        if (fault != NULL)
            return fault;
        if (*reader->at != reader->separator)
            break;
        if (reader->starts->len == CSV_MAX_CELLS)
            return "a row has more than 500 values; look for a separator too many";
        reader->at++;
    }
    skip_line_end(reader);
    return NULL;
}

CsvResult csv_reader_next(CsvReader *reader, CsvPlace *ret_place, char *const **ret_cells, const char **ret_fault)
{
    while (*reader->at != '\0' && at_line_end(reader))
        skip_line_end(reader);
    const CsvPlace place = {.offset = csv_reader_position(reader), .line = reader->line};
    *ret_place = place;
    if (*reader->at == '\0')
        return CSV_END;
    const char *fault = read_row(reader);
    if (fault != NULL) {
        /* what was taken for the inside of a quote are most likely rows of their own: none is lost unsaid */
        csv_reader_seek(reader, place);
        skip_line(reader);
        *ret_fault = fault;
        return CSV_FAULT;
    }
    g_ptr_array_set_size(reader->row, 0);
    for (guint i = 0; i < reader->starts->len; i++)
        g_ptr_array_add(reader->row, reader->cells->str + g_array_index(reader->starts, gsize, i));
    g_ptr_array_add(reader->row, NULL);
    *ret_cells = (char *const *)reader->row->pdata;
    return CSV_ROW;
}

/* ---- encodings ------------------------------------------------------------------------------------------------------- */

/* 0x80 … 0x9F; what Windows leaves undefined is U+FFFD. All else is as in Latin 1. */
static const gunichar windows_1252[32] = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
};

static char *decode_windows_1252(const char *bytes, gsize len)
{
    GString *text = g_string_sized_new(len + len / 8);
    for (gsize i = 0; i < len; i++) {
        guchar byte = (guchar)bytes[i];
        if (byte < 0x80)
            g_string_append_c(text, (char)byte);
        else
            g_string_append_unichar(text, byte < 0xA0 ? windows_1252[byte - 0x80] : byte);
    }
    return g_string_free(text, FALSE);
}

static gboolean begins_with(const char *bytes, gsize len, const char *mark, gsize mark_len)
{
    return len >= mark_len && memcmp(bytes, mark, mark_len) == 0;
}

char *csv_decode(const char *bytes, gsize len, gboolean *ret_converted, const char **ret_fault)
{
    *ret_converted = FALSE;
    if (begins_with(bytes, len, "\xFF\xFE", 2) || begins_with(bytes, len, "\xFE\xFF", 2)) {
        *ret_fault = "the file is UTF-16; save it as \"CSV UTF-8\"";
        return NULL;
    }
    if (memchr(bytes, '\0', len) != NULL) {
        *ret_fault = "the file has zero bytes, so it is no CSV; in a spreadsheet, save it as \"CSV UTF-8\"";
        return NULL;
    }
    if (begins_with(bytes, len, "\xEF\xBB\xBF", 3)) {
        bytes += 3;
        len -= 3;
    }
    if (g_utf8_validate(bytes, (gssize)len, NULL))
        return g_strndup(bytes, len);
    *ret_converted = TRUE;
    return decode_windows_1252(bytes, len);
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

void csv_print_cell(FILE *out, const char *text)
{
    fputc('"', out);
    if (text[0] != '\0' && strchr("=+-@", text[0]) != NULL)
        fputc(' ', out);
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        if (*p == '"')
            fputc('"', out);
        if (!g_unichar_iscntrl(g_utf8_get_char(p)))
            fwrite(p, 1, (gsize)(g_utf8_next_char(p) - p), out);
    }
    fputc('"', out);
}
