/*
 * The sending window: days and times of the day.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

/* "mon", "Monday": 0 … 6; -1 for no day. */
static int day_of(const char *word)
{
    static const char *const full[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    for (int day = 0; day < 7; day++)
        if (g_ascii_strcasecmp(word, day_names[day]) == 0 || g_ascii_strcasecmp(word, full[day]) == 0)
            return day;
    return -1;
}

guint8 window_days(const char *text)
{
    guint8 days = 0;
    if (g_ascii_strcasecmp(text, "every day") == 0 || g_ascii_strcasecmp(text, "all") == 0)
        return DAY_ALL;
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part; part++) {
        g_auto(GStrv) ends = g_strsplit(*part, "-", 3);
        guint count = g_strv_length(ends);
        if (count < 1 || count > 2)
            return 0;
        int first = day_of(g_strstrip(ends[0])), last = count == 2 ? day_of(g_strstrip(ends[1])) : first;
        if (first < 0 || last < 0)
            return 0;
        for (int day = first;; day = (day + 1) % 7) {
            days = (guint8)(days | 1u << day);
            if (day == last)
                break;
        }
    }
    return days;
}

char *window_days_text(guint8 days)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int day = 0; day < 7; day++)
        if (days & 1u << day)
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", day_names[day]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void parse_days_key(Reader *reader, config_setting_t *setting, gpointer field)
{
    const char *text = reader_text(reader, setting, "\"mon-fri\"");
    guint8 days = text ? window_days(text) : 0;
    if (days)
        *(guint8 *)field = days;
    else if (text) {
        g_autofree char *shown = text_escape(text, 60);
        reader_fault(reader, setting, "days: \"%s\" names no days; write \"mon-fri\", \"mon,wed,fri\" or \"every day\"", shown);
    }
}

int window_minute(const char *text)
{
    if (strlen(text) != 5 || text[2] != ':')
        return -1;
    for (int i = 0; i < 5; i++)
        if (i != 2 && !g_ascii_isdigit(text[i]))
            return -1;
    int hour = (text[0] - '0') * 10 + (text[1] - '0'), minute = (text[3] - '0') * 10 + (text[4] - '0');
    return minute < 60 && (hour < 24 || (hour == 24 && minute == 0)) ? hour * 60 + minute : -1;
}

char *window_minute_text(int minute)
{
    return g_strdup_printf("%02d:%02d", minute / 60, minute % 60);
}

static void parse_time_key(Reader *reader, config_setting_t *setting, gpointer field)
{
    const char *text = reader_text(reader, setting, "\"09:00\"");
    int minutes = text ? window_minute(text) : -1;
    if (minutes >= 0)
        *(int *)field = minutes;
    else if (text) {
        g_autofree char *shown = text_escape(text, 60);
        reader_fault(reader, setting, "%s: \"%s\" is no time of day; write it as \"09:00\"", config_setting_name(setting), shown);
    }
}

void window_parse(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_PARSED("days", Window, days, parse_days_key, "\"mon-fri\""),
        KEY_PARSED("from", Window, from_min, parse_time_key, "\"09:00\""),
        KEY_PARSED("to", Window, to_min, parse_time_key, "\"16:30\""),
        KEY_END,
    };
    Window *window = field;
    if (reader_read_group(reader, setting, keys, window) && (window->from_min >= window->to_min || window->from_min >= 1440))
        reader_fault(reader, setting, "window: \"from\" must be before \"to\"; write from = \"09:00\"; to = \"16:30\";");
}

void window_parse_own(Reader *reader, config_setting_t *setting, Window *ret_window)
{
    *ret_window = reader->config->sending.window;
    window_parse(reader, setting, ret_window);
}
