/*
 * nurture why EMAIL: for each rule whether the person is enrolled, and what stands before the next step.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/live.h"
#include "engine/control.h"
#include "engine/explain.h"

static const char *const verdicts[] = {[GATE_OPEN] = "open", [GATE_WAIT] = "wait", [GATE_SKIP] = "skip", [GATE_STOP] = "stop"};

/* ---- what a running daemon knows ------------------------------------------------------------------------------------- */

/* Of the account that writes to the contact. Points into status. */
static LiveAccount what_daemon_knows(Cli *cli, const Contact *contact, JsonObject *status)
{
    const Account *own = config_account_for_owner(cli->config, contact->owner);
    JsonObject *account = own ? live_account(status, own->name) : NULL;
    LiveAccount live = {.unreachable = ""};
    if (!account)
        return live;
    live.blind = json_object_get_boolean_member_with_default(account, "blind", FALSE);
    if (g_str_equal(json_object_get_string_member_with_default(account, "sending", ""), "unreachable"))
        live.unreachable = json_object_get_string_member_with_default(account, "sending_reason", "unreachable");
    return live;
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

static void add_time_or_null(JsonObject *object, const char *name, gint64 at_ms)
{
    if (at_ms)
        json_add_time(object, name, at_ms);
    else
        json_object_set_null_member(object, name);
}

static void print_json(Cli *cli, const Contact *contact, const RuleExplanation *rule)
{
    JsonObject *object = json_object_new();
    JsonArray *gates = json_array_new();
    json_object_set_string_member(object, "contact", contact->email);
    json_object_set_string_member(object, "rule", rule->rule);
    json_object_set_boolean_member(object, "enrolled", rule->enrolled);
    json_object_set_string_member(object, "reason", rule->reason);
    json_object_set_string_member(object, "step", rule->step);
    json_add_text(object, "variant", rule->variant);
    json_object_set_string_member(object, "state", rule->state);
    add_time_or_null(object, "due_at", rule->due_ms);
    add_time_or_null(object, "earliest", rule->earliest_ms);
    json_object_set_string_member(object, "decides", rule->decides);
    for (guint i = 0; i < rule->gates->len; i++) {
        const GateExplanation *gate = rule->gates->pdata[i];
        JsonObject *entry = json_object_new();
        json_object_set_string_member(entry, "gate", gate->gate);
        json_object_set_string_member(entry, "verdict", verdicts[gate->verdict]);
        json_object_set_string_member(entry, "reason", gate->reason);
        add_time_or_null(entry, "until", gate->until_ms);
        json_array_add_object_element(gates, entry);
    }
    json_object_set_array_member(object, "gates", gates);
    cli_print_json(cli, object);
}

static void print_step(Cli *cli, const RuleExplanation *rule, GTimeZone *zone)
{
    g_autofree char *due = rule->due_ms ? timestamp_format_local(rule->due_ms, zone) : NULL;
    g_autofree char *step = step_words(rule->step, rule->variant);
    fprintf(cli->out, "  next: %s%s%s%s%s\n", step, due ? ", due " : "", due ? due : "", *rule->state ? ", " : "", rule->state);
    if (rule->gates->len == 0)
        return;
    if (rule->earliest_ms) {
        g_autofree char *earliest = timestamp_format_local(rule->earliest_ms, zone);
        fprintf(cli->out, "  it can go: %s\n", earliest);
    } else {
        fprintf(cli->out, "  it cannot go as things stand\n");
    }
    for (guint i = 0; i < rule->gates->len; i++) {
        const GateExplanation *gate = rule->gates->pdata[i];
        g_autofree char *reason = text_escape(gate->reason, 0);
        if (gate->verdict != GATE_OPEN)
            fprintf(cli->out, "  %s %-10s %s\n", g_str_equal(gate->gate, rule->decides) ? "*" : "-", gate->gate, reason);
    }
}

static void print_rule(Cli *cli, const RuleExplanation *rule, GTimeZone *zone)
{
    g_autofree char *reason = text_escape(rule->reason, 0);
    fprintf(cli->out, "%s%s%s: %s%s%s\n", cli->colour ? "\033[1m" : "", rule->rule, cli->colour ? "\033[0m" : "",
            rule->enrolled ? "enrolled" : "not enrolled", *reason ? ": " : "", reason);
    if (rule->enrolled)
        print_step(cli, rule, zone);
}

static gboolean explain(Cli *cli, const Contact *contact, GError **error)
{
    g_autoptr(JsonObject) status = live_status(cli);
    g_autoptr(Clock) clock = clock_new_manual(control_now_ms(cli->config));
    const LiveAccount live = what_daemon_knows(cli, contact, status);
    g_autoptr(GPtrArray) rules = explain_contact(cli->config, cli->store, clock, contact, &live, error);
    if (!rules)
        return FALSE;
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    for (guint i = 0; i < rules->len; i++) {
        if (cli->json)
            print_json(cli, contact, rules->pdata[i]);
        else
            print_rule(cli, rules->pdata[i], zone);
    }
    if (!rules->len && !cli->json)
        fprintf(cli->out, "there are no rules\n");
    return TRUE;
}

int command_why(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (!rest)
        return status;
    g_autoptr(Contact) contact = cli_open_store(cli, CLI_STORE_READ, &error) ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (!contact || !explain(cli, contact, &error))
        return cli_failed_by(cli, error);
    return CLI_DONE;
}
