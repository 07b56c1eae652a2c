/*
 * The order of what is due: two sorted lists out of the store, merged. Runs on the loop.
 */
#include "engine/order.h"

static const OutboxMessage *next_of(const GPtrArray *list, guint *index, GHashTable *taken)
{
    while (*index < list->len && g_hash_table_contains(taken, &((OutboxMessage *)list->pdata[*index])->id))
        ++*index;
    return *index < list->len ? list->pdata[*index] : NULL;
}

GPtrArray *order_merge(const GPtrArray *ranked, const GPtrArray *oldest, guint streak, guint limit)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(g_int64_hash, g_int64_equal);
    GPtrArray *merged = g_ptr_array_new();
    guint in_ranked = 0, in_oldest = 0;
    while (merged->len < limit) {
        const OutboxMessage *first = next_of(ranked, &in_ranked, taken), *old = next_of(oldest, &in_oldest, taken);
        if (!first)
            break;
        gboolean overtakes = old && first->priority > old->priority;
        if (overtakes && streak >= ORDER_OVERTAKES) {
            first = old;
            overtakes = FALSE;
        }
        streak = overtakes ? streak + 1 : 0;
        g_hash_table_add(taken, (gpointer)&first->id);
        g_ptr_array_add(merged, (gpointer)first);
    }
    return merged;
}

/* How many of the newest tries in a row were of a higher priority. */
static gboolean count_streak(Store *store, const char *account, int priority, guint *ret_streak, GError **error)
{
    int priorities[ORDER_OVERTAKES];
    guint count = 0, streak = 0;
    if (!store_outbox_last_priorities(store, account, ORDER_OVERTAKES, priorities, &count, error))
        return FALSE;
    while (streak < count && priorities[streak] > priority)
        streak++;
    *ret_streak = streak;
    return TRUE;
}

/* Moves the messages of merged out of both lists into an array that owns them. */
static GPtrArray *keep(const GPtrArray *merged, GPtrArray *ranked, GPtrArray *oldest)
{
    GPtrArray *kept = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_message_free);
    for (guint i = 0; i < merged->len; i++) {
        guint index;
        GPtrArray *owner = g_ptr_array_find(ranked, merged->pdata[i], &index) ? ranked : oldest;
        g_ptr_array_find(owner, merged->pdata[i], &index);
        g_ptr_array_add(kept, g_ptr_array_steal_index(owner, index));
    }
    return kept;
}

gboolean order_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages, GError **error)
{
    g_autoptr(GPtrArray) ranked = NULL;
    g_autoptr(GPtrArray) oldest = NULL;
    guint streak = 0;
    if (!store_outbox_due(store, account, now_ms, limit, &ranked, error))
        return FALSE;
    if (ranked->len < limit) { /* all that is due goes */
        *ret_messages = g_steal_pointer(&ranked);
        return TRUE;
    }
    if (!store_outbox_due_oldest(store, account, now_ms, limit, &oldest, error) ||
        !count_streak(store, account, ((OutboxMessage *)oldest->pdata[0])->priority, &streak, error))
        return FALSE;
    g_autoptr(GPtrArray) merged = order_merge(ranked, oldest, streak, limit);
    *ret_messages = keep(merged, ranked, oldest);
    return TRUE;
}
