/*
 * What the owner of a contact is to do, and by when: by a rule's step, because of something that came in, or as a person wrote it down.
 * Adding and ending one is told on the contact's history. A task goes with its contact.
 */
#pragma once

#include <glib.h>

#include "store/history.h"
#include "store/store.h"

/* OwnerTask.source: where it comes from. Others may be used; they are shown as they are. */
#define TASK_BY_HAND "by hand"
#define TASK_BY_STEP "step"   /* of a rule: rule and step say which */
#define TASK_BY_SCORE "score" /* an answer to the question for a score */
#define TASK_BY_REPLY "reply" /* something in a reply that a person must judge */

typedef struct {
    gint64 id, contact_id;
    gint64 outbox_id;    /* the reminder that told of it, of which there is one task; 0: none. Not read */
    char *email, *name;  /* of the contact, as read; not looked at when it is added */
    char *owner;         /* the account's name; "" for nobody's */
    char *text;          /* what to do, a line; never "" */
    char *source;
    char *rule, *step;   /* "" for none */
    gint64 due_ms;       /* 0: at no certain time */
    gint64 created_ms;
    gint64 done_ms;      /* 0: open */
} OwnerTask;

void owner_task_free(OwnerTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OwnerTask, owner_task_free)

/*
 * Adds one that is open, and its line to the history: told, or, where that is NULL, one of the task's words. NULL strings are "".
 * id, email, name and done_ms are ignored. Does not mark the contact: no rule decides by tasks. *ret_id (may be NULL) is the new one;
 * where the same reminder has made one already, the line alone is added, and *ret_id is untouched.
 */
gboolean store_task_add(Store *store, const OwnerTask *task, const Interaction *told, gint64 *ret_id, GError **error);

/* It is done, or (done_ms 0) to be done again; told on the history at now_ms with the note ("" or NULL: none). *ret_changed FALSE: it was so already,
 * or there is none. */
gboolean store_task_set_done(Store *store, gint64 id, gint64 done_ms, const char *note, gint64 now_ms, gboolean *ret_changed, GError **error);

/* Another text, owner or due time. */
gboolean store_task_update(Store *store, const OwnerTask *task, GError **error);

/* *ret_task NULL where there is none. */
gboolean store_task_get(Store *store, gint64 id, OwnerTask **ret_task, GError **error);

typedef struct {
    const char *owner;    /* NULL: anybody's; without case */
    gint64 contact_id;    /* 0: any */
    gint64 due_before_ms; /* 0: any; else those without due time are left out */
    gboolean with_done;
} TaskFilter;

/* Calls func for each, until it returns FALSE: the open ones first, by due time, those without one last; then those done, newest first. */
gboolean store_task_each(Store *store, const TaskFilter *filter, gboolean (*func)(const OwnerTask *task, gpointer data), gpointer data, GError **error);
