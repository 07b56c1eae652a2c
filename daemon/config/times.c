/*
 * Whether the steps of a rule can ever leave: their days and times against the windows that count for it, their delays against its end.
 */
#include "config/parts.h"

/* A month has 28 days to 31, counted as 30.4; so a duration is surely the longer only where it is by a tenth. */
#define SURELY_LONGER 1.1

/* One window, and whose it is, for messages. */
typedef struct {
    const Window *window;
    char *whose;
} NamedWindow;

static void named_window_free(gpointer data)
{
    NamedWindow *named = data;
    g_free(named->whose);
    g_free(named);
}

/* A window that is at fault itself is told already. Takes whose. */
static void add_window(GPtrArray *windows, const Window *window, char *whose)
{
    if (window->from_min >= window->to_min) {
        g_free(whose);
        return;
    }
    NamedWindow *named = g_new0(NamedWindow, 1);
    *named = (NamedWindow){.window = window, .whose = whose};
    g_ptr_array_add(windows, named);
}

/* The rule's; else those of all accounts, of which the ones without share sending's. */
static GPtrArray *windows_of(const Config *config, const Rule *rule)
{
    GPtrArray *windows = g_ptr_array_new_with_free_func(named_window_free);
    gboolean uses_sending = !config->accounts || !config->accounts[0];
    if (rule->has_window) {
        add_window(windows, &rule->window, g_strdup_printf("rule \"%s\"", rule->name));
        return windows;
    }
    for (Account **account = config->accounts; account && *account; account++) {
        if ((*account)->has_window)
            add_window(windows, &(*account)->window, g_strdup_printf("account \"%s\"", (*account)->name));
        else
            uses_sending = TRUE;
    }
    if (uses_sending)
        add_window(windows, &config->sending.window, g_strdup("sending"));
    return windows;
}

static void check_at(Reader *reader, const Step *step, const NamedWindow *named)
{
    const Window *window = named->window;
    if (step->at_min < 0 || (step->at_min >= window->from_min && step->at_min < window->to_min))
        return;
    g_autofree char *at = window_minute_text(step->at_min);
    g_autofree char *from = window_minute_text(window->from_min);
    g_autofree char *to = window_minute_text(window->to_min);
    reader_fault_at(reader, step->source,
                    "at: %s is outside of the window of %s, so step \"%s\" would never go; write a time from %s to before %s, or give the rule "
                    "a window = { … } of its own",
                    at, named->whose, step->template_name, from, to);
}

static void check_days(Reader *reader, const Step *step, const GPtrArray *windows)
{
    guint8 of_any = 0;
    for (guint i = 0; i < windows->len; i++) {
        const NamedWindow *named = windows->pdata[i];
        of_any |= named->window->days;
        if (!step->on_days || (step->on_days & named->window->days))
            continue;
        g_autofree char *wanted = window_days_text(step->on_days);
        g_autofree char *days = window_days_text(named->window->days);
        reader_fault_at(reader, step->source,
                        "on: the window of %s has no %s, so step \"%s\" would never go; write one of %s, or give the rule a window = { … } of its own",
                        named->whose, wanted, step->template_name, days);
    }
    guint8 common = step->on_days & of_any;
    if (common && common != step->on_days) {
        g_autofree char *idle = window_days_text(step->on_days & (guint8)~of_any);
        g_autofree char *kept = window_days_text(common);
        reader_fault_at(reader, step->source, "on: the window of %s has no %s; write %s alone, or give the rule a window = { … } of its own",
                        ((const NamedWindow *)windows->pdata[0])->whose, idle, kept);
    }
}

/* The day of a step that goes once lies behind the rule's last one. */
static gboolean is_after_last_day(const Rule *rule, const Step *step)
{
    if (!rule->until_year || step->date != STEP_DATE_ONCE || !duration_is_zero(&step->before))
        return FALSE;
    g_autoptr(GDate) last = g_date_new_dmy((GDateDay)rule->until_day, (GDateMonth)rule->until_month, (GDateYear)rule->until_year);
    g_autoptr(GDate) day = g_date_new_dmy((GDateDay)step->on_day, (GDateMonth)step->on_month, (GDateYear)step->on_year);
    return g_date_compare(day, last) > 0;
}

static void check_until(Reader *reader, const Rule *rule, const Step *step)
{
    if (is_after_last_day(rule, step))
        reader_fault_at(reader, step->source, "step \"%s\" has a day behind the rule's last one (until = \"%04d-%02d-%02d\"); write a later until, "
                                              "or leave the step out",
                        step->template_name, rule->until_year, rule->until_month, rule->until_day);
    if (duration_is_zero(&rule->until_age) || duration_rough_days(&step->delay) <= SURELY_LONGER * duration_rough_days(&rule->until_age))
        return;
    g_autofree char *until = duration_format(&rule->until_age);
    g_autofree char *delay = duration_format(&step->delay);
    reader_fault_at(reader, step->source,
                    "step \"%s\" comes after %s, when the rule has ended (until = \"%s\"); write a longer until, or leave the step out",
                    step->template_name, delay, until);
}

void rule_check_times(Reader *reader, const Rule *rule)
{
    g_autoptr(GPtrArray) windows = windows_of(reader->config, rule);
    for (Step **step = rule->steps; *step; step++) {
        for (guint i = 0; i < windows->len; i++)
            check_at(reader, *step, windows->pdata[i]);
        check_days(reader, *step, windows);
        check_until(reader, rule, *step);
    }
}
