/*
 * The mail to the owner of somebody who gave a low score. Runs on the loop.
 */
#include "engine/score_notice.h"

#include "engine/notice.h"
#include "engine/score.h"

gboolean score_tell_owner(EngineCore *core, const Contact *contact, const InboundMessage *message, GError **error)
{
    const Account *account = config_account_for_owner(core->config, contact->owner);
    if (!account || message->score.verdict != SCORE_CLEAR || message->score.value > SCORE_LOW_MAX)
        return TRUE;
    g_autofree char *who = notice_who(contact->first_name, contact->last_name, contact->email);
    g_autofree char *excerpt = notice_excerpt(message->text);
    g_autofree char *subject = g_strdup_printf("%s gave the score %d", who, message->score.value);
    g_autofree char *text = g_strdup_printf("%s gave the score %d.\n\n%s\nNo rule writes to them until nurture contact resume %s.\n"
                                            "It is among your tasks, too: nurture task list\n",
                                            who, message->score.value, excerpt, contact->email);
    return notice_owner(core, account, subject, text, error);
}
