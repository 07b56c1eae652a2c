/*
 * nurture referral add / accept / decline: the owner's yes and no, and what was said by word of mouth.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/referral.h"
#include "engine/control.h"
#include "engine/referral_known.h"
#include "mail/address.h"

static void tell(Cli *cli, const Referral *referral, const char *result)
{
    if (cli->json) {
        JsonObject *object = referral_object(referral);
        json_object_set_string_member(object, "result", result);
        cli_print_json(cli, object);
        return;
    }
    g_autofree char *shown = text_escape(referral_shown(referral), 0);
    fprintf(cli->out, "%" G_GINT64_FORMAT " %s: %s\n", referral->id, shown, result);
}

static char *canonical(const char *option, const char *word, GError **error)
{
    char *address = address_canonical(word, error);
    if (address == NULL)
        g_prefix_error(error, "%s: ", option);
    return address;
}

/* ---- accept ---------------------------------------------------------------------------------------------------------- */

static const char *spelled_stage(const Cli *cli, const char *stage, GError **error)
{
    int index = config_stage_index(cli->config, stage);
    if (index >= 0)
        return cli->config->pipeline.stages[index];
    g_autofree char *shown = text_quote(stage, 60);
    g_autofree char *fault = g_strdup_printf("--stage: %s is no stage of the pipeline", shown);
    g_autofree char *message = cli_suggest(fault, stage, (const char *const *)cli->config->pipeline.stages);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return NULL;
}

/* *ret_refused: it was not accepted, which was said. */
static gboolean accept_one(Cli *cli, const char *word, const ReferralAcceptance *acceptance, gboolean *ret_refused, GError **error)
{
    gint64 id = 0;
    ReferralAcceptResult result = REFERRAL_ACCEPT_NOT_OPEN;
    g_autoptr(Referral) referral = NULL;
    *ret_refused = TRUE;
    if (!cli_id_parse(word, "referral", &id, error) ||
        !store_referral_accept(cli->store, id, acceptance, control_now_ms(cli->config), &result, error) ||
        !store_referral_get(cli->store, id, &referral, error))
        return FALSE;
    if (referral == NULL) {
        cli_failed(cli, "there is no referral %s; nurture referral list shows them", word);
        return TRUE;
    }
    switch (result) {
    case REFERRAL_ACCEPT_DONE:
        *ret_refused = FALSE;
        tell(cli, referral, "accepted");
        break;
    case REFERRAL_ACCEPT_NOT_OPEN:
        cli_failed(cli, "referral %s is %s already", word, referral_state_name(referral->state));
        break;
    case REFERRAL_ACCEPT_NO_ADDRESS:
        cli_failed(cli, "referral %s has no address; write nurture referral accept %s --email ADDRESS", word, word);
        break;
    case REFERRAL_ACCEPT_REFUSED:
        cli_failed(cli, "referral %s cannot be accepted: %s", word, referral->reason);
        break;
    }
    return TRUE;
}

static int accept_all(Cli *cli, char **ids, const char *address, const char *stage)
{
    GError *error = NULL;
    int status = CLI_DONE;
    ReferralAcceptance acceptance = {.address = address, .by = "the owner"};
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error) ||
        (stage != NULL && (acceptance.stage = spelled_stage(cli, stage, &error)) == NULL))
        return cli_failed_by(cli, error);
    acceptance.first_stage = cli->config->pipeline.stages[0];
    acceptance.customer_stage = cli->config->pipeline.customer_stage;
    for (char **id = ids; *id != NULL; id++) {
        gboolean refused = FALSE;
        if (!accept_one(cli, *id, &acceptance, &refused, &error))
            return cli_failed_by(cli, error);
        status = refused ? CLI_FAILED : status;
    }
    control_knock(cli->config);
    return status;
}

int referral_command_accept(Cli *cli, char **words)
{
    g_autofree char *email = NULL;
    g_autofree char *stage = NULL;
    const GOptionEntry entries[] = {
        {"email", 0, 0, G_OPTION_ARG_STRING, &email, "Where they can be written to, if it is not known or wrong", "ADDRESS"},
        {"stage", 0, 0, G_OPTION_ARG_STRING, &stage, "Instead of the first", "STAGE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (email != NULL && rest[1] != NULL)
        return cli_wrong_usage(cli, "--email is the address of one person; accept one referral at a time");
    g_autofree char *address = email != NULL ? canonical("--email", email, &error) : NULL;
    if (email != NULL && address == NULL)
        return cli_failed_by(cli, error);
    return accept_all(cli, rest, address, stage);
}

/* ---- decline --------------------------------------------------------------------------------------------------------- */

static gboolean decline_one(Cli *cli, const char *word, const char *reason, gboolean *ret_declined, GError **error)
{
    gint64 id = 0;
    g_autoptr(Referral) referral = NULL;
    if (!cli_id_parse(word, "referral", &id, error) ||
        !store_referral_decline(cli->store, id, reason, control_now_ms(cli->config), ret_declined, error) ||
        !store_referral_get(cli->store, id, &referral, error))
        return FALSE;
    if (*ret_declined)
        tell(cli, referral, "declined");
    else if (referral == NULL)
        cli_failed(cli, "there is no referral %s; nurture referral list shows them", word);
    else
        cli_failed(cli, "referral %s is no proposal: it is %s", word, referral_state_name(referral->state));
    return TRUE;
}

int referral_command_decline(Cli *cli, char **words)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"reason", 0, 0, G_OPTION_ARG_STRING, &text, "Why", "TEXT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    g_autofree char *reason = text_one_line(text != NULL ? text : "by the owner");
    for (char **id = rest; *id != NULL; id++) {
        gboolean declined = FALSE;
        if (!decline_one(cli, *id, reason, &declined, &error))
            return cli_failed_by(cli, error);
        status = declined ? status : CLI_FAILED;
    }
    control_knock(cli->config);
    return status;
}

/* ---- add ------------------------------------------------------------------------------------------------------------- */

int referral_command_add(Cli *cli, char **words)
{
    g_autofree char *friend = NULL;
    const GOptionEntry entries[] = {
        {"friend", 0, 0, G_OPTION_ARG_STRING, &friend, "Where the friend can be written to", "ADDRESS"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    gint64 id = 0;
    g_autoptr(Referral) referral = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (friend == NULL && rest[1] == NULL)
        return cli_wrong_usage(cli, "nobody is named; write --friend ADDRESS, their name, or both");
    g_autofree char *joined = g_strjoinv(" ", rest + 1);
    g_autofree char *name = text_one_line(joined);
    g_autofree char *address = friend != NULL ? canonical("--friend", friend, &error) : g_strdup("");
    g_autoptr(Contact) referrer = address != NULL ? cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error) : NULL;
    if (referrer == NULL ||
        !referral_add_by_hand(cli->config, cli->store, referrer, name, address, control_now_ms(cli->config), &id, &error) ||
        (id != 0 && !store_referral_get(cli->store, id, &referral, &error)))
        return cli_failed_by(cli, error);
    if (referral == NULL)
        return cli_failed(cli, "%s named them before; nurture referral list --referrer %s shows it", referrer->email, referrer->email);
    tell(cli, referral, referral->state == REFERRAL_PROPOSED ? "proposed" : referral->reason);
    control_knock(cli->config);
    return referral->state == REFERRAL_PROPOSED ? CLI_DONE : CLI_FAILED;
}
