/*
 * What reports are made of: histories, outbox and ledger read for everybody at once, each by one statement in the order of an index. No state of its
 * own, nothing is written; runs in the thread of its Store.
 */
#include "store/reports.h"

#include <string.h>

#include "store/internal.h"

/* SQL: the condition of the index interaction_told, without which it is not taken. */
#define TOLD "(i.kind <> 'sent' OR i.rule = '')"

/* SQL: a message of the outbox that a server took, or refused for good. */
#define TRIED "(o.state = 'sent' OR o.state = 'failed')"

typedef gboolean (*RowFunc)(DbStatement *row, gpointer data);

/* What a caller wants to hear, behind the types of its rows. */
typedef struct {
    gpointer func;
    gpointer data;
} Listener;

static gboolean read_rows(Store *store, const char *sql, const DbValue *values, RowFunc func, gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows = db_query_values(store->db, sql, values, error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW)
        go_on = func(rows, data);
    store->callbacks--;
    return step != DB_FAILED;
}

/* ---- stages ----------------------------------------------------------------------------------------------------------- */

/* One row behind, since the newest change of a contact is known by what follows it. */
typedef struct {
    gboolean (*func)(const StageChange *change, gpointer data);
    gpointer data;
    gint64 to_ms;
    gint64 contact_id, at_ms, since_ms; /* of the one that waits; contact_id 0: none */
    char *to, *owner_key;
} StageReading;

static void stage_reading_clear(StageReading *reading)
{
    g_free(reading->to);
    g_free(reading->owner_key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StageReading, stage_reading_clear)

/* "pitching -> follow-up", "-> research", "research ->" */
static const char *stage_behind(const char *detail)
{
    const char *arrow = strstr(detail, "->");
    const char *to = arrow != NULL ? arrow + strlen("->") : "";
    return *to == ' ' ? to + 1 : to;
}

static gboolean pass_on(StageReading *reading, gboolean is_newest)
{
    const gint64 at_ms = is_newest && reading->since_ms != 0 ? reading->since_ms : reading->at_ms;
    const StageChange change = {.contact_id = reading->contact_id, .at_ms = at_ms, .to = reading->to, .owner_key = reading->owner_key};
    return reading->contact_id == 0 || at_ms >= reading->to_ms || reading->func(&change, reading->data);
}

static gboolean on_stage(DbStatement *row, gpointer data)
{
    StageReading *reading = data;
    gint64 contact_id = db_int(row, 0);
    if (!pass_on(reading, contact_id != reading->contact_id))
        return FALSE;
    reading->contact_id = contact_id;
    reading->at_ms = db_int(row, 1);
    reading->since_ms = db_int(row, 3);
    stage_reading_clear(reading);
    reading->to = g_strdup(stage_behind(db_text(row, 2)));
    reading->owner_key = g_strdup(db_text(row, 4));
    return TRUE;
}

gboolean store_report_stages(Store *store, gint64 to_ms, gboolean (*func)(const StageChange *change, gpointer data), gpointer data, GError **error)
{
    g_auto(StageReading) reading = {.func = func, .data = data, .to_ms = to_ms};
    if (!read_rows(store,
                   "SELECT i.contact_id, i.at_ms, i.detail, c.stage_since_ms, c.owner_key FROM interaction i"
                   " CROSS JOIN contact c ON c.id = i.contact_id WHERE i.kind = 'stage' AND " TOLD " ORDER BY i.contact_id, i.id",
                   DB_VALUES(), on_stage, &reading, error))
        return FALSE;
    pass_on(&reading, TRUE);
    return TRUE;
}

/* ---- messages --------------------------------------------------------------------------------------------------------- */

static gboolean on_message(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const MessageCount *count, gpointer data) = listener->func;
    const MessageCount count = {.owner_key = db_text(row, 0),
                                .rule = db_text(row, 1),
                                .step = db_text(row, 2),
                                .variant = db_text(row, 3),
                                .sent = (guint64)db_int(row, 4)};
    return func(&count, listener->data);
}

gboolean store_report_messages(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const MessageCount *count, gpointer data), gpointer data,
                               GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT c.owner_key, o.rule, o.step, o.variant, count(*) FROM outbox o JOIN contact c ON c.id = o.contact_id"
                     " WHERE " TRIED " AND o.is_task = 0 AND o.sending_ms >= $1 AND o.sending_ms < $2"
                     " GROUP BY c.owner_key, o.rule, o.step, o.variant ORDER BY c.owner_key, o.rule, o.step, o.variant",
                     DB_VALUES(DB_INT(from_ms), DB_INT(to_ms)), on_message, &listener, error);
}

static gboolean on_echo(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const MessageEcho *echo, gpointer data) = listener->func;
    const MessageEcho echo = {.owner_key = db_text(row, 0),
                              .rule = db_text(row, 1),
                              .step = db_text(row, 2),
                              .variant = db_text(row, 3),
                              .kind = db_text(row, 4),
                              .message_id = db_int(row, 5),
                              .after_ms = db_int(row, 6)};
    return func(&echo, listener->data);
}

/* From what came back to the messages, since it is far less. */
gboolean store_report_echoes(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const MessageEcho *echo, gpointer data), gpointer data,
                             GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT c.owner_key, o.rule, o.step, o.variant, i.kind, o.id, i.at_ms - o.sending_ms"
                     " FROM interaction i CROSS JOIN outbox o ON o.contact_id = i.contact_id AND o.rule = i.rule AND o.step = i.step"
                     " JOIN contact c ON c.id = i.contact_id"
                     " WHERE i.kind IN ('reply', 'bounce', 'complaint', 'unsubscribe') AND " TOLD " AND i.rule <> ''"
                     " AND " TRIED " AND o.is_task = 0 AND o.sending_ms >= $1 AND o.sending_ms < $2 AND o.sending_ms <= i.at_ms"
                     " AND NOT EXISTS (SELECT 1 FROM outbox l WHERE l.contact_id = o.contact_id AND l.rule = o.rule AND l.step = o.step"
                     "     AND l.sending_ms > o.sending_ms AND l.sending_ms <= i.at_ms)"
                     " ORDER BY o.id, i.kind, i.at_ms",
                     DB_VALUES(DB_INT(from_ms), DB_INT(to_ms)), on_echo, &listener, error);
}

/* ---- owners ----------------------------------------------------------------------------------------------------------- */

static gboolean on_owner(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const OwnerNumber *number, gpointer data) = listener->func;
    const OwnerNumber number = {.owner_key = db_text(row, 0), .what = db_text(row, 1), .number = (guint64)db_int(row, 2)};
    return func(&number, listener->data);
}

gboolean store_report_owners(Store *store, gint64 from_ms, gint64 to_ms, gint64 overdue_ms, gboolean (*func)(const OwnerNumber *number, gpointer data),
                             gpointer data, GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT owner_key, 'contacts', count(*) FROM contact WHERE created_ms < $2 GROUP BY owner_key"
                     " UNION ALL SELECT owner_key, 'customers', count(*) FROM contact WHERE customer_since_ms > 0 AND customer_since_ms < $2"
                     "     GROUP BY owner_key"
                     " UNION ALL SELECT owner_key, 'new_customers', count(*) FROM contact"
                     "     WHERE customer_since_ms > 0 AND customer_since_ms >= $1 AND customer_since_ms < $2 GROUP BY owner_key"
                     " UNION ALL SELECT c.owner_key, CASE i.kind WHEN 'sent' THEN 'by_hand' ELSE i.kind || 's' END, count(*)"
                     "     FROM interaction i CROSS JOIN contact c ON c.id = i.contact_id"
                     "     WHERE i.kind IN ('sent', 'call', 'meeting', 'note') AND " TOLD " AND i.at_ms >= $1 AND i.at_ms < $2"
                     "     GROUP BY c.owner_key, i.kind"
                     " UNION ALL SELECT owner_key, 'tasks_done', count(*) FROM task WHERE done_ms > 0 AND done_ms >= $1 AND done_ms < $2"
                     "     GROUP BY owner_key"
                     " UNION ALL SELECT owner_key, 'tasks_open', count(*) FROM task WHERE done_ms = 0 GROUP BY owner_key"
                     " UNION ALL SELECT owner_key, 'tasks_overdue', count(*) FROM task WHERE done_ms = 0 AND due_ms > 0 AND due_ms < $3"
                     "     GROUP BY owner_key",
                     DB_VALUES(DB_INT(from_ms), DB_INT(to_ms), DB_INT(overdue_ms)), on_owner, &listener, error);
}

/* ---- referrals -------------------------------------------------------------------------------------------------------- */

static gboolean on_askable(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const Askable *askable, gpointer data) = listener->func;
    const Askable askable = {.contact_id = db_int(row, 0), .owner_key = db_text(row, 1), .customer_since_ms = db_int(row, 2)};
    return func(&askable, listener->data);
}

gboolean store_report_askable(Store *store, gint64 to_ms, gboolean (*func)(const Askable *askable, gpointer data), gpointer data, GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT c.id, c.owner_key, c.customer_since_ms FROM contact c WHERE c.customer_since_ms > 0 AND c.customer_since_ms < $1"
                     " AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.address = c.email OR s.address = c.domain)"
                     " AND NOT EXISTS (SELECT 1 FROM alias a JOIN suppression s ON s.address = a.address OR s.address = a.domain"
                     "     WHERE a.contact_id = c.id)",
                     DB_VALUES(DB_INT(to_ms)), on_askable, &listener, error);
}

static gboolean on_ask(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const Ask *ask, gpointer data) = listener->func;
    const Ask ask = {
        .contact_id = db_int(row, 0), .owner_key = db_text(row, 1), .at_ms = db_int(row, 2), .is_answered = db_int(row, 3) != 0};
    return func(&ask, listener->data);
}

/* A reply is to the newest round that had begun. */
gboolean store_report_asks(Store *store, const char *rule, gint64 from_ms, gint64 to_ms, gboolean (*func)(const Ask *ask, gpointer data), gpointer data,
                           GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT a.contact_id, c.owner_key, a.at_ms, CASE WHEN EXISTS (SELECT 1 FROM interaction i"
                     "         WHERE i.kind = 'reply' AND " TOLD " AND i.contact_id = a.contact_id AND i.rule = $1 AND i.at_ms >= a.at_ms"
                     "         AND NOT EXISTS (SELECT 1 FROM outbox l WHERE l.contact_id = a.contact_id AND l.rule = $1 AND l.round > a.round"
                     "             AND l.state = 'sent' AND l.is_task = 0 AND l.sending_ms <= i.at_ms)) THEN 1 ELSE 0 END"
                     " FROM (SELECT o.contact_id, o.round, min(o.sending_ms) AS at_ms FROM outbox o"
                     "         WHERE o.rule = $1 AND o.state = 'sent' AND o.is_task = 0 AND o.sending_ms >= $2 AND o.sending_ms < $3"
                     "         GROUP BY o.contact_id, o.round) a"
                     " JOIN contact c ON c.id = a.contact_id",
                     DB_VALUES(DB_TEXT(rule), DB_INT(from_ms), DB_INT(to_ms)), on_ask, &listener, error);
}

static gboolean on_referral(DbStatement *row, gpointer data)
{
    const Listener *listener = data;
    gboolean (*func)(const ReferralLine *line, gpointer data) = listener->func;
    const ReferralLine line = {.owner_key = db_text(row, 0),
                               .rule = db_text(row, 1),
                               .state = db_text(row, 2),
                               .at_ms = db_int(row, 3),
                               .attributes = db_text(row, 4)};
    return func(&line, listener->data);
}

gboolean store_report_referrals(Store *store, gint64 from_ms, gint64 to_ms, gboolean (*func)(const ReferralLine *line, gpointer data), gpointer data,
                                GError **error)
{
    Listener listener = {.func = func, .data = data};
    return read_rows(store,
                     "SELECT f.owner_key, r.rule, r.state, r.at_ms, coalesce(c.attributes, '') FROM referral r"
                     " JOIN contact f ON f.id = r.referrer_id LEFT JOIN contact c ON c.id = r.contact_id"
                     " WHERE r.at_ms >= $1 AND r.at_ms < $2 ORDER BY r.id",
                     DB_VALUES(DB_INT(from_ms), DB_INT(to_ms)), on_referral, &listener, error);
}
