/*
 * Contact -> PlanFacts. Attributes are parsed where a rule looks at them only: with a million contacts that is most of the cost.
 */
#include "engine/subject.h"

#include "base/json.h"
#include "store/referrals.h"

static JsonObject *parse_attributes(gboolean wanted, const char *text)
{
    gboolean is_empty = !*text || g_str_equal(text, "{}");
    return wanted && !is_empty ? json_parse_object(text, NULL) : NULL;
}

/* The text of the attribute; NULL for none. Belongs to the object. */
static const char *text_member(JsonObject *attributes, const char *name)
{
    JsonNode *node = attributes ? json_object_get_member(attributes, name) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static const Calendar *calendar_of(const Subject *subject)
{
    const char *by = subject->core->config->sending.holidays_by;
    const char *value = text_member(subject->facts.attributes, by);
    return core_calendar(subject->core, value ? value : text_member(subject->facts.company_attributes, by));
}

static void init(Subject *subject, EngineCore *core, const Contact *contact, gboolean with_attributes)
{
    *subject = (Subject){
        .core = core,
        .contact = contact,
        .account = config_account_for_owner(core->config, contact->owner),
        .now_ms = clock_now_ms(core->clock),
        .facts = {
            .stage = contact->stage,
            .owner = contact->owner,
            .company = contact->company,
            .language = contact->language,
            .source = contact->source,
            .stage_since_ms = contact->stage_since_ms,
            .customer_since_ms = contact->customer_since_ms,
            .tags = (const char *const *)contact->tags,
            .attributes = parse_attributes(with_attributes, contact->attributes),
            .company_attributes = parse_attributes(with_attributes, contact->company_attributes),
            .has_score = contact->has_score,
            .score = contact->score,
            .score_time = {.round = contact->score_count, .at_ms = contact->score_ms},
            .referred = contact->referred,
            .referred_ms = contact->referred_ms,
            .last_reply_ms = contact->last_reply_ms,
            .last_contacted_ms = MAX(contact->last_contacted_ms, contact->last_talk_ms),
            .zone = core_zone(core, contact),
        },
    };
    subject->calendar = calendar_of(subject);
}

void subject_init(Subject *subject, EngineCore *core, const Contact *contact)
{
    init(subject, core, contact, core->wants_attributes);
}

void subject_init_on_way(Subject *subject, EngineCore *core, const Contact *contact)
{
    init(subject, core, contact, core->steps_want_attributes);
}

gboolean subject_read_on_way(EngineCore *core, gint64 contact_id, Contact **ret_contact, GError **error)
{
    return core->steps_want_tags ? store_contact_get(core->store, contact_id, ret_contact, error)
                                 : store_contact_get_untagged(core->store, contact_id, ret_contact, error);
}

static gboolean read_times(Subject *subject, ReferralNumber which, GArray **ret_times, GError **error)
{
    g_autoptr(GArray) found = NULL;
    if (!store_referral_times(subject->core->store, subject->contact->id, which, &found, error))
        return FALSE;
    GArray *times = g_array_new(FALSE, FALSE, sizeof(AnchorTime));
    for (guint i = 0; i < found->len; i++) {
        const ReferralTime *one = &g_array_index(found, ReferralTime, i);
        const AnchorTime time = {.round = one->number, .at_ms = one->at_ms};
        g_array_append_val(times, time);
    }
    *ret_times = times;
    return TRUE;
}

gboolean subject_read_referrals(Subject *subject, GError **error)
{
    if (!subject->core->wants_referrals)
        return TRUE;
    if (!read_times(subject, REFERRAL_BY_ACCEPTANCE, &subject->thanks, error) ||
        !read_times(subject, REFERRAL_BY_CUSTOMER, &subject->rewards, error))
        return FALSE;
    PlanFacts *facts = &subject->facts;
    facts->thanks = &g_array_index(subject->thanks, AnchorTime, 0);
    facts->n_thanks = subject->thanks->len;
    facts->rewards = &g_array_index(subject->rewards, AnchorTime, 0);
    facts->n_rewards = subject->rewards->len;
    return TRUE;
}

void subject_clear(Subject *subject)
{
    g_clear_pointer(&subject->thanks, g_array_unref);
    g_clear_pointer(&subject->rewards, g_array_unref);
    g_clear_pointer(&subject->facts.attributes, json_object_unref);
    g_clear_pointer(&subject->facts.company_attributes, json_object_unref);
}

const Window *subject_window(const Subject *subject, const Rule *rule)
{
    return config_window(subject->core->config, rule, subject->account);
}

gint64 subject_due(const Subject *subject, const Rule *rule, const Step *step, gint64 anchor_ms, gint64 last_step_ms)
{
    gint64 due_ms = schedule_due(rule, step, &subject->facts, anchor_ms, last_step_ms, subject_window(subject, rule), subject->calendar);
    return due_ms == SCHEDULE_PASSED ? SCHEDULE_PASSED : MAX(1, due_ms);
}

gboolean subject_is_late(const Subject *subject, gint64 due_ms)
{
    const Duration *max_late = &subject->core->config->sending.max_late;
    return !duration_is_zero(max_late) && subject->now_ms > calendar_add(subject->calendar, subject->facts.zone, due_ms, max_late);
}
