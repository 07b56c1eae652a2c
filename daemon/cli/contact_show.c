/*
 * nurture contact show: one person's fields, rules with what comes next, open tasks, referrals, stages, and the last of their history.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/referral.h"
#include "cli/table.h"
#include "cli/task_words.h"
#include "engine/control.h"
#include "plan/schedule.h"
#include "store/suppressions.h"

enum { HISTORY_SHOWN = 5, LABEL_COLUMNS = 16 };

/* ---- fields ---------------------------------------------------------------------------------------------------------- */

static void print_field(Cli *cli, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    g_autofree char *line = text_one_line(value);
    g_autofree char *safe = text_escape(line, 0);
    fprintf(cli->out, "%-*s%s\n", LABEL_COLUMNS, name, safe);
}

static void print_time(Cli *cli, const char *name, gint64 at_ms, GTimeZone *zone)
{
    if (at_ms == 0)
        return;
    g_autofree char *text = at_ms == G_MAXINT64 ? g_strdup("resumed") : timestamp_format_local(at_ms, zone);
    print_field(cli, name, text);
}

static void print_attributes(Cli *cli, const char *attributes)
{
    g_autoptr(JsonObject) object = json_parse_object(attributes, NULL);
    if (object == NULL)
        return;
    g_autoptr(GList) names = json_object_get_members(object);
    for (GList *name = names; name != NULL; name = name->next) {
        g_autofree char *value = facts_attribute_text(json_object_get_member(object, name->data));
        g_autofree char *line = g_strdup_printf("%s = %s", (const char *)name->data, value);
        print_field(cli, name == names ? "attributes" : "", line);
    }
}

static void print_score(Cli *cli, const Contact *contact, GTimeZone *zone)
{
    if (!contact->has_score)
        return;
    g_autofree char *day = contact->score_ms != 0 ? timestamp_format_local(contact->score_ms, zone) : NULL;
    g_autofree char *text = g_strdup_printf("%g%s%.10s%s", contact->score, day ? " (" : "", day ? day : "", day ? ")" : "");
    print_field(cli, "score", text);
}

static void print_contact(Cli *cli, const Contact *contact, char **aliases, const char *suppressed, GTimeZone *zone)
{
    g_autofree char *name = contact_name(contact);
    g_autofree char *tags = g_strjoinv(", ", contact->tags);
    g_autofree char *also = g_strjoinv(", ", aliases);
    print_field(cli, "email", contact->email);
    print_field(cli, "also", also);
    print_field(cli, "name", name);
    print_field(cli, "company", contact->company);
    print_field(cli, "stage", contact->stage);
    print_time(cli, "stage since", contact->stage_since_ms, zone);
    print_time(cli, "customer since", contact->customer_since_ms, zone);
    print_field(cli, "time zone", contact->time_zone[0] != '\0' ? contact->time_zone : contact->company_time_zone);
    print_field(cli, "language", contact->language);
    print_field(cli, "owner", contact->owner);
    print_field(cli, "source", contact->source);
    print_field(cli, "tags", tags);
    print_attributes(cli, contact->attributes);
    print_score(cli, contact, zone);
    print_time(cli, "paused until", contact_pause(contact, control_now_ms(cli->config)), zone);
    print_field(cli, "paused because", contact->pause_reason);
    print_field(cli, "never mailed", suppressed);
    if (contact->hold_until_ms > control_now_ms(cli->config))
        print_field(cli, "held", contact->hold_reason);
    print_time(cli, "last contacted", contact->last_contacted_ms, zone);
    print_time(cli, "last wrote", contact->last_reply_ms, zone);
    print_time(cli, "last talk", contact->last_talk_ms, zone);
}

/* ---- rules ----------------------------------------------------------------------------------------------------------- */

static char *due_text(const Enrolment *enrolment, GTimeZone *zone)
{
    if (enrolment->state != ENROLMENT_ACTIVE)
        return g_strdup("");
    if (enrolment->due_ms == SCHEDULE_NEVER)
        return g_strdup("not known yet");
    return enrolment->due_ms != 0 ? timestamp_format_local(enrolment->due_ms, zone) : g_strdup("in the queue");
}

static void print_enrolments(Cli *cli, const GPtrArray *enrolments, GTimeZone *zone)
{
    static const TableColumn columns[] = {
        {"RULE", FALSE, FALSE}, {"ROUND", TRUE, FALSE},   {"STATE", FALSE, FALSE}, {"NEXT STEP", FALSE, FALSE},
        {"DUE", FALSE, FALSE},  {"REASON", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    fputc('\n', cli->out);
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint i = 0; i < enrolments->len; i++) {
        const Enrolment *enrolment = g_ptr_array_index(enrolments, i);
        g_autofree char *due = due_text(enrolment, zone);
        g_autofree char *round = g_strdup_printf("%u", enrolment->round);
        const char *cells[] = {enrolment->rule,
                               round,
                               enrolment_state_name(enrolment->state),
                               enrolment->state == ENROLMENT_ACTIVE ? enrolment->next_step : "",
                               due,
                               enrolment->end_reason};
        table_add(table, cells);
    }
    table_finish(table, "in no rule");
}

/* ---- history --------------------------------------------------------------------------------------------------------- */

typedef struct {
    GTimeZone *zone;
    char *lines[HISTORY_SHOWN]; /* a ring */
    guint64 count;
} LastLines;

static gboolean keep_line(const Interaction *interaction, gpointer data)
{
    LastLines *last = data;
    g_autofree char *at = timestamp_format_local(interaction->at_ms, last->zone);
    const char *texts[] = {interaction->detail, interaction->subject, interaction->text, ""};
    guint i = 0;
    while (i + 1 < G_N_ELEMENTS(texts) && texts[i][0] == '\0')
        i++;
    g_autofree char *one_line = text_one_line(texts[i]);
    g_autofree char *safe = text_escape(one_line, 0);
    char **slot = &last->lines[last->count++ % HISTORY_SHOWN];
    g_free(*slot);
    *slot = g_strdup_printf("%s  %-11s %s", at, interaction_kind_name(interaction->kind), safe);
    g_strchomp(*slot);
    return TRUE;
}

static gboolean print_last(Cli *cli, const Contact *contact, GTimeZone *zone, GError **error)
{
    LastLines last = {.zone = zone};
    gboolean ok = store_history_each(cli->store, contact->id, keep_line, &last, error);
    guint64 first = last.count > HISTORY_SHOWN ? last.count - HISTORY_SHOWN : 0;
    if (ok && last.count > 0)
        fputc('\n', cli->out);
    for (guint64 i = first; ok && i < last.count; i++) {
        const char *line = last.lines[i % HISTORY_SHOWN];
        g_autofree char *fitting = cli->columns > 0 ? text_fit(line, cli->columns) : g_strdup(line);
        fprintf(cli->out, "%s\n", fitting);
    }
    for (guint i = 0; i < HISTORY_SHOWN; i++)
        g_free(last.lines[i]);
    return ok;
}

/* ---- stages, tasks, referrals ------------------------------------------------------------------------------------------ */

typedef struct {
    Cli *cli;
    GTimeZone *zone;
    JsonArray *array; /* with --json */
    const char *heading; /* printed before the first; NULL: it was */
} Section;

static void print_section_line(Section *section, const char *first, const char *text)
{
    Cli *cli = section->cli;
    g_autofree char *one_line = text_one_line(text);
    g_autofree char *safe = text_escape(one_line, 0);
    g_autofree char *line = g_strdup_printf("  %-*s%s", LABEL_COLUMNS, first, safe);
    g_autofree char *fitting = cli->columns > 0 ? text_fit(line, cli->columns) : g_strdup(line);
    if (section->heading != NULL)
        fprintf(cli->out, "\n%s\n", section->heading);
    section->heading = NULL;
    fprintf(cli->out, "%s\n", fitting);
}

static gboolean on_stage(const Interaction *interaction, gpointer data)
{
    Section *section = data;
    if (interaction->kind != INTERACTION_STAGE)
        return TRUE;
    g_autofree char *at = timestamp_format_local(interaction->at_ms, section->zone);
    at[strlen("2026-11-24")] = '\0';
    print_section_line(section, at, interaction->detail);
    return TRUE;
}

static gboolean on_task(const OwnerTask *task, gpointer data)
{
    Section *section = data;
    if (section->array != NULL) {
        json_array_add_object_element(section->array, task_object(task));
        return TRUE;
    }
    g_autofree char *due = task_due_text(task->due_ms, section->zone);
    g_autofree char *text = g_strdup_printf("%s (%" G_GINT64_FORMAT ", %s)", task->text, task->id, task->owner);
    print_section_line(section, due, text);
    return TRUE;
}

static gboolean on_referral(const Referral *referral, gpointer data)
{
    Section *section = data;
    if (section->array != NULL)
        json_array_add_object_element(section->array, referral_object(referral));
    else
        print_section_line(section, referral_state_name(referral->state), referral_shown(referral));
    return TRUE;
}

static gboolean on_referrer(const Referral *referral, gpointer data)
{
    Section *section = data;
    if (section->array != NULL)
        json_array_add_object_element(section->array, referral_object(referral));
    else
        print_section_line(section, referral_state_name(referral->state),
                           *referral->referrer_name != '\0' ? referral->referrer_name : referral->referrer);
    return TRUE;
}

/* all: the object of --json; NULL: printed. */
static gboolean show_sections(Cli *cli, const Contact *contact, GTimeZone *zone, JsonObject *all, GError **error)
{
    static const char *const keys[] = {"tasks", "referrals", "referred_by"};
    Section sections[] = {
        {cli, zone, NULL, "open tasks"}, {cli, zone, NULL, "introduced"}, {cli, zone, NULL, "introduced by"}, {cli, zone, NULL, "stages"}};
    const TaskFilter tasks = {.contact_id = contact->id};
    const ReferralFilter made = {.referrer_id = contact->id}, came_by = {.friend_id = contact->id};
    for (guint i = 0; all != NULL && i < G_N_ELEMENTS(keys); i++) {
        sections[i].array = json_array_new();
        json_object_set_array_member(all, keys[i], sections[i].array);
    }
    return store_task_each(cli->store, &tasks, on_task, &sections[0], error) &&
           store_referral_each(cli->store, &made, on_referral, &sections[1], error) &&
           store_referral_each(cli->store, &came_by, on_referrer, &sections[2], error) &&
           (all != NULL || store_history_each(cli->store, contact->id, on_stage, &sections[3], error));
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

static gboolean print_json(Cli *cli, const Contact *contact, char **aliases, const char *suppressed, const GPtrArray *enrolments, GError **error)
{
    JsonObject *object = contact_object(contact, control_now_ms(cli->config));
    JsonArray *array = json_array_new();
    for (guint i = 0; i < enrolments->len; i++)
        json_array_add_object_element(array, enrolment_object(g_ptr_array_index(enrolments, i)));
    facts_add_strings(object, "aliases", aliases);
    json_add_text(object, "suppressed", suppressed);
    json_object_set_array_member(object, "enrolments", array);
    if (!show_sections(cli, contact, NULL, object, error)) {
        json_object_unref(object);
        return FALSE;
    }
    cli_print_json(cli, object);
    return TRUE;
}

static gboolean show(Cli *cli, const Contact *contact, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    g_autofree char *suppressed = NULL;
    gboolean is_suppressed = FALSE;
    g_autoptr(GPtrArray) enrolments = NULL;
    if (!store_contact_aliases(cli->store, contact->id, &aliases, error) ||
        !store_suppression_check(cli->store, contact->email, &is_suppressed, &suppressed, error) ||
        !store_enrolments_of(cli->store, contact->id, &enrolments, error))
        return FALSE;
    if (cli->json)
        return print_json(cli, contact, aliases, suppressed, enrolments, error);
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    print_contact(cli, contact, aliases, suppressed, zone);
    print_enrolments(cli, enrolments, zone);
    return show_sections(cli, contact, zone, NULL, error) && print_last(cli, contact, zone, error);
}

int contact_command_show(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_READ, rest[0], &error);
    if (contact == NULL || !show(cli, contact, &error))
        return cli_failed_by(cli, error);
    return CLI_DONE;
}
