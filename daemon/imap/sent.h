/*
 * The folder for sent mail, in the watcher: which one it is, and what the parent wants done there. A folder that is not there, or that
 * the server refuses to show, is no fault of the connection: the others are read on, and the parent is told.
 */
#pragma once

#include <glib.h>

#include "channel.h"
#include "session.h"

typedef struct {
    const char *label; /* for messages */
    char *wire_name;   /* NULL: not known (yet) */
} SentPlace;

/* name: of the account, "" for the one that the server marks \Sent. It must live as long as the place. */
gboolean sent_place_init(SentPlace *place, const char *name, GError **error);
void sent_place_clear(SentPlace *place);

/* Asks the server where wire_name is not known. It stays NULL where the server does not say. */
gboolean sent_place_find(SentPlace *place, Session *session, GError **error);

/* What to say where sent_place_find() found nothing. */
const char *sent_place_unknown(void);

/* Does what the parent asked, and what it asks meanwhile, for at most TASKS_IN_A_ROW_MS. *ret_done: something was, so that another
 * folder may be open, and news of the one that was may have gone by unheard. */
gboolean sent_do_tasks(SentPlace *place, Session *session, Channel *channel, gboolean *ret_done, GError **error);
