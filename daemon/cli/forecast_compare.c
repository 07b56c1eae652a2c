/*
 * nurture forecast --config NEW: what the other configuration would add, drop and move. A message is known again by contact, rule,
 * round and step.
 */
#include "base/json.h"
#include "cli/forecast.h"
#include "cli/table.h"

/* less is the rounding of limits and jitter, not a change */
enum { MOVED_MS = 60 * 1000 };

typedef enum { CHANGE_ADD, CHANGE_DROP, CHANGE_MOVE, N_CHANGES } ChangeKind;

static const char *const change_names[] = {[CHANGE_ADD] = "add", [CHANGE_DROP] = "drop", [CHANGE_MOVE] = "move"};

/* before or after is NULL where the message is added or dropped. Both belong to the forecasts. */
typedef struct {
    ChangeKind kind;
    const RehearsedMessage *before, *after;
} Change;

/* So many messages of a rule or to a contact, before and after. */
typedef struct {
    const char *name;
    guint before, after, changes[N_CHANGES];
} Tally;

static const RehearsedMessage *either(const Change *change)
{
    return change->after ? change->after : change->before;
}

/* ---- finding the changes --------------------------------------------------------------------------------------------- */

static guint message_hash(gconstpointer key)
{
    const RehearsedMessage *message = key;
    return (g_str_hash(message->contact) * 31u + g_str_hash(message->rule)) * 31u + g_str_hash(message->step) +
           message->round;
}

static gboolean message_equal(gconstpointer a, gconstpointer b)
{
    const RehearsedMessage *one = a, *other = b;
    return one->round == other->round && g_str_equal(one->contact, other->contact) && g_str_equal(one->rule, other->rule) &&
           g_str_equal(one->step, other->step);
}

static GHashTable *index_of(const GPtrArray *messages)
{
    GHashTable *index = g_hash_table_new(message_hash, message_equal);
    for (guint i = 0; i < messages->len; i++)
        g_hash_table_add(index, messages->pdata[i]);
    return index;
}

static void add_change(GArray *changes, ChangeKind kind, const RehearsedMessage *before, const RehearsedMessage *after)
{
    const Change change = {.kind = kind, .before = before, .after = after};
    g_array_append_val(changes, change);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    const RehearsedMessage *one = either(a), *other = either(b);
    return one->at_ms < other->at_ms ? -1 : one->at_ms > other->at_ms ? 1 : g_strcmp0(one->contact, other->contact);
}

/* Change, by the time of the message (the new one, where it has one). */
static GArray *find_changes(const GPtrArray *before, const GPtrArray *after)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(Change));
    g_autoptr(GHashTable) old = index_of(before);
    g_autoptr(GHashTable) new = index_of(after);
    for (guint i = 0; i < after->len; i++) {
        const RehearsedMessage *message = after->pdata[i], *was = g_hash_table_lookup(old, message);
        if (!was)
            add_change(changes, CHANGE_ADD, NULL, message);
        else if (ABS(was->at_ms - message->at_ms) >= MOVED_MS)
            add_change(changes, CHANGE_MOVE, was, message);
    }
    for (guint i = 0; i < before->len; i++)
        if (!g_hash_table_contains(new, before->pdata[i]))
            add_change(changes, CHANGE_DROP, before->pdata[i], NULL);
    g_array_sort(changes, by_time);
    return changes;
}

/* ---- counting them --------------------------------------------------------------------------------------------------- */

static const char *name_of(const RehearsedMessage *message, ForecastView view)
{
    return view == FORECAST_BY_CONTACT ? message->contact : message->rule;
}

static Tally *tally_of(GHashTable *tallies, GPtrArray *order, const char *name)
{
    Tally *tally = g_hash_table_lookup(tallies, name);
    if (tally)
        return tally;
    tally = g_new0(Tally, 1);
    tally->name = name;
    g_hash_table_insert(tallies, (gpointer)name, tally);
    g_ptr_array_add(order, tally);
    return tally;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return g_strcmp0((*(Tally *const *)a)->name, (*(Tally *const *)b)->name);
}

/* Tally*, by name: one a rule, or a contact, that has messages before or after. Free with g_ptr_array_unref(). */
static GPtrArray *count_changes(ForecastView view, const GPtrArray *before, const GPtrArray *after, const GArray *changes)
{
    g_autoptr(GHashTable) tallies = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *order = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < before->len; i++)
        tally_of(tallies, order, name_of(before->pdata[i], view))->before++;
    for (guint i = 0; i < after->len; i++)
        tally_of(tallies, order, name_of(after->pdata[i], view))->after++;
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = &g_array_index(changes, Change, i);
        tally_of(tallies, order, name_of(either(change), view))->changes[change->kind]++;
    }
    g_ptr_array_sort(order, by_name);
    return order;
}

static gboolean is_changed(const Tally *tally)
{
    return tally->changes[CHANGE_ADD] || tally->changes[CHANGE_DROP] || tally->changes[CHANGE_MOVE];
}

/* ---- telling --------------------------------------------------------------------------------------------------------- */

static void print_change_json(const Forecast *forecast, const Change *change)
{
    JsonObject *object = forecast_message_object(either(change));
    json_object_set_string_member(object, "change", change_names[change->kind]);
    json_object_remove_member(object, "at");
    json_add_time(object, "before", change->before ? change->before->at_ms : 0);
    json_add_time(object, "after", change->after ? change->after->at_ms : 0);
    cli_print_json(forecast->cli, object);
}

static void print_changes(const Forecast *forecast, const GArray *changes)
{
    static const TableColumn columns[] = {{"CHANGE", FALSE, TRUE}, {"CONTACT", FALSE, TRUE}, {"RULE", FALSE, FALSE},
                                          {"STEP", FALSE, FALSE},  {"BEFORE", FALSE, TRUE},  {"AFTER", FALSE, TRUE},
                                          {NULL, FALSE, FALSE}};
    Cli *cli = forecast->cli;
    Table *table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = &g_array_index(changes, Change, i);
        if (!table) {
            print_change_json(forecast, change);
            continue;
        }
        g_autofree char *before = forecast_time(forecast, change->before ? change->before->at_ms : 0);
        g_autofree char *after = forecast_time(forecast, change->after ? change->after->at_ms : 0);
        const RehearsedMessage *message = either(change);
        g_autofree char *step = forecast_step(message);
        const char *cells[] = {change_names[change->kind], message->contact, message->rule, step, before, after};
        table_add(table, cells);
    }
    if (table)
        table_finish(table, NULL);
}

static void print_tally_json(const Forecast *forecast, ForecastView view, const Tally *tally)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, view == FORECAST_BY_CONTACT ? "contact" : "rule", tally->name);
    json_object_set_int_member(object, "before", tally->before);
    json_object_set_int_member(object, "after", tally->after);
    json_object_set_int_member(object, "added", tally->changes[CHANGE_ADD]);
    json_object_set_int_member(object, "dropped", tally->changes[CHANGE_DROP]);
    json_object_set_int_member(object, "moved", tally->changes[CHANGE_MOVE]);
    cli_print_json(forecast->cli, object);
}

static void add_tally(Table *table, const Tally *tally)
{
    const guint numbers[] = {tally->before, tally->after, tally->changes[CHANGE_ADD], tally->changes[CHANGE_DROP],
                             tally->changes[CHANGE_MOVE]};
    const char *cells[1 + G_N_ELEMENTS(numbers)] = {tally->name};
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_ptr_array_add(texts, g_strdup_printf("%u", numbers[i]));
        cells[i + 1] = texts->pdata[i];
    }
    table_add(table, cells);
}

/* The rules or contacts for which something changes. */
static void print_tallies(const Forecast *forecast, ForecastView view, const GPtrArray *tallies)
{
    static const TableColumn rule[] = {{"RULE", FALSE, FALSE}, {"BEFORE", TRUE, TRUE},  {"AFTER", TRUE, TRUE},
                                       {"ADDED", TRUE, TRUE},  {"DROPPED", TRUE, TRUE}, {"MOVED", TRUE, TRUE},
                                       {NULL, FALSE, FALSE}};
    static const TableColumn contact[] = {{"CONTACT", FALSE, TRUE}, {"BEFORE", TRUE, TRUE},  {"AFTER", TRUE, TRUE},
                                          {"ADDED", TRUE, TRUE},    {"DROPPED", TRUE, TRUE}, {"MOVED", TRUE, TRUE},
                                          {NULL, FALSE, FALSE}};
    Cli *cli = forecast->cli;
    Table *table =
        cli->json ? NULL : table_new(cli->out, view == FORECAST_BY_CONTACT ? contact : rule, cli->columns, cli->colour);
    for (guint i = 0; i < tallies->len; i++) {
        if (!is_changed(tallies->pdata[i]))
            continue;
        if (table)
            add_tally(table, tallies->pdata[i]);
        else
            print_tally_json(forecast, view, tallies->pdata[i]);
    }
    if (table)
        table_finish(table, NULL);
}

/* "ask-referral: 12 added, 3 dropped, 4 moved", then all together. */
static void print_summary(const Forecast *forecast, const GPtrArray *rules, gboolean each_rule)
{
    FILE *out = forecast->cli->out;
    guint totals[N_CHANGES] = {0}, changed = 0;
    for (guint i = 0; i < rules->len; i++) {
        const Tally *tally = rules->pdata[i];
        for (guint kind = 0; kind < N_CHANGES; kind++)
            totals[kind] += tally->changes[kind];
        changed += is_changed(tally) ? 1 : 0;
    }
    if (!changed) {
        fprintf(out, "nothing would change\n");
        return;
    }
    fputc('\n', out);
    for (guint i = 0; i < rules->len && each_rule; i++) {
        const Tally *tally = rules->pdata[i];
        if (is_changed(tally))
            fprintf(out, "%s: %u added, %u dropped, %u moved\n", tally->name, tally->changes[CHANGE_ADD],
                    tally->changes[CHANGE_DROP], tally->changes[CHANGE_MOVE]);
    }
    fprintf(out, "the change would add %u, drop %u and move %u messages in %d %s; times in %s\n", totals[CHANGE_ADD],
            totals[CHANGE_DROP], totals[CHANGE_MOVE], forecast->days, forecast->days == 1 ? "day" : "days",
            g_time_zone_get_identifier(forecast->zone));
}

void forecast_compare(const Forecast *forecast, ForecastView view, const GPtrArray *before, const GPtrArray *after)
{
    g_autoptr(GArray) changes = find_changes(before, after);
    g_autoptr(GPtrArray) rules = count_changes(FORECAST_BY_RULE, before, after, changes);
    if (view == FORECAST_BY_CONTACT) {
        g_autoptr(GPtrArray) contacts = count_changes(view, before, after, changes);
        print_tallies(forecast, view, contacts);
    } else if (view == FORECAST_BY_RULE) {
        print_tallies(forecast, view, rules);
    } else {
        print_changes(forecast, changes);
    }
    if (!forecast->cli->json)
        print_summary(forecast, rules, view != FORECAST_BY_RULE);
}
