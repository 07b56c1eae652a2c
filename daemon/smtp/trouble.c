/*
 * The one place that says what a reply or a fault means: for this message (deferred, failed), for its recipient
 * (unknown), or for the account, whose every message would meet it (unreachable; permanent where waiting will not mend
 * it). Pure.
 *
 * The order is that of invariant 2 and must not change:
 *   1. 250 after the last byte     sent
 *   2. a complete 4xx or 5xx       refused, by the phase it answers and its code
 *   3. the last byte was given     uncertain
 *   4. else nothing was taken      unreachable before a recipient was named, deferred after: a message on which a
 *                                  server breaks down must not stop the account's others
 */
#include "trouble.h"

#include <string.h>

#include "base/text.h"
#include "limits.h"

enum { REPLY_OK = 250, REPLY_CLOSING = 421 };

static const char *phase_name(SmtpPhase phase)
{
    static const char *const names[] = {
        [PHASE_GREETING] = "the greeting",
        [PHASE_HELLO] = "EHLO",
        [PHASE_STARTTLS] = "STARTTLS",
        [PHASE_SIGN_IN] = "AUTH",
        [PHASE_MAIL] = "MAIL",
        [PHASE_RCPT] = "RCPT",
        [PHASE_DATA] = "DATA",
        [PHASE_BODY] = "the message",
        [PHASE_FINAL] = "the end of the message",
    };
    return names[phase];
}

static gboolean one_of(const char *word, const char *const *list)
{
    return g_strv_contains(list, word);
}

static gboolean holds_any(const char *text, const char *const *phrases)
{
    for (; *phrases; phrases++)
        if (strstr(text, *phrases))
            return TRUE;
    return FALSE;
}

/* "No such user": told by the enhanced status, or, without one, by the words that servers use in the answer to RCPT. */
static gboolean says_recipient_unknown(SmtpPhase phase, const SmtpReply *reply)
{
    static const char *const statuses[] = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", NULL};
    static const char *const words[] = {
        "user unknown",      "unknown user",        "no such user",      "user not found",      "user doesn't exist",
        "no such recipient", "recipient unknown",   "unknown recipient", "recipient not found", "invalid recipient",
        "no such mailbox",   "mailbox unavailable", "mailbox not found", "unknown mailbox",     "no mailbox here",
        "no such address",   "address unknown",     "unknown address",   "does not exist",      NULL};
    /* the same words about somebody else, or with another reason */
    static const char *const other[] = {"sender", "spam",       "policy", "block", "blacklist", "denied",
                                        "relay",  "reputation", "spf ",   "dkim",  "dmarc",     NULL};
    if (phase < PHASE_RCPT || (reply->code != 550 && reply->code != 551 && reply->code != 553))
        return FALSE;
    if (*reply->enhanced)
        return one_of(reply->enhanced, statuses);
    g_autofree char *lower = g_ascii_strdown(reply->text->str, (gssize)reply->text->len);
    return phase == PHASE_RCPT && holds_any(lower, words) && !holds_any(lower, other);
}

/* A 5xx to MAIL, RCPT or DATA that speaks of us, not of this message: sign in first, this sender may not. Before RCPT
 * nobody but the sender was named, so a refusal by policy (5.7.x) there is about the sender, too. */
static gboolean refuses_account(SmtpPhase phase, const SmtpReply *reply)
{
    static const char *const about_sender[] = {"5.1.7", "5.1.8", NULL};
    if (phase >= PHASE_BODY)
        return FALSE;
    if (reply->code == 530 || reply->code == 534 || reply->code == 535 || reply->code == 538)
        return TRUE;
    if (phase == PHASE_MAIL && g_str_has_prefix(reply->enhanced, "5.7."))
        return TRUE;
    return phase <= PHASE_RCPT && one_of(reply->enhanced, about_sender);
}

static void judge_refusal(const SmtpEnding *ending, DeliveryResult *result)
{
    const SmtpReply *reply = ending->reply;
    gboolean lasting = reply->code >= 500;
    if (reply->code == REPLY_CLOSING || ending->phase < PHASE_MAIL) {
        result->class = DELIVERY_UNREACHABLE;
        result->permanent = lasting && (ending->phase == PHASE_SIGN_IN || ending->phase == PHASE_STARTTLS);
        result->sign_in_refused = lasting && ending->phase == PHASE_SIGN_IN;
    } else if (!lasting) {
        result->class = DELIVERY_DEFERRED;
    } else if (refuses_account(ending->phase, reply)) {
        result->class = DELIVERY_UNREACHABLE;
        result->permanent = TRUE;
    } else {
        result->class = DELIVERY_FAILED;
        result->recipient_unknown = says_recipient_unknown(ending->phase, reply);
    }
}

static void judge_fault(const SmtpEnding *ending, DeliveryResult *result)
{
    static const SmtpFault lasting[] = {FAULT_CERTIFICATE, FAULT_NO_STARTTLS, FAULT_NO_SIGN_IN};
    if (ending->all_given) {
        result->class = DELIVERY_UNCERTAIN;
        return;
    }
    gboolean of_account = ending->phase < PHASE_RCPT || ending->fault == FAULT_CANCELLED;
    result->class = of_account ? DELIVERY_UNREACHABLE : DELIVERY_DEFERRED;
    for (gsize i = 0; i < G_N_ELEMENTS(lasting); i++)
        result->permanent |= ending->fault == lasting[i];
}

/* What happened in our words, where no reply decides. */
static char *fault_words(const SmtpEnding *ending)
{
    const char *phase = phase_name(ending->phase), *server = ending->server, *detail = ending->detail;
    switch (ending->fault) {
    case FAULT_NO_CONNECTION:
        return g_strdup_printf("no connection to %s: %s", server, detail);
    case FAULT_CERTIFICATE:
        return g_strdup_printf("the certificate of %s is not accepted: %s", server, detail);
    case FAULT_TLS:
        return g_strdup_printf("no TLS with %s: %s", server, detail);
    case FAULT_NO_STARTTLS:
        return g_strdup_printf("%s offers no STARTTLS; nothing is sent in the clear", server);
    case FAULT_NO_SIGN_IN:
        return g_strdup_printf("%s offers no sign-in by %s", server, ending->ways);
    case FAULT_SECRET:
        return g_strdup_printf("the password for %s cannot be read: %s", server, detail);
    case FAULT_TOKEN:
        return g_strdup_printf("no sign-in at %s: %s", server, detail);
    case FAULT_OVERDUE:
        return g_strdup_printf("%s gave no answer to %s within %" G_GINT64_FORMAT " seconds", server, phase,
                               (ending->waited_ms + 500) / 1000);
    case FAULT_CANCELLED:
        return g_strdup_printf("shutting down while waiting for the answer to %s", phase);
    case FAULT_LOST:
        return g_strdup_printf("the connection to %s was lost after %s%s%s", server, phase, *detail ? ": " : "", detail);
    case FAULT_NONE:
    case FAULT_PROTOCOL:
        break;
    }
    if (ending->reply->complete)
        return g_strdup_printf("%s answered %s with %d %s", server, phase, ending->reply->code, ending->reply->text->str);
    return g_strdup_printf("%s gave no proper answer to %s%s%s", server, phase, *detail ? ": " : "", detail);
}

void smtp_trouble_judge(const SmtpEnding *ending, DeliveryResult *ret_result)
{
    const SmtpReply *reply = ending->reply;
    gboolean accepted = ending->fault == FAULT_NONE && ending->all_given && ending->phase == PHASE_FINAL &&
                        reply->complete && reply->code == REPLY_OK;
    gboolean refused = !accepted && reply->complete && reply->code >= 400 && reply->code <= 599;
    g_autofree char *words = NULL;
    *ret_result = (DeliveryResult){.class = DELIVERY_SENT};
    if (accepted || refused) {
        ret_result->code = reply->code;
        words = g_strndup(reply->text->str, reply->text->len);
    } else {
        words = fault_words(ending);
    }
    if (refused)
        judge_refusal(ending, ret_result);
    else if (!accepted)
        judge_fault(ending, ret_result);
    ret_result->enhanced = g_strdup(accepted || refused ? reply->enhanced : "");
    ret_result->text = text_escape(words, SMTP_RESULT_TEXT);
}
