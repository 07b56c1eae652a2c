/*
 * Whom a reply names: the answer to "whom do you know that we could help?", in English and Norwegian. Pure; any thread.
 *
 * Found are, in this order of evidence: vCards (RFC 6350, RFC 2426) that go along; people in Cc (and beside us in To) whom the text
 * introduces ("meet Kari"); addresses in the new text, with the name that stands by them ("Kari Nordmann <kari@firma.example>",
 * "kari (at) firma.example"); names with a telephone number; the people of a forwarded message's header; names behind words such as
 * "ask" or "snakk med". One person is one entry, whatever names them twice.
 *
 * Left out are the sender (also by the signature), who stands in quoted text, role addresses ("info@", "no-reply@"), people the text says
 * not to write to, and who was written to (the names of To).
 * Not known here, and the caller's to recognise: our own domains (address_in_domains()), contacts, suppressed addresses.
 *
 * `certain` is somebody who can be reached (address, or name and number) and whom the words recommend or introduce, or who is
 * listed in an answer that is nothing but such a list; everybody else is a proposal. Nobody has consented to anything by being named.
 */
#pragma once

#include "mail/message.h"

enum {
    INTRODUCED_MAX = 20,              /* people of one message */
    INTRODUCED_MAX_TEXT = 64 * 1024,  /* octets of the text looked at */
    INTRODUCED_MAX_NAME = 100,        /* octets of a name or company */
    INTRODUCED_MAX_PHONE = 20,
    INTRODUCED_MAX_EVIDENCE = 300,
    INTRODUCED_MAX_CARD = 64 * 1024,  /* octets of one vCard part looked at (a photo is passed over) */
    INTRODUCED_MAX_CARDS = 50         /* parts looked at */
};

/* A mailbox of a header, decoded. */
typedef struct {
    char *name, *address; /* address canonical; name "" for none */
} InboundMailbox;

typedef struct {
    const GPtrArray *to, *cc; /* InboundMailbox* */
    const GPtrArray *cards;   /* char*: the text of each vCard part */
} IntroducedSource;

/* Fills introduced, introduced_more and referral_answer of a message whose class, from, from_name, text and full_text are read.
 * Does nothing for what no person wrote (any class but INBOUND_REPLY). */
void mail_introduced_read(InboundMessage *message, const IntroducedSource *source);
