/*
 * What tells whether a rule, or what moves the due times of all, is another than before: checksums over texts in which each part
 * stands with its length, so that no two configurations share one.
 */
#include <string.h>

#include "config/parts.h"

static void add_text(GString *text, const char *part)
{
    g_string_append_printf(text, "%" G_GSIZE_FORMAT ":%s;", part ? strlen(part) : 0, part ? part : "");
}

static void add_texts(GString *text, char **parts)
{
    g_string_append_printf(text, "%u/", parts ? g_strv_length(parts) : 0);
    for (char **part = parts; part && *part; part++)
        add_text(text, *part);
}

static void add_duration(GString *text, const Duration *duration)
{
    g_string_append_printf(text, "%d,%d,%d,%" G_GINT64_FORMAT ";", duration->months, duration->days, duration->business_days, duration->ms);
}

static void add_window(GString *text, gboolean has_window, const Window *window)
{
    if (has_window)
        g_string_append_printf(text, "w%u,%d,%d;", window->days, window->from_min, window->to_min);
    else
        g_string_append(text, "w-;");
}

static void add_conditions(GString *text, Condition **conditions)
{
    for (; *conditions; conditions++) {
        const Condition *condition = *conditions;
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_printf(text, "c%d,%d,%d,%d;", condition->kind, condition->flag, condition->has_min, condition->has_max);
        add_text(text, condition->attribute);
        add_texts(text, condition->any_of);
        add_text(text, g_ascii_dtostr(number, sizeof(number), condition->min));
        add_text(text, g_ascii_dtostr(number, sizeof(number), condition->max));
        add_duration(text, &condition->min_age);
        add_duration(text, &condition->max_age);
    }
    g_string_append_c(text, '/');
}

static void add_step(GString *text, const Step *step)
{
    g_string_append_printf(text, "s%d,%d,%d,%d;", step->kind, step->timing, step->same_thread, step->approve);
    g_string_append_printf(text, "%u,%d,%d,%d,%d,%d,%d;", step->on_days, step->at_min, step->date, step->on_year, step->on_month,
                           step->on_day, step->yearly);
    add_text(text, step->template_name);
    for (Variant **variant = step->variants; *variant; variant++) {
        g_string_append_printf(text, "v%u;", (*variant)->weight);
        add_text(text, (*variant)->template_name);
    }
    add_text(text, step->on_attribute);
    add_duration(text, &step->delay);
    add_duration(text, &step->before);
    add_conditions(text, step->conditions);
}

char *digest_of_rule(const Rule *rule)
{
    g_autoptr(GString) text = g_string_new(NULL);
    add_text(text, rule->name);
    add_text(text, rule->purpose);
    g_string_append_printf(text, "%d,%u,%u,%d,%d;", rule->anchor, rule->stop_on, rule->repeat_max, rule->scope_company, rule->priority);
    g_string_append_printf(text, "%d,%d,%d;", rule->until_year, rule->until_month, rule->until_day);
    g_string_append_printf(text, "r%d;", rule->accept_auto);
    add_duration(text, &rule->cooldown);
    add_duration(text, &rule->trouble);
    add_text(text, rule->reward);
    add_duration(text, &rule->until_age);
    add_duration(text, &rule->repeat_every);
    add_texts(text, rule->stop_tags);
    add_window(text, rule->has_window, &rule->window);
    add_conditions(text, rule->when);
    add_conditions(text, rule->unless);
    for (Step **step = rule->steps; *step; step++)
        add_step(text, *step);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

static void add_files(Reader *reader, GString *text, char **files)
{
    add_texts(text, files);
    for (; *files; files++) {
        g_autofree char *content = NULL;
        g_autoptr(GError) error = NULL;
        gsize length = 0;
        if (!g_file_get_contents(*files, &content, &length, &error)) {
            reader_fault(reader, NULL, "holidays: %s; name an iCalendar file that nurtured's user can read", error->message);
            return;
        }
        g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, length);
        add_text(text, sum);
    }
}

char *digest_of_sending(Reader *reader, const Config *config)
{
    const Sending *sending = &config->sending;
    g_autoptr(GString) text = g_string_new(NULL);
    add_text(text, sending->time_zone);
    add_window(text, TRUE, &sending->window);
    add_duration(text, &sending->max_late);
    for (Account **account = config->accounts; *account; account++) {
        add_text(text, (*account)->name);
        add_window(text, (*account)->has_window, &(*account)->window);
    }
    add_text(text, sending->holidays_by);
    add_files(reader, text, sending->holiday_files);
    for (HolidaysOf **of = sending->holidays_of; *of; of++) {
        add_text(text, (*of)->value);
        add_files(reader, text, (*of)->files);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}
