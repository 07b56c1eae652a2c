/*
 * nurture referral [list] / show: the ledger of who introduced whom, and what became of it. Changes are in referral_edit.c, the tree in
 * referral_tree.c.
 */
#include "cli/referral.h"

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/table.h"

enum { LABEL_COLUMNS = 16 };

const Command referral_subcommands[] = {
    {"list", "[--state STATE] [--owner ACCOUNT] [--referrer EMAIL]", "Who introduced whom, and what became of it", referral_command_list, NULL,
     NULL},
    {"show", "ID", "One referral, with its evidence", referral_command_show, NULL, NULL},
    {"add", "EMAIL [NAME] --friend ADDRESS", "Writes down whom a customer introduced by word of mouth", referral_command_add, NULL, NULL},
    {"accept", "ID… [--email ADDRESS] [--stage STAGE]", "They may be written to: makes contacts of them", referral_command_accept, NULL, NULL},
    {"decline", "ID… [--reason TEXT]", "They are not to be written to", referral_command_decline, NULL, NULL},
    {"tree", "[EMAIL]", "Who brought whom", referral_command_tree, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- shared ---------------------------------------------------------------------------------------------------------- */

JsonObject *referral_object(const Referral *referral)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", referral->id);
    json_object_set_string_member(object, "referrer", referral->referrer);
    json_object_set_string_member(object, "name", referral->name);
    json_object_set_string_member(object, "email", referral->address);
    json_object_set_string_member(object, "state", referral_state_name(referral->state));
    json_object_set_string_member(object, "how", referral->how);
    json_object_set_string_member(object, "rule", referral->rule);
    json_add_time(object, "at", referral->at_ms);
    json_object_set_boolean_member(object, "certain", referral->certain);
    json_add_text(object, "phone", referral->phone);
    json_add_text(object, "company", referral->company);
    json_add_text(object, "reason", referral->reason);
    json_add_text(object, "basis", referral->basis);
    json_add_text(object, "evidence", referral->evidence);
    json_add_text(object, "message_id", referral->message_id);
    json_add_time(object, "wrote_at", referral->wrote_ms);
    json_add_time(object, "accepted_at", referral->accepted_ms);
    json_add_time(object, "contacted_at", referral->contacted_ms);
    json_add_time(object, "customer_at", referral->customer_ms);
    json_add_time(object, "ended_at", referral->ended_ms);
    return object;
}

const char *referral_shown(const Referral *referral)
{
    if (referral->name[0] != '\0')
        return referral->name;
    if (referral->address[0] != '\0')
        return referral->address;
    return referral->phone[0] != '\0' ? referral->phone : "somebody";
}

/* ---- list ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
} Listing;

static gboolean on_referral(const Referral *referral, gpointer data)
{
    const Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, referral_object(referral));
        return TRUE;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, referral->id);
    g_autofree char *at = timestamp_format_local(referral->at_ms, listing->zone);
    const char *reach = referral->address[0] != '\0' ? referral->address : referral->phone;
    const char *cells[] = {id, at, referral->referrer, referral->name, reach, referral->how, referral_state_name(referral->state),
                           referral->reason};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli, const ReferralFilter *filter)
{
    static const TableColumn columns[] = {
        {"ID", TRUE, TRUE},   {"PROPOSED", FALSE, TRUE}, {"REFERRER", FALSE, TRUE}, {"NAME", FALSE, FALSE},   {"ADDRESS", FALSE, TRUE},
        {"HOW", FALSE, FALSE}, {"STATE", FALSE, TRUE},    {"REASON", FALSE, FALSE},  {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    Listing listing = {.cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour), .zone = zone};
    gboolean ok = store_referral_each(cli->store, filter, on_referral, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "no referrals" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

static gboolean states_of(const char *word, guint *ret_states, GError **error)
{
    static const char *const names[] = {"proposed", "accepted", "declined", "contacted", "customer", "lost", NULL};
    ReferralState state;
    if (word == NULL)
        return TRUE;
    if (referral_state_parse(word, &state)) {
        *ret_states = 1U << state;
        return TRUE;
    }
    g_autofree char *shown = text_quote(word, 60);
    g_autofree char *fault = g_strdup_printf("--state: %s is no state of a referral", shown);
    g_autofree char *message = cli_suggest(fault, word, names);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return FALSE;
}

static gboolean find_referrer(Cli *cli, const char *email, gint64 *ret_id, GError **error)
{
    if (email == NULL)
        return TRUE;
    g_autoptr(Contact) contact = cli_find_contact(cli, email, error);
    if (contact == NULL)
        return FALSE;
    *ret_id = contact->id;
    return TRUE;
}

int referral_command_list(Cli *cli, char **words)
{
    g_autofree char *state = NULL;
    g_autofree char *owner = NULL;
    g_autofree char *referrer = NULL;
    const GOptionEntry entries[] = {
        {"state", 0, 0, G_OPTION_ARG_STRING, &state, "proposed, accepted, declined, contacted, customer or lost", "STATE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "Of this owner's customers", "ACCOUNT"},
        {"referrer", 0, 0, G_OPTION_ARG_STRING, &referrer, "Whom this person introduced", "EMAIL"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    ReferralFilter filter = {0};
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!states_of(state, &filter.states, &error) || !cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    if (is_empty)
        return CLI_DONE;
    filter.owner = owner;
    return find_referrer(cli, referrer, &filter.referrer_id, &error) ? list(cli, &filter) : cli_failed_by(cli, error);
}

/* ---- show ------------------------------------------------------------------------------------------------------------ */

static void print_field(Cli *cli, const char *label, const char *value)
{
    g_autofree char *safe = text_escape(value, 0);
    if (safe[0] != '\0')
        fprintf(cli->out, "%-*s%s\n", LABEL_COLUMNS, label, safe);
}

static void print_time(Cli *cli, const char *label, gint64 at_ms, GTimeZone *zone)
{
    g_autofree char *text = at_ms != 0 ? timestamp_format_local(at_ms, zone) : NULL;
    if (text != NULL)
        print_field(cli, label, text);
}

static void show(Cli *cli, const Referral *referral)
{
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autofree char *referrer = referral->referrer_name[0] != '\0'
                                    ? g_strdup_printf("%s <%s>", referral->referrer_name, referral->referrer)
                                    : g_strdup(referral->referrer);
    print_field(cli, "introduced by", referrer);
    print_field(cli, "name", referral->name);
    print_field(cli, "address", referral->address);
    print_field(cli, "telephone", referral->phone);
    print_field(cli, "company", referral->company);
    print_field(cli, "state", referral_state_name(referral->state));
    print_field(cli, "reason", referral->reason);
    print_field(cli, "basis", referral->basis);
    print_field(cli, "how", referral->how);
    print_field(cli, "evidence", referral->evidence);
    print_field(cli, "message", referral->message_id);
    print_field(cli, "rule", referral->rule);
    print_time(cli, "proposed", referral->at_ms, zone);
    print_time(cli, "wrote to us", referral->wrote_ms, zone);
    print_time(cli, "accepted", referral->accepted_ms, zone);
    print_time(cli, "contacted", referral->contacted_ms, zone);
    print_time(cli, "customer", referral->customer_ms, zone);
    print_time(cli, "ended", referral->ended_ms, zone);
}

int referral_command_show(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gint64 id = 0;
    g_autoptr(Referral) referral = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_id_parse(rest[0], "referral", &id, &error) || !cli_open_store(cli, CLI_STORE_READ, &error) ||
        !store_referral_get(cli->store, id, &referral, &error))
        return cli_failed_by(cli, error);
    if (referral == NULL)
        return cli_failed(cli, "there is no referral %s; nurture referral list shows them", rest[0]);
    if (cli->json)
        cli_print_json(cli, referral_object(referral));
    else
        show(cli, referral);
    return CLI_DONE;
}
