/*
 * Contacts, their tags, aliases and attributes; companies are in store/companies.h. Every change of a fact puts the contact among the
 * marks (store/marks.h) in the same transaction, so that the daemon decides again for just that contact.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    gint others; /* references but the first; atomic */
    gint64 id;
    char *email; /* canonical: see mail/address.h */
    char *first_name, *last_name;
    char *company, *company_time_zone, *company_attributes; /* attributes: a JSON object as text */
    char *stage;                                            /* "" for none */
    gint64 stage_since_ms;
    gint64 customer_since_ms; /* 0: a prospect */
    char *time_zone;          /* "" : the company's, else the default */
    char *language;           /* "nb", "en", … */
    char *owner;
    char *source;
    char **tags;       /* NULL-terminated, sorted */
    char *attributes;  /* a JSON object as text */
    gboolean has_score;
    double score;
    gint64 score_ms;            /* when they gave it; 0: not known */
    guint score_count;          /* how many they gave: the number of this one */
    gint64 paused_until_ms;     /* 0: not paused; G_MAXINT64: until resumed */
    char *pause_reason;         /* why, where it was not a person who paused; "" */
    gint64 hold_until_ms;       /* no mail before (absence); 0: none */
    char *hold_reason;          /* why; "" */
    gint64 last_contacted_ms;   /* last message sent, or maybe sent, to them by any rule */
    gint64 last_reply_ms;       /* when they last wrote; 0: never */
    gint64 last_talk_ms;        /* when the owner last wrote by hand, called or met them; 0: never */
    gboolean referred;          /* came by somebody's referral */
    gint64 referred_ms;         /* since that was accepted; 0: not */
    gint64 asked_ms;            /* when they were last asked for a referral: the first message of that round; 0: never */
    char *asked_rule;           /* by which rule and in which round; "" */
    guint asked_round;
    gint64 reconsider_ms;       /* store_contact_set_reconsider() */
    gint64 created_ms;
} Contact;

/* One that was read is not changed, so that several, in several threads, may share it: contact_free() gives back one reference. */
Contact *contact_ref(const Contact *contact);
void contact_free(Contact *contact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contact, contact_free)

/* A wish to add or change a contact. NULL (or 0, or FALSE) leaves a field as it is; "" clears it. */
typedef struct {
    const char *email; /* required, canonical */
    const char *first_name, *last_name, *company, *stage, *time_zone, *language, *owner, *source;
    gint64 stage_since_ms;    /* with stage; 0: now */
    gint64 customer_since_ms;
    const char *const *add_tags;    /* NULL-terminated or NULL */
    const char *const *remove_tags;
    GHashTable *attributes;         /* char* -> char* or NULL; a value "" removes that attribute */
} ContactEdit;

typedef enum {
    CONTACT_CREATED,
    CONTACT_CHANGED,
    CONTACT_UNCHANGED,
    CONTACT_CAME_BACK /* created; they were erased, and their address is still never mailed: store/suppressions.h */
} ContactSaveResult;

/*
 * Adds the contact or applies what differs. A new stage writes a `stage` interaction at stage_since and sets stage_since; the
 * same stage with another stage_since_ms only corrects it. Entering customer_stage (name, from the configuration) makes a
 * customer from stage_since on, unless customer_since_ms says otherwise or they are one. first_stage is the stage of a
 * new contact for whom none is given. An address that is somebody's alias means that person. Nothing is written, and no
 * mark made, where nothing differs. A suppressed address can be a contact; they are just never mailed.
 */
gboolean store_contact_save(Store *store, const ContactEdit *edit, const char *customer_stage, const char *first_stage,
                            gint64 now_ms, ContactSaveResult *ret_result, gint64 *ret_id, GError **error);

/* Several wishes, in their order; borrowed. */
typedef struct {
    const ContactEdit *const *edits;
    guint len;
} ContactEdits;

/* The same for many at once, all or none, and several times as fast: for an import. ret_results[i] is what became of edits[i]. */
gboolean store_contacts_save(Store *store, const ContactEdits *edits, const char *customer_stage, const char *first_stage,
                             gint64 now_ms, ContactSaveResult *ret_results, GError **error);

/* By address or alias, or by id; *ret_contact is NULL where there is none. Caller frees with contact_free(). */
gboolean store_contact_find(Store *store, const char *email, Contact **ret_contact, GError **error);
gboolean store_contact_get(Store *store, gint64 id, Contact **ret_contact, GError **error);

/* The same as if they had no tags, for who does not look at them: less to read. */
gboolean store_contact_get_untagged(Store *store, gint64 id, Contact **ret_contact, GError **error);

/* Up to limit contacts that are marked (store/marks.h), oldest mark first (Contact*, freed with the array); *ret_last_mark: for
 * store_marks_clear_until(), 0 for none. */
gboolean store_contacts_marked(Store *store, guint limit, GPtrArray **ret_contacts, gint64 *ret_last_mark, GError **error);

typedef struct {
    const char *stage, *owner, *tag, *company, *search; /* NULL: any; search: part of name or address */
    gboolean customers_only;
} ContactFilter;

/* Calls func for each, by address, until it returns FALSE. The contact belongs to the call. */
gboolean store_contact_each(Store *store, const ContactFilter *filter, gboolean (*func)(const Contact *contact, gpointer data),
                            gpointer data, GError **error);

gboolean store_contact_count(Store *store, guint64 *ret_count, GError **error);

/* Further addresses of the contact (char**, NULL-terminated, by address; free with g_strfreev()); adding one, which is
 * STORE_ERROR_EXISTS where it is another contact's; taking one away. */
gboolean store_contact_aliases(Store *store, gint64 id, char ***ret_addresses, GError **error);
gboolean store_contact_alias_add(Store *store, gint64 id, const char *address, GError **error);
gboolean store_contact_alias_remove(Store *store, gint64 id, const char *address, GError **error);

/* The contact is known by that address from now on; the one until now becomes an alias, so that what still comes from it is theirs, and is
 * suppressed no longer where that was for a bounce. STORE_ERROR_EXISTS where it is another contact's. */
gboolean store_contact_readdress(Store *store, gint64 id, const char *address, GError **error);

/* until_ms 0 ends a pause; G_MAXINT64 pauses until that. */
gboolean store_contact_pause(Store *store, gint64 id, gint64 until_ms, gint64 now_ms, GError **error);

/* They gave the score (0 … 10) themselves: kept with its date, unless a later one is; marks. */
gboolean store_contact_score(Store *store, gint64 id, double score, gint64 at_ms, GError **error);

/* Paused until resumed, which the reason tells; where no reason is told already. Marks. */
gboolean store_contact_pause_because(Store *store, gint64 id, const char *reason, GError **error);

/* A message of that rule and round asks them for a referral; it counts where no message of that round did before. */
gboolean store_contact_asked(Store *store, gint64 id, const char *rule, guint round, gint64 now_ms, GError **error);

/* No mail to them before until_ms, for the reason; of two holds the later counts. 0 ends it. Marks. */
gboolean store_contact_hold(Store *store, gint64 id, gint64 until_ms, const char *reason, GError **error);

/* What stands in other people's texts instead of an address of somebody who was erased. */
#define CONTACT_ERASED "(erased)"

/* Erases the contact with history, enrolments, outbox, tasks and referrals, made by them or of them; in the histories, tasks and referrals of
 * others, their addresses are put out, and all else that others wrote stays. The suppressions of their addresses stay, without the addresses:
 * should one become a contact's again, it is suppressed as before. */
gboolean store_contact_forget(Store *store, gint64 id, GError **error);

/* What was erased leaves the file for good: the database's log, too, is emptied. *ret_done FALSE: others were reading or writing all the time, and
 * it will be gone when the log is used anew. Not inside a transaction. */
gboolean store_erase_traces(Store *store, gboolean *ret_done, GError **error);

/* When the contact is to be looked at again because a condition turns by time alone; 0: never. Read with store/marks.h. */
gboolean store_contact_set_reconsider(Store *store, gint64 id, gint64 at_ms, GError **error);
