/*
 * The plain value types of mail/: a message composed, and a message read. smtp/, imap/ and store/ may name these too.
 */
#pragma once

#include <glib.h>

/* ---- out ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    GBytes *bytes; /* the whole message, CRLF line ends, lines of at most 998 octets, 7-bit clean */
    char *subject; /* decoded */
    char *text;    /* the plain text part, decoded, LF line ends, with footer */
} ComposedMessage;

/* Frees what it holds, and sets it to NULL; not the struct itself. */
void composed_message_clear(ComposedMessage *message);

/* ---- in -------------------------------------------------------------------------------------------------------------- */

typedef enum {
    INBOUND_REPLY, INBOUND_AUTO_REPLY, INBOUND_BOUNCE, INBOUND_COMPLAINT, INBOUND_UNSUBSCRIBE, INBOUND_OTHER
} InboundClass;

/* "reply", "auto-reply", … as `nurture read` prints them. */
const char *inbound_class_name(InboundClass class);

typedef enum { BOUNCE_UNKNOWN, BOUNCE_HARD, BOUNCE_SOFT, BOUNCE_DELAYED } BounceKind;
const char *bounce_kind_name(BounceKind kind);

typedef struct {
    char *recipient;  /* canonical, "" where the message holds none */
    BounceKind kind;
    char *status;     /* "5.1.1", "" for none */
    char *diagnostic; /* one line, "" for none */
} BounceRecipient;

typedef struct {
    char *name, *type; /* name "" for none; "application/pdf" */
    gint64 size;       /* octets, decoded */
} InboundAttachment;

/* What a number in an answer says about "how likely would you recommend us, 0 to 10" (mail/score.h). */
typedef enum { SCORE_NONE, SCORE_UNCLEAR, SCORE_CLEAR } ScoreVerdict;
const char *score_verdict_name(ScoreVerdict verdict);

typedef struct {
    ScoreVerdict verdict;
    int value;      /* 0 … 10 where clear, else -1 */
    char *evidence; /* the words that say it, one line of at most SCORE_MAX_EVIDENCE octets; "" for none */
} ScoreRead;

/* How an answer names somebody (mail/introduced.h). */
typedef enum { INTRODUCED_TEXT, INTRODUCED_CC, INTRODUCED_VCARD, INTRODUCED_FORWARD } IntroducedHow;
const char *introduced_how_name(IntroducedHow how);

typedef struct {
    char *name;     /* one line without controls, "" for none */
    char *address;  /* canonical (mail/address.h), "" for none */
    char *phone;    /* "+4799887766" or the digits as given; "" for none */
    char *company;  /* as name */
    IntroducedHow how;
    gboolean certain; /* may be believed without a person looking; else a proposal */
    char *evidence; /* the sentence that says it, one line; "" for none */
} IntroducedPerson;

/* What an answer says about being asked for names, beside the names in it. */
typedef enum { REFERRAL_OPEN, REFERRAL_REFUSED, REFERRAL_LATER } ReferralAnswer;
const char *referral_answer_name(ReferralAnswer answer);

/* What a note says about an address that will not do any more (mail/departure.h). */
typedef enum {
    DEPARTURE_NONE,
    DEPARTURE_LEFT,       /* the person has left; nobody is named with an address */
    DEPARTURE_SUCCESSOR,  /* the person has left; address (and name) is who to write to instead */
    DEPARTURE_NEW_ADDRESS /* the same person has another address */
} DepartureKind;
const char *departure_kind_name(DepartureKind kind); /* "none", "left", "successor", "new-address" */
gboolean departure_kind_parse(const char *name, DepartureKind *ret_kind);

typedef struct {
    DepartureKind kind;
    char *address;  /* canonical, "" for none */
    char *name;     /* one line, "" for none */
    char *evidence; /* the sentence that says it, one line; "" for none */
} Departure;

/* Frees what it holds, and leaves it empty, with NULL. */
void departure_clear(Departure *departure);

/* Everything that is taken from a received message. All text valid UTF-8 with LF line ends and within the limits of
 * mail/read.h; never NULL unless said so. */
typedef struct {
    InboundClass class;
    char *evidence; /* what the class was told by: "Auto-Submitted: auto-replied" */
    char *from, *from_name; /* canonical address ("" where there is none that reads), display name */
    char **to;              /* canonical addresses of To, Cc, Bcc, Delivered-To, X-Original-To */
    char *subject;
    char *message_id;       /* without brackets; "" */
    char *in_reply_to;      /* first of it */
    char **references;      /* all of References and In-Reply-To, last one last */
    gint64 date_ms;         /* of the Date header; 0 */
    char *text;             /* a reply's new text; else the full text */
    char *full_text;
    GPtrArray *bounces;     /* BounceRecipient*; empty where none */
    char *original_message_id; /* of the message that a bounce or complaint is about; "" */
    gint64 absent_until_ms; /* an auto-reply's date of return, 0 for none */
    char *token;            /* an unsubscribe token (mail/token.h) in subject or recipient, unchecked; "" */
    gboolean asks_to_stop;  /* the new text of a human reply asks to be mailed no more */
    char *authentication_results; /* the topmost such header, one line; "" */
    GPtrArray *attachments; /* InboundAttachment* */
    ScoreRead score;        /* of a reply's new text; evidence never NULL */
    GPtrArray *introduced;  /* IntroducedPerson*: whom a reply names, at most INTRODUCED_MAX */
    gboolean introduced_more; /* it names more than that */
    ReferralAnswer referral_answer;
    Departure departure;    /* of a reply, an auto-reply or a bounce */
    char *original_reply_to; /* where a bounce shows it: the address for answers of the message that it is about; "" */
    char *fingerprint;      /* hex SHA-256 that is the same for copies of one message */
    gboolean truncated;     /* something was beyond a limit */
    GBytes *raw;            /* the very octets of one that inbound_message_is_unreadable(), at most INBOUND_MAX_RAW; else empty */
} InboundMessage;

enum { INBOUND_MAX_RAW = 3 * 1024 * 1024 };

/* Nothing that its sender wrote at its head could be read: no sender, subject, date or id. Servers add lines of their own. */
gboolean inbound_message_is_unreadable(const InboundMessage *message);

void bounce_recipient_free(BounceRecipient *recipient);
void inbound_attachment_free(InboundAttachment *attachment);
void introduced_person_free(IntroducedPerson *person);

/* "attached: offer.pdf (application/pdf, 12345 octets), …", for people; "" where nothing is. Caller frees. */
char *inbound_attachments_words(const InboundMessage *message);

/* A message with empty fields (none NULL). Free with inbound_message_free(). */
InboundMessage *inbound_message_new(void);
void inbound_message_free(InboundMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InboundMessage, inbound_message_free)

/* The GVariant type of the two calls below: what bytes from a pipe are to be read as. */
#define INBOUND_MESSAGE_VARIANT_TYPE "(ysssassssasxssa(syss)sxsbsa(ssx)(yis)(a(ssssybs)by)(ysss)ssbay)"

/* To and from a GVariant, for the way from the child that read it to the daemon. The reader trusts nothing: NULL (and
 * MAIL_ERROR_LIMIT) for what is not of the form, not valid UTF-8, too large, or has a line end or control in a field of one line. */
GVariant *inbound_message_to_variant(const InboundMessage *message);
InboundMessage *inbound_message_from_variant(GVariant *variant, GError **error);
