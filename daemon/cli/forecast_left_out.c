/*
 * What an account's limits would keep until it is too late: how many messages of each rule, and which limits those are.
 */
#include "base/duration.h"
#include "cli/forecast.h"
#include "cli/terminal.h"

/* Of one rule and account. */
typedef struct {
    const RehearsedOmission *first;
    guint count;
} Group;

static void add_word(GString *words, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_word(GString *words, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    if (words->len)
        g_string_append(words, ", ");
    g_string_append_vprintf(words, format, values);
    va_end(values);
}

/* "per_day = 20, every = 30 seconds", as the configuration has them. Caller frees. */
static char *limits_words(const Config *config, const char *name)
{
    const Account *account = config_account(config, name);
    GString *words = g_string_new(NULL);
    const AccountLimits *limits = account ? &account->limits : NULL;
    if (limits && limits->per_hour)
        add_word(words, "per_hour = %u", limits->per_hour);
    if (limits && limits->per_day)
        add_word(words, "per_day = %u", limits->per_day);
    if (limits && limits->every_ms) {
        g_autofree char *every = duration_format(&(Duration){.ms = limits->every_ms});
        add_word(words, "every = %s", every);
    }
    if (limits && limits->ramp_start)
        add_word(words, "ramp from %u by %u to %u a day", limits->ramp_start, limits->ramp_step, limits->ramp_max);
    return g_string_free(words, FALSE);
}

/* Caller frees. */
static char *reason_of(const Config *config, const Group *group)
{
    g_autofree char *limits = limits_words(config, group->first->account);
    g_autofree char *max_late = duration_format(&config->sending.max_late);
    return g_strdup_printf("the limits of account %s%s%s%s keep them waiting for longer than max_late (%s)", group->first->account,
                           *limits ? " (" : "", limits, *limits ? ")" : "", max_late);
}

static gboolean is_wanted(const Forecast *forecast, const RehearsedOmission *omission)
{
    return (!forecast->contact || g_str_equal(omission->contact, forecast->contact->email)) &&
           (!forecast->rule || g_str_equal(omission->rule, forecast->rule));
}

/* A handful of rules and accounts. */
static Group *group_for(GArray *groups, const RehearsedOmission *omission)
{
    for (guint i = 0; i < groups->len; i++) {
        Group *group = &g_array_index(groups, Group, i);
        if (g_str_equal(group->first->rule, omission->rule) && g_str_equal(group->first->account, omission->account))
            return group;
    }
    const Group group = {.first = omission};
    g_array_append_val(groups, group);
    return &g_array_index(groups, Group, groups->len - 1);
}

static void print_group(const Forecast *forecast, gboolean as_row, const Group *group)
{
    Cli *cli = forecast->cli;
    g_autofree char *reason = reason_of(cli->config, group);
    if (cli->json && as_row) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "rule", group->first->rule);
        json_object_set_string_member(object, "account", group->first->account);
        json_object_set_int_member(object, "left_out", group->count);
        json_object_set_string_member(object, "reason", reason);
        cli_print_json(cli, object);
        return;
    }
    g_autofree char *line = g_strdup_printf("%u %s of rule %s would be left out: %s", group->count, group->count == 1 ? "message" : "messages",
                                            group->first->rule, reason);
    terminal_print_text(cli->json ? cli->err : cli->out, line, 0, cli->columns);
}

void forecast_print_left_out(const Forecast *forecast, gboolean as_row, const GPtrArray *left_out)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(Group));
    for (guint i = 0; i < left_out->len; i++)
        if (is_wanted(forecast, left_out->pdata[i]))
            group_for(groups, left_out->pdata[i])->count++;
    for (guint i = 0; i < groups->len; i++)
        print_group(forecast, as_row, &g_array_index(groups, Group, i));
}
