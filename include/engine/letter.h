/*
 * A letter: everything that is needed to compose one message, gathered from the store on the loop, so that a worker's thread
 * can compose without it. `preview` and the courier use the same.
 *
 * Variables: first_name last_name name email stage language source customer_since, every attribute, company (prints its name; .name
 * and the company's attributes inside), owner and organisation (.name .email .first_name, .name .postal_address), rule, step.
 * Of referrals: referrer and friend (.name .first_name .email), reward, and the person's own referral_code and referral_address, to be given
 * to friends; the last is there where the account's address leaves room for it.
 * contact.X and attributes.X mean the same as X; a contact's own field wins over an attribute of that name.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "engine/referral_words.h"
#include "engine/templates.h"
#include "mail/message.h"
#include "store/contacts.h"

typedef struct Letter Letter;

typedef struct {
    Config *config;
    TemplateSet *templates;
    const Contact *contact;
    const Rule *rule;
    const Step *step;
    const char *variant;                    /* the template of the step's variant (engine/variant.h); "" for the step's own */
    const char *message_id;                 /* without brackets */
    gint64 outbox_id;                       /* its row, for the token of the reply address; 0: none yet */
    const char *in_reply_to, *references;   /* "" for none */
    const char *thread_subject;             /* same_thread: the subject that is answered; "" for none */
    const char *token_secret;
    const ReferralWords *referral;          /* NULL: none */
    gint64 date_ms;
    GTimeZone *zone; /* that the date is told in */
} LetterInput;

/* Keeps references to config, templates, contact and zone, copies the rest. ENGINE_ERROR_MISSING where template or account is not there. */
Letter *letter_new(const LetterInput *input, GError **error);
void letter_free(Letter *letter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Letter, letter_free)

/* Any thread. Errors of mail/ (MAIL_ERROR_MISSING names the variable and the template). */
gboolean letter_compose(const Letter *letter, ComposedMessage *ret_message, GError **error);

/* The same without the message's bytes, for a rehearsal: its words, and what would hold it. */
gboolean letter_compose_words(const Letter *letter, ComposedMessage *ret_message, GError **error);

/* The template that it is made of; belongs to the letter. */
const char *letter_template(const Letter *letter);

/* The files that it attaches (const MailFile*, which belong to its templates); NULL: none. Free with g_ptr_array_unref(). */
GPtrArray *letter_attachments(const Letter *letter);

/* The address that it goes to; belongs to the letter. */
const char *letter_recipient(const Letter *letter);
