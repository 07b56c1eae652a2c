/*
 * Changes of stage -> stays, contact by contact. Where a change bears an earlier time than the one before it (a date put right later), the stay
 * between them took no time.
 */
#include "cli/report_stays.h"

#include "store/reports.h"

static guint stage_index(StageNames *names, const char *name)
{
    g_autofree char *key = report_fold(name);
    guint index = GPOINTER_TO_UINT(g_hash_table_lookup(names->indexes, key));
    if (index != 0)
        return index - 1;
    g_ptr_array_add(names->names, g_strdup(name));
    g_hash_table_insert(names->indexes, g_steal_pointer(&key), GUINT_TO_POINTER(names->names->len));
    return names->names->len - 1;
}

void stage_names_init(StageNames *names, const Config *config)
{
    names->names = g_ptr_array_new_with_free_func(g_free);
    names->indexes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char **stage = config->pipeline.stages; *stage != NULL; stage++)
        stage_index(names, *stage);
    names->n_pipeline = names->names->len;
    names->customer = stage_index(names, config->pipeline.customer_stage);
}

void stage_names_clear(StageNames *names)
{
    g_clear_pointer(&names->names, g_ptr_array_unref);
    g_clear_pointer(&names->indexes, g_hash_table_unref);
}

const char *stage_names_at(const StageNames *names, guint stage)
{
    const char *name = g_ptr_array_index(names->names, stage);
    return *name != '\0' ? name : "(none)";
}

typedef struct {
    const ReportCase *report;
    StageNames *names;
    StaysFunc func;
    gpointer data;
    gint64 contact_id; /* whose stays these are; 0: nobody's */
    GArray *stays;
} Walk;

static void end_contact(Walk *walk)
{
    if (walk->stays->len > 0)
        walk->func((const Stay *)(gpointer)walk->stays->data, walk->stays->len, walk->data);
    g_array_set_size(walk->stays, 0);
}

static gboolean on_change(const StageChange *change, gpointer data)
{
    Walk *walk = data;
    if (report_is_left_out(walk->report, change->owner_key))
        return TRUE;
    if (change->contact_id != walk->contact_id)
        end_contact(walk);
    walk->contact_id = change->contact_id;
    const Stay stay = {.stage = stage_index(walk->names, change->to), .from_ms = change->at_ms, .until_ms = G_MAXINT64};
    if (walk->stays->len > 0) {
        Stay *before = &g_array_index(walk->stays, Stay, walk->stays->len - 1);
        before->until_ms = MAX(before->from_ms, stay.from_ms);
    }
    g_array_append_val(walk->stays, stay);
    return TRUE;
}

gboolean stays_each(const ReportCase *report, StageNames *names, StaysFunc func, gpointer data, GError **error)
{
    Walk walk = {.report = report, .names = names, .func = func, .data = data, .stays = g_array_new(FALSE, FALSE, sizeof(Stay))};
    gboolean ok = store_report_stages(report->cli->store, report->to_ms, on_change, &walk, error);
    if (ok)
        end_contact(&walk);
    g_array_unref(walk.stays);
    return ok;
}
