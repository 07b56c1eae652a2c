/*
 * Points in time as text. Pure, but for the zone database that GLib reads.
 */
#include "base/timestamp.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { YEAR_MIN = 1900, YEAR_MAX = 2200, ZONE_NAME_MAX = 64 };

static GDateTime *utc_of(gint64 at_ms)
{
    gint64 seconds = at_ms >= 0 ? at_ms / 1000 : -((-at_ms + 999) / 1000);
    return g_date_time_new_from_unix_utc(seconds);
}

char *timestamp_format(gint64 at_ms)
{
    g_autoptr(GDateTime) time = utc_of(at_ms);
    int ms = (int)(((at_ms % 1000) + 1000) % 1000);
    if (!time)
        return g_strdup(at_ms > 0 ? "9999-12-31T23:59:59Z" : "0001-01-01T00:00:00Z"); /* beyond the calendar */
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return ms ? g_strdup_printf("%s.%03dZ", seconds, ms) : g_strdup_printf("%sZ", seconds);
}

char *timestamp_format_local(gint64 at_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = utc_of(at_ms);
    g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, zone) : NULL;
    return local ? g_date_time_format(local, "%Y-%m-%d %H:%M") : g_strdup("never");
}

/* Exactly `digits` digits; moves *p behind them. */
static gboolean read_number(const char **p, int digits, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*p)[i]))
            return FALSE;
        number = number * 10 + ((*p)[i] - '0');
    }
    *p += digits;
    *ret_number = number;
    return TRUE;
}

typedef struct {
    int year, month, day, hour, minute, second, ms;
    gboolean has_offset;
    int offset_s;
} Fields;

static gboolean read_date(const char **p, Fields *fields)
{
    if (!read_number(p, 4, &fields->year) || *(*p)++ != '-' || !read_number(p, 2, &fields->month) || *(*p)++ != '-')
        return FALSE;
    return read_number(p, 2, &fields->day);
}

/* ".250", of which three digits count */
static void read_fraction(const char **p, Fields *fields)
{
    int scale = 100;
    if (**p != '.' || !g_ascii_isdigit((*p)[1]))
        return;
    for ((*p)++; g_ascii_isdigit(**p); (*p)++) {
        fields->ms += (**p - '0') * scale;
        scale /= 10;
    }
}

static gboolean read_time(const char **p, Fields *fields)
{
    if (!read_number(p, 2, &fields->hour) || *(*p)++ != ':' || !read_number(p, 2, &fields->minute))
        return FALSE;
    if (**p == ':') {
        (*p)++;
        if (!read_number(p, 2, &fields->second))
            return FALSE;
        read_fraction(p, fields);
    }
    return fields->hour < 24 && fields->minute < 60 && fields->second < 60;
}

static gboolean read_offset(const char **p, Fields *fields)
{
    int hours = 0, minutes = 0;
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        fields->has_offset = TRUE;
        return TRUE;
    }
    if (**p != '+' && **p != '-')
        return TRUE;
    int sign = *(*p)++ == '-' ? -1 : 1;
    if (!read_number(p, 2, &hours))
        return FALSE;
    if (**p == ':')
        (*p)++;
    if (!read_number(p, 2, &minutes) || hours > 14 || minutes > 59)
        return FALSE;
    fields->has_offset = TRUE;
    fields->offset_s = sign * (hours * 3600 + minutes * 60);
    return TRUE;
}

static gboolean read_fields(const char *text, Fields *fields)
{
    const char *p = text;
    if (!read_date(&p, fields))
        return FALSE;
    if (*p == 'T' || *p == 't' || *p == ' ') {
        p++;
        if (!read_time(&p, fields) || !read_offset(&p, fields))
            return FALSE;
    }
    return *p == '\0' && fields->year >= YEAR_MIN && fields->year <= YEAR_MAX && fields->month >= 1 && fields->month <= 12 &&
           g_date_valid_dmy((GDateDay)fields->day, (GDateMonth)fields->month, (GDateYear)fields->year);
}

gboolean timestamp_parse(const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error)
{
    Fields fields = {0};
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    if (!read_fields(trimmed, &fields)) {
        g_autofree char *shown = text_escape(text, 60);
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX,
                    "\"%s\" is not a date; write it as 2026-11-24, 2026-11-24 09:15 or 2026-11-24T09:15:00Z", shown);
        return FALSE;
    }
    g_autoptr(GTimeZone) used = fields.has_offset ? g_time_zone_new_offset(fields.offset_s)
                                : zone            ? g_time_zone_ref(zone)
                                                  : g_time_zone_new_utc();
    g_autoptr(GDateTime) time =
        g_date_time_new(used, fields.year, fields.month, fields.day, fields.hour, fields.minute, fields.second);
    *ret_ms = g_date_time_to_unix(time) * 1000 + fields.ms;
    return TRUE;
}

/* ---- zones ----------------------------------------------------------------------------------------------------------- */

static const char *zone_folder(void)
{
    const char *folder = g_getenv("TZDIR");
    return folder != NULL && *folder == '/' ? folder : "/usr/share/zoneinfo";
}

/* A name of letters, digits, "_", "+", "-" and "/", no part of which starts with a dot or is empty; and none of the files that
 * the folder holds besides the zones: the machine's own setting, and copies that count leap seconds. */
static gboolean is_zone_name(const char *name)
{
    static const char *const others[] = {"localtime", "posixrules", "Factory", NULL};
    if (strlen(name) > ZONE_NAME_MAX || !g_ascii_isalpha(*name) || g_str_has_suffix(name, "/") || strstr(name, "//") != NULL)
        return FALSE;
    for (const char *at = name; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && strchr("_+-/", *at) == NULL)
            return FALSE;
    return !g_strv_contains(others, name) && !g_str_has_prefix(name, "right/") && !g_str_has_prefix(name, "posix/");
}

static gboolean zone_file_exists(const char *name)
{
    g_autofree char *path = g_build_filename(zone_folder(), name, NULL);
    struct stat info;
    char magic[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return FALSE;
    gboolean found = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                     read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
    close(fd);
    return found;
}

/* The zone of the database whose name is nearest to what was written, or NULL. Caller frees. */
static char *nearest_zone(const char *name)
{
    g_autofree char *path = g_build_filename(zone_folder(), "zone.tab", NULL);
    g_autofree char *table = NULL;
    if (!g_file_get_contents(path, &table, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) columns = g_strsplit(*line, "\t", 4);
        if (**line != '#' && g_strv_length(columns) >= 3)
            g_ptr_array_add(names, g_strdup(columns[2]));
    }
    g_ptr_array_add(names, NULL);
    return g_strdup(text_nearest(name, (const char *const *)names->pdata));
}

GTimeZone *timestamp_zone(const char *name, GError **error)
{
    if (strcmp(name, "UTC") == 0)
        return g_time_zone_new_utc();
    /* GLib reads more than names: "Foo5" as POSIX would, "Z", the machine's own setting. Only what has its file gets there. */
    GTimeZone *zone = is_zone_name(name) && zone_file_exists(name) ? g_time_zone_new_identifier(name) : NULL;
    if (zone)
        return zone;
    g_autofree char *shown = text_escape(name, 60);
    g_autofree char *nearest = nearest_zone(name);
    if (nearest)
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "\"%s\" is no time zone; did you mean \"%s\"?", shown, nearest);
    else
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "\"%s\" is no time zone; write an IANA name such as \"Europe/Oslo\" or \"UTC\"",
                    shown);
    return NULL;
}
