/*
 * nurture forecast [--days N] [--config NEW]: what would leave in the days to come; and what another configuration would change.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/table.h"
#include "engine/control.h"
#include "engine/rehearsal.h"
#include "engine/templates.h"

enum { DEFAULT_DAYS = 30, MAX_DAYS = 3660, MOVED_MS = 60 * 1000 };
#define DAY_MS ((gint64)24 * 3600 * 1000)

/* ---- a forecast ------------------------------------------------------------------------------------------------------ */

static JsonObject *message_object(const RehearsedMessage *message)
{
    JsonObject *object = json_object_new();
    json_add_time(object, "at", message->at_ms);
    json_object_set_string_member(object, "contact", message->contact);
    json_object_set_string_member(object, "rule", message->rule);
    json_object_set_string_member(object, "step", message->step);
    json_object_set_string_member(object, "template", message->step);
    json_object_set_string_member(object, "subject", message->subject);
    if (message->held)
        json_object_set_string_member(object, "held", message->reason);
    return object;
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

static void add_day(Table *table, const Config *config, const char *day, GHashTable *counts, guint total)
{
    g_autofree char *number = g_strdup_printf("%u", total);
    g_autofree char *rules = count_rules(config, counts);
    const char *cells[] = {day, number, rules};
    table_add(table, cells);
    g_hash_table_remove_all(counts);
}

static void print_days(Cli *cli, const GPtrArray *messages, GTimeZone *zone)
{
    static const TableColumn columns[] = {{"DAY", FALSE, TRUE}, {"MESSAGES", TRUE, FALSE}, {"BY RULE", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *day = NULL;
    guint on_day = 0, held = 0;
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint i = 0; i < messages->len; i++) {
        const RehearsedMessage *message = messages->pdata[i];
        g_autofree char *at = timestamp_format_local(message->at_ms, zone);
        at[strlen("2026-11-24")] = '\0';
        if (day && !g_str_equal(day, at)) {
            add_day(table, cli->config, day, counts, on_day);
            on_day = 0;
        }
        g_free(day);
        day = g_steal_pointer(&at);
        on_day++;
        held += message->held ? 1 : 0;
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(counts, message->rule));
        g_hash_table_replace(counts, message->rule, GUINT_TO_POINTER(before + 1));
    }
    if (day)
        add_day(table, cli->config, day, counts, on_day);
    table_finish(table, "nothing would leave");
    if (messages->len)
        fprintf(cli->out, "\n%u messages, if nobody answers", messages->len - held);
    if (held)
        fprintf(cli->out, "; %u would be held for want of a value (see --json)", held);
    if (messages->len)
        fputc('\n', cli->out);
}

static void print_forecast(Cli *cli, const GPtrArray *messages)
{
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    if (!cli->json) {
        print_days(cli, messages, zone);
        return;
    }
    for (guint i = 0; i < messages->len; i++)
        cli_print_json(cli, message_object(messages->pdata[i]));
}

/* ---- a comparison ---------------------------------------------------------------------------------------------------- */

static char *key_of(const RehearsedMessage *message)
{
    return g_strdup_printf("%s\n%s\n%u\n%s", message->contact, message->rule, message->round, message->step);
}

static GHashTable *by_key(const GPtrArray *messages)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < messages->len; i++)
        g_hash_table_insert(table, key_of(messages->pdata[i]), messages->pdata[i]);
    return table;
}

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
    guint added, dropped, moved;
} Comparison;

static void tell_change(Comparison *comparison, const char *change, const RehearsedMessage *message, gint64 before_ms, gint64 after_ms)
{
    if (!comparison->table) {
        JsonObject *object = message_object(message);
        json_object_set_string_member(object, "change", change);
        json_object_remove_member(object, "at");
        json_add_time(object, "before", before_ms);
        json_add_time(object, "after", after_ms);
        cli_print_json(comparison->cli, object);
        return;
    }
    g_autofree char *before = before_ms ? timestamp_format_local(before_ms, comparison->zone) : g_strdup("");
    g_autofree char *after = after_ms ? timestamp_format_local(after_ms, comparison->zone) : g_strdup("");
    const char *cells[] = {change, message->contact, message->rule, message->step, before, after};
    table_add(comparison->table, cells);
}

static void compare(Comparison *comparison, const GPtrArray *before, const GPtrArray *after)
{
    g_autoptr(GHashTable) old = by_key(before);
    g_autoptr(GHashTable) new = by_key(after);
    for (guint i = 0; i < after->len; i++) {
        const RehearsedMessage *message = after->pdata[i];
        g_autofree char *key = key_of(message);
        const RehearsedMessage *was = g_hash_table_lookup(old, key);
        if (!was) {
            comparison->added++;
            tell_change(comparison, "add", message, 0, message->at_ms);
        } else if (ABS(was->at_ms - message->at_ms) >= MOVED_MS) {
            comparison->moved++;
            tell_change(comparison, "move", message, was->at_ms, message->at_ms);
        }
    }
    for (guint i = 0; i < before->len; i++) {
        const RehearsedMessage *message = before->pdata[i];
        g_autofree char *key = key_of(message);
        if (g_hash_table_contains(new, key))
            continue;
        comparison->dropped++;
        tell_change(comparison, "drop", message, message->at_ms, 0);
    }
}

static void print_comparison(Cli *cli, const GPtrArray *before, const GPtrArray *after)
{
    static const TableColumn columns[] = {{"CHANGE", FALSE, FALSE}, {"CONTACT", FALSE, TRUE}, {"RULE", FALSE, FALSE}, {"STEP", FALSE, FALSE},
                                          {"BEFORE", FALSE, FALSE}, {"AFTER", FALSE, FALSE},  {NULL, FALSE, FALSE}};
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    Comparison comparison = {.cli = cli, .zone = zone, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour)};
    compare(&comparison, before, after);
    if (!comparison.table)
        return;
    table_finish(comparison.table, "nothing would change");
    fprintf(cli->out, "\nthe change would add %u, drop %u and move %u messages\n", comparison.added, comparison.dropped, comparison.moved);
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

static GPtrArray *run(Cli *cli, Config *config, gint64 now_ms, gint64 until_ms, GError **error)
{
    g_autoptr(TemplateSet) templates = templates_load(config, NULL, error);
    return templates ? rehearse(config, templates, cli->store, now_ms, until_ms, error) : NULL;
}

static int forecast(Cli *cli, int days, const char *new_file)
{
    GError *error = NULL;
    if (!cli_open_store(cli, CLI_STORE_READ, &error))
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config), until_ms = now_ms + days * DAY_MS;
    g_autoptr(Config) new = new_file ? config_load(new_file, NULL, &error) : NULL;
    if (new_file && !new)
        return cli_failed_by(cli, error);
    g_autoptr(GPtrArray) now = run(cli, cli->config, now_ms, until_ms, &error);
    g_autoptr(GPtrArray) then = now && new ? run(cli, new, now_ms, until_ms, &error) : NULL;
    if (!now || (new && !then))
        return cli_failed_by(cli, error);
    if (then)
        print_comparison(cli, now, then);
    else
        print_forecast(cli, now);
    return CLI_DONE;
}

int command_forecast(Cli *cli, char **words)
{
    int days = DEFAULT_DAYS, status = CLI_DONE;
    g_autofree char *new_file = NULL;
    const GOptionEntry entries[] = {
        {"days", 'd', 0, G_OPTION_ARG_INT, &days, "How far to look (default 30)", "N"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &new_file, "Compare with this configuration: what it would add, drop and move", "NEW"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (!rest)
        return status;
    if (days < 1 || days > MAX_DAYS)
        return cli_wrong_usage(cli, "--days: write a number from 1 to %d", MAX_DAYS);
    return forecast(cli, days, new_file);
}
