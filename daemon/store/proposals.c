/*
 * Proposals. No state of its own; runs in the thread of its Store.
 *
 *     open --a person--> accepted | declined        One that was decided is not proposed again.
 */
#include "store/proposals.h"

#include "store/internal.h"

#define PROPOSAL_SELECT                                                                                                     \
    "SELECT p.id, p.contact_id, p.kind, c.email, c.owner, p.address, p.name, p.evidence, p.account, p.message_id, p.state,"  \
    " p.at_ms, p.ended_ms FROM proposal p JOIN contact c ON c.id = p.contact_id "

static const char *const state_names[] = {
    [PROPOSAL_OPEN] = "open", [PROPOSAL_ACCEPTED] = "accepted", [PROPOSAL_DECLINED] = "declined"};

const char *proposal_state_name(ProposalState state)
{
    g_assert((guint)state < G_N_ELEMENTS(state_names));
    return state_names[state];
}

void proposal_free(Proposal *proposal)
{
    if (proposal == NULL)
        return;
    g_free(proposal->email);
    g_free(proposal->owner);
    g_free(proposal->address);
    g_free(proposal->name);
    g_free(proposal->evidence);
    g_free(proposal->account);
    g_free(proposal->message_id);
    g_free(proposal);
}

static ProposalState state_of(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(state_names); i++)
        if (g_strcmp0(name, state_names[i]) == 0)
            return (ProposalState)i;
    return PROPOSAL_DECLINED;
}

static Proposal *proposal_of(DbStatement *row)
{
    Proposal *proposal = g_new0(Proposal, 1);
    proposal->id = db_int(row, 0);
    proposal->contact_id = db_int(row, 1);
    proposal->kind = DEPARTURE_LEFT;
    departure_kind_parse(db_text(row, 2), &proposal->kind);
    proposal->email = g_strdup(db_text(row, 3));
    proposal->owner = g_strdup(db_text(row, 4));
    proposal->address = g_strdup(db_text(row, 5));
    proposal->name = g_strdup(db_text(row, 6));
    proposal->evidence = g_strdup(db_text(row, 7));
    proposal->account = g_strdup(db_text(row, 8));
    proposal->message_id = g_strdup(db_text(row, 9));
    proposal->state = state_of(db_text(row, 10));
    proposal->at_ms = db_int(row, 11);
    proposal->ended_ms = db_int(row, 12);
    return proposal;
}

gboolean store_proposal_add(Store *store, const Proposal *proposal, gboolean *ret_added, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_assert(proposal->kind != DEPARTURE_NONE);
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "INSERT INTO proposal (contact_id, kind, address, name, evidence, account, message_id, at_ms)"
                " SELECT $1, $2, $3, $4, $5, $6, $7, $8"
                " WHERE (SELECT count(*) FROM proposal WHERE contact_id = $1 AND state = 'open') < $9"
                " ON CONFLICT (contact_id, kind, address) DO NOTHING",
                error, DB_INT(proposal->contact_id), DB_TEXT(departure_kind_name(proposal->kind)), DB_TEXT(proposal->address),
                DB_TEXT(proposal->name), DB_TEXT(proposal->evidence), DB_TEXT(proposal->account), DB_TEXT(proposal->message_id),
                DB_INT(proposal->at_ms), DB_INT(PROPOSALS_MOST)))
        return FALSE;
    gboolean added = db_changes(store->db) > 0;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_added = added;
    return TRUE;
}

gboolean store_proposal_get(Store *store, gint64 id, Proposal **ret_proposal, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db, PROPOSAL_SELECT "WHERE p.id = $1", error, DB_INT(id));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_proposal = step == DB_ROW ? proposal_of(row) : NULL;
    return TRUE;
}

gboolean store_proposal_end(Store *store, gint64 id, ProposalState state, gint64 now_ms, gboolean *ret_ended, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db, "UPDATE proposal SET state = $2, ended_ms = $3 WHERE id = $1 AND state = 'open'", error, DB_INT(id),
                DB_TEXT(proposal_state_name(state)), DB_INT(now_ms)))
        return FALSE;
    gboolean ended = db_changes(store->db) > 0;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_ended = ended;
    return TRUE;
}

gboolean store_proposal_each(Store *store, gboolean all, gboolean (*func)(const Proposal *proposal, gpointer data), gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows = all ? db_query(store->db, PROPOSAL_SELECT "ORDER BY p.id", error)
                                      : db_query(store->db, PROPOSAL_SELECT "WHERE p.state = 'open' ORDER BY p.id", error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(Proposal) proposal = proposal_of(rows);
        go_on = func(proposal, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}
