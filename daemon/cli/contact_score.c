/*
 * nurture contact score EMAIL NUMBER: a score that somebody told by other ways than by mail, or in words that only a person understands.
 */
#include "base/text.h"
#include "cli/command.h"
#include "engine/control.h"
#include "engine/score.h"
#include "store/history.h"

static gboolean save(Cli *cli, const Contact *contact, int score, GError **error)
{
    g_autofree char *detail = g_strdup_printf("score %d", score);
    gint64 now_ms = control_now_ms(cli->config);
    const Interaction told = {.contact_id = contact->id, .at_ms = now_ms, .kind = INTERACTION_NOTE, .detail = detail};
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    return transaction != NULL && store_history_add(cli->store, &told, NULL, error) &&
           score_apply(cli->store, contact, score, "", NULL, now_ms, error) && store_commit(g_steal_pointer(&transaction), error);
}

int contact_command_score(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    guint64 score = 0;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 2, 2, &status);
    if (rest == NULL)
        return status;
    if (!g_ascii_string_to_unsigned(rest[1], 10, 0, SCORE_MAX, &score, NULL)) {
        g_autofree char *shown = text_quote(rest[1], 60);
        return cli_wrong_usage(cli, "%s is no score; write a whole number from 0 to %d", shown, SCORE_MAX);
    }
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL || !save(cli, contact, (int)score, &error))
        return cli_failed_by(cli, error);
    control_knock(cli->config);
    g_autofree char *what = g_strdup_printf("score %d%s", (int)score,
                                            score <= SCORE_LOW_MAX ? "; paused until nurture contact resume" : "");
    cli_tell(cli, contact->email, what);
    return CLI_DONE;
}
