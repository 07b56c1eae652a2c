/*
 * Classes, by what standards and programs say in headers and parts; a word in a subject alone decides nothing. The first that
 * has evidence counts:
 *   complaint (RFC 5965) > a sending service's notice > bounce (RFC 3464, or a mail system's words) > unsubscribe (a token) > automatic (RFC 3834, vendors' headers)
 *   > other (receipts, calendar answers, lists, nobody's) > unsubscribe (a human's "stop") > reply
 * Pure, any thread.
 */
#include "mail/classify.h"

#include <string.h>

#include "mail/absence.h"
#include "mail/autoreply.h"
#include "mail/bounce.h"
#include "mail/provider_notice.h"
#include "mail/reply_text.h"
#include "mail/stop_words.h"
#include "mail/token.h"

static void set_class(InboundMessage *message, InboundClass class, const char *evidence)
{
    message->class = class;
    g_free(message->evidence);
    message->evidence = g_strdup(evidence);
}

/* ---- machines -------------------------------------------------------------------------------------------------------- */

/* Microsoft's reports of complaints attach the message with a header of their own, in no report's form. */
static gboolean is_junk_report(const MailParts *parts)
{
    g_autofree char *reported = mail_field(parts->original_headers->str, "X-HmXmrOriginalRecipient");
    return reported != NULL;
}

/* Feedback of type "not-spam", or about authentication (DMARC's), is no complaint of a person. */
static gboolean is_feedback_of_person(const MailParts *parts)
{
    g_autofree char *type = mail_field(parts->feedback_report->str, "Feedback-Type");
    return type == NULL || (g_ascii_strcasecmp(type, "not-spam") != 0 && g_ascii_strcasecmp(type, "auth-failure") != 0);
}

static void take_original_id(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *id = mail_field(parts->original_headers->str, "Message-ID");
    const char *open = id != NULL ? strchr(id, '<') : NULL, *close = open != NULL ? strchr(open, '>') : NULL;

    if (close == NULL)
        return;
    g_free(message->original_message_id);
    message->original_message_id = g_strndup(open + 1, (gsize)(close - open - 1));
}

static gboolean is_complaint(const MailParts *parts, InboundMessage *message)
{
    gboolean feedback = parts->feedback_report->len > 0;

    if (!feedback && !is_junk_report(parts))
        return FALSE;
    take_original_id(parts, message);
    if (feedback && !is_feedback_of_person(parts))
        set_class(message, INBOUND_OTHER, "a feedback report (RFC 5965) that is no complaint");
    else
        set_class(message, INBOUND_COMPLAINT, feedback ? "a feedback report (RFC 5965)" : "a mailbox provider's report of a complaint");
    return TRUE;
}

/* A delivery status report in which nothing failed: bounce_read() has seen to those that tell of failures. */
static gboolean is_report_of_success(const MailParts *parts, InboundMessage *message)
{
    if (parts->delivery_status->len == 0)
        return FALSE;
    set_class(message, INBOUND_OTHER, "a delivery status report of success");
    return TRUE;
}

/* A program that wrote unasked (RFC 3834's auto-generated): a notice, not the answer of somebody's mailbox. */
static gboolean is_notice(const char *evidence, const InboundMessage *message)
{
    static const char *const notices[] = {"Auto-Submitted: auto-generated", "Auto-Submitted: auto-notified", AUTOREPLY_SAYS_SO};
    gboolean unasked = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(notices); i++)
        unasked = unasked || g_str_has_prefix(evidence, notices[i]);
    return unasked && *message->in_reply_to == '\0' && message->references[0] == NULL;
}

static gboolean is_automatic(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *evidence = autoreply_evidence(parts, message);
    if (evidence == NULL)
        return FALSE;
    if (is_notice(evidence, message)) {
        set_class(message, INBOUND_OTHER, evidence);
        return TRUE;
    }
    set_class(message, INBOUND_AUTO_REPLY, evidence);
    /* the quoted message has dates of its own */
    message->absent_until_ms = absence_until(*message->text != '\0' ? message->text : message->full_text, parts->now_ms);
    return TRUE;
}

/* A company's people may answer through a group's address, which adds a list's headers to their answers. */
static gboolean is_bulk(const MailParts *parts, gboolean answers)
{
    g_autofree char *precedence = mail_parts_header(parts, "Precedence");
    if (g_ascii_strcasecmp(precedence, "bulk") == 0 || g_ascii_strcasecmp(precedence, "junk") == 0)
        return TRUE;
    return !answers && (g_ascii_strcasecmp(precedence, "list") == 0 || mail_parts_has_header(parts, "List-Unsubscribe"));
}

/* Reports that providers send daily about a domain: DMARC's (RFC 7489, 7.2.1.1) and TLS's (RFC 8460) have a subject of one form. */
static gboolean is_domain_report(const MailParts *parts, const InboundMessage *message)
{
    g_autofree char *type = mail_parts_header(parts, "Content-Type"), *subject = g_utf8_strdown(message->subject, -1);
    const char *domain = strstr(subject, "report domain:");
    return g_ascii_strncasecmp(type, "multipart/report", 16) == 0 || (domain != NULL && strstr(domain, "submitter:") != NULL);
}

static gboolean is_other(const MailParts *parts, InboundMessage *message)
{
    const char *evidence = NULL;
    if (!*message->from && !message->references[0])
        evidence = "no sender that can be read";
    else if (parts->is_disposition)
        evidence = "a receipt (RFC 8098)";
    else if (parts->is_calendar_answer || (parts->is_calendar && !*message->in_reply_to))
        evidence = "a calendar's message";
    else if (is_domain_report(parts, message))
        evidence = "a report that a machine writes";
    else if ((mail_parts_has_header(parts, "List-Id") || mail_parts_has_header(parts, "List-Post")) && !*message->in_reply_to)
        evidence = "a mailing list's headers";
    else if (is_bulk(parts, *message->in_reply_to != '\0'))
        evidence = "a bulk mail's headers";
    if (evidence)
        set_class(message, INBOUND_OTHER, evidence);
    return evidence != NULL;
}

/* ---- people ---------------------------------------------------------------------------------------------------------- */

static gboolean has_token(InboundMessage *message)
{
    if (!*message->token)
        return FALSE;
    set_class(message, INBOUND_UNSUBSCRIBE, "an unsubscribe token");
    return TRUE;
}

/* Where nothing in an answer's plain text tells of an older message, the HTML beside it may: mail programs mark it there, in any
 * language. */
static void take_new_text(const MailParts *parts, InboundMessage *message)
{
    g_free(message->text);
    message->text = reply_text_extract(message->full_text);
    g_autofree char *whole = g_strstrip(g_strdup(message->full_text));
    if (*message->in_reply_to == '\0' || !g_str_equal(message->text, whole))
        return;
    g_autofree char *html = mail_parts_html_beside(parts);
    g_autofree char *marked = html != NULL ? reply_text_extract(html) : NULL;
    if (marked != NULL && *marked != '\0' && strlen(marked) < strlen(message->text) * 3 / 4) {
        g_free(message->text);
        message->text = g_steal_pointer(&marked);
    }
}

/* In words, or by the subject of a mail without any, as programs make one that are told to unsubscribe. */
static gboolean asks_to_stop(const InboundMessage *message)
{
    const char *said = *message->full_text != '\0' ? message->text : message->subject;
    return stop_words_ask(said);
}

void classify(const MailParts *parts, InboundMessage *message)
{
    if (is_complaint(parts, message) || provider_notice_read(parts, message))
        return;
    if (bounce_read(parts, message)) {
        message->class = INBOUND_BOUNCE;
        return;
    }
    take_new_text(parts, message); /* which what follows looks at, and reports of machines have none of */
    if (has_token(message) || is_report_of_success(parts, message) || is_automatic(parts, message) || is_other(parts, message))
        return;
    message->asks_to_stop = asks_to_stop(message);
    if (message->asks_to_stop)
        set_class(message, INBOUND_UNSUBSCRIBE, "its words ask to stop");
    else
        set_class(message, INBOUND_REPLY, *message->in_reply_to ? "In-Reply-To, and nothing that says a machine wrote it"
                                                                  : "nothing that says a machine wrote it");
}
