/*
 * Contacts and what happened to them as JSON objects. Times are RFC 3339 in UTC.
 */
#include "cli/facts.h"

#include "base/json.h"
#include "plan/schedule.h"

void facts_add_strings(JsonObject *object, const char *member, char **strings)
{
    JsonArray *array = json_array_new();
    for (char **string = strings; *string != NULL; string++)
        json_array_add_string_element(array, *string);
    json_object_set_array_member(object, member, array);
}

char *facts_attribute_text(JsonNode *node)
{
    return json_node_get_value_type(node) == G_TYPE_STRING ? g_strdup(json_node_get_string(node)) : json_line(node);
}

char *facts_attributes_line(const char *attributes)
{
    g_autoptr(JsonObject) object = json_parse_object(attributes, NULL);
    GString *line = g_string_new(NULL);
    g_autoptr(GList) names = object != NULL ? json_object_get_members(object) : NULL;
    for (GList *name = names; name != NULL; name = name->next) {
        g_autofree char *value = facts_attribute_text(json_object_get_member(object, name->data));
        g_string_append_printf(line, "%s%s = %s", line->len > 0 ? ", " : "", (const char *)name->data, value);
    }
    return g_string_free(line, FALSE);
}

const char *enrolment_state_name(EnrolmentState state)
{
    static const char *const names[] = {
        [ENROLMENT_ACTIVE] = "active", [ENROLMENT_DONE] = "done", [ENROLMENT_ENDED] = "ended"};
    return names[state];
}

char *contact_name(const Contact *contact)
{
    return g_strstrip(g_strjoin(" ", contact->first_name, contact->last_name, NULL));
}

gint64 contact_pause(const Contact *contact, gint64 now_ms)
{
    return contact->paused_until_ms > now_ms ? contact->paused_until_ms : 0;
}

JsonObject *contact_object(const Contact *contact, gint64 now_ms)
{
    JsonObject *object = json_object_new();
    const gint64 pause_ms = contact_pause(contact, now_ms);
    JsonObject *attributes = json_parse_object(contact->attributes, NULL);
    json_object_set_string_member(object, "email", contact->email);
    json_add_text(object, "first_name", contact->first_name);
    json_add_text(object, "last_name", contact->last_name);
    json_add_text(object, "company", contact->company);
    json_add_text(object, "stage", contact->stage);
    json_add_time(object, "stage_since", contact->stage_since_ms);
    json_add_time(object, "customer_since", contact->customer_since_ms);
    json_add_text(object, "time_zone", contact->time_zone);
    json_add_text(object, "language", contact->language);
    json_add_text(object, "owner", contact->owner);
    json_add_text(object, "source", contact->source);
    facts_add_strings(object, "tags", contact->tags);
    json_object_set_object_member(object, "attributes", attributes != NULL ? attributes : json_object_new());
    if (contact->has_score)
        json_object_set_double_member(object, "score", contact->score);
    json_add_time(object, "score_at", contact->score_ms);
    json_object_set_boolean_member(object, "paused", pause_ms != 0);
    json_add_time(object, "paused_until", pause_ms == G_MAXINT64 ? 0 : pause_ms);
    json_add_text(object, "pause_reason", pause_ms != 0 ? contact->pause_reason : "");
    json_add_time(object, "last_contacted_at", contact->last_contacted_ms);
    json_add_time(object, "created_at", contact->created_ms);
    return object;
}

char *step_words(const char *step, const char *variant)
{
    return variant && *variant && !g_str_equal(step, variant) ? g_strdup_printf("%s (%s)", step, variant) : g_strdup(step);
}

JsonObject *interaction_object(const Interaction *interaction)
{
    JsonObject *object = json_object_new();
    json_add_time(object, "at", interaction->at_ms);
    json_object_set_string_member(object, "kind", interaction_kind_name(interaction->kind));
    json_object_set_string_member(object, "rule", interaction->rule);
    json_object_set_string_member(object, "step", interaction->step);
    json_add_text(object, "variant", interaction->variant);
    json_object_set_string_member(object, "subject", interaction->subject);
    json_object_set_string_member(object, "text", interaction->text);
    json_object_set_string_member(object, "message_id", interaction->message_id);
    json_object_set_string_member(object, "detail", interaction->detail);
    json_add_text(object, "basis", interaction->basis);
    return object;
}

JsonObject *enrolment_object(const Enrolment *enrolment)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "rule", enrolment->rule);
    json_object_set_int_member(object, "round", enrolment->round);
    json_object_set_string_member(object, "state", enrolment_state_name(enrolment->state));
    json_add_text(object, "stage", enrolment->stage);
    json_add_time(object, "anchor_at", enrolment->anchor_ms);
    json_add_text(object, "next_step", enrolment->next_step);
    json_add_time(object, "due_at", enrolment->due_ms != SCHEDULE_NEVER ? enrolment->due_ms : 0);
    json_add_time(object, "enrolled_at", enrolment->enrolled_ms);
    json_add_time(object, "ended_at", enrolment->ended_ms);
    json_add_text(object, "end_reason", enrolment->end_reason);
    return object;
}

JsonObject *message_object(const OutboxMessage *message)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", message->id);
    json_object_set_string_member(object, "contact", message->email);
    json_object_set_string_member(object, "rule", message->rule);
    json_object_set_string_member(object, "step", message->step);
    json_add_text(object, "variant", message->variant);
    json_object_set_string_member(object, "state", outbox_state_name(message->state));
    if (message->due_ms != 0)
        json_add_time(object, "due_at", message->due_ms);
    else
        json_object_set_null_member(object, "due_at");
    json_object_set_int_member(object, "attempts", message->attempts);
    json_object_set_string_member(object, "reason", message->reason);
    json_object_set_string_member(object, "message_id", message->message_id);
    return object;
}
