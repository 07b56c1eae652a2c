/*
 * nurture proposal accept / decline.
 *
 *   new-address         becomes the contact's address, the one until now an alias; --as-alias: the other way round
 *   successor, left     a new contact of the same company and owner, where an address is known; who has left is paused
 */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "cli/facts.h"
#include "cli/proposal_words.h"
#include "engine/control.h"
#include "mail/address.h"
#include "store/history.h"

#define SOURCE "successor"

typedef struct {
    gboolean as_alias;
    char *address, *name, *stage;
} Wish;

static void wish_clear(Wish *wish)
{
    g_free(wish->address);
    g_free(wish->name);
    g_free(wish->stage);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wish, wish_clear)

/* One that is being decided. */
typedef struct {
    Cli *cli;
    const Proposal *proposal;
    const Contact *contact;
    const char *address; /* canonical, as wished or as proposed; "" for none */
    const Wish *wish;
    gint64 now_ms;
    char *result; /* what became of it, for people */
} Case;

char *proposal_words(const Proposal *proposal)
{
    const char *named = *proposal->name ? proposal->name : proposal->address;
    if (proposal->kind == DEPARTURE_NEW_ADDRESS)
        return g_strdup_printf("has the new address %s", proposal->address);
    if (*proposal->address && *proposal->name)
        return g_strdup_printf("has left; ask %s <%s>", proposal->name, proposal->address);
    return *named ? g_strdup_printf("has left; ask %s", named) : g_strdup("has left");
}

gboolean proposal_find(Cli *cli, const char *word, Proposal **ret_proposal, GError **error)
{
    gint64 id = 0;
    if (!cli_id_parse(word, "proposal", &id, error) || !store_proposal_get(cli->store, id, ret_proposal, error))
        return FALSE;
    if (*ret_proposal == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "there is no proposal %s; nurture proposal list --all lists them", word);
    return *ret_proposal != NULL;
}

static gboolean end(const Case *decided, ProposalState state, GError **error)
{
    gboolean ended = FALSE;
    if (!store_proposal_end(decided->cli->store, decided->proposal->id, state, decided->now_ms, &ended, error))
        return FALSE;
    if (!ended)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "proposal %" G_GINT64_FORMAT " is %s already", decided->proposal->id,
                    proposal_state_name(decided->proposal->state));
    return ended;
}

static gboolean note(const Case *decided, gint64 contact_id, const char *detail, GError **error)
{
    const Interaction told = {.contact_id = contact_id, .at_ms = decided->now_ms, .kind = INTERACTION_OTHER, .account = decided->proposal->account,
                              .text = decided->proposal->evidence, .detail = detail};
    return store_history_add(decided->cli->store, &told, NULL, error);
}

/* ---- a new address ----------------------------------------------------------------------------------------------------- */

static gboolean accept_address(Case *decided, GError **error)
{
    gboolean as_alias = decided->wish->as_alias;
    Store *store = decided->cli->store;
    decided->result = as_alias ? g_strdup_printf("%s is an alias of %s", decided->address, decided->contact->email)
                               : g_strdup_printf("%s is their address now, %s an alias", decided->address, decided->contact->email);
    return (as_alias ? store_contact_alias_add(store, decided->contact->id, decided->address, error)
                     : store_contact_readdress(store, decided->contact->id, decided->address, error)) &&
           note(decided, decided->contact->id, decided->result, error);
}

/* ---- a successor ------------------------------------------------------------------------------------------------------- */

static gboolean save_successor(Case *decided, const char *stage, gint64 *ret_id, GError **error)
{
    const Contact *before = decided->contact;
    const Pipeline *pipeline = &decided->cli->config->pipeline;
    const char *name = decided->wish->name ? decided->wish->name : decided->proposal->name;
    ContactSaveResult result;
    g_autofree char *first = NULL, *last = NULL;
    text_split_name(name, &first, &last);
    const ContactEdit edit = {.email = decided->address, .first_name = first, .last_name = last, .company = before->company,
                              .stage = stage, .time_zone = before->time_zone, .language = before->language, .owner = before->owner, .source = SOURCE};
    if (!store_contact_save(decided->cli->store, &edit, pipeline->customer_stage, pipeline->stages[0], decided->now_ms, &result, ret_id, error))
        return FALSE;
    if (result == CONTACT_CAME_BACK)
        cli_note(decided->cli, CLI_CAME_BACK, decided->address);
    return TRUE;
}

/* Whoever is a contact already stays as they are. */
static gboolean add_successor(Case *decided, GError **error)
{
    g_autoptr(Contact) known = NULL;
    gint64 id = 0;
    const char *stage = decided->wish->stage ? contact_stage_named(decided->cli->config, decided->wish->stage, error) : NULL;
    if ((decided->wish->stage && !stage) || !store_contact_find(decided->cli->store, decided->address, &known, error))
        return FALSE;
    if (known == NULL && !save_successor(decided, stage, &id, error))
        return FALSE;
    g_autofree char *detail = g_strdup_printf("successor of %s", decided->contact->email);
    decided->result = g_strdup_printf("%s %s; %s is paused", decided->address, known ? "is a contact already" : "is added", decided->contact->email);
    return note(decided, known ? known->id : id, detail, error);
}

static gboolean accept_departure(Case *decided, GError **error)
{
    if (*decided->address ? !add_successor(decided, error) : FALSE)
        return FALSE;
    if (decided->result == NULL)
        decided->result = g_strdup_printf("%s is paused until nurture contact resume", decided->contact->email);
    return store_contact_pause_because(decided->cli->store, decided->contact->id, "has left", error) &&
           note(decided, decided->contact->id, "has left", error);
}

static gboolean accept(Case *decided, GError **error)
{
    return end(decided, PROPOSAL_ACCEPTED, error) &&
           (decided->proposal->kind == DEPARTURE_NEW_ADDRESS ? accept_address(decided, error) : accept_departure(decided, error));
}

/* The hold that the proposal made ends with it. */
static gboolean decline(Case *decided, GError **error)
{
    gboolean is_held = g_str_equal(decided->contact->hold_reason, PROPOSAL_HOLD);
    decided->result = g_strdup(is_held ? "declined; nothing is held back any more" : "declined");
    return end(decided, PROPOSAL_DECLINED, error) && (!is_held || store_contact_hold(decided->cli->store, decided->contact->id, 0, "", error));
}

/* ---- both -------------------------------------------------------------------------------------------------------------- */

static int show(Cli *cli, gint64 id, const char *result)
{
    GError *error = NULL;
    g_autoptr(Proposal) proposal = NULL;
    if (!store_proposal_get(cli->store, id, &proposal, &error))
        return cli_failed_by(cli, error);
    if (cli->json && proposal)
        cli_print_json(cli, proposal_object(proposal));
    else
        fprintf(cli->out, "%" G_GINT64_FORMAT ": %s\n", id, result);
    return CLI_DONE;
}

static gboolean apply(Case *decided, gboolean (*change)(Case *decided, GError **error), GError **error)
{
    g_autoptr(StoreTransaction) transaction = store_begin(decided->cli->store, error);
    if (transaction == NULL || !change(decided, error) || !store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    control_knock(decided->cli->config);
    return TRUE;
}

static int decide(Cli *cli, const char *word, const Wish *wish, gboolean (*change)(Case *decided, GError **error))
{
    GError *error = NULL;
    g_autoptr(Proposal) proposal = NULL;
    g_autoptr(Contact) contact = NULL;
    g_autofree char *address = wish->address ? address_canonical(wish->address, &error) : NULL;
    if ((wish->address && !address) || !cli_open_store(cli, CLI_STORE_WRITE, &error) || !proposal_find(cli, word, &proposal, &error) ||
        !store_contact_get(cli->store, proposal->contact_id, &contact, &error))
        return cli_failed_by(cli, error);
    if (contact == NULL)
        return cli_failed(cli, "%s was erased meanwhile", proposal->email);
    Case decided = {.cli = cli, .proposal = proposal, .contact = contact, .address = address ? address : proposal->address, .wish = wish,
                    .now_ms = control_now_ms(cli->config)};
    if (address_in_domains(decided.address, (const char *const *)cli->config->organisation.domains))
        return cli_failed(cli, "%s is one of our own people (organisation.domains); write --address ADDRESS, or decline it", decided.address);
    gboolean ok = apply(&decided, change, &error);
    int status = ok ? show(cli, proposal->id, decided.result) : cli_failed_by(cli, error);
    g_free(decided.result);
    return status;
}

int proposal_command_accept(Cli *cli, char **words)
{
    g_auto(Wish) wish = {0};
    const GOptionEntry entries[] = {
        {"as-alias", 0, 0, G_OPTION_ARG_NONE, &wish.as_alias, "A new address: a further one, not the one that is written to", NULL},
        {"address", 0, 0, G_OPTION_ARG_STRING, &wish.address, "Another address than the proposed one", "ADDRESS"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &wish.name, "A successor's name, where another than the proposed one", "NAME"},
        {"stage", 0, 0, G_OPTION_ARG_STRING, &wish.stage, "The stage that a successor begins in (default: the first)", "STAGE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    return rest != NULL ? decide(cli, rest[0], &wish, accept) : status;
}

int proposal_command_decline(Cli *cli, char **words)
{
    const Wish none = {0};
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    return rest != NULL ? decide(cli, rest[0], &none, decline) : status;
}
