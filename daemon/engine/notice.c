/*
 * Notices. Runs on the loop.
 */
#include "engine/notice.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "store/notices.h"

enum { EXCERPT_LINES = 8, EXCERPT_COLUMNS = 200, SUBJECT_COLUMNS = 150 };
#define HOUR_MS ((gint64)3600 * 1000)

char *notice_who(const char *first_name, const char *last_name, const char *email)
{
    g_autofree char *name = g_strstrip(g_strjoin(" ", first_name, last_name, NULL));
    g_autofree char *whole = *name ? g_strdup_printf("%s <%s>", name, email) : g_strdup(email);
    g_autofree char *line = text_one_line(whole);
    return text_escape(line, 0);
}

char *notice_excerpt(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 200);
    GString *excerpt = g_string_new(NULL);
    guint shown = 0;
    for (char **line = lines; *line && shown < EXCERPT_LINES; line++) {
        g_autofree char *plain = text_one_line(*line);
        g_autofree char *safe = text_escape(plain, 0);
        g_autofree char *fitted = text_fit(safe, EXCERPT_COLUMNS);
        if (!*fitted)
            continue;
        g_string_append_printf(excerpt, "  > %s\n", fitted);
        shown++;
    }
    return g_string_free(excerpt, FALSE);
}

/* What others wrote, or what is made of it, as a line that can be shown. Caller frees. */
static char *subject_line(const char *subject)
{
    g_autofree char *line = text_one_line(subject);
    g_autofree char *safe = text_escape(line, 0);
    return text_fit(safe, SUBJECT_COLUMNS);
}

gboolean notice_owner(EngineCore *core, const Account *account, const char *subject, const char *text, GError **error)
{
    const gint64 now_ms = clock_now_ms(core->clock);
    guint count = 0;
    if (!store_notice_count(core->store, account->name, now_ms - HOUR_MS, &count, error))
        return FALSE;
    if (count >= NOTICE_MOST_AN_HOUR) {
        log_event(LOG_LEVEL_WARNING, "notice-left-out", LOG_TEXT("account", account->name), LOG_TEXT("reason", "too many within an hour"));
        return TRUE;
    }
    g_autofree char *fitted = subject_line(subject);
    g_autofree char *message_id = mail_new_message_id(address_domain(account->from_address), clock_system_now_ms());
    const Notice notice = {.account = account->name, .subject = fitted, .text = (char *)text, .message_id = message_id, .created_ms = now_ms};
    core->notices = TRUE;
    return store_notice_add(core->store, &notice, 0, error);
}

/* The rule's own wish, else the account's. */
static Notify wish_of(const EngineCore *core, const Account *account, const OutboxMessage *answers)
{
    const Rule *rule = answers ? config_rule(core->config, answers->rule) : NULL;
    return rule && rule->notify != NOTIFY_UNSAID ? rule->notify : account->notify;
}

gboolean notice_reply(EngineCore *core, const Arrival *arrival, const Contact *contact, const OutboxMessage *answers, GError **error)
{
    const Account *owner = config_account_for_owner(core->config, contact->owner);
    const Account *account = owner ? owner : arrival->account;
    if (wish_of(core, account, answers) != NOTIFY_AT_ONCE)
        return TRUE;
    gboolean stops = arrival->message->class == INBOUND_UNSUBSCRIBE;
    g_autofree char *who = notice_who(contact->first_name, contact->last_name, contact->email);
    g_autofree char *excerpt = notice_excerpt(arrival->message->text);
    g_autofree char *theirs = subject_line(arrival->message->subject);
    g_autofree char *subject = g_strdup_printf("%s %s", who, stops ? "asks to be left alone" : answers ? "answered" : "wrote");
    g_autofree char *text = g_strdup_printf("%s %s.\n\nSubject: %s\n\n%s\n%s%s%sThe whole: nurture history %s\n", who,
                                            stops ? "asks to be left alone" : "wrote", theirs, excerpt,
                                            answers ? "Answers the rule " : "", answers ? answers->rule : "", answers ? ".\n" : "", contact->email);
    return notice_owner(core, account, subject, text, error);
}
