/*
 * Contacts and what happened to them as JSON objects: one form for show, list, export and history.
 */
#pragma once

#include "cli/context.h"
#include "store/enrolments.h"
#include "store/history.h"
#include "store/outbox.h"

/* Caller owns the objects. */
JsonObject *contact_object(const Contact *contact);
JsonObject *interaction_object(const Interaction *interaction);
JsonObject *enrolment_object(const Enrolment *enrolment);
JsonObject *message_object(const OutboxMessage *message);
