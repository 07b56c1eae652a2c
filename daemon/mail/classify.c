/*
 * Classes, by what standards and programs say in headers and parts; a word in a subject alone decides nothing. The first that
 * has evidence counts:
 *   complaint (RFC 5965) > bounce (RFC 3464, or a mail system's words) > unsubscribe (a token) > automatic (RFC 3834, vendors' headers)
 *   > other (receipts, calendar answers, lists, nobody's) > unsubscribe (a human's "stop") > reply
 * Pure, any thread.
 */
#include "mail/classify.h"

#include <string.h>

#include "mail/absence.h"
#include "mail/autoreply.h"
#include "mail/bounce.h"
#include "mail/reply_text.h"
#include "mail/token.h"

enum { STOP_MAX_CHARS = 120, STOP_MAX_LINES = 4 };

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
    static const char *const notices[] = {"Auto-Submitted: auto-generated", "Auto-Submitted: auto-notified"};
    return *message->in_reply_to == '\0' && message->references[0] == NULL &&
           (g_str_has_prefix(evidence, notices[0]) || g_str_has_prefix(evidence, notices[1]));
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

static gboolean is_other(const MailParts *parts, InboundMessage *message)
{
    const char *evidence = NULL;
    if (!*message->from && !message->references[0])
        evidence = "no sender that can be read";
    else if (parts->is_disposition)
        evidence = "a receipt (RFC 8098)";
    else if (parts->is_calendar_answer || (parts->is_calendar && !*message->in_reply_to))
        evidence = "a calendar's message";
    else if ((mail_parts_has_header(parts, "List-Id") || mail_parts_has_header(parts, "List-Post")) && !*message->in_reply_to)
        evidence = "a mailing list's headers";
    else if (is_bulk(parts, *message->in_reply_to != '\0'))
        evidence = "a bulk mail's headers";
    if (evidence)
        set_class(message, INBOUND_OTHER, evidence);
    return evidence != NULL;
}

/* ---- people ---------------------------------------------------------------------------------------------------------- */

/* A short new text that says nothing but that the mails shall end. */
static gboolean says_stop(const char *text)
{
    static GRegex *stop;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        const char *greeting = "(?:(?:hi|hello|hei|hej|hallo|dear|kjære)\\b[^\\n]{0,30}[,!.]?\\s{1,4})?";
        const char *please = "(?:please|pls|kindly|vennligst|v[æa]r s[åa] snill|bitte|s'il vous pla[îi]t|por favor|per favore|prosz[ęe])?[,\\s]{0,3}";
        const char *words = "(?:stopp?|unsubscribe(?: (?:me|us))?|opt[- ]?(?:me )?out|remove (?:me|us)(?: from .{1,40})?|take (?:me|us) off .{1,40}|"
                            "(?:do not|don't|no longer) (?:e-?mail|contact|write(?: to)?) (?:me|us)\\b.{0,20}|stop (?:e-?mailing|contacting|writing(?: to)?) (?:me|us)\\b.{0,20}|"
                            "stop sending (?:(?:me|us|these|any|more|your) ){0,3}(?:e-?mails?|mails?|messages|this|these)\\b.{0,20}|no more (?:e-?mails?|mails?)(?: to me| from you)?|"
                            "avmeld(?: meg| oss)?|meld (?:meg|oss) av.{0,40}|avslutt(?: abonnement\\w*)?|slett (?:meg|oss)(?: fra .{1,30})?|fjern (?:meg|oss) fra .{1,30}|"
                            "ikke (?:send|skriv) (?:(?:til )?(?:meg|oss) )?(?:flere|mere?)\\b.{0,30}|ikke kontakt (?:meg|oss)\\b.{0,20}|"
                            "slutt [åa] (?:maile|kontakte|skrive til) (?:meg|oss)\\b.{0,20}|slutt [åa] sende (?:(?:meg|oss) )?(?:e-?post|mailer?|flere|slike)\\b.{0,20}|"
                            "avregistrer(?:a)?(?: mig| oss)?|sluta (?:maila|kontakta) (?:mig|oss)\\b.{0,20}|sluta skicka (?:(?:mig|oss) )?(?:mejl|mail|fler)\\b.{0,20}|"
                            "(?:afmeld|frameld)(?: mig| os)?|abmelden|abbestellen|austragen|keine (?:weiteren )?(?:e-?)?mails mehr.{0,20}|uitschrijven|afmelden|"
                            "d[ée]sabonner?(?:-moi)?.{0,20}|d[ée]sinscri\\w*(?:-moi)?.{0,20}|cancell?ami.{0,30}|disiscri\\w*.{0,20}|darme de baja|d[ée]me de baja|baja|"
                            "cancelar(?: (?:a )?(?:inscri[çc][ãa]o|suscripci[óo]n|assinatura))?|wypisz(?: mnie)?.{0,30})";
        /* below it a greeting or a name at most: "Stop!\nSend the offer" asks for more */
        const char *below = "(?:\\s*\\n\\s*(?:(?:please|takk|thanks?|tak|tack|danke|merci|gracias|grazie|mvh|(?:best |kind )?regards|(?:(?:med )?(?:vennlig )?)?hilsen|gru[ßs]+)\\b[^\\n]{0,30}|"
                            "(?-i:\\p{Lu}[\\p{L}.'-]{0,20}(?:\\s\\p{Lu}[\\p{L}.'-]{0,20}){0,3})[,.]?)){0,3}";
        g_autofree char *pattern = g_strdup_printf("^\\s*%s%s%s[\\s.,!]{0,4}(?:(?:please|takk|thanks?(?: you)?|tak|tack|danke|merci|gracias|grazie|mvh|regards|hilsen)\\b[^\\n]{0,30})?"
                                                   "%s\\s*$", greeting, please, words, below);
        g_autoptr(GError) error = NULL;
        stop = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
        if (!stop)
            g_error("classify: %s", error->message);
        g_once_init_leave(&once, 1);
    }
    guint lines = 0;
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    if (g_utf8_strlen(text, -1) > STOP_MAX_CHARS || lines > STOP_MAX_LINES || strchr(text, '?'))
        return FALSE;
    return g_regex_match(stop, text, 0, NULL);
}

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

void classify(const MailParts *parts, InboundMessage *message)
{
    if (is_complaint(parts, message))
        return;
    if (bounce_read(parts, message)) {
        message->class = INBOUND_BOUNCE;
        return;
    }
    take_new_text(parts, message); /* which what follows looks at, and reports of machines have none of */
    if (has_token(message) || is_report_of_success(parts, message) || is_automatic(parts, message) || is_other(parts, message))
        return;
    message->asks_to_stop = says_stop(message->text);
    if (message->asks_to_stop)
        set_class(message, INBOUND_UNSUBSCRIBE, "its words ask to stop");
    else
        set_class(message, INBOUND_REPLY, *message->in_reply_to ? "In-Reply-To, and nothing that says a machine wrote it"
                                                                  : "nothing that says a machine wrote it");
}
