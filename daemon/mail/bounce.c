/*
 * Bounces: RFC 3464 reports, and the texts of mail systems that write none. Pure, any thread.
 */
#include "mail/bounce.h"

#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/bounce_kind.h"
#include "mail/bounce_text.h"
#include "mail/read.h"

enum { DIAGNOSTIC_MAX = 500 };

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_MULTILINE, 0, &error);
    if (!regex)
        g_error("bounce: %s", error->message);
    return regex;
}

typedef struct {
    GRegex *subject, *daemon, *sender, *phrase, *delay, *answer, *block_end;
} Patterns;

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.subject = compile("undeliver|delivery (?:status|failure|failed|has failed|problem|report)|returned (?:mail|to sender)|mail delivery|"
                                   "failure (?:notice|notification)|could not be delivered|non[- ]?remis|unzustellbar|nicht zugestellt|kan ikke leveres|ikke levert|"
                                   "delivery notification|rejected|bounce|onbestelbaar|impossibile|no se puede entregar|mail system error|warning: message|"
                                   "mail failed|delivery error|couldn't be delivered|non delivery|undelivered|delayed mail|mail (?:could )?not|"
                                   "não (?:foi )?entregue|niedostarczalne|nie dostarczon|echec|échec|olevererbart|kunde inte levereras|ikke leveret|ikke leverbar");
        compiled.answer = compile("\\A\\s{0,5}(?:re|sv|aw|vs|antw|odp|rif|ref|r)\\s?(?:\\[\\d+\\])?\\s?:");
        compiled.block_end = compile("\\n[ \\t]*\\n+");
        compiled.daemon = compile("\\bmail(?:er)?-?daemon\\b");
        compiled.sender = compile("\\b(?:postmaster|mail[ .-]?delivery|mdaemon|mail[ .]?system|bounces?|administrator|delivery (?:sub)?system)\\b");
        compiled.phrase = compile("could ?n.t be delivered|could not (?:be )?deliver|was not delivered|not delivered to|delivery to the following|"
                                  "undeliverable|permanent (?:fatal )?error|delivery (?:has )?failed|failed permanently|did not reach|"
                                  "unable to deliver|recipient(?:'s)? (?:address )?(?:rejected|not found|unknown)|user unknown|"
                                  "(?:has been )?delayed|returned to sender|message rejected|has not (?:yet )?been delivered|error (?:has )?occurred while attempting|"
                                  "error delivering|transcript of session|unknown user|rejected by|failed addresses|following recipients? |unsent message|"
                                  "delivery status notification|mailbox (?:is )?full|cannot be delivered|unknown host|host unknown");
        compiled.delay = compile("(?:has been|was|is|are|been) delayed|delayed for|not yet been delivered|will (?:be|continue to be) retried|will keep trying|"
                                 "still (?:being )?(?:trying|retried)|temporary failure report|(?:no|not) need to (?:re-?send|retry)");
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
    const char *semicolon = value ? strchr(value, ';') : NULL;
    g_autofree char *bare = g_strstrip(g_strdup(semicolon ? semicolon + 1 : value ? value : ""));
    char *address = NULL;
    if (!address_parse(bare, NULL, &address, NULL))
        return g_strdup("");
    return address;
}

/* The one recipient of the message that came back; "": none or several. Caller frees. */
static char *original_recipient(const MailParts *parts)
{
    g_autofree char *to = mail_field(parts->original_headers->str, "To");
    if (!to)
        to = mail_field(parts->text, "To"); /* many systems paste the header into their text */
    return recipient_of(to);
}

/* What to show of the words: from where they tell the reason, to the end of the paragraph. Caller frees. */
static char *diagnostic_of(const char *words)
{
    const char *start = bounce_words_in(words);
    g_autofree char *paragraph = g_strdup(start ? start : words);
    char *end = strstr(paragraph, "\n\n");
    if (end)
        *end = '\0';
    g_autofree char *line = text_one_line(paragraph);
    return text_escape(line, DIAGNOSTIC_MAX);
}

static gboolean is_full(InboundMessage *message)
{
    message->truncated |= message->bounces->len >= READ_MAX_BOUNCES;
    return message->bounces->len >= READ_MAX_BOUNCES;
}

/* Takes recipient and diagnostic. */
static void add_recipient(InboundMessage *message, char *recipient, BounceKind kind, const char *status, char *diagnostic)
{
    if (is_full(message)) {
        g_free(recipient);
        g_free(diagnostic);
        return;
    }
    BounceRecipient *bounce = g_new0(BounceRecipient, 1);
    bounce->recipient = recipient;
    bounce->kind = kind;
    bounce->status = g_strdup(status);
    bounce->diagnostic = diagnostic;
    g_ptr_array_add(message->bounces, bounce);
}

/* ---- RFC 3464 -------------------------------------------------------------------------------------------------------- */

static gboolean has_arrived(const char *action)
{
    return action && (g_ascii_strncasecmp(action, "delivered", 9) == 0 || g_ascii_strncasecmp(action, "relayed", 7) == 0 ||
                      g_ascii_strncasecmp(action, "expanded", 8) == 0);
}

/* The text for humans, and the addresses that it names. */
typedef struct {
    char *text;
    GPtrArray *mentions; /* BounceMention* */
} Report;

/* The final recipient, or what stands for it where that is a program or a file. Caller frees. */
static char *block_recipient(const char *final, const char *original, const MailParts *parts)
{
    g_autofree char *address = recipient_of(final);
    if (*address)
        return g_steal_pointer(&address);
    g_free(address);
    address = recipient_of(original);
    return *address ? g_steal_pointer(&address) : original_recipient(parts);
}

/* The report often says more than the fields. */
static void read_block(const char *block, const Report *report, const MailParts *parts, InboundMessage *message)
{
    g_autofree char *action = mail_field(block, "Action");
    g_autofree char *final = mail_field(block, "Final-Recipient");
    g_autofree char *original = mail_field(block, "Original-Recipient");
    g_autofree char *field = mail_field(block, "Status");
    g_autofree char *code = mail_field(block, "Diagnostic-Code");
    if ((!final && !original) || has_arrived(action))
        return;
    g_autofree char *recipient = block_recipient(final, original, parts);
    g_autofree char *about = bounce_text_about(report->text, report->mentions, recipient);
    const char *transcript = *about ? about : report->text;
    gboolean is_told = code && bounce_words_in(code);
    const char *words = is_told ? code : transcript;
    g_autofree char *status = bounce_status(field, code);
    if (!status || g_str_has_suffix(status, ".0.0")) {
        char *told = bounce_status(status, transcript);
        g_free(status);
        status = told;
    }
    const char *known = status ? status : "";
    char *diagnostic = code ? text_escape(code, DIAGNOSTIC_MAX) : diagnostic_of(words);
    add_recipient(message, g_steal_pointer(&recipient), bounce_kind(action, known, words, transcript), known, diagnostic);
}

static void read_blocks(const char *fields, const Report *report, const MailParts *parts, InboundMessage *message)
{
    g_auto(GStrv) blocks = g_regex_split(patterns()->block_end, fields, 0);
    for (char **block = blocks; *block && !is_full(message); block++)
        read_block(*block, report, parts, message);
}

/* ---- others ---------------------------------------------------------------------------------------------------------- */

static void read_mention(const char *address, const char *section, gboolean is_delayed, InboundMessage *message)
{
    g_autofree char *status = bounce_status(NULL, section);
    const char *known = status ? status : "";
    BounceKind kind = is_delayed ? BOUNCE_DELAYED : bounce_kind(NULL, known, section, section);
    add_recipient(message, g_strdup(address), kind, known, diagnostic_of(section));
}

static void read_header_recipients(const char *failed, const Report *report, gboolean is_delayed, InboundMessage *message)
{
    g_auto(GStrv) names = text_split_list(failed);
    for (char **name = names; *name && !is_full(message); name++) {
        g_autofree char *address = recipient_of(*name);
        g_autofree char *about = bounce_text_about(report->text, report->mentions, address);
        read_mention(address, *about && bounce_words_in(about) ? about : report->text, is_delayed, message);
    }
}

/* What the text names as failed but the one to whom it is sent: that one too where there is no other, for a mail to oneself. */
static void read_mentions(const MailParts *parts, const Report *report, gboolean is_delayed, InboundMessage *message)
{
    g_autoptr(GPtrArray) found = bounce_text_find(report->text, message->to);
    for (guint i = 0; i < found->len; i++) {
        const BounceMention *mention = found->pdata[i];
        read_mention(mention->address, mention->section, is_delayed, message);
    }
    if (found->len)
        return;
    g_autofree char *address = original_recipient(parts);
    const BounceMention *first = report->mentions->len ? report->mentions->pdata[0] : NULL;
    read_mention(*address || !first ? address : first->address, report->text, is_delayed, message);
}

static void read_text(const MailParts *parts, const Report *report, InboundMessage *message)
{
    g_autofree char *failed = mail_parts_header(parts, "X-Failed-Recipients");
    gboolean is_delayed = matches(patterns()->delay, report->text);
    g_autofree char *pasted = mail_field(parts->text, "Final-Recipient");
    if (pasted)
        read_blocks(parts->text, report, parts, message);
    if (!message->bounces->len && *failed)
        read_header_recipients(failed, report, is_delayed, message);
    if (!message->bounces->len)
        read_mentions(parts, report, is_delayed, message);
}

static gboolean looks_like_bounce(const MailParts *parts, const InboundMessage *message)
{
    g_autofree char *path = mail_parts_header(parts, "Return-Path");
    g_autofree char *failed = mail_parts_header(parts, "X-Failed-Recipients");
    g_autofree char *sender = mail_parts_header(parts, "From");
    g_autofree char *type = mail_parts_header(parts, "Content-Type");
    if (*failed || (strstr(type, "report") && strstr(type, "delivery-status")) || matches(patterns()->daemon, sender))
        return TRUE; /* nobody writes letters as MAILER-DAEMON */
    gboolean null_path = g_str_equal(path, "<>"), by_system = matches(patterns()->sender, sender);
    if (!null_path && (!by_system || matches(patterns()->answer, message->subject)))
        return FALSE; /* postmasters and administrators answer mail too */
    gboolean subject = matches(patterns()->subject, message->subject);
    return (subject && (by_system || !*message->from)) || (matches(patterns()->phrase, parts->text) && (subject || by_system));
}

static void read_original(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *id = mail_field(parts->original_headers->str, "Message-ID");
    if (!id) /* many systems paste the header into their text */
        id = mail_field(parts->text, "Message-ID");
    if (!id)
        return;
    const char *open = strchr(id, '<'), *close = open ? strchr(open, '>') : NULL;
    g_free(message->original_message_id);
    message->original_message_id = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(id);
}

/* Whether the report has actions, and all of them say that it arrived. */
static gboolean tells_only_arrivals(const char *fields)
{
    g_auto(GStrv) blocks = g_regex_split(patterns()->block_end, fields, 0);
    guint arrived = 0;
    for (char **block = blocks; *block; block++) {
        g_autofree char *action = mail_field(*block, "Action");
        if (action && !has_arrived(action))
            return FALSE;
        arrived += action ? 1 : 0;
    }
    return arrived > 0;
}

/* Either by fields, or by text where that looks like a bounce; evidence: NULL where it is none. */
static const char *read_all(const MailParts *parts, const Report *report, InboundMessage *message)
{
    read_blocks(parts->delivery_status->str, report, parts, message);
    if (message->bounces->len)
        return "a delivery status report (RFC 3464)";
    if (tells_only_arrivals(parts->delivery_status->str))
        return NULL;
    if (!looks_like_bounce(parts, message))
        return NULL;
    read_text(parts, report, message);
    return "the words of a mail system about a failed delivery";
}

gboolean bounce_read(const MailParts *parts, InboundMessage *message)
{
    if (!parts->delivery_status->len && !looks_like_bounce(parts, message))
        return FALSE; /* as most are */
    static char *const none[] = {NULL};
    Report report = {.text = bounce_text_report(parts->text)};
    report.mentions = bounce_text_find(report.text, none);
    const char *evidence = read_all(parts, &report, message);
    g_ptr_array_unref(report.mentions);
    g_free(report.text);
    if (!evidence)
        return FALSE;
    read_original(parts, message);
    g_free(message->evidence);
    message->evidence = g_strdup(evidence);
    return TRUE;
}
