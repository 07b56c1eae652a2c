/*
 * The tables of `nurture forecast`: by day, by rule, by contact, by message. Rows of a rule or a contact gather messages; all else
 * goes out as it comes.
 */
#include <string.h>

#include "base/json.h"
#include "cli/facts.h"
#include "cli/forecast.h"
#include "cli/table.h"
#include "cli/terminal.h"

/* Where the terminal is narrow, times go without their year, unless that would leave them in doubt. */
enum { NARROW_COLUMNS = 100, ALMOST_A_YEAR = 330 };

enum { REASONS_MAX = 5 };

/* Messages that belong together: of one step of a rule and one variant, or to one contact. Points into the messages. */
typedef struct {
    const RehearsedMessage *first, *last;
    guint count, held;
} Group;

/* ---- a message ------------------------------------------------------------------------------------------------------- */

JsonObject *forecast_message_object(const RehearsedMessage *message)
{
    JsonObject *object = json_object_new();
    json_add_time(object, "at", message->at_ms);
    json_object_set_string_member(object, "contact", message->contact);
    json_object_set_string_member(object, "rule", message->rule);
    json_object_set_string_member(object, "step", message->step);
    json_object_set_string_member(object, "template", message->template_name);
    json_object_set_string_member(object, "subject", message->subject);
    if (message->is_task)
        json_object_set_boolean_member(object, "task", TRUE);
    if (message->held)
        json_object_set_string_member(object, "held", message->reason);
    return object;
}

char *forecast_step(const RehearsedMessage *message)
{
    g_autofree char *words = step_words(message->step, message->template_name);
    return g_strconcat(message->is_task ? "task: " : "", words, NULL);
}

static char *format_time(const Forecast *forecast, gint64 at_ms, const char *clock_format)
{
    /* not by strftime: its weekdays follow the locale, and scripts read these tables, too */
    static const char *const weekdays[] = {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, forecast->zone);
    gboolean cut = forecast->cli->columns > 0 && forecast->cli->columns < NARROW_COLUMNS && forecast->days < ALMOST_A_YEAR;
    g_autofree char *date = g_date_time_format(local, cut ? "%m-%d" : "%Y-%m-%d");
    g_autofree char *time = g_date_time_format(local, clock_format);
    return g_strconcat(date, " ", weekdays[g_date_time_get_day_of_week(local)], time, NULL);
}

char *forecast_day(const Forecast *forecast, gint64 at_ms)
{
    return at_ms ? format_time(forecast, at_ms, "") : g_strdup("");
}

char *forecast_time(const Forecast *forecast, gint64 at_ms)
{
    return at_ms ? format_time(forecast, at_ms, " %H:%M") : g_strdup("");
}

static void print_messages(const Forecast *forecast, const GPtrArray *messages, Table *table)
{
    for (guint i = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i];
        g_autofree char *at = forecast_time(forecast, message->at_ms);
        g_autofree char *held = message->held ? g_strconcat("(held: ", message->reason, ")", NULL) : NULL;
        g_autofree char *step = forecast_step(message);
        const char *cells[] = {at, message->contact, message->rule, step, held ? held : message->subject};
        /* one person's list needs no column of their address */
        const char *own_cells[] = {at, message->rule, step, held ? held : message->subject};
        table_add(table, forecast->contact ? own_cells : cells);
    }
}

/* ---- by day ---------------------------------------------------------------------------------------------------------- */

static void count_one(GHashTable *counts, const char *key)
{
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));
    g_hash_table_replace(counts, (gpointer)key, GUINT_TO_POINTER(before + 1));
}

/* "after-pitch 10, aftercare 2": how many messages of each rule, by the rules' order. Caller frees. */
static char *count_rules(const Config *config, GHashTable *counts)
{
    GString *text = g_string_new(NULL);
    for (Rule **rule = config->rules; *rule; rule++) {
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, (*rule)->name));
        if (count)
            g_string_append_printf(text, "%s%s %u", text->len ? ", " : "", (*rule)->name, count);
    }
    return g_string_free(text, FALSE);
}

static void print_days(const Forecast *forecast, const GPtrArray *messages, Table *table)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0, first = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i], *next = i + 1 < messages->len ? messages->pdata[i + 1] : NULL;
        g_autofree char *day = forecast_day(forecast, message->at_ms);
        g_autofree char *next_day = forecast_day(forecast, next ? next->at_ms : 0);
        count_one(counts, message->rule);
        if (g_str_equal(day, next_day))
            continue;
        g_autofree char *number = g_strdup_printf("%u", i + 1 - first);
        g_autofree char *rules = count_rules(forecast->cli->config, counts);
        const char *cells[] = {day, number, rules};
        table_add(table, cells);
        g_hash_table_remove_all(counts);
        first = i + 1;
    }
}

/* ---- by rule, by contact --------------------------------------------------------------------------------------------- */

static guint step_hash(gconstpointer key)
{
    const RehearsedMessage *message = key;
    return (g_str_hash(message->rule) * 31u + g_str_hash(message->step)) * 31u + g_str_hash(message->template_name);
}

static gboolean step_equal(gconstpointer a, gconstpointer b)
{
    const RehearsedMessage *one = a, *other = b;
    return g_str_equal(one->rule, other->rule) && g_str_equal(one->step, other->step) &&
           g_str_equal(one->template_name, other->template_name);
}

static guint contact_hash(gconstpointer key)
{
    return g_str_hash(((const RehearsedMessage *)key)->contact);
}

static gboolean contact_equal(gconstpointer a, gconstpointer b)
{
    return g_str_equal(((const RehearsedMessage *)a)->contact, ((const RehearsedMessage *)b)->contact);
}

/* Group*, by their first message's time. */
static GPtrArray *gather(const GPtrArray *messages, GHashFunc hash, GEqualFunc equal)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) known = g_hash_table_new(hash, equal);
    for (guint i = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i];
        Group *group = g_hash_table_lookup(known, message);
        if (!group) {
            group = g_new0(Group, 1);
            group->first = message;
            g_ptr_array_add(groups, group);
            g_hash_table_insert(known, (gpointer)message, group);
        }
        group->last = message;
        group->count++;
        group->held += message->held ? 1 : 0;
    }
    return groups;
}

/* The place of the group's step among all steps of the configuration. */
static guint place_of(const Config *config, const Group *group)
{
    guint place = 0;
    for (Rule **rule = config->rules; *rule; rule++)
        for (Step **step = (*rule)->steps; *step; step++, place++)
            if (g_str_equal((*rule)->name, group->first->rule) && g_str_equal((*step)->template_name, group->first->step))
                return place;
    return place;
}

static int by_place(gconstpointer a, gconstpointer b, gpointer config)
{
    guint one = place_of(config, *(Group *const *)a), other = place_of(config, *(Group *const *)b);
    if (one != other)
        return one < other ? -1 : 1;
    return strcmp((*(Group *const *)a)->first->template_name, (*(Group *const *)b)->first->template_name);
}

static void add_count(JsonObject *object, const Group *group)
{
    json_object_set_int_member(object, "messages", group->count);
    if (group->held)
        json_object_set_int_member(object, "held", group->held);
}

static void print_rules(const Forecast *forecast, const GPtrArray *messages, Table *table)
{
    g_autoptr(GPtrArray) groups = gather(messages, step_hash, step_equal);
    g_ptr_array_sort_with_data(groups, by_place, forecast->cli->config);
    for (guint i = 0; i < groups->len; i++) {
        const Group *group = groups->pdata[i];
        if (table) {
            g_autofree char *count = g_strdup_printf("%u", group->count);
            g_autofree char *first = forecast_day(forecast, group->first->at_ms);
            g_autofree char *last = forecast_day(forecast, group->last->at_ms);
            g_autofree char *step = forecast_step(group->first);
            const char *cells[] = {group->first->rule, step, count, first, last};
            table_add(table, cells);
            continue;
        }
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "rule", group->first->rule);
        json_object_set_string_member(object, "step", group->first->step);
        if (!g_str_equal(group->first->step, group->first->template_name))
            json_object_set_string_member(object, "template", group->first->template_name);
        if (group->first->is_task)
            json_object_set_boolean_member(object, "task", TRUE);
        add_count(object, group);
        json_add_time(object, "first", group->first->at_ms);
        json_add_time(object, "last", group->last->at_ms);
        cli_print_json(forecast->cli, object);
    }
}

static void print_contacts(const Forecast *forecast, const GPtrArray *messages, Table *table)
{
    g_autoptr(GPtrArray) groups = gather(messages, contact_hash, contact_equal);
    for (guint i = 0; i < groups->len; i++) {
        const Group *group = groups->pdata[i];
        const RehearsedMessage *next = group->first;
        if (table) {
            g_autofree char *count = g_strdup_printf("%u", group->count);
            g_autofree char *at = forecast_time(forecast, next->at_ms);
            g_autofree char *step = forecast_step(next);
            const char *cells[] = {next->contact, count, at, next->rule, step};
            table_add(table, cells);
            continue;
        }
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "contact", next->contact);
        add_count(object, group);
        json_add_time(object, "next", next->at_ms);
        json_object_set_string_member(object, "rule", next->rule);
        json_object_set_string_member(object, "step", next->step);
        if (next->is_task)
            json_object_set_boolean_member(object, "task", TRUE);
        cli_print_json(forecast->cli, object);
    }
}

/* ---- a whole table --------------------------------------------------------------------------------------------------- */

static const TableColumn *columns_of(const Forecast *forecast, ForecastView view)
{
    static const TableColumn day[] = {
        {"DAY", FALSE, TRUE}, {"MESSAGES", TRUE, TRUE}, {"BY RULE", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    static const TableColumn rule[] = {{"RULE", FALSE, FALSE}, {"STEP", FALSE, FALSE}, {"COUNT", TRUE, TRUE},
                                       {"FIRST", FALSE, TRUE}, {"LAST", FALSE, TRUE},  {NULL, FALSE, FALSE}};
    static const TableColumn contact[] = {{"CONTACT", FALSE, TRUE}, {"COUNT", TRUE, TRUE},  {"NEXT", FALSE, TRUE},
                                          {"RULE", FALSE, FALSE},   {"STEP", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    static const TableColumn message[] = {{"WHEN", FALSE, TRUE},  {"CONTACT", FALSE, TRUE},  {"RULE", FALSE, FALSE},
                                          {"STEP", FALSE, FALSE}, {"SUBJECT", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    static const TableColumn own_message[] = {{"WHEN", FALSE, TRUE},
                                              {"RULE", FALSE, FALSE},
                                              {"STEP", FALSE, FALSE},
                                              {"SUBJECT", FALSE, FALSE},
                                              {NULL, FALSE, FALSE}};
    switch (view) {
    case FORECAST_BY_RULE:
        return rule;
    case FORECAST_BY_CONTACT:
        return contact;
    case FORECAST_BY_MESSAGE:
        return forecast->contact ? own_message : message;
    case FORECAST_BY_DAY:
    case FORECAST_BY_CALENDAR:
        break;
    }
    return day;
}

/* Why messages would be held, each reason once: "49: template pitch-2: the variable …". */
static void print_reasons(const Forecast *forecast, const GPtrArray *messages)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) reasons = g_ptr_array_new();
    FILE *out = forecast->cli->out;
    guint held = 0;
    for (guint i = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i];
        if (!message->held)
            continue;
        held++;
        if (!g_hash_table_contains(counts, message->reason))
            g_ptr_array_add(reasons, message->reason);
        count_one(counts, message->reason);
    }
    if (held)
        fprintf(out, "%u of them would be held:\n", held);
    for (guint i = 0; i < MIN(reasons->len, (guint)REASONS_MAX); i++) {
        const char *reason = reasons->pdata[i];
        g_autofree char *line = g_strdup_printf("%u: %s", GPOINTER_TO_UINT(g_hash_table_lookup(counts, reason)), reason);
        terminal_print_text(out, line, 2, forecast->cli->columns);
    }
    if (reasons->len > REASONS_MAX)
        fprintf(out, "  and for %u more reasons: --by message has them all\n", reasons->len - REASONS_MAX);
}

/* "53 messages to 40 contacts in 30 days, if nobody answers; times in Europe/Oslo" */
static void print_summary(const Forecast *forecast, const GPtrArray *messages)
{
    g_autoptr(GHashTable) contacts = g_hash_table_new(g_str_hash, g_str_equal);
    guint tasks = 0;
    for (guint i = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i];
        g_hash_table_add(contacts, message->contact);
        tasks += message->is_task ? 1 : 0;
    }
    guint people = g_hash_table_size(contacts);
    FILE *out = forecast->cli->out;
    fprintf(out, "\n%u %s to ", messages->len, messages->len == 1 ? "message" : "messages");
    if (forecast->contact)
        fputs(forecast->contact->email, out);
    else
        fprintf(out, "%u %s", people, people == 1 ? "contact" : "contacts");
    fprintf(out, " in %d %s, if nobody answers; times in %s\n", forecast->days, forecast->days == 1 ? "day" : "days",
            g_time_zone_get_identifier(forecast->zone));
    if (tasks)
        fprintf(out, "%u of them %s for the owner\n", tasks, tasks == 1 ? "is a task" : "are tasks");
    print_reasons(forecast, messages);
}

/* Caller frees. */
static char *when_empty(const Forecast *forecast)
{
    if (!forecast->contact)
        return g_strdup("nothing would leave");
    return g_strdup_printf("nothing would leave; nurture why %s says what stands before it", forecast->contact->email);
}

static void print_table(const Forecast *forecast, ForecastView view, const GPtrArray *messages)
{
    Cli *cli = forecast->cli;
    Table *table = table_new(cli->out, columns_of(forecast, view), cli->columns, cli->colour);
    if (view == FORECAST_BY_RULE)
        print_rules(forecast, messages, table);
    else if (view == FORECAST_BY_CONTACT)
        print_contacts(forecast, messages, table);
    else if (view == FORECAST_BY_MESSAGE)
        print_messages(forecast, messages, table);
    else
        print_days(forecast, messages, table);
    g_autofree char *empty = when_empty(forecast);
    table_finish(table, empty);
}

static void print_json(const Forecast *forecast, ForecastView view, const GPtrArray *messages)
{
    if (view == FORECAST_BY_RULE)
        print_rules(forecast, messages, NULL);
    else if (view == FORECAST_BY_CONTACT)
        print_contacts(forecast, messages, NULL);
    else
        for (guint i = 0; i < messages->len; i++)
            cli_print_json(forecast->cli, forecast_message_object(messages->pdata[i]));
}

gboolean forecast_print(const Forecast *forecast, ForecastView view, const GPtrArray *messages, GError **error)
{
    if (forecast->cli->json) {
        print_json(forecast, view, messages);
        return TRUE;
    }
    if (view != FORECAST_BY_CALENDAR)
        print_table(forecast, view, messages);
    else if (!forecast_print_calendar(forecast, messages, error))
        return FALSE;
    if (messages->len) {
        print_summary(forecast, messages);
    } else if (view == FORECAST_BY_CALENDAR) {
        g_autofree char *empty = when_empty(forecast);
        fprintf(forecast->cli->out, "\n%s\n", empty);
    }
    return TRUE;
}
