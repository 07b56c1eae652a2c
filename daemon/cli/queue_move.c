/*
 * nurture queue approve / hold / cancel / retry: what a person decides of a message.
 *
 *     queued, deferred --hold--> held --approve--> queued
 *     uncertain, deferred, held, failed --retry--> queued, due now
 *     queued, deferred, held, uncertain --cancel--> cancelled
 *
 * The store moves a row only from the states that the move allows, so that nothing is taken from the daemon's hands, and marks
 * the contact, so that the daemon moves the rule on.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "engine/control.h"

#define BIT(state) (1u << (state))

typedef struct {
    const char *done; /* "approved" */
    guint from;       /* bits of OutboxState */
    OutboxState to;
    const char *reason; /* kept with the row */
    gboolean approves;  /* a person's yes to what awaits it */
    gboolean to_leave;  /* it is to be sent: its rule must not have ended */
    gboolean sure;      /* uncertain ones too, which may arrive twice */
} Move;

/* "queued or deferred" */
static char *states_text(guint states)
{
    GString *text = g_string_new(NULL);
    for (guint state = OUTBOX_QUEUED; state <= OUTBOX_SKIPPED; state++) {
        if ((states & BIT(state)) == 0)
            continue;
        gboolean last = (states >> (state + 1)) == 0;
        g_string_append_printf(text, "%s%s", text->len == 0 ? "" : last ? " or " : ", ", outbox_state_name(state));
    }
    return g_string_free(text, FALSE);
}

static gboolean refuse_state(const OutboxMessage *message, const Move *move, GError **error)
{
    g_autofree char *states = states_text(move->from);
    if (message->state == OUTBOX_SENDING)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "message %" G_GINT64_FORMAT " is being sent at this moment; look again with nurture queue", message->id);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "message %" G_GINT64_FORMAT " is %s; only one that is %s can be %s",
                    message->id, outbox_state_name(message->state), states, move->done);
    return FALSE;
}

/* What the daemon would not send anyway is refused here, where somebody reads the reason. */
static gboolean check_enrolment(Cli *cli, const OutboxMessage *message, GError **error)
{
    g_autoptr(Enrolment) enrolment = NULL;
    if (!store_enrolment_get(cli->store, message->enrolment_id, &enrolment, error))
        return FALSE;
    if (enrolment != NULL && enrolment->state == ENROLMENT_ACTIVE)
        return TRUE;
    const char *reason = enrolment != NULL && enrolment->end_reason[0] != '\0' ? enrolment->end_reason : "done";
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                "message %" G_GINT64_FORMAT
                ": the rule %s has ended for %s (%s), so nothing of it is sent any more; write to them yourself",
                message->id, message->rule, message->email, reason);
    return FALSE;
}

static gboolean check(Cli *cli, const OutboxMessage *message, const Move *move, GError **error)
{
    if ((move->from & BIT(message->state)) == 0)
        return refuse_state(message, move, error);
    if (move->to_leave && message->state == OUTBOX_UNCERTAIN && !move->sure) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "message %" G_GINT64_FORMAT " may have arrived at %s already; if it may arrive twice, write --yes",
                    message->id, message->email);
        return FALSE;
    }
    if (move->to_leave && !move->approves && message->approval == APPROVAL_AWAITED) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "message %" G_GINT64_FORMAT " waits for approval; where it may go, write nurture queue approve %" G_GINT64_FORMAT, message->id,
                    message->id);
        return FALSE;
    }
    return !move->to_leave || check_enrolment(cli, message, error);
}

static gboolean find(Cli *cli, const char *word, OutboxMessage **ret_message, GError **error)
{
    gint64 id = 0;
    if (!cli_id_parse(word, "queue", &id, error) || !store_outbox_get(cli->store, id, ret_message, error))
        return FALSE;
    if (*ret_message == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "there is no message %s; nurture queue --all lists them", word);
    return *ret_message != NULL;
}

static gboolean move_one(Cli *cli, const char *word, const Move *move, gint64 now_ms, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    gboolean moved = FALSE;
    const OutboxOutcome outcome = {.state = move->to, .due_ms = now_ms, .reason = move->reason, .approved = move->approves};
    if (!find(cli, word, &message, error) || !check(cli, message, move, error) ||
        !store_outbox_move(cli->store, message->id, move->from, &outcome, now_ms, &moved, error))
        return FALSE;
    if (!moved) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "message %s has just been moved by the daemon; look again with nurture queue", word);
        return FALSE;
    }
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "id", message->id);
        json_object_set_string_member(object, "contact", message->email);
        json_object_set_string_member(object, "state", outbox_state_name(move->to));
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out, "%s: %s to %s %s\n", word, message->step, message->email, move->done);
    }
    return TRUE;
}

/* Each on its own: one that cannot be moved does not keep the others. */
static int move_all(Cli *cli, char **ids, const Move *move)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean any = FALSE;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    for (char **id = ids; *id != NULL; id++) {
        if (move_one(cli, *id, move, now_ms, &error))
            any = TRUE;
        else
            status = cli_failed_by(cli, g_steal_pointer(&error));
    }
    if (any)
        control_knock(cli->config);
    return status;
}

static int move_words(Cli *cli, char **words, const Move *move)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, G_MAXUINT, &status);
    return rest != NULL ? move_all(cli, rest, move) : status;
}

int queue_command_approve(Cli *cli, char **words)
{
    const Move move = {
        .done = "approved", .from = BIT(OUTBOX_HELD), .to = OUTBOX_QUEUED, .reason = "approved by hand", .approves = TRUE, .to_leave = TRUE,
    };
    return move_words(cli, words, &move);
}

int queue_command_hold(Cli *cli, char **words)
{
    const Move move = {.done = "held",
                       .from = BIT(OUTBOX_QUEUED) | BIT(OUTBOX_DEFERRED),
                       .to = OUTBOX_HELD,
                       .reason = "held by hand; nurture queue approve lets it go"};
    return move_words(cli, words, &move);
}

int queue_command_cancel(Cli *cli, char **words)
{
    const Move move = {.done = "cancelled",
                       .from = BIT(OUTBOX_QUEUED) | BIT(OUTBOX_DEFERRED) | BIT(OUTBOX_HELD) | BIT(OUTBOX_UNCERTAIN),
                       .to = OUTBOX_CANCELLED,
                       .reason = "cancelled by hand"};
    return move_words(cli, words, &move);
}

int queue_command_retry(Cli *cli, char **words)
{
    gboolean yes = FALSE;
    const GOptionEntry entries[] = {
        {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Uncertain messages too, which may arrive twice", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    const Move move = {.done = "queued again",
                       .from = BIT(OUTBOX_UNCERTAIN) | BIT(OUTBOX_DEFERRED) | BIT(OUTBOX_HELD) | BIT(OUTBOX_FAILED),
                       .to = OUTBOX_QUEUED,
                       .reason = "sent again by hand",
                       .to_leave = TRUE,
                       .sure = yes};
    return move_all(cli, rest, &move);
}
