/*
 * What was sent and what came back, added up for reports by rule or by owner.
 */
#pragma once

#include "cli/report.h"

typedef struct {
    char *rule, *step, *variant, *owner_key; /* of the group; "" for what it does not go by */
    guint64 sent, replied, bounced, complained, unsubscribed;
    GArray *reply_times; /* gint64 ms from a message to its first reply */
} MessageSum;

typedef enum { MESSAGES_BY_RULE, MESSAGES_BY_OWNER } MessageGrouping;

/* MessageSum* by rule, step and variant, or by owner, in that order; freed with the array. NULL where the store fails. */
GPtrArray *message_sums(const ReportCase *report, MessageGrouping by, GError **error);
