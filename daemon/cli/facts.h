/*
 * Contacts and what happened to them as JSON objects: one form for show, list, export and history.
 */
#pragma once

#include "cli/context.h"
#include "store/enrolments.h"
#include "store/history.h"
#include "store/outbox.h"
#include "store/proposals.h"
#include "store/tasks.h"

/* Caller owns the objects. What is not known is left out, but for the keys of `nurture history` and `nurture queue`, which are
 * always there: "" (due_at: null) for none. */
JsonObject *contact_object(const Contact *contact, gint64 now_ms);
JsonObject *interaction_object(const Interaction *interaction);
JsonObject *enrolment_object(const Enrolment *enrolment);
JsonObject *task_object(const OwnerTask *task);
JsonObject *proposal_object(const Proposal *proposal);
JsonObject *message_object(const OutboxMessage *message);

/* "ask (ask-b)": a step with the variant that somebody gets of it ("" or NULL: none). Caller frees. */
char *step_words(const char *step, const char *variant);

/* "active", "done", "ended". */
const char *enrolment_state_name(EnrolmentState state);

/* Until when nothing is sent to the contact; 0: not paused (any more), G_MAXINT64: until resumed. */
gint64 contact_pause(const Contact *contact, gint64 now_ms);

/* First and last name, "" for none. Caller frees. */
char *contact_name(const Contact *contact);

void facts_add_strings(JsonObject *object, const char *member, char **strings);

/* The value of an attribute as people read it. Caller frees. */
char *facts_attribute_text(JsonNode *node);

/* All attributes of a JSON object on one line, "sector = fish, size = 4". Caller frees. */
char *facts_attributes_line(const char *attributes);
