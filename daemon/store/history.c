/*
 * The history: interactions are added and read, never changed. No state of its own; runs in the thread of its Store.
 */
#include "store/history.h"

#include "store/internal.h"

static const char *const kind_names[] = {
    [INTERACTION_SENT] = "sent",         [INTERACTION_REPLY] = "reply",         [INTERACTION_AUTO_REPLY] = "auto-reply",
    [INTERACTION_BOUNCE] = "bounce",     [INTERACTION_COMPLAINT] = "complaint", [INTERACTION_UNSUBSCRIBE] = "unsubscribe",
    [INTERACTION_SKIPPED] = "skipped",   [INTERACTION_STAGE] = "stage",         [INTERACTION_NOTE] = "note",
    [INTERACTION_CALL] = "call",         [INTERACTION_MEETING] = "meeting",     [INTERACTION_TASK] = "task",
    [INTERACTION_REFERRAL] = "referral", [INTERACTION_OTHER] = "other",
    [INTERACTION_TAG] = "tag",
};

const char *interaction_kind_name(InteractionKind kind)
{
    g_assert((guint)kind < G_N_ELEMENTS(kind_names));
    return kind_names[kind];
}

gboolean interaction_kind_parse(const char *name, InteractionKind *ret_kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++)
        if (g_strcmp0(name, kind_names[i]) == 0) {
            *ret_kind = (InteractionKind)i;
            return TRUE;
        }
    return FALSE;
}

gboolean store_history_add(Store *store, const Interaction *interaction, gint64 *ret_id, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gint64 id = 0;
    if (!store_write_begin(store, &write, error) ||
        !db_insert(store->db,
                   "INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, "
                   "message_id, detail)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                   NULL, &id, error, DB_INT(interaction->contact_id), DB_INT(interaction->at_ms),
                   DB_TEXT(interaction_kind_name(interaction->kind)), DB_TEXT(interaction->account),
                   DB_TEXT(interaction->rule), DB_TEXT(interaction->step), DB_TEXT(interaction->subject),
                   DB_TEXT(interaction->text), DB_TEXT(interaction->full_text), DB_TEXT(interaction->message_id),
                   DB_TEXT(interaction->detail)) ||
        !store_write_end(&write, error))
        return FALSE;
    if (ret_id != NULL)
        *ret_id = id;
    return TRUE;
}

static Interaction interaction_of(DbStatement *row)
{
    Interaction interaction = {
        .id = db_int(row, 0),
        .contact_id = db_int(row, 1),
        .at_ms = db_int(row, 2),
        .kind = INTERACTION_OTHER,
        .account = db_text(row, 4),
        .rule = db_text(row, 5),
        .step = db_text(row, 6),
        .subject = db_text(row, 7),
        .text = db_text(row, 8),
        .full_text = db_text(row, 9),
        .message_id = db_text(row, 10),
        .detail = db_text(row, 11),
    };
    interaction_kind_parse(db_text(row, 3), &interaction.kind);
    return interaction;
}

gboolean store_history_each(Store *store, gint64 contact_id, gboolean (*func)(const Interaction *interaction, gpointer data),
                            gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 "SELECT id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail"
                 " FROM interaction WHERE contact_id = $1 ORDER BY at_ms, id",
                 error, DB_INT(contact_id));
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        Interaction interaction = interaction_of(rows);
        go_on = func(&interaction, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}

gboolean store_history_kinds_after(Store *store, gint64 contact_id, gint64 after_id, guint *ret_kinds, gint64 *ret_newest_id,
                                   GError **error)
{
    gint64 newest = 0;
    guint kinds = 0;
    if (ret_newest_id != NULL && !db_run_int(store->db, "SELECT coalesce(max(id), 0) FROM interaction WHERE contact_id = $1",
                                             NULL, &newest, error, DB_INT(contact_id)))
        return FALSE;
    if (ret_kinds != NULL) {
        g_autoptr(DbStatement) rows =
            db_query(store->db, "SELECT DISTINCT kind FROM interaction WHERE contact_id = $1 AND id > $2", error,
                     DB_INT(contact_id), DB_INT(after_id));
        DbStep step = DB_FAILED;
        InteractionKind kind;
        while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
            if (interaction_kind_parse(db_text(rows, 0), &kind))
                kinds |= 1U << kind;
        if (step == DB_FAILED)
            return FALSE;
        *ret_kinds = kinds;
    }
    if (ret_newest_id != NULL)
        *ret_newest_id = newest;
    return TRUE;
}
