/*
 * The history: interactions are added and read, never changed, but that bodies are dropped when they were kept long enough. No state of its own; runs in the thread of its Store.
 *
 * contact.last_reply_ms and last_talk_ms are kept here, so that conditions and gates need not read histories.
 */
#include "store/history.h"

#include <string.h>

#include "store/company_events.h"
#include "store/internal.h"

static const char *const kind_names[] = {
    [INTERACTION_SENT] = "sent",         [INTERACTION_REPLY] = "reply",         [INTERACTION_AUTO_REPLY] = "auto-reply",
    [INTERACTION_BOUNCE] = "bounce",     [INTERACTION_COMPLAINT] = "complaint", [INTERACTION_UNSUBSCRIBE] = "unsubscribe",
    [INTERACTION_SKIPPED] = "skipped",   [INTERACTION_STAGE] = "stage",         [INTERACTION_NOTE] = "note",
    [INTERACTION_CALL] = "call",         [INTERACTION_MEETING] = "meeting",     [INTERACTION_TASK] = "task",
    [INTERACTION_REFERRAL] = "referral", [INTERACTION_OTHER] = "other",         [INTERACTION_TAG] = "tag",
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

/* ---- adding ----------------------------------------------------------------------------------------------------------- */

/* The first message that went to somebody since a referral brought them, whoever wrote it. */
static gboolean note_contacted(Store *store, const Interaction *interaction, GError **error)
{
    return interaction->kind != INTERACTION_SENT ||
           db_run(store->db,
                  "UPDATE referral SET state = 'contacted', contacted_ms = $2"
                  " WHERE contact_id = $1 AND state = 'accepted' AND accepted_ms <= $2",
                  error, DB_INT(interaction->contact_id), DB_INT(interaction->at_ms));
}

static gboolean keep_last_times(Store *store, const Interaction *interaction, GError **error)
{
    InteractionKind kind = interaction->kind;
    if (interaction->is_silent)
        return TRUE;
    gboolean by_hand = kind == INTERACTION_SENT && (interaction->rule == NULL || interaction->rule[0] == '\0');
    if (kind == INTERACTION_REPLY)
        return db_run(store->db, "UPDATE contact SET last_reply_ms = $2 WHERE id = $1 AND last_reply_ms < $2", error,
                      DB_INT(interaction->contact_id), DB_INT(interaction->at_ms));
    if (kind == INTERACTION_CALL || kind == INTERACTION_MEETING || by_hand)
        return db_run(store->db, "UPDATE contact SET last_talk_ms = $2 WHERE id = $1 AND last_talk_ms < $2", error,
                      DB_INT(interaction->contact_id), DB_INT(interaction->at_ms));
    return TRUE;
}

gboolean store_history_add(Store *store, const Interaction *interaction, gint64 *ret_id, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gint64 id = 0;
    if (!store_write_begin(store, &write, error) ||
        !db_insert(store->db,
                   "INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, "
                   "message_id, detail, variant, silent, basis)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                   NULL, &id, error, DB_INT(interaction->contact_id), DB_INT(interaction->at_ms),
                   DB_TEXT(interaction_kind_name(interaction->kind)), DB_TEXT(interaction->account),
                   DB_TEXT(interaction->rule), DB_TEXT(interaction->step), DB_TEXT(interaction->subject),
                   DB_TEXT(interaction->text), DB_TEXT(interaction->full_text), DB_TEXT(interaction->message_id),
                   DB_TEXT(interaction->detail), DB_TEXT(interaction->variant), DB_INT(interaction->is_silent ? 1 : 0),
                   DB_TEXT(interaction->basis)) ||
        !note_contacted(store, interaction, error) || !keep_last_times(store, interaction, error) ||
        !company_events_note(store, interaction, id, error) || !store_write_end(&write, error))
        return FALSE;
    if (ret_id != NULL)
        *ret_id = id;
    return TRUE;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

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
        .variant = db_text(row, 12),
        .is_silent = db_int(row, 13) != 0,
        .basis = db_text(row, 14),
    };
    interaction_kind_parse(db_text(row, 3), &interaction.kind);
    return interaction;
}

gboolean store_history_each(Store *store, gint64 contact_id, gboolean (*func)(const Interaction *interaction, gpointer data),
                            gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 "SELECT id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail,"
                 " variant, silent, basis FROM interaction WHERE contact_id = $1 ORDER BY at_ms, id",
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

/* ---- stop events ------------------------------------------------------------------------------------------------------ */

/* SQL: what of an interaction i may stop a rule. That a tag was taken away is told by the history, and nothing follows from it. */
#define IS_EVENT "i.silent = 0 AND (i.kind <> 'tag' OR i.detail LIKE '" TAG_ADDED "%')"

/* The bits of the kinds whose names the first column has. */
static gboolean read_kinds(DbStatement *rows, guint *ret_kinds, GError **error)
{
    guint kinds = 0;
    InteractionKind kind;
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        if (interaction_kind_parse(db_text(rows, 0), &kind))
            kinds |= 1U << kind;
    if (step == DB_FAILED)
        return FALSE;
    *ret_kinds = kinds;
    return TRUE;
}

gboolean store_history_kinds_after(Store *store, gint64 contact_id, gint64 after_id, guint *ret_kinds, gint64 *ret_newest_id,
                                   GError **error)
{
    gint64 newest = 0;
    if (ret_newest_id != NULL && !db_run_int(store->db, "SELECT coalesce(max(id), 0) FROM interaction WHERE contact_id = $1",
                                             NULL, &newest, error, DB_INT(contact_id)))
        return FALSE;
    if (ret_kinds != NULL) {
        g_autoptr(DbStatement) rows =
            db_query(store->db, "SELECT i.kind FROM interaction i WHERE i.contact_id = $1 AND i.id > $2 AND " IS_EVENT,
                     error, DB_INT(contact_id), DB_INT(after_id));
        if (!read_kinds(rows, ret_kinds, error))
            return FALSE;
    }
    if (ret_newest_id != NULL)
        *ret_newest_id = newest;
    return TRUE;
}

gboolean store_history_last(Store *store, gint64 contact_id, InteractionKind kind, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(max(at_ms), 0) FROM interaction WHERE contact_id = $1 AND kind = $2", NULL,
                      ret_at_ms, error, DB_INT(contact_id), DB_TEXT(interaction_kind_name(kind)));
}

gboolean store_history_newest(Store *store, gint64 *ret_id, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(max(id), 0) FROM interaction", NULL, ret_id, error);
}

/* Whether the detail says that one of the tags was added. */
static gboolean adds_one_of(const char *detail, const char *const *tags)
{
    if (!g_str_has_prefix(detail, TAG_ADDED))
        return FALSE;
    g_autofree char *added = store_key(detail + strlen(TAG_ADDED));
    for (; *tags != NULL; tags++) {
        g_autofree char *wanted = store_key(*tags);
        if (strcmp(added, wanted) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean store_history_tagged_after(Store *store, gint64 contact_id, gint64 after_id, const char *const *tags, gboolean *ret_tagged,
                                    GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT i.detail FROM interaction i WHERE i.contact_id = $1 AND i.id > $2 AND i.kind = 'tag'", error,
                 DB_INT(contact_id), DB_INT(after_id));
    gboolean tagged = FALSE;
    DbStep step = rows != NULL ? DB_ROW : DB_FAILED;
    while (!tagged && step == DB_ROW && (step = db_step(rows, error)) == DB_ROW)
        tagged = adds_one_of(db_text(rows, 0), tags);
    if (step == DB_FAILED)
        return FALSE;
    *ret_tagged = tagged;
    return TRUE;
}

gboolean store_history_each_reply(Store *store, gint64 after_id, gboolean (*func)(const HistoryReply *reply, gpointer data), gpointer data,
                                  GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 "SELECT i.id, i.at_ms, i.kind, c.email, c.first_name, c.last_name, c.owner, i.text FROM interaction i"
                 " JOIN contact c ON c.id = i.contact_id"
                 " WHERE i.id > $1 AND i.silent = 0 AND i.kind IN ('reply', 'unsubscribe') ORDER BY i.id",
                 error, DB_INT(after_id));
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        HistoryReply reply = {.id = db_int(rows, 0), .at_ms = db_int(rows, 1), .kind = INTERACTION_REPLY, .email = db_text(rows, 3),
                              .first_name = db_text(rows, 4), .last_name = db_text(rows, 5), .owner = db_text(rows, 6), .text = db_text(rows, 7)};
        interaction_kind_parse(db_text(rows, 2), &reply.kind);
        go_on = func(&reply, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}

gboolean store_history_count(Store *store, gint64 contact_id, InteractionKind kind, gint64 since_ms, const char *beginning, guint *ret_count,
                             GError **error)
{
    g_autofree char *pattern = g_strconcat(beginning, "%", NULL);
    gint64 count = 0;
    if (!db_run_int(store->db,
                    "SELECT count(*) FROM interaction WHERE contact_id = $1 AND at_ms >= $2 AND kind = $3 AND detail LIKE $4", NULL, &count,
                    error, DB_INT(contact_id), DB_INT(since_ms), DB_TEXT(interaction_kind_name(kind)), DB_TEXT(pattern)))
        return FALSE;
    *ret_count = (guint)count;
    return TRUE;
}

gboolean store_history_has_message(Store *store, gint64 contact_id, const char *message_id, gboolean *ret_has, GError **error)
{
    return db_run_int(store->db, "SELECT 1 FROM interaction WHERE contact_id = $1 AND message_id = $2 LIMIT 1", ret_has, NULL, error,
                      DB_INT(contact_id), DB_TEXT(message_id));
}

/* ---- keeping no longer than wanted ------------------------------------------------------------------------------------ */

gboolean store_history_drop_bodies(Store *store, gint64 after_id, guint n_ids, gint64 before_ms, gint64 *ret_last_id, guint64 *ret_dropped, GError **error)
{
    gint64 newest = 0;
    const gint64 last_id = after_id + n_ids;
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) || !store_history_newest(store, &newest, error) ||
        !db_run(store->db,
                "UPDATE interaction SET text = '', full_text = '' WHERE id > $1 AND id <= $2 AND at_ms < $3"
                " AND kind NOT IN ('note', 'call', 'meeting', 'task', 'stage', 'tag', 'referral') AND (text <> '' OR full_text <> '')",
                error, DB_INT(after_id), DB_INT(last_id), DB_INT(before_ms)))
        return FALSE;
    guint64 dropped = (guint64)db_changes(store->db);
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_dropped = dropped;
    *ret_last_id = last_id < newest ? last_id : 0;
    return TRUE;
}
