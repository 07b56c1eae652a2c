/*
 * Rows of contacts, and inserting several by one statement.
 */
#pragma once

#include "store/internal.h"

/* A contact's row, as it is or is to be; all text is borrowed. */
typedef struct {
    gint64 id; /* 0: not there yet */
    const char *first_name, *last_name, *stage, *time_zone, *language, *owner, *source, *attributes;
    gint64 company_id; /* 0: none */
    gint64 stage_since_ms, customer_since_ms;
} ContactRow;

enum { CONTACT_INSERT_MAX = 16 };

typedef struct {
    const char *email;
    const ContactRow *row; /* id does not count */
} NewContact;

/*
 * Inserts n (1 … CONTACT_INSERT_MAX) contacts in their order, leaving out those whose address is there. Where *ret_added is n, the last
 * has the number *ret_last_id, the one before it a number that is one less, and so on. When it fails, some of them may be there: the
 * transaction is to be rolled back.
 */
gboolean contact_insert(Db *db, const NewContact *contacts, guint n, gint64 created_ms, guint *ret_added,
                        gint64 *ret_last_id, GError **error);

enum { TAG_INSERT_MAX = 16 };

/* Tags of contacts who have none yet, gathered to be inserted together. */
typedef struct {
    struct {
        gint64 contact_id;
        const char *name; /* borrowed */
        char *key;        /* owned */
    } tags[TAG_INSERT_MAX];
    guint n;
} TagInserts;

/* A tag that is there twice (without case) is left out. Fails as contact_insert() does. */
gboolean tag_inserts_add(TagInserts *inserts, Db *db, gint64 contact_id, const char *name, GError **error);

/* Inserts what was gathered. */
gboolean tag_inserts_flush(TagInserts *inserts, Db *db, GError **error);
void tag_inserts_clear(TagInserts *inserts);

/* The keys for comparing that are stored beside some columns. */
typedef struct {
    char *stage, *language, *owner, *source;
} ContactKeys;

void contact_keys_init(ContactKeys *keys, const ContactRow *row);
void contact_keys_clear(ContactKeys *keys);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ContactKeys, contact_keys_clear)
