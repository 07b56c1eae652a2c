/*
 * nurture doctor: looks at everything that sending and hearing depend on, and says of each what was found and what to do.
 */
#pragma once

#include <glib.h>

#include "config/config.h"

typedef enum {
    FINDING_OK,
    FINDING_NOT_ASKED, /* there was no way to know, which is no fault */
    FINDING_WARN,
    FINDING_FAIL
} FindingLevel;

/* "ok", "not asked", "warn", "fail" */
const char *finding_level_name(FindingLevel level);

typedef struct {
    FindingLevel level;
    const char *account; /* whose it is; "" for what all share */
    const char *check;   /* "store", "dmarc" … */
    const char *found;   /* one line; what came from outside is escaped */
    const char *advice;  /* what to do; "" for nothing */
} Finding;

/* A finding, as soon as it is known. It belongs to the call. */
typedef void (*DoctorFunc)(const Finding *finding, gpointer data);

typedef struct {
    const Config *config;
    const Account *account; /* this one's alone; NULL: each account's */
    const char *program;    /* that runs as a mailbox watcher when it is started with --watch */
    DoctorFunc func;
    gpointer data;
} DoctorSetup;

/* Makes every check, in order. Blocks, for some seconds where a server or name server does not answer. Sends no message and changes
 * nothing. */
void doctor_examine(const DoctorSetup *setup);

/* Has the daemon send a canary of setup->account, and waits until it is found, or for CANARY_WAIT_S. */
enum { CANARY_WAIT_S = 120 };
void doctor_send_canary(const DoctorSetup *setup);

/* Tells the faults of a configuration that could not be loaded, one a line, instead of all checks. */
void doctor_tell_faults(const DoctorSetup *setup, const char *check, const char *faults);
