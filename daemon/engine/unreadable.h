/*
 * Messages that cannot be read: kept whole in files beside the store, so that a person can look at them, and counted by `nurture status`.
 */
#pragma once

#include "config/config.h"
#include "mail/message.h"

/* All files together, and how many; what comes beyond is told by the log and not kept. */
enum { UNREADABLE_FILES = 1000, UNREADABLE_OCTETS = 64 * 1024 * 1024 };

/* Keeps the message's raw bytes, where it has some, mode 600, under a name that tells where it lies in the mailbox. Logs. Never fails: what cannot
 * be kept is still in the mailbox. */
void unreadable_keep(const Config *config, const char *account, const char *folder, guint32 uidvalidity, guint32 uid, const InboundMessage *message);

/* How many are kept. */
guint unreadable_count(const Config *config);
