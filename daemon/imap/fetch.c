/*
 * UID SEARCH and UID FETCH over libetpan, hardened against what it lets pass: an answer may hold messages that were not
 * asked for, one twice, or lack some although it ends with OK. So the result is always looked up by UID, and whoever asked
 * decides about what is missing. Runs in the watcher.
 */
#include "fetch.h"

#include <string.h>

#include "base/text.h"
#include "fault.h"
#include "limits.h"

/* ---- sets and dates -------------------------------------------------------------------------------------------------- */

static struct mailimap_set *set_of(const guint32 *uids, guint n)
{
    struct mailimap_set *set = mailimap_set_new_empty();
    g_assert(set != NULL);
    for (guint i = 0; i < n;) {
        guint last = i;
        while (last + 1 < n && uids[last + 1] == uids[last] + 1)
            last++;
        int result = mailimap_set_add_interval(set, uids[i], uids[last]);
        g_assert(result == MAILIMAP_NO_ERROR); /* fails only without memory */
        i = last + 1;
    }
    return set;
}

static gint64 date_to_ms(const struct mailimap_date_time *date)
{
    if (date->dt_zone < -1400 || date->dt_zone > 1400)
        return 0;
    g_autoptr(GDateTime) local = g_date_time_new_utc(date->dt_year, date->dt_month, date->dt_day, date->dt_hour,
                                                     date->dt_min, (gdouble)MIN(date->dt_sec, 59)); /* leap seconds */
    if (local == NULL)
        return 0;
    gint64 offset_s = (date->dt_zone / 100) * 3600 + (date->dt_zone % 100) * 60;
    return (g_date_time_to_unix(local) - offset_s) * 1000;
}

/* ---- UID SEARCH ------------------------------------------------------------------------------------------------------ */

static gint compare_uids(gconstpointer a, gconstpointer b)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;
    return (left > right) - (left < right);
}

/* Ascending, each once, without those up to after. */
static GArray *collect_uids(const clist *found, guint32 after)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (clistiter *i = found != NULL ? clist_begin(found) : NULL; i != NULL; i = clist_next(i)) {
        const guint32 *uid = clist_content(i);
        if (*uid > after)
            g_array_append_val(all, *uid);
    }
    g_array_sort(all, compare_uids);
    guint kept = 0;
    for (guint i = 0; i < all->len; i++) {
        guint32 uid = g_array_index(all, guint32, i);
        if (kept == 0 || g_array_index(all, guint32, kept - 1) != uid)
            g_array_index(all, guint32, kept++) = uid;
    }
    g_array_set_size(all, kept);
    return all;
}

/* key is consumed. */
static GArray *search(Session *session, struct mailimap_search_key *key, guint32 after, GError **error)
{
    g_assert(key != NULL);
    clist *found = NULL;
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_SEARCH_OCTETS);
    int result = mailimap_uid_search(session->imap, NULL, key, &found);
    mailimap_search_key_free(key);
    GArray *uids = NULL;
    if (result == MAILIMAP_NO_ERROR)
        uids = collect_uids(found, after);
    else
        session_failed(session, result, "SEARCH", error);
    if (found != NULL)
        mailimap_search_result_free(found);
    return uids;
}

GArray *fetch_search_after(Session *session, guint32 after, GError **error)
{
    if (after == G_MAXUINT32)
        return g_array_new(FALSE, FALSE, sizeof(guint32));
    /* "n:*" holds the last message even where its UID is below n */
    return search(session, mailimap_search_key_new_uid(mailimap_set_new_interval(after + 1, 0)), after, error);
}

/* NULL for a time that IMAP has no date for. */
static struct mailimap_search_key *since_key(gint64 since_ms)
{
    g_autoptr(GDateTime) since = g_date_time_new_from_unix_utc(since_ms / 1000);
    if (since == NULL || g_date_time_get_year(since) < 1970)
        return NULL;
    return mailimap_search_key_new_since(
        mailimap_date_new(g_date_time_get_day_of_month(since), g_date_time_get_month(since), g_date_time_get_year(since)));
}

GArray *fetch_search_since(Session *session, gint64 since_ms, GError **error)
{
    struct mailimap_search_key *key = since_key(since_ms);
    return key != NULL ? search(session, key, 0, error) : fetch_search_after(session, 0, error);
}

/* The header, and, for a folder of years, since when: a server without an index opens every message that it must look into. */
static struct mailimap_search_key *message_id_key(const char *message_id, gint64 since_ms)
{
    g_autofree char *bracketed = g_strdup_printf("<%s>", message_id);
    struct mailimap_search_key *header = mailimap_search_key_new_header(strdup("Message-ID"), strdup(bracketed));
    struct mailimap_search_key *since = since_ms > 0 ? since_key(since_ms) : NULL;
    if (since == NULL)
        return header;
    struct mailimap_search_key *both = mailimap_search_key_new_multiple_empty();
    int result = both != NULL ? mailimap_search_key_multiple_add(both, since) : MAILIMAP_ERROR_MEMORY;
    if (result == MAILIMAP_NO_ERROR)
        result = mailimap_search_key_multiple_add(both, header);
    g_assert(result == MAILIMAP_NO_ERROR); /* fails only without memory */
    return both;
}

gboolean fetch_has_message_id(Session *session, const char *message_id, gint64 since_ms, gboolean *ret_found,
                              char **ret_refused, GError **error)
{
    struct mailimap_search_key *key = message_id_key(message_id, since_ms);
    clist *found = NULL;
    g_assert(key != NULL);
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    int result = mailimap_uid_search(session->imap, NULL, key, &found);
    mailimap_search_key_free(key);
    *ret_found = found != NULL && !clist_isempty(found);
    *ret_refused = result == MAILIMAP_ERROR_UID_SEARCH ? text_escape(session->imap->imap_response, 200) : NULL;
    if (found != NULL)
        mailimap_search_result_free(found);
    return result == MAILIMAP_NO_ERROR || *ret_refused != NULL || session_failed(session, result, "SEARCH", error);
}

GArray *fetch_search_these(Session *session, const guint32 *uids, guint n, GError **error)
{
    return search(session, mailimap_search_key_new_uid(set_of(uids, n)), 0, error);
}

/* ---- UID FETCH ------------------------------------------------------------------------------------------------------- */

static void add_attribute(struct mailimap_fetch_type *type, struct mailimap_fetch_att *attribute)
{
    int result = attribute != NULL ? mailimap_fetch_type_new_fetch_att_list_add(type, attribute) : MAILIMAP_ERROR_MEMORY;
    g_assert(result == MAILIMAP_NO_ERROR); /* fails only without memory */
}

/* type is consumed. The list is the caller's (mailimap_fetch_list_free()); NULL on failure. A refusal (NO) after some items
 * counts as an answer: what is missing is found out by UID. */
static clist *uid_fetch(Session *session, struct mailimap_set *set, struct mailimap_fetch_type *type, GError **error)
{
    clist *list = NULL;
    int result = mailimap_uid_fetch(session->imap, set, type, &list);
    mailimap_set_free(set);
    mailimap_fetch_type_free(type);
    if (result == MAILIMAP_NO_ERROR || (result == MAILIMAP_ERROR_UID_FETCH && list != NULL && !clist_isempty(list)))
        return list != NULL ? list : clist_new();
    session_failed(session, result, "FETCH", error);
    if (list != NULL)
        mailimap_fetch_list_free(list);
    return NULL;
}

typedef struct {
    guint32 uid;
    gboolean has_size;
    FetchItem item;
    const struct mailimap_msg_att_body_section *body;
} Answer;

/* What one "* n FETCH (…)" holds of what we ask for; it belongs to att. */
static Answer read_answer(const struct mailimap_msg_att *att)
{
    Answer answer = {0};
    for (clistiter *i = clist_begin(att->att_list); i != NULL; i = clist_next(i)) {
        const struct mailimap_msg_att_item *item = clist_content(i);
        if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
            continue;
        const struct mailimap_msg_att_static *value = item->att_data.att_static;
        if (value->att_type == MAILIMAP_MSG_ATT_UID) {
            answer.uid = answer.item.uid = value->att_data.att_uid;
        } else if (value->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) {
            answer.item.size = value->att_data.att_rfc822_size;
            answer.has_size = TRUE;
        } else if (value->att_type == MAILIMAP_MSG_ATT_INTERNALDATE && value->att_data.att_internal_date != NULL) {
            answer.item.received_ms = date_to_ms(value->att_data.att_internal_date);
        } else if (value->att_type == MAILIMAP_MSG_ATT_BODY_SECTION) {
            answer.body = value->att_data.att_body_section;
        }
    }
    return answer;
}

GArray *fetch_items(Session *session, const guint32 *uids, guint n, GError **error)
{
    struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
    add_attribute(type, mailimap_fetch_att_new_uid());
    add_attribute(type, mailimap_fetch_att_new_rfc822_size());
    add_attribute(type, mailimap_fetch_att_new_internaldate());
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS + (gsize)n * FETCH_ITEM_OCTETS);
    clist *list = uid_fetch(session, set_of(uids, n), type, error);
    if (list == NULL)
        return NULL;
    g_autoptr(GHashTable) by_uid = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i)) {
        Answer answer = read_answer(clist_content(i));
        if (answer.uid != 0 && answer.has_size)
            g_hash_table_replace(by_uid, GUINT_TO_POINTER(answer.uid), g_memdup2(&answer.item, sizeof answer.item));
    }
    mailimap_fetch_list_free(list);
    GArray *items = g_array_sized_new(FALSE, FALSE, sizeof(FetchItem), n);
    for (guint i = 0; i < n; i++) {
        const FetchItem *item = g_hash_table_lookup(by_uid, GUINT_TO_POINTER(uids[i]));
        if (item != NULL)
            g_array_append_vals(items, item, 1);
    }
    return items;
}

struct FetchBodies {
    clist *list;
    GHashTable *by_uid; /* UID -> struct mailimap_msg_att_body_section* in list */
};

void fetch_bodies_free(FetchBodies *bodies)
{
    if (bodies == NULL)
        return;
    g_hash_table_unref(bodies->by_uid);
    mailimap_fetch_list_free(bodies->list);
    g_free(bodies);
}

const char *fetch_bodies_find(const FetchBodies *bodies, guint32 uid, gsize *ret_length)
{
    const struct mailimap_msg_att_body_section *body = g_hash_table_lookup(bodies->by_uid, GUINT_TO_POINTER(uid));
    if (body == NULL)
        return NULL;
    *ret_length = MIN(body->sec_length, FETCH_BODY_OCTETS); /* a server need not heed the partial's end */
    return body->sec_body_part;
}

/* At most max_octets of the section of each; octets: what they come to, as far as is known. section is consumed. */
static FetchBodies *fetch_section(Session *session, const FetchItem *items, guint n, struct mailimap_section *section, guint32 max_octets,
                                  gsize octets, GError **error)
{
    g_autoptr(GArray) uids = g_array_sized_new(FALSE, FALSE, sizeof(guint32), n);
    for (guint i = 0; i < n; i++)
        g_array_append_val(uids, items[i].uid);
    struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
    add_attribute(type, mailimap_fetch_att_new_uid());
    add_attribute(type, mailimap_fetch_att_new_body_peek_section_partial(section, 0, max_octets));
    gsize budget = octets + octets / 2 + n * FETCH_ITEM_OCTETS + FETCH_MISSIZED_OCTETS;
    stream_arm(session->stream, IMAP_COMMAND_MS + (gint64)(budget / (IMAP_SLOWEST_OCTETS_PER_S / 1000)), budget);
    clist *list = uid_fetch(session, set_of((const guint32 *)(gconstpointer)uids->data, n), type, error);
    if (list == NULL)
        return NULL;
    FetchBodies *bodies = g_new0(FetchBodies, 1);
    bodies->list = list;
    bodies->by_uid = g_hash_table_new(NULL, NULL);
    for (clistiter *i = clist_begin(list); i != NULL; i = clist_next(i)) {
        Answer answer = read_answer(clist_content(i));
        if (answer.uid != 0 && answer.body != NULL && answer.body->sec_body_part != NULL &&
            !g_hash_table_contains(bodies->by_uid, GUINT_TO_POINTER(answer.uid)))
            g_hash_table_insert(bodies->by_uid, GUINT_TO_POINTER(answer.uid), (gpointer)answer.body);
    }
    return bodies;
}

FetchBodies *fetch_bodies(Session *session, const FetchItem *items, guint n, GError **error)
{
    gsize octets = 0;
    for (guint i = 0; i < n; i++)
        octets += MIN(items[i].size, FETCH_BODY_OCTETS);
    return fetch_section(session, items, n, mailimap_section_new(NULL), FETCH_BODY_OCTETS, octets, error);
}

FetchBodies *fetch_headers(Session *session, const FetchItem *items, guint n, GError **error)
{
    static const char *const names[] = {"From",         "Sender",       "Reply-To",   "Return-Path", "To",
                                        "Cc",           "Bcc",          "Date",       "Subject",     "Message-ID",
                                        "In-Reply-To",  "References",   "Delivered-To", "X-Original-To", "Content-Type",
                                        "Auto-Submitted"};
    clist *list = clist_new();
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        clist_append(list, strdup(names[i]));
    return fetch_section(session, items, n, mailimap_section_new_header_fields(mailimap_header_list_new(list)), SCREEN_HEADER_OCTETS,
                         (gsize)n * SCREEN_HEADER_OCTETS, error);
}
