/*
 * The intake of one account: starts its mailbox watcher, and turns each message that it reads into history and what follows,
 * in one transaction with the mailbox's cursor.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/core.h"
#include "engine/tokens.h"
#include "mail/message.h"

typedef struct Intake Intake;

typedef struct {
    /* Something was filed, so that enrolments may have ended or begun. */
    void (*on_filed)(gpointer data);
    /* The mailbox is watched again, or no longer: whether the account is blind may have changed. */
    void (*on_state)(gpointer data);
    Tokens *tokens; /* of accounts that sign in with them; outlives the intake */
    gpointer data;
} IntakeCallbacks;

/* account has an imap; it belongs to core's configuration of now, which the intake keeps. */
Intake *intake_new(EngineCore *core, const Account *account, const char *program, const IntakeCallbacks *callbacks);
void intake_free(Intake *intake);

const char *intake_account(const Intake *intake);

/* The token of that name has come or gone: a mailbox that waits for it is tried at once. */
void intake_token_changed(Intake *intake, const char *name);

/* Not read to its end for longer than sending.blind_after. */
gboolean intake_is_blind(const Intake *intake);

/* An outcome may have left a copy to be filed or a message to be searched for. */
void intake_wake_sent(Intake *intake);

/* Adds "mailbox" (connecting, watching, partly, reading, failed), "mailbox_reason", "mailbox_retry_in_s", "read_s_ago", "watcher_pid", what
 * engine/sent.h tells, and "folders": of each "folder", "state" (not read yet, watched, reading, waiting, failed), "read_s_ago" (when it was
 * last read to its end), "not_filed" (messages), "oldest_s" (age of the oldest of them) and "reason". */
void intake_add_status(const Intake *intake, JsonObject *status);
