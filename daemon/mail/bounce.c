/*
 * Bounces. A delivery status report (RFC 3464) is believed as it stands; of the many systems that write none, only what comes from a
 * mail system's sender, or bears its headers, is one, and only where it speaks of a failure: a person's words about bounces are a
 * person's words.
 *
 * Pure; any thread.
 */
#include "bounce.h"

#include <string.h>

#include "base/text.h"
#include "bounce_reason.h"
#include "bounce_text.h"
#include "mail/address.h"
#include "mail/read.h"

enum { DIAGNOSTIC_MAX = 500 };

typedef struct {
    GRegex *subject, *sender;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("bounce: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.subject = compile(
            "undeliver|delivery (?:status|fail|has failed|problem|notification|report|error|delay)|returned (?:mail|message|to sender)|returning (?:message|to sender)|"
            "mail delivery|failure (?:notice|delivery)|(?:could|can) ?not be (?:delivered|sent)|mail (?:system )?(?:error|failed|failure)|delayed mail|"
            "message (?:\\S{1,60} )?delayed|non[- ]?remis|non[- ]?deliver|unzustellbar|nicht zugestellt|kan ikke leveres|ikke levert|olever|kunde inte levereras|"
            "onbestelbaar|impossibile recapitare|mancata consegna|no se puede entregar|no se ha podido entregar|não entregue|niedostarcz|nie można dostarczyć|не доставлен");
        compiled.sender = compile("^(?:mailer-?daemon|postmaster|mail-?daemon|mdaemon|mail\\.?delivery\\S*|mail-?system|bounces?|"
                                  "double-bounce|autoresponder-bounce|microsoftexchange[0-9a-f]{20,40})@");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *text)
{
    return g_regex_match(regex, text, 0, NULL);
}

/* "rfc822; <kari@example.no>" -> the canonical address, "" where it is none. Caller frees. */
static char *recipient_of(const char *value)
{
    const char *semicolon = value != NULL ? strchr(value, ';') : NULL;
    const char *bare = semicolon != NULL ? semicolon + 1 : value != NULL ? value : "";
    g_autofree char *trimmed = g_strstrip(g_strdup(bare));
    const char *open = strrchr(trimmed, '<');
    g_autofree char *inner = g_strdup(open != NULL ? open + 1 : trimmed);

    inner[strcspn(inner, "> \t(")] = '\0';
    if (g_ascii_strncasecmp(inner, "mailto:", 7) == 0)
        memmove(inner, inner + 7, strlen(inner + 7) + 1);
    char *address = address_canonical(inner, NULL);
    return address != NULL ? address : g_strdup("");
}

static void add_recipient(InboundMessage *message, const char *recipient, BounceKind kind, const char *status, const char *words)
{
    if (message->bounces->len >= READ_MAX_BOUNCES) {
        message->truncated = TRUE;
        return;
    }
    g_autofree char *line = text_one_line(words);
    BounceRecipient *bounce = g_new0(BounceRecipient, 1);
    bounce->recipient = g_strdup(recipient);
    bounce->kind = kind;
    bounce->status = g_strdup(status);
    bounce->diagnostic = text_escape(line, DIAGNOSTIC_MAX);
    g_ptr_array_add(message->bounces, bounce);
}

/* ---- RFC 3464 -------------------------------------------------------------------------------------------------------- */

/* Fields of one recipient; seen: some block was a recipient's, whatever became of it. */
typedef struct {
    InboundMessage *message;
    const char *text;   /* the report's words for people, where the fields say too little */
    const char *failed; /* X-Failed-Recipients, where the fields name what is no address (a pipe, a file) */
    gboolean seen;
} Report;

static gboolean is_arrival(const char *action)
{
    return action != NULL && (g_ascii_strncasecmp(action, "delivered", 9) == 0 || g_ascii_strncasecmp(action, "relayed", 7) == 0 ||
                              g_ascii_strncasecmp(action, "expanded", 8) == 0);
}

static void read_block(Report *report, const char *block)
{
    g_autofree char *action = mail_field(block, "Action");
    g_autofree char *final = mail_field(block, "Final-Recipient");
    g_autofree char *original = mail_field(block, "Original-Recipient");
    g_autofree char *status = mail_field(block, "Status");
    g_autofree char *diagnostic = mail_field(block, "Diagnostic-Code");

    if (final == NULL && original == NULL && (action == NULL || status == NULL))
        return;
    report->seen = TRUE;
    if (is_arrival(action))
        return;
    g_autofree char *recipient = recipient_of(final);
    if (*recipient == '\0') {
        g_free(recipient);
        recipient = recipient_of(original);
    }
    if (*recipient == '\0') {
        g_free(recipient);
        recipient = recipient_of(report->failed);
    }
    const char *words = diagnostic != NULL ? diagnostic : "";
    BounceReason reason = bounce_reason_judge(status, words);
    if (diagnostic == NULL || reason.kind == BOUNCE_UNKNOWN || *reason.status == '\0') {
        BounceReason by_text = bounce_reason_judge(status, report->text);
        reason = by_text.kind != BOUNCE_UNKNOWN ? by_text : reason;
    }
    gboolean delayed = action != NULL && g_ascii_strncasecmp(action, "delayed", 7) == 0;
    add_recipient(report->message, recipient, delayed ? BOUNCE_DELAYED : reason.kind, reason.status, words);
}

/* Blocks are parted by empty lines; some systems leave these out, so a second Final-Recipient begins a block as well. */
static gboolean read_report(const MailParts *parts, const char *fields, const char *text, InboundMessage *message)
{
    g_autofree char *failed = mail_parts_header(parts, "X-Failed-Recipients");
    Report report = {.message = message, .text = text, .failed = failed};
    g_auto(GStrv) lines = g_strsplit(fields, "\n", -1);
    g_autoptr(GString) block = g_string_new(NULL);
    gboolean has_final = FALSE;

    for (char **line = lines; *line != NULL; line++) {
        gboolean final = g_ascii_strncasecmp(*line, "Final-Recipient:", 16) == 0;
        if (*g_strchomp(*line) == '\0' || (final && has_final)) {
            read_block(&report, block->str);
            g_string_truncate(block, 0);
            has_final = FALSE;
        }
        has_final = has_final || final;
        g_string_append_printf(block, "%s\n", *line);
    }
    read_block(&report, block->str);
    return report.seen;
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

static void add_entry(InboundMessage *message, const char *recipient, const char *words, const char *report, gboolean delayed)
{
    BounceReason reason = bounce_reason_judge(NULL, words);

    if (reason.kind == BOUNCE_UNKNOWN || *reason.status == '\0') {
        BounceReason whole = bounce_reason_judge(NULL, report);
        if (reason.kind == BOUNCE_UNKNOWN)
            reason.kind = whole.kind;
        if (*reason.status == '\0')
            g_strlcpy(reason.status, whole.status, sizeof reason.status);
    }
    add_recipient(message, recipient, delayed ? BOUNCE_DELAYED : reason.kind, reason.status, words);
}

/* The addresses of X-Failed-Recipients, each with its words where the report has an entry for it. */
static void read_failed_header(const char *failed, const char *report, const GPtrArray *entries, gboolean delayed,
                               InboundMessage *message)
{
    g_auto(GStrv) addresses = text_split_list(failed);

    for (char **address = addresses; *address != NULL; address++) {
        g_autofree char *recipient = recipient_of(*address);
        const char *words = report;
        for (guint i = 0; i < entries->len; i++) {
            const BounceEntry *entry = g_ptr_array_index(entries, i);
            if (g_str_equal(entry->recipient, recipient))
                words = entry->words->str;
        }
        add_entry(message, recipient, words, report, delayed);
    }
}

static void read_words(const MailParts *parts, const char *report, InboundMessage *message)
{
    g_autofree char *failed = mail_parts_header(parts, "X-Failed-Recipients");
    g_autofree char *sent_to = mail_field(parts->original_headers->str, "To");
    const char *own[] = {message->from, message->to[0], NULL};
    g_autoptr(GPtrArray) entries = bounce_text_entries(report, own);
    gboolean delayed = bounce_text_says_delay(report) || bounce_text_says_delay(message->subject);

    if (*failed != '\0')
        read_failed_header(failed, report, entries, delayed, message);
    for (guint i = 0; *failed == '\0' && i < entries->len; i++) {
        const BounceEntry *entry = g_ptr_array_index(entries, i);
        add_entry(message, entry->recipient, entry->words->str, report, delayed);
    }
    if (message->bounces->len == 0) {
        g_autofree char *recipient = recipient_of(sent_to);
        add_entry(message, recipient, report, report, delayed);
    }
}

/* Fields of a report that were written into the text, or whose part was not labelled as what it is. */
static gboolean read_fields_in_text(const MailParts *parts, const char *report, InboundMessage *message)
{
    g_autofree char *final = mail_field(report, "Final-Recipient");
    g_autofree char *action = mail_field(report, "Action");
    return final != NULL && action != NULL && read_report(parts, report, report, message);
}

/* ---- whether --------------------------------------------------------------------------------------------------------- */

/* Why a message without a status report is taken for a bounce; NULL: it is none. */
static const char *evidence_of(const MailParts *parts, const InboundMessage *message, const char *report)
{
    g_autofree char *path = mail_parts_header(parts, "Return-Path");
    g_autofree char *from = mail_parts_header(parts, "From");
    g_autofree char *submitted = mail_parts_header(parts, "Auto-Submitted");
    gboolean by_daemon = matches(patterns()->sender, message->from) || g_ascii_strncasecmp(from, "mailer-daemon", 13) == 0;
    gboolean null_path = g_str_has_prefix(path, "<>") || g_ascii_strncasecmp(path, "<mailer-daemon", 14) == 0 || g_str_equal(from, "<>");
    gboolean subject = matches(patterns()->subject, message->subject);
    gboolean words = bounce_text_says_failure(report), code = bounce_reason_has_code(report);

    if (mail_parts_has_header(parts, "X-Failed-Recipients"))
        return "X-Failed-Recipients";
    if (g_ascii_strncasecmp(submitted, "auto-replied", 12) == 0 && !by_daemon && !subject)
        return NULL; /* an absence note has a null return path, too */
    if (by_daemon && (subject || words || code || bounce_text_says_delay(report)))
        return "a mail system's sender and its words of a failed delivery";
    if (null_path && (subject ? words || code || *parts->original_headers->str != '\0' : words && code))
        return "a null return path and a mail system's words of a failed delivery";
    if (subject && parts->is_report && (words || code))
        return "a report's form and a mail system's words of a failed delivery";
    return NULL;
}

/* ---- of which message ------------------------------------------------------------------------------------------------ */

static void read_original(const MailParts *parts, const char *rest, InboundMessage *message)
{
    g_autofree char *id = mail_field(parts->original_headers->str, "Message-ID");

    if (id == NULL) /* many systems paste the header into their text */
        id = mail_field(rest, "Message-ID");
    const char *open = id != NULL ? strchr(id, '<') : NULL;
    const char *close = open != NULL ? strchr(open, '>') : NULL;
    const char *answered = message->in_reply_to;
    if (close != NULL || id != NULL) {
        g_free(message->original_message_id);
        message->original_message_id = close != NULL ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(id);
    } else if (*answered != '\0') { /* Exchange and others thread their reports */
        g_free(message->original_message_id);
        message->original_message_id = g_strdup(answered);
    }
}

gboolean bounce_read(const MailParts *parts, InboundMessage *message)
{
    const char *rest;
    g_autofree char *report = bounce_text_report(parts->text, &rest);
    const char *evidence = NULL;

    if (parts->delivery_status->len > 0 && read_report(parts, parts->delivery_status->str, report, message)) {
        if (message->bounces->len == 0)
            return FALSE; /* it arrived */
        evidence = "a delivery status report (RFC 3464)";
    } else {
        evidence = evidence_of(parts, message, report);
        if (evidence == NULL)
            return FALSE;
        if (!read_fields_in_text(parts, report, message) || message->bounces->len == 0)
            read_words(parts, report, message);
    }
    read_original(parts, rest, message);
    g_free(message->evidence);
    message->evidence = g_strdup(evidence);
    return TRUE;
}
