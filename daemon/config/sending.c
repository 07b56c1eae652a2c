/*
 * Sending as a whole: time zone, window, holidays, and what spares the contacts.
 */
#include <errno.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "config/parts.h"

#define DAY_MS ((gint64)24 * 3600 * 1000)
enum { DEFAULT_ATTACHMENT_BYTES = 5 * 1000 * 1000, MAX_ATTACHMENT_BYTES = 25 * 1000 * 1000 };
#define HOLIDAYS_EXAMPLE "[ \"holidays-no.ics\" ]"

static void parse_zone(Reader *reader, config_setting_t *setting, gpointer field)
{
    g_autoptr(GError) error = NULL;
    const char *text = reader_text(reader, setting, "\"Europe/Oslo\"");
    g_autoptr(GTimeZone) zone = text ? timestamp_zone(text, &error) : NULL;
    if (zone) {
        g_free(*(char **)field);
        *(char **)field = g_strdup(text);
    } else if (text) {
        reader_fault(reader, setting, "time_zone: %s", error->message);
    }
}

/* ---- holidays -------------------------------------------------------------------------------------------------------- */

/* Absolute paths of readable files; NULL and a fault where they are not texts. */
static char **holiday_files(Reader *reader, config_setting_t *setting)
{
    char **files = reader_texts(reader, setting, HOLIDAYS_EXAMPLE);
    for (char **file = files; file && *file; file++) {
        char *absolute = reader_path(reader, *file);
        if (access(absolute, R_OK) != 0)
            reader_fault(reader, setting, "holidays: %s: %s; name an iCalendar file, or leave holidays out", absolute, g_strerror(errno));
        else if (!g_file_test(absolute, G_FILE_TEST_IS_REGULAR))
            reader_fault(reader, setting, "holidays: %s is not a file; name an iCalendar file, or leave holidays out", absolute);
        g_free(*file);
        *file = absolute;
    }
    return files;
}

static void holidays_of_free(HolidaysOf **list)
{
    for (HolidaysOf **of = list; *of; of++) {
        g_free((*of)->value);
        g_strfreev((*of)->files);
        g_free(*of);
    }
    g_free(list);
}

static void add_holidays_of(Reader *reader, config_setting_t *setting, GPtrArray *list)
{
    const char *value = config_setting_name(setting);
    for (guint i = 0; i < list->len; i++)
        if (g_ascii_strcasecmp(((HolidaysOf *)list->pdata[i])->value, value) == 0)
            reader_fault(reader, setting, "holidays: \"%s\" stands twice (case matters not); write all its files in one list", value);
    char **files = holiday_files(reader, setting);
    if (!files)
        return;
    HolidaysOf *of = g_new0(HolidaysOf, 1);
    of->value = g_strdup(value);
    of->files = files;
    g_ptr_array_add(list, of);
}

static void take_holidays_of_all(Reader *reader, config_setting_t *setting, Sending *sending)
{
    char **files = holiday_files(reader, setting);
    if (!files)
        return;
    g_strfreev(sending->holiday_files);
    sending->holiday_files = files;
}

/* [ files ], for everybody; or { default = [ files ]; NO = [ files ]; … }. */
static void parse_holidays(Reader *reader, config_setting_t *setting, gpointer field)
{
    Sending *sending = field;
    if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
        take_holidays_of_all(reader, setting, sending);
        return;
    }
    GPtrArray *list = g_ptr_array_new();
    for (int i = 0; i < config_setting_length(setting); i++) {
        config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        if (g_str_equal(config_setting_name(member), "default"))
            take_holidays_of_all(reader, member, sending);
        else
            add_holidays_of(reader, member, list);
    }
    g_ptr_array_add(list, NULL);
    holidays_of_free(sending->holidays_of);
    sending->holidays_of = (HolidaysOf **)g_ptr_array_free(list, FALSE);
}

static void check_holidays_by(Reader *reader, config_setting_t *group, const Sending *sending)
{
    config_setting_t *setting = config_setting_is_group(group) ? config_setting_get_member(group, "holidays_by") : NULL;
    if (setting && !sending->holidays_of[0])
        reader_fault(reader, setting, "holidays_by says whose holidays count, but all have the same; write holidays = { NO = %s; };, or leave it out",
                     HOLIDAYS_EXAMPLE);
}

static void parse_soft_bounces(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_NUMBER("most", SoftBounces, most, 1, 1000, "3"),
        KEY_SPAN("within", SoftBounces, within_ms, 3600 * 1000, 365 * DAY_MS, "\"30 days\""),
        KEY_END,
    };
    reader_read_group(reader, setting, keys, field);
}

/* ---- the group ------------------------------------------------------------------------------------------------------- */

static void parse_max_per(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_NUMBER("day", MaxPer, day, 1, 1000, "1"),
        KEY_NUMBER("week", MaxPer, week, 1, 1000, "2"),
        KEY_NUMBER("month", MaxPer, month, 1, 1000, "5"),
        KEY_END,
    };
    if (reader_read_group(reader, setting, keys, field) && config_setting_length(setting) == 0)
        reader_fault(reader, setting, "max_per is empty; write max_per = { week = 2; month = 5; };, or leave it out");
}

/* ---- the breaker ----------------------------------------------------------------------------------------------------- */

static void parse_share(Reader *reader, config_setting_t *setting, gpointer field)
{
    double share;
    if (!reader_number(reader, setting, &share))
        return;
    if (share > 0 && share <= 100)
        *(double *)field = share;
    else
        reader_fault(reader, setting, "%s is a share in percent, above 0 and up to 100 (which never breaks); write %s = 5",
                     config_setting_name(setting), config_setting_name(setting));
}

static void parse_breaker(Reader *reader, config_setting_t *setting, gpointer field)
{
    static const Key keys[] = {
        KEY_SPAN("within", Breaker, within_ms, 3600 * 1000, 365 * DAY_MS, "\"7 days\""),
        KEY_NUMBER("at_least", Breaker, at_least, 1, 1000000, "50"),
        KEY_PARSED("bounces", Breaker, bounces, parse_share, "bounces = 10 (percent)"),
        KEY_PARSED("complaints", Breaker, complaints, parse_share, "complaints = 0.5 (percent)"),
        KEY_END,
    };
    reader_read_group(reader, setting, keys, field);
}

/* ---- the group ------------------------------------------------------------------------------------------------------- */

/* Mail servers rarely take more than 35 MB, in which a file grows by a third. */
static void parse_max_attachment(Reader *reader, config_setting_t *setting, gpointer field)
{
    size_parse(reader, setting, MAX_ATTACHMENT_BYTES, "\"5 MB\"", field);
}

static void set_defaults(Sending *sending)
{
    sending->time_zone = g_strdup("UTC");
    sending->window = (Window){.days = DAY_ALL & ~(DAY_SAT | DAY_SUN), .from_min = 9 * 60, .to_min = 16 * 60 + 30};
    sending->holiday_files = g_new0(char *, 1);
    sending->holidays_of = g_new0(HolidaysOf *, 1);
    sending->holidays_by = g_strdup("country");
    sending->min_gap = (Duration){.days = 2};
    sending->max_late = (Duration){.days = 7};
    sending->breaker = (Breaker){.within_ms = 7 * DAY_MS, .at_least = 50, .bounces = 10, .complaints = 1};
    sending->absence_hold = (Duration){.days = 3};
    sending->soft_bounces = (SoftBounces){.most = 3, .within_ms = 30 * DAY_MS};
    sending->blind_after_ms = 15 * 60 * 1000;
    sending->retry_for_ms = 5 * DAY_MS;
    sending->max_attachment = DEFAULT_ATTACHMENT_BYTES;
}

void sending_parse(Reader *reader, config_setting_t *setting, Sending *sending)
{
    static const Key keys[] = {
        KEY_PARSED("time_zone", Sending, time_zone, parse_zone, "\"Europe/Oslo\""),
        KEY_PARSED("window", Sending, window, window_parse, "window = { days = \"mon-fri\"; from = \"09:00\"; to = \"16:30\"; };"),
        {.name = "holidays", .kind = KEY_CUSTOM, .parse = parse_holidays, .example = HOLIDAYS_EXAMPLE}, /* the whole Sending */
        KEY_ROW(KEY_TEXT, "holidays_by", Sending, holidays_by, "\"country\", or the name of another attribute"),
        KEY_ROW(KEY_DURATION, "min_gap", Sending, min_gap, "\"2 days\""),
        KEY_ROW(KEY_DURATION, "max_late", Sending, max_late, "\"7 days\""),
        KEY_ROW(KEY_DURATION, "quiet_after_contact", Sending, quiet_after_contact, "\"5 days\""),
        KEY_ROW(KEY_DURATION, "referral_cooldown", Sending, referral_cooldown, "\"6 months\""),
        KEY_PARSED("max_per", Sending, max_per, parse_max_per, "max_per = { week = 2; month = 5; };"),
        KEY_PARSED("breaker", Sending, breaker, parse_breaker, "breaker = { bounces = 10; complaints = 0.5; };"),
        KEY_ROW(KEY_DURATION, "absence_hold", Sending, absence_hold, "\"3 days\""),
        KEY_PARSED("soft_bounces", Sending, soft_bounces, parse_soft_bounces, "soft_bounces = { most = 3; within = \"30 days\"; };"),
        KEY_SPAN("blind_after", Sending, blind_after_ms, 1000, 30 * DAY_MS, "\"15 minutes\""),
        KEY_ROW(KEY_DURATION_MS, "retry_for", Sending, retry_for_ms, "\"5 days\""),
        KEY_PARSED("max_attachment", Sending, max_attachment, parse_max_attachment, "\"5 MB\""),
        KEY_END,
    };
    set_defaults(sending);
    if (!setting)
        return;
    reader_read_group(reader, setting, keys, sending);
    check_holidays_by(reader, setting, sending);
}

void sending_clear(Sending *sending)
{
    g_free(sending->time_zone);
    g_strfreev(sending->holiday_files);
    if (sending->holidays_of)
        holidays_of_free(sending->holidays_of);
    g_free(sending->holidays_by);
    g_free(sending->digest);
}
