/*
 * Back reading: old conversation with known people is filed on their histories, in both directions, and nothing follows from it: no rule,
 * score, suppression or stop. By a watcher of its own (imap/link.h), beside a running daemon or without one.
 */
#pragma once

#include "config/config.h"
#include "store/store.h"

typedef struct {
    Config *config;
    Store *store;
    const Account *account; /* with imap; of config */
    const char *program;    /* as in imap_link_new() */
    const char *folder;     /* this folder alone; NULL: the account's, and the one for sent mail */
    int days;               /* how far back */
    /* So many messages were looked at, of so many that are known to be there. */
    void (*on_progress)(guint64 done, guint64 total, gpointer data);
    gpointer data;
} BackfillSetup;

typedef struct {
    guint64 read;  /* messages looked at */
    guint64 filed; /* entries added */
} BackfillResult;

/*
 * Blocks until everything was read. ENGINE_ERROR_MISSING where it could not be read to its end: what was filed stays, and the same
 * call goes on behind it. A call after one that came to its end begins again, and files nothing twice. ret_result is filled in any case.
 */
gboolean backfill_run(const BackfillSetup *setup, BackfillResult *ret_result, GError **error);
