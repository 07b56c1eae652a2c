/*
 * What was sent and what came back, added up. A message counts once for each kind of what came back, however often it did.
 */
#include "cli/report_messages.h"

#include "store/reports.h"

typedef struct {
    const ReportCase *report;
    MessageGrouping by;
    GHashTable *sums; /* its group's name -> MessageSum* */
    gint64 message_id; /* that the last echo was for */
    char *kind;
} Adding;

static void sum_free(gpointer data)
{
    MessageSum *sum = data;
    g_free(sum->rule);
    g_free(sum->step);
    g_free(sum->variant);
    g_free(sum->owner_key);
    g_array_unref(sum->reply_times);
    g_free(sum);
}

/* Each message is of one group, told apart by a character that stands in no name. */
static MessageSum *sum_of(Adding *adding, const char *rule, const char *step, const char *variant, const char *owner_key)
{
    gboolean by_rule = adding->by == MESSAGES_BY_RULE;
    g_autofree char *name = by_rule ? g_strjoin("\x1f", rule, step, variant, NULL) : g_strdup(owner_key);
    MessageSum *sum = g_hash_table_lookup(adding->sums, name);
    if (sum != NULL)
        return sum;
    sum = g_new0(MessageSum, 1);
    sum->rule = g_strdup(by_rule ? rule : "");
    sum->step = g_strdup(by_rule ? step : "");
    sum->variant = g_strdup(by_rule ? variant : "");
    sum->owner_key = g_strdup(by_rule ? "" : owner_key);
    sum->reply_times = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_hash_table_insert(adding->sums, g_steal_pointer(&name), sum);
    return sum;
}

static gboolean on_count(const MessageCount *count, gpointer data)
{
    Adding *adding = data;
    if (!report_is_left_out(adding->report, count->owner_key))
        sum_of(adding, count->rule, count->step, count->variant, count->owner_key)->sent += count->sent;
    return TRUE;
}

static gboolean on_echo(const MessageEcho *echo, gpointer data)
{
    Adding *adding = data;
    if (report_is_left_out(adding->report, echo->owner_key) ||
        (echo->message_id == adding->message_id && g_strcmp0(echo->kind, adding->kind) == 0))
        return TRUE;
    adding->message_id = echo->message_id;
    g_free(adding->kind);
    adding->kind = g_strdup(echo->kind);
    MessageSum *sum = sum_of(adding, echo->rule, echo->step, echo->variant, echo->owner_key);
    if (g_str_equal(echo->kind, "reply")) {
        sum->replied++;
        g_array_append_val(sum->reply_times, echo->after_ms);
    }
    sum->bounced += g_str_equal(echo->kind, "bounce") ? 1 : 0;
    sum->complained += g_str_equal(echo->kind, "complaint") ? 1 : 0;
    sum->unsubscribed += g_str_equal(echo->kind, "unsubscribe") ? 1 : 0;
    return TRUE;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const MessageSum *left = *(MessageSum *const *)a, *right = *(MessageSum *const *)b;
    const char *const of_left[] = {left->owner_key, left->rule, left->step, left->variant};
    const char *const of_right[] = {right->owner_key, right->rule, right->step, right->variant};
    int order = 0;
    for (guint i = 0; i < G_N_ELEMENTS(of_left) && order == 0; i++)
        order = g_strcmp0(of_left[i], of_right[i]);
    return order;
}

GPtrArray *message_sums(const ReportCase *report, MessageGrouping by, GError **error)
{
    g_autoptr(GHashTable) sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *array = g_ptr_array_new_with_free_func(sum_free);
    Adding adding = {.report = report, .by = by, .sums = sums};
    gboolean ok = store_report_messages(report->cli->store, report->from_ms, report->to_ms, on_count, &adding, error) &&
                  store_report_echoes(report->cli->store, report->from_ms, report->to_ms, on_echo, &adding, error);
    g_free(adding.kind);
    GHashTableIter iter;
    gpointer sum;
    g_hash_table_iter_init(&iter, sums);
    while (g_hash_table_iter_next(&iter, NULL, &sum))
        g_ptr_array_add(array, sum);
    if (!ok)
        g_clear_pointer(&array, g_ptr_array_unref);
    else
        g_ptr_array_sort(array, compare);
    return array;
}
