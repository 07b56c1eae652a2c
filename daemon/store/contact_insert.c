/*
 * Inserting contacts and their tags, sixteen at a time where there are so many: a statement has costs of its own, which are as large as those of a row.
 * No state of its own; runs in the thread of its Store.
 */
#include "store/contact_insert.h"

#include <string.h>

enum { COLUMNS = 18 };

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

/* OR FAIL: what a failing statement of several rows has done is not undone by itself, so that SQLite need not keep a copy of every page
 * that the statement changes; a driver without these words takes them out. */
#define INSERT                                                                                                              \
    "INSERT OR FAIL INTO contact (email, domain, first_name, last_name, company_id, stage, stage_key, stage_since_ms,"      \
    " customer_since_ms, time_zone, language, language_key, owner, owner_key, source, source_key, attributes, created_ms)"  \
    " VALUES "
#define UNLESS_KNOWN " ON CONFLICT (email) DO NOTHING"

static const char insert_one[] =
    INSERT "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)" UNLESS_KNOWN;

static const char insert_sixteen[] =
    INSERT "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18), "
           "($19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36), "
           "($37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54), "
           "($55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72), "
           "($73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, $87, $88, $89, $90), "
           "($91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101, $102, $103, $104, $105, $106, $107, $108), "
           "($109, $110, $111, $112, $113, $114, $115, $116, $117, $118, $119, $120, $121, $122, $123, $124, $125, $126), "
           "($127, $128, $129, $130, $131, $132, $133, $134, $135, $136, $137, $138, $139, $140, $141, $142, $143, $144), "
           "($145, $146, $147, $148, $149, $150, $151, $152, $153, $154, $155, $156, $157, $158, $159, $160, $161, $162), "
           "($163, $164, $165, $166, $167, $168, $169, $170, $171, $172, $173, $174, $175, $176, $177, $178, $179, $180), "
           "($181, $182, $183, $184, $185, $186, $187, $188, $189, $190, $191, $192, $193, $194, $195, $196, $197, $198), "
           "($199, $200, $201, $202, $203, $204, $205, $206, $207, $208, $209, $210, $211, $212, $213, $214, $215, $216), "
           "($217, $218, $219, $220, $221, $222, $223, $224, $225, $226, $227, $228, $229, $230, $231, $232, $233, $234), "
           "($235, $236, $237, $238, $239, $240, $241, $242, $243, $244, $245, $246, $247, $248, $249, $250, $251, $252), "
           "($253, $254, $255, $256, $257, $258, $259, $260, $261, $262, $263, $264, $265, $266, $267, $268, $269, $270), "
           "($271, $272, $273, $274, $275, $276, $277, $278, $279, $280, $281, $282, $283, $284, $285, $286, $287, "
           "$288)" UNLESS_KNOWN;

void contact_keys_init(ContactKeys *keys, const ContactRow *row)
{
    keys->stage = store_key(row->stage);
    keys->language = store_key(row->language);
    keys->owner = store_key(row->owner);
    keys->source = store_key(row->source);
}

void contact_keys_clear(ContactKeys *keys)
{
    g_clear_pointer(&keys->stage, g_free);
    g_clear_pointer(&keys->language, g_free);
    g_clear_pointer(&keys->owner, g_free);
    g_clear_pointer(&keys->source, g_free);
}

static void put_values(DbValue *values, const NewContact *contact, const ContactKeys *keys, gint64 created_ms)
{
    const ContactRow *row = contact->row;
    const DbValue of_row[COLUMNS] = {DB_TEXT(contact->email),
                                     DB_TEXT(store_domain_of(contact->email)),
                                     DB_TEXT(row->first_name),
                                     DB_TEXT(row->last_name),
                                     row->company_id != 0 ? DB_INT(row->company_id) : DB_NULL,
                                     DB_TEXT(row->stage),
                                     DB_TEXT(keys->stage),
                                     DB_INT(row->stage_since_ms),
                                     DB_INT(row->customer_since_ms),
                                     DB_TEXT(row->time_zone),
                                     DB_TEXT(row->language),
                                     DB_TEXT(keys->language),
                                     DB_TEXT(row->owner),
                                     DB_TEXT(keys->owner),
                                     DB_TEXT(row->source),
                                     DB_TEXT(keys->source),
                                     DB_TEXT(row->attributes),
                                     DB_INT(created_ms)};
    memcpy(values, of_row, sizeof(of_row));
}

/* n contacts by a statement for so many. */
static gboolean insert(Db *db, const char *sql, const NewContact *contacts, guint n, gint64 created_ms, guint *added,
                       gint64 *last_id, GError **error)
{
    DbValue values[CONTACT_INSERT_MAX * COLUMNS + 1];
    ContactKeys keys[CONTACT_INSERT_MAX];
    gboolean any = FALSE;
    for (guint i = 0; i < n; i++) {
        contact_keys_init(&keys[i], contacts[i].row);
        put_values(values + i * COLUMNS, &contacts[i], &keys[i], created_ms);
    }
    values[n * COLUMNS] = (DbValue){.type = DB_VALUE_END};
    gboolean ok = db_insert_values(db, sql, values, &any, last_id, error);
    *added += ok ? (guint)db_changes(db) : 0;
    for (guint i = 0; i < n; i++)
        contact_keys_clear(&keys[i]);
    return ok;
}

gboolean contact_insert(Db *db, const NewContact *contacts, guint n, gint64 created_ms, guint *ret_added,
                        gint64 *ret_last_id, GError **error)
{
    guint added = 0;
    gboolean ok = TRUE;
    if (n == CONTACT_INSERT_MAX)
        ok = insert(db, insert_sixteen, contacts, n, created_ms, &added, ret_last_id, error);
    else
        for (guint i = 0; ok && i < n; i++)
            ok = insert(db, insert_one, &contacts[i], 1, created_ms, &added, ret_last_id, error);
    *ret_added = added;
    return ok;
}

/* ---- tags ------------------------------------------------------------------------------------------------------------- */

#define INSERT_TAG "INSERT OR FAIL INTO tag (contact_id, name_key, name) VALUES "
#define UNLESS_THERE " ON CONFLICT (contact_id, name_key) DO NOTHING"

static const char insert_sixteen_tags[] =
    INSERT_TAG "($1, $2, $3), ($4, $5, $6), ($7, $8, $9), ($10, $11, $12), "
               "($13, $14, $15), ($16, $17, $18), ($19, $20, $21), ($22, $23, $24), "
               "($25, $26, $27), ($28, $29, $30), ($31, $32, $33), ($34, $35, $36), "
               "($37, $38, $39), ($40, $41, $42), ($43, $44, $45), ($46, $47, $48)" UNLESS_THERE;

static gboolean insert_tags(TagInserts *inserts, Db *db, GError **error)
{
    DbValue values[TAG_INSERT_MAX * 3 + 1] = {{DB_VALUE_END}};
    if (inserts->n < TAG_INSERT_MAX) {
        for (guint i = 0; i < inserts->n; i++)
            if (!db_run(db, INSERT_TAG "($1, $2, $3)" UNLESS_THERE, error, DB_INT(inserts->tags[i].contact_id),
                        DB_TEXT(inserts->tags[i].key), DB_TEXT(inserts->tags[i].name)))
                return FALSE;
        return TRUE;
    }
    for (guint i = 0; i < TAG_INSERT_MAX; i++) {
        values[i * 3] = DB_INT(inserts->tags[i].contact_id);
        values[i * 3 + 1] = DB_TEXT(inserts->tags[i].key);
        values[i * 3 + 2] = DB_TEXT(inserts->tags[i].name);
    }
    return db_run_values(db, insert_sixteen_tags, values, error);
}

gboolean tag_inserts_flush(TagInserts *inserts, Db *db, GError **error)
{
    gboolean ok = insert_tags(inserts, db, error);
    tag_inserts_clear(inserts);
    return ok;
}

gboolean tag_inserts_add(TagInserts *inserts, Db *db, gint64 contact_id, const char *name, GError **error)
{
    const guint i = inserts->n++;
    inserts->tags[i].contact_id = contact_id;
    inserts->tags[i].name = name;
    inserts->tags[i].key = store_key(name);
    return inserts->n < TAG_INSERT_MAX || tag_inserts_flush(inserts, db, error);
}

void tag_inserts_clear(TagInserts *inserts)
{
    for (guint i = 0; i < inserts->n; i++)
        g_clear_pointer(&inserts->tags[i].key, g_free);
    inserts->n = 0;
}
