/*
 * Bounces: RFC 3464 reports, and the texts of mail systems that write none. Pure, any thread.
 */
#include "mail/bounce.h"

#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/read.h"

enum { TEXT_LOOKED_AT = 32 * 1024, DIAGNOSTIC_MAX = 500 };

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_MULTILINE, 0, &error);
    if (!regex)
        g_error("bounce: %s", error->message);
    return regex;
}

typedef struct {
    GRegex *subject, *daemon, *sender, *phrase, *status, *code, *address, *full, *no_such, *delay;
} Patterns;

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.subject = compile("undeliver|delivery (?:status|failure|failed|has failed|problem)|returned (?:mail|to sender)|mail delivery|"
                                   "failure notice|could not be delivered|non[- ]?remis|unzustellbar|nicht zugestellt|kan ikke leveres|ikke levert|"
                                   "delivery notification|rejected|bounce|onbestelbaar|impossibile|no se puede entregar|mail system error|warning: message|"
                                   "mail failed|delivery error|couldn't be delivered|non delivery|undelivered|delayed mail|mail (?:could )?not");
        compiled.daemon = compile("\\bmail(?:er)?-?daemon\\b");
        compiled.sender = compile("\\b(?:postmaster|mail[ .-]?delivery|mdaemon|mail[ .]?system|bounces?|administrator|delivery (?:sub)?system)\\b");
        compiled.phrase = compile("could ?n.t be delivered|could not (?:be )?deliver|was not delivered|not delivered to|delivery to the following|"
                                  "undeliverable|permanent (?:fatal )?error|delivery (?:has )?failed|failed permanently|did not reach|"
                                  "unable to deliver|recipient(?:'s)? (?:address )?(?:rejected|not found|unknown)|user unknown|"
                                  "(?:has been )?delayed|returned to sender|message rejected|has not (?:yet )?been delivered|error (?:has )?occurred while attempting|"
                                  "error delivering|transcript of session|unknown user|rejected by|failed addresses|following recipients? |unsent message|"
                                  "delivery status notification|mailbox (?:is )?full|cannot be delivered|unknown host|host unknown");
        compiled.status = compile("\\b([245]\\.\\d{1,3}\\.\\d{1,3})\\b");
        compiled.code = compile("\\b(4\\d\\d|5\\d\\d)[ -](?!\\d\\d:)");
        compiled.address = compile("<?\\b([a-z0-9_.+=&'*/-]{1,64}@[a-z0-9.-]{3,190}\\.[a-z]{2,24})\\b>?");
        compiled.full = compile("mailbox (?:is )?full|over ?quota|quota (?:exceeded|full)|out of storage|exceeded (?:storage|.{0,20}quota)|"
                                "insufficient (?:system )?storage|temporar|try again|timed? ?out|deferred|greylist|connection (?:refused|timed)");
        compiled.no_such = compile("user (?:is )?unknown|unknown (?:user|recipient|address)|no such (?:user|recipient|mailbox|address|person)|does(?:n't| not) exist|"
                                   "not found|invalid (?:recipient|mailbox|address)|mailbox unavailable|account (?:has been )?(?:disabled|closed)|"
                                   "no mailbox|host (?:unknown|or domain name not found)|address rejected|unrouteable");
        compiled.delay = compile("delayed|not yet been delivered|will (?:be|continue to be) retried|will keep trying|still (?:being )?(?:trying|retried)");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *text)
{
    return g_regex_match(regex, text, 0, NULL);
}

/* The first group of the first match; NULL: none. Caller frees. */
static char *first_match(const GRegex *regex, const char *text)
{
    g_autoptr(GMatchInfo) match = NULL;
    return g_regex_match(regex, text, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}

/* Where the first match begins; NULL: none. */
static const char *first_place(const GRegex *regex, const char *text)
{
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0;
    if (!g_regex_match(regex, text, 0, &match) || !g_match_info_fetch_pos(match, 0, &at, NULL))
        return NULL;
    return text + at;
}

/* "rfc822; <kari@example.no>" -> the canonical address, "" where it is none. Caller frees. */
static char *recipient_of(const char *value)
{
    const char *semicolon = value ? strchr(value, ';') : NULL;
    g_autofree char *bare = g_strstrip(g_strdup(semicolon ? semicolon + 1 : value ? value : ""));
    gsize length = strlen(bare);
    if (length > 2 && bare[0] == '<' && bare[length - 1] == '>') {
        memmove(bare, bare + 1, length - 2);
        bare[length - 2] = '\0';
    }
    char *address = address_canonical(bare, NULL);
    return address ? address : g_strdup("");
}

static BounceKind kind_of(const char *action, const char *status, const char *diagnostic)
{
    if (action && g_ascii_strcasecmp(action, "delayed") == 0)
        return BOUNCE_DELAYED;
    gboolean passing = matches(patterns()->full, diagnostic), gone = matches(patterns()->no_such, diagnostic);
    if (*status == '4' || g_str_equal(status, "5.2.2") || g_str_equal(status, "5.3.4") || g_str_has_prefix(status, "5.7."))
        return BOUNCE_SOFT;
    if (*status == '5')
        return passing && !gone ? BOUNCE_SOFT : BOUNCE_HARD;
    if (gone)
        return BOUNCE_HARD;
    if (passing)
        return BOUNCE_SOFT;
    g_autofree char *code = first_match(patterns()->code, diagnostic);
    return code ? (code[0] == '4' ? BOUNCE_SOFT : BOUNCE_HARD) : BOUNCE_UNKNOWN;
}

static void add_recipient(InboundMessage *message, char *recipient, BounceKind kind, const char *status, const char *diagnostic)
{
    if (message->bounces->len >= READ_MAX_BOUNCES) {
        g_free(recipient);
        return;
    }
    g_autofree char *line = text_one_line(diagnostic);
    BounceRecipient *bounce = g_new0(BounceRecipient, 1);
    bounce->recipient = recipient;
    bounce->kind = kind;
    bounce->status = g_strdup(status);
    bounce->diagnostic = text_escape(line, DIAGNOSTIC_MAX);
    g_ptr_array_add(message->bounces, bounce);
}

/* ---- RFC 3464 -------------------------------------------------------------------------------------------------------- */

/* A diagnostic's own status is more exact than a bare 5.0.0. Caller frees. */
static char *status_of(const char *field, const char *diagnostic)
{
    g_autofree char *status = first_match(patterns()->status, field ? field : "");
    g_autofree char *inner = first_match(patterns()->status, diagnostic);
    gboolean vague = !status || g_str_has_suffix(status, ".0.0");
    if (vague && inner && (!status || inner[0] == status[0]))
        return g_steal_pointer(&inner);
    return status ? g_steal_pointer(&status) : g_strdup("");
}

static void read_block(const char *block, InboundMessage *message)
{
    g_autofree char *action = mail_field(block, "Action");
    g_autofree char *final = mail_field(block, "Final-Recipient");
    g_autofree char *original = mail_field(block, "Original-Recipient");
    g_autofree char *status_field = mail_field(block, "Status");
    g_autofree char *diagnostic = mail_field(block, "Diagnostic-Code");
    if (!final && !original)
        return;
    if (action && (g_ascii_strcasecmp(action, "delivered") == 0 || g_ascii_strcasecmp(action, "relayed") == 0 ||
                   g_ascii_strcasecmp(action, "expanded") == 0))
        return; /* it arrived */
    const char *words = diagnostic ? diagnostic : "";
    g_autofree char *status = status_of(status_field, words);
    char *recipient = recipient_of(final);
    if (!*recipient) {
        g_free(recipient);
        recipient = recipient_of(original);
    }
    add_recipient(message, recipient, kind_of(action, status, words), status, words);
}

static gboolean read_report(const MailParts *parts, InboundMessage *message)
{
    if (!parts->delivery_status->len)
        return FALSE;
    g_auto(GStrv) blocks = g_regex_split_simple("\\n[ \\t]*\\n+", parts->delivery_status->str, 0, 0);
    for (char **block = blocks; *block; block++)
        read_block(*block, message);
    return message->bounces->len > 0;
}

/* ---- others ---------------------------------------------------------------------------------------------------------- */

/* The part of the text that tells of the failure: what quotes the message itself is left out. Caller frees. */
static char *report_text(const char *text)
{
    static const char *const ends[] = {"\n--- Below this line is a copy", "\n------ This is a copy of", "\n----- Original message", "\n--- Original message",
                                       "\nReturn-Path:", "\nReceived:", "\n----- Message header follows", "\n------=_NextPart"};
    gsize length = MIN(strlen(text), (gsize)TEXT_LOOKED_AT);
    g_autofree char *start = g_utf8_make_valid(text, (gssize)length);
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        char *end = strstr(start, ends[i]);
        if (end)
            *end = '\0';
    }
    return g_steal_pointer(&start);
}

static void read_text(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *report = report_text(parts->text);
    g_autofree char *failed = mail_parts_header(parts, "X-Failed-Recipients");
    g_autofree char *found = first_match(patterns()->address, *failed ? failed : report);
    g_autofree char *status = status_of(NULL, report);
    const char *words = first_place(patterns()->code, report);
    if (!words)
        words = first_place(patterns()->no_such, report);
    if (!words)
        words = report;
    BounceKind kind = matches(patterns()->delay, report) ? BOUNCE_DELAYED : kind_of(NULL, status, report);
    g_autofree char *diagnostic = g_strndup(words, strcspn(words, "\n"));
    add_recipient(message, recipient_of(found), kind, status, diagnostic);
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
    if (!by_system && !null_path)
        return FALSE;
    gboolean subject = matches(patterns()->subject, message->subject);
    return (subject && by_system) || (matches(patterns()->phrase, parts->text) && (subject || by_system));
}

static void read_original(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *id = mail_field(parts->original_headers->str, "Message-ID");
    const char *where = parts->text;
    if (!id) { /* many systems paste the header into their text */
        const char *header = strstr(where, "Message-I");
        id = header ? mail_field(header, "Message-ID") : NULL;
    }
    if (!id)
        return;
    const char *open = strchr(id, '<'), *close = open ? strchr(open, '>') : NULL;
    g_free(message->original_message_id);
    message->original_message_id = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(id);
}

gboolean bounce_read(const MailParts *parts, InboundMessage *message)
{
    const char *evidence = "a delivery status report (RFC 3464)";
    if (!read_report(parts, message)) {
        if (!looks_like_bounce(parts, message))
            return FALSE;
        evidence = "the words of a mail system about a failed delivery";
        read_text(parts, message);
    }
    read_original(parts, message);
    g_free(message->evidence);
    message->evidence = g_strdup(evidence);
    return TRUE;
}
