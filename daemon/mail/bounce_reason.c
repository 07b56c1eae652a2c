/*
 * Hard or soft, and by which status: a table of what mail systems say. Statuses alone do not tell: 5.1.1 is given for full mailboxes,
 * 5.7.1 for unknown users, 5.0.0 for anything. So the words are asked first, in the order of the table: what is said of a passing or
 * general trouble outweighs "rejected" and "unknown", which stand in the same sentences.
 *
 * Pure; any thread.
 */
#include "bounce_reason.h"

#include <string.h>

enum { WORDS_LOOKED_AT = 4096, STATUSES_LOOKED_AT = 8 };

typedef enum { WHY_FULL, WHY_POLICY, WHY_NETWORK, WHY_SUSPENDED, WHY_NOBODY, WHY_NO_HOST, WHY_MOVED, WHY_TAKES_NONE, WHY_OTHER } Why;

/* What is said of whom; each an alternation without repetition beyond a bound, over text in lower case with single spaces. */
static const struct {
    Why why;
    BounceKind kind;
    const char *pattern;
} sayings[] = {
    {WHY_POLICY, BOUNCE_SOFT, "after (?:pipelined )?mail from|couldn't create|can't create output"},
    {WHY_NOBODY, BOUNCE_HARD,
     "user (?:is )?unknown in|unknown local (?:user|part)|recipient unknown|no such user|user doesn't exist|user not found|"
     "(?:mailbox|user|account|address|recipient) (?:you tried to reach )?(?:does not|doesn't|do not) exist|unknown user|"
     "unknown recipient|no mailbox here by that name|recipientnotfound|resolver\\.adr\\.(?:exrecip)?notfound|"
     "recipient address rejected: access denied"}, /* which is how Microsoft tells of an address that its directory lacks */
    {WHY_NO_HOST, BOUNCE_HARD, "name service error for name=\\S{1,255} type=\\S{1,10}: host not found(?!, try)"},
    {WHY_TAKES_NONE, BOUNCE_HARD,
     "system not accepting network messages|\\b556[ -](?!\\d)|(?:does not|do not|doesn't|don't) (?:accept|receive)(?: any)? (?:e-?)?mail(?! from)|"
     "null ?mx|no mail accepted|not accepting (?:any )?(?:e-?)?mail(?! from)"},
    {WHY_FULL, BOUNCE_SOFT,
     "(?:mailbox|mail ?box|inbox|account|user|folder|maildir|quota|storage)[^.]{0,40} (?:is |was |are )?(?:full|over ?quota|exceed\\w*)|"
     "over ?(?:the |its |disk )?(?:quota|storage)|quota (?:has been )?(?:exceed|full|limit|violation)|exceed\\w* (?:[\\w']+ ){0,4}(?:quota|storage|"
     "mailbox size)|mailbox ?full|mailfull|insufficient (?:disk|storage|system storage)|not enough (?:storage|disk)|out of (?:disk|storage) space|"
     "out of storage|no space left|disk quota|too much mail data|mailbox size limit"},
    {WHY_OTHER, BOUNCE_SOFT,
     "message (?:is |was )?(?:too (?:large|big|long)|size exceeds|exceeds)|(?:message|mail|maximum|max\\.?) size (?:limit )?(?:exceed|violat)|"
     "exceed\\w* (?:[\\w']+ ){0,5}(?:message|mail|maximum|max) size|size limit|too large|too big for|"
     "too many (?:hops|recipients|messages|connections|concurrent)|hop count|mail loop|loops? back|mail forwarding loop|"
     "rate (?:limit|exceed)|local configuration error|mail system configuration error|config error|internal (?:server|system) error|"
     "syntax error|unroutable mail|command (?:died|output)|bad sender"},
    {WHY_POLICY, BOUNCE_SOFT,
     "spam|blacklist|black list|blocklist|block list|blocked|banned|dnsbl|\\brbl\\b|spamhaus|spamcop|barracuda|reputation|reverse dns|\\brdns\\b|"
     "ptr record|reverse mapping|\\bspf\\b|\\bdkim\\b|\\bdmarc\\b|authentication (?:checks )?(?:failed|required)|not authenticated|"
     "unauthenticated|polic(?:y|ies)|prohibited|not (?:been )?(?:authorized|authorised|permitted|allowed)|access denied|administratively|"
     "relay(?:ing)? (?:access )?(?:is )?(?:denied|not|prohibited)|unable to relay|cannot relay|virus|infected|malware|suspicious|"
     "content (?:was )?(?:rejected|filter)|rejected by (?:filter|content|header)|restrict|greylist|graylist|"
     "sender (?:address |verify |domain )?(?:is )?(?:rejected|denied|failed|not exist|unverified|refused)|(?:from|sender) domain|"
     "domain of sender|mail from .{0,80}(?:rejected|refused|denied)|too many (?:bad|invalid) recipients|your (?:ip|host|server|domain|network)"
     "[^.]{0,60} (?:has been |was |is |are )?(?:block|reject|refus|deni|listed)|low reputation|bulk mail|complaint|abuse|"
     "service refuse|helo|ehlo|fully.qualified|tls (?:is )?required|security (?:reason|polic)"},
    {WHY_NETWORK, BOUNCE_SOFT,
     "timed? ?out|time-?out|temporar|try (?:again|later)|deferred|connection (?:refused|reset|lost|was|dropped|attempts)|could not connect|"
     "couldn't (?:make|connect)|cannot connect|unable to connect|no route|unreachable|network|not respond|retry (?:time|timeout)|"
     "delivery (?:time|attempts)|expired|too long|in queue|lost connection|server (?:down|busy|unavailable)|name service error|"
     "host name lookup failure|resources|overload|later|no (?:answer|response) from|dns (?:lookup )?(?:fail|error)|read error"},
    {WHY_SUSPENDED, BOUNCE_SOFT,
     "(?:account|mailbox|mail ?box|user|recipient|address|e-?mail)[^.]{0,40} (?:is |has been |was |currently |temporarily )*(?:disabled|inactive|suspended|"
     "locked|deactivated|expired|frozen|discontinued|not active)|disabled (?:account|user|mailbox|recipient)|inactive (?:user|account|mailbox|recipient)|"
     "suspended (?:user|account|mailbox)|account (?:that you tried to reach is )?(?:disabled|over|inactive)|boite du destinataire archivee"},
    {WHY_MOVED, BOUNCE_HARD, "has moved|user (?:has )?moved|no longer (?:works|at|with|employed)|address (?:has )?changed|has been replaced by"},
    {WHY_NO_HOST, BOUNCE_HARD,
     "host (?:is )?unknown|unknown host|host not found|(?:host or )?domain (?:name )?(?:is )?not found|no such (?:host|domain)|"
     "(?:domain|host)(?: name)? (?:does not|doesn't) exist|nxdomain|unrouteable|unroutable|bad destination|name or service not known|"
     "illegal host|domain (?:unknown|must resolve)|couldn't find any host|address is not valid|no mx|invalid domain|non-existent domain|"
     "unknown domain|domain lookup|all relevant mx records point to non-existent|mx points"},
    {WHY_NOBODY, BOUNCE_HARD,
     "unknown (?:user|recipient|address|account|mailbox|local)|(?:user|recipient|address|account|mailbox)(?: name)? (?:is |was |could )*"
     "(?:unknown|not (?:found|known|recogni|be found|listed|exist|here|local|valid)|invalid|unavailable)|not a (?:valid|known) |"
     "no (?:such|valid) (?:user|recipient|mailbox|address|person|account|local|domain user|email)|no mailbox|no user|no account|nobody|not our customer|"
     "invalid (?:recipient|mailbox|address|user|e-?mail)|(?:does not|doesn't|not) exist|not exist|is unknown|no longer (?:available|valid|in use)|"
     "bad (?:recipient|address|mailbox)|can't (?:find|create)|not recognized|not known here|recipient address rejected\\.?$|"
     "mailbox unavailable|address unknown|destination server rejected|undeliverable address|no recipients|non-?existent|user unknown|"
     "addressee|rejected recipient|cannot find|deleted|closed|terminated|unknown"},
};

/* What the codes of RFC 3463 say where no words do. */
static const struct {
    const char *prefix;
    BounceKind kind;
} statuses[] = {
    {"5.1.0", BOUNCE_HARD},  {"5.1.1", BOUNCE_HARD}, {"5.1.2", BOUNCE_HARD}, {"5.1.3", BOUNCE_HARD}, {"5.1.4", BOUNCE_HARD},
    {"5.1.6", BOUNCE_HARD}, {"5.1.10", BOUNCE_HARD}, {"5.4.4", BOUNCE_HARD}, {"5.4.310", BOUNCE_HARD},
};

typedef struct {
    GRegex *sayings[G_N_ELEMENTS(sayings)];
    GRegex *status, *reply;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("bounce_reason: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        for (guint i = 0; i < G_N_ELEMENTS(sayings); i++)
            compiled.sayings[i] = compile(sayings[i].pattern);
        compiled.status = compile("(?<![\\d.])([245]\\.\\d{1,3}\\.\\d{1,3})(?![\\d.]*\\d)");
        compiled.reply = compile("(?<![\\d.:=/-])([45][0-5]\\d)(?=[ -:](?!\\d\\d:\\d\\d))");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* Lower case, single spaces, bounded; addresses go, since they hold words of their own. Caller frees. */
static char *plain_words(const char *words)
{
    gsize len = strlen(words);
    g_autofree char *cut = g_utf8_make_valid(words, (gssize)MIN(len, (gsize)WORDS_LOOKED_AT));
    g_autofree char *lower = g_utf8_strdown(cut, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = lower; *p != '\0';) {
        gsize space = strspn(p, " \t\r\n");
        p += space;
        gsize word = strcspn(p, " \t\r\n");
        if (space > 0 && out->len > 0)
            g_string_append_c(out, ' ');
        if (memchr(p, '@', word) != NULL)
            g_string_append_len(out, p, (gssize)MIN(strcspn(p, "<('\"@"), word));
        else if (strncmp(p, "http", 4) != 0)
            g_string_append_len(out, p, (gssize)word);
        p += word;
    }
    return g_string_free(out, FALSE);
}

static gboolean fetch(const GRegex *regex, const char *text, char *ret, gsize size)
{
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(regex, text, 0, &match))
        return FALSE;
    g_autofree char *found = g_match_info_fetch(match, 1);
    g_strlcpy(ret, found, size);
    return TRUE;
}

/* How much a status tells: x.0.0 nothing, "expired" and "other" of a subject little beside the trouble that it ends. */
static guint exactness(const char *status)
{
    if (g_str_has_suffix(status, ".0.0"))
        return 1;
    return g_str_has_suffix(status, ".0") || g_str_equal(status, "4.4.7") ? 2 : 3;
}

static void take_better(const char *status, char *best, gsize size)
{
    if (status[0] != '2' && (*best == '\0' || exactness(status) > exactness(best)))
        g_strlcpy(best, status, size);
}

/* The most exact of those that the words and the field name; the words', if several are: the other server said them, while the field
 * is what the reporting one made of it. */
static void find_status(const char *field, const char *words, char *ret, gsize size)
{
    g_autoptr(GMatchInfo) match = NULL;
    char by_field[16] = "";

    g_regex_match(patterns()->status, words, 0, &match);
    for (guint i = 0; i < STATUSES_LOOKED_AT && g_match_info_matches(match); i++) {
        g_autofree char *status = g_match_info_fetch(match, 1);
        take_better(status, ret, size);
        g_match_info_next(match, NULL);
    }
    if (field != NULL && fetch(patterns()->status, field, by_field, sizeof by_field))
        take_better(by_field, ret, size);
}

/* Statuses of a mailbox, the content, policy, and of bad senders: somebody is there, whatever "unknown" stands beside. Not so 5.2.1
 * and 5.3.0, which are given for anything. */
static gboolean denies_nobody(const char *status)
{
    return status[0] == '5' && (status[2] == '6' || status[2] == '7' || (status[2] == '2' && !g_str_equal(status, "5.2.1")) ||
                                g_str_equal(status, "5.1.7") || g_str_equal(status, "5.1.8"));
}

static BounceKind kind_by_words(const char *words, const char *status)
{
    for (guint i = 0; i < G_N_ELEMENTS(sayings); i++) {
        if (!g_regex_match(patterns()->sayings[i], words, 0, NULL))
            continue;
        return sayings[i].why == WHY_NOBODY && *status != '\0' && denies_nobody(status) ? BOUNCE_SOFT : sayings[i].kind;
    }
    return BOUNCE_UNKNOWN;
}

static BounceKind kind_by_codes(const char *status, const char *reply)
{
    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (g_str_equal(status, statuses[i].prefix))
            return statuses[i].kind;
    return *status != '\0' || *reply != '\0' ? BOUNCE_SOFT : BOUNCE_UNKNOWN;
}

BounceReason bounce_reason_judge(const char *status, const char *words)
{
    BounceReason reason = {.kind = BOUNCE_UNKNOWN};
    char reply[8] = "";
    g_autofree char *plain = plain_words(words);

    find_status(status, plain, reason.status, sizeof reason.status);
    fetch(patterns()->reply, plain, reply, sizeof reply);
    reason.kind = kind_by_words(plain, reason.status);
    /* a code of the fourth class says that it may pass, whatever the words */
    if (reason.kind == BOUNCE_HARD && (*reason.status == '4' || (*reason.status == '\0' && *reply == '4')))
        reason.kind = BOUNCE_SOFT;
    if (reason.kind == BOUNCE_UNKNOWN)
        reason.kind = kind_by_codes(reason.status, reply);
    return reason;
}

gboolean bounce_reason_has_code(const char *text)
{
    g_autofree char *plain = plain_words(text);
    char code[16];
    return fetch(patterns()->reply, plain, code, sizeof code) || (fetch(patterns()->status, plain, code, sizeof code) && code[0] != '2');
}
