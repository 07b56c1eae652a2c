/*
 * Telling an account's owner of what came in: at once, where the rule or the account asks for it, or once a business day (engine/digest.h).
 * The mail goes from the owner's address to it, by engine/post.h; it is never filed, answered or counted.
 */
#pragma once

#include "engine/effects.h"
#include "store/contacts.h"
#include "store/outbox.h"

/* Within an hour; what goes beyond is on the histories, and in the digest. */
enum { NOTICE_MOST_AN_HOUR = 60 };

/* Queues a mail to the owner; subject one line. Joins the caller's transaction. */
gboolean notice_owner(EngineCore *core, const Account *account, const char *subject, const char *text, GError **error);

/* A person wrote (class reply or unsubscribe): tells the contact's owner where they want it at once. answers: NULL for none. */
gboolean notice_reply(EngineCore *core, const Arrival *arrival, const Contact *contact, const OutboxMessage *answers, GError **error);

/* "Kari Nordmann <kari@example.org>", one line. Caller frees. */
char *notice_who(const char *first_name, const char *last_name, const char *email);

/* The first lines of a text, each behind "  > ". Caller frees. */
char *notice_excerpt(const char *text);
