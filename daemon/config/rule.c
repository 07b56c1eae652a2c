/*
 * Rules: who, from when, what, until when.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

#define TAG_PREFIX "tag:"
#define REWARD_EXAMPLE "reward = \"a box of chocolates\""
#define BASIS_EXAMPLE "basis = \"consent at the fair in Oslo\""

enum { TROUBLE_DAYS = 30 };

typedef struct {
    char *name, *purpose;
    config_setting_t *anchor, *steps, *stop_on, *scope, *notify, *window, *until, *accept, *cooldown, *trouble, *reward, *basis;
    Condition **when, **unless;
    Duration repeat_every;
    guint repeat_max;
    int priority;
    gboolean approve;
} RuleKeys;

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

/* One word of stop_on: an event, or "tag:NAME". */
static void take_stop(Reader *reader, const config_setting_t *setting, Rule *rule, GPtrArray *tags)
{
    static const char *const names[] = {"reply", "auto-reply", "stage-change", "meeting",     "call",      "note", "tag", "tag:NAME",
                                        "referral", "bounce",       "unsubscribe", "complaint", NULL};
    static const StopEvent events[] = {STOP_REPLY, STOP_AUTO_REPLY, STOP_STAGE_CHANGE, STOP_MEETING, STOP_CALL, STOP_NOTE, STOP_TAG, 0,
                                       STOP_REFERRAL, STOP_BOUNCE, STOP_UNSUBSCRIBE, STOP_COMPLAINT};
    const char *text = config_setting_get_string(setting);
    if (text && g_str_has_prefix(text, TAG_PREFIX) && reader_text(reader, setting, "\"tag:won\"")) {
        char *tag = g_strstrip(g_strdup(text + strlen(TAG_PREFIX)));
        if (!*tag)
            reader_fault(reader, setting, "stop_on: \"tag:\" names no tag; write \"tag:won\", or \"tag\" for any tag");
        g_ptr_array_add(tags, tag);
        return;
    }
    int index = reader_choice(reader, setting, names);
    if (index >= 0)
        rule->stop_on |= events[index];
}

static void parse_stop_on(Reader *reader, config_setting_t *setting, Rule *rule)
{
    GPtrArray *tags = g_ptr_array_new();
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
        take_stop(reader, setting, rule, tags);
    else
        for (int i = 0; i < config_setting_length(setting); i++)
            take_stop(reader, config_setting_get_elem(setting, (unsigned)i), rule, tags);
    g_ptr_array_add(tags, NULL);
    g_strfreev(rule->stop_tags);
    rule->stop_tags = (char **)g_ptr_array_free(tags, FALSE);
}

static Anchor parse_anchor(Reader *reader, const config_setting_t *setting)
{
    static const char *const names[] = {"stage", "customer", "score", "referral", "thanks", "reward", NULL};
    static const Anchor anchors[] = {ANCHOR_STAGE, ANCHOR_CUSTOMER, ANCHOR_SCORE, ANCHOR_REFERRAL, ANCHOR_THANKS, ANCHOR_REWARD};
    int index = reader_choice(reader, setting, names);
    return index >= 0 ? anchors[index] : ANCHOR_STAGE;
}

/* A last day, or a duration since the anchor. */
static void parse_until(Reader *reader, const config_setting_t *setting, Rule *rule)
{
    Date date = {0};
    const char *text = reader_text(reader, setting, "a last day \"2027-06-30\", or a duration such as \"2 years\"");
    if (!text)
        return;
    switch (date_parse(text, &date)) {
    case DATE_ONCE:
        rule->until_year = date.year;
        rule->until_month = date.month;
        rule->until_day = date.day;
        break;
    case DATE_OF_YEAR:
        reader_fault(reader, setting, "until: \"%s\" has no year; write \"2027-%s\"", text, text);
        break;
    case DATE_WRONG:
        reader_fault(reader, setting, "until: there is no day \"%s\"; write a last day as \"2027-06-30\", or a duration such as \"2 years\"", text);
        break;
    case DATE_NOT:
        if (reader_duration(reader, setting, &rule->until_age) && duration_is_zero(&rule->until_age))
            reader_fault(reader, setting, "until: the rule would end before anything is sent; write a longer duration, or leave until out");
        break;
    }
}

static gboolean parse_scope(Reader *reader, const config_setting_t *setting)
{
    static const char *const names[] = {"contact", "company", NULL};
    return reader_choice(reader, setting, names) == 1;
}

static void check_rule(Reader *reader, const config_setting_t *group, const RuleKeys *found)
{
    if (found->purpose && !g_str_equal(found->purpose, "follow-up") && !g_str_equal(found->purpose, "referral"))
        reader_fault(reader, group, "purpose: \"%s\" is unknown; write \"follow-up\" (the default) or \"referral\"", found->purpose);
    if (found->repeat_max && duration_is_zero(&found->repeat_every))
        reader_fault(reader, group, "repeat_max needs repeat_every; write repeat_every = \"6 months\"");
    for (const char *p = found->name; p && *p; p++)
        if ((guchar)*p < 0x20 || *p == 0x7f)
            reader_fault(reader, group, "name must not hold control characters; write letters, digits and -");
}

/* ---- asking for referrals -------------------------------------------------------------------------------------------- */

static void refuse_unless_asks(Reader *reader, const config_setting_t *setting, const char *key)
{
    if (setting)
        reader_fault(reader, setting, "%s is for a rule that asks for referrals; write purpose = \"referral\", or leave %s out", key, key);
}

static void parse_accept(Reader *reader, const config_setting_t *setting, Rule *rule)
{
    static const char *const names[] = {"owner", "auto", NULL};
    rule->accept_auto = reader_choice(reader, setting, names) == 1;
}

static void take_reward(Reader *reader, const config_setting_t *setting, Rule *rule)
{
    const char *text = setting ? reader_text(reader, setting, REWARD_EXAMPLE) : NULL;
    rule->reward = g_strdup(text ? text : "");
    plain_check(reader, setting, "reward", text);
    if (text && !rule->asks && rule->anchor != ANCHOR_REWARD && rule->anchor != ANCHOR_THANKS)
        reader_fault(reader, setting, "reward is for a rule that asks for referrals or says thanks for them; write purpose = \"referral\" or "
                                    "anchor = \"reward\", or leave reward out");
}

static void take_basis(Reader *reader, const config_setting_t *setting, Rule *rule)
{
    const char *text = setting ? reader_text(reader, setting, BASIS_EXAMPLE) : NULL;
    rule->basis = g_strdup(text ? text : "");
    plain_check(reader, setting, "basis", text);
}

static void take_asking(Reader *reader, const RuleKeys *found, Rule *rule)
{
    rule->asks = g_str_equal(rule->purpose, "referral");
    take_reward(reader, found->reward, rule);
    take_basis(reader, found->basis, rule);
    if (!rule->asks) {
        refuse_unless_asks(reader, found->accept, "accept");
        refuse_unless_asks(reader, found->cooldown, "cooldown");
        refuse_unless_asks(reader, found->trouble, "trouble");
        return;
    }
    if (rule->anchor == ANCHOR_REFERRAL || rule->anchor == ANCHOR_THANKS || rule->anchor == ANCHOR_REWARD)
        reader_fault(reader, found->anchor, "a rule that asks for referrals counts from \"stage\", \"customer\" or \"score\"; write one of them, "
                                            "or leave purpose out");
    rule->cooldown = reader->config->sending.referral_cooldown;
    rule->trouble = (Duration){.days = TROUBLE_DAYS};
    if (found->accept)
        parse_accept(reader, found->accept, rule);
    if (found->cooldown)
        reader_duration(reader, found->cooldown, &rule->cooldown);
    if (found->trouble)
        reader_duration(reader, found->trouble, &rule->trouble);
}

static void check_repetition(Reader *reader, const config_setting_t *group, const Rule *rule)
{
    if (anchor_is_repeated(rule->anchor) && !duration_is_zero(&rule->repeat_every))
        reader_fault(reader, group, "repeat_every: a rule that counts from a score, thanks or a reward begins anew with each of them; leave "
                                    "repeat_every out");
}

static Condition **or_none(Condition **conditions)
{
    return conditions ? conditions : g_new0(Condition *, 1);
}

/* In an order in which each part finds what it needs. */
static Rule *build_rule(Reader *reader, const config_setting_t *group, RuleKeys *found)
{
    Rule *rule = g_new0(Rule, 1);
    rule->name = found->name ? found->name : g_strdup("");
    rule->purpose = found->purpose ? found->purpose : g_strdup("follow-up");
    rule->anchor = found->anchor ? parse_anchor(reader, found->anchor) : ANCHOR_STAGE;
    take_asking(reader, found, rule);
    rule->when = or_none(found->when);
    rule->unless = or_none(found->unless);
    rule->stop_tags = g_new0(char *, 1);
    rule->stop_on = found->stop_on ? STOP_ALWAYS : STOP_ALWAYS | STOP_REPLY | STOP_STAGE_CHANGE;
    if (found->stop_on)
        parse_stop_on(reader, found->stop_on, rule);
    rule->notify = found->notify ? notify_parse(reader, found->notify) : NOTIFY_UNSAID;
    rule->scope_company = found->scope && parse_scope(reader, found->scope);
    rule->priority = found->priority;
    rule->has_window = found->window != NULL;
    if (found->window)
        window_parse_own(reader, found->window, &rule->window);
    rule->repeat_every = found->repeat_every;
    rule->repeat_max = found->repeat_max;
    check_repetition(reader, group, rule);
    if (found->until)
        parse_until(reader, found->until, rule);
    rule->steps = found->steps ? step_parse_list(reader, found->steps, found->approve) : g_new0(Step *, 1);
    rule_check_times(reader, rule);
    rule->digest = digest_of_rule(rule);
    return rule;
}

static Rule *parse_rule(Reader *reader, config_setting_t *group)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "name", RuleKeys, name, "name = \"after-pitch\""),
        KEY_ROW(KEY_TEXT, "purpose", RuleKeys, purpose, "\"follow-up\" or \"referral\""),
        KEY_KEPT_NEEDED("anchor", RuleKeys, anchor, "anchor = \"stage\" (since entering it), \"customer\" (since becoming one), "
                                           "\"score\", \"referral\", \"thanks\" or \"reward\""),
        KEY_PARSED_NEEDED("when", RuleKeys, when, condition_parse_group, "when = { stage = \"pitching\"; }"),
        KEY_PARSED("unless", RuleKeys, unless, condition_parse_group, "unless = { tag = \"…\"; }"),
        KEY_KEPT_NEEDED("steps", RuleKeys, steps, "steps = ( { after = \"3 days\"; template = \"pitch-1\"; } )"),
        KEY_KEPT("stop_on", RuleKeys, stop_on, "stop_on = [ \"reply\", \"stage-change\" ]"),
        KEY_KEPT("scope", RuleKeys, scope, "scope = \"company\""),
        KEY_KEPT("notify", RuleKeys, notify, "notify = \"at once\""),
        KEY_SIGNED("priority", RuleKeys, priority, -100, 100, "10"),
        KEY_ROW(KEY_BOOL, "approve", RuleKeys, approve, "true or false"),
        KEY_KEPT("window", RuleKeys, window, "window = { from = \"10:00\"; to = \"14:00\"; }"),
        KEY_ROW(KEY_DURATION, "repeat_every", RuleKeys, repeat_every, "\"6 months\""),
        KEY_NUMBER("repeat_max", RuleKeys, repeat_max, 1, 1000, "4"),
        KEY_KEPT("accept", RuleKeys, accept, "accept = \"owner\" or \"auto\""),
        KEY_KEPT("cooldown", RuleKeys, cooldown, "cooldown = \"6 months\""),
        KEY_KEPT("trouble", RuleKeys, trouble, "trouble = \"30 days\""),
        KEY_KEPT("reward", RuleKeys, reward, REWARD_EXAMPLE),
        KEY_KEPT("basis", RuleKeys, basis, BASIS_EXAMPLE),
        KEY_KEPT("until", RuleKeys, until, "until = \"2027-06-30\""),
        KEY_END,
    };
    RuleKeys found = {0};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    check_rule(reader, group, &found);
    return build_rule(reader, group, &found);
}

void rule_parse_list(Reader *reader, config_setting_t *setting, gpointer field)
{
    guint length = reader_list_length(reader, setting, "rules = ( { name = \"after-pitch\"; … } );");
    GPtrArray *rules = g_ptr_array_new();
    for (guint i = 0; i < length; i++) {
        config_setting_t *group = config_setting_get_elem(setting, i);
        Rule *rule = parse_rule(reader, group);
        if (!rule)
            continue;
        for (guint j = 0; j < rules->len; j++)
            if (*rule->name && g_str_equal(((Rule *)rules->pdata[j])->name, rule->name))
                reader_fault(reader, group, "there are two rules named \"%s\"; give each a name of its own", rule->name);
        g_ptr_array_add(rules, rule);
    }
    g_ptr_array_add(rules, NULL);
    *(Rule ***)field = (Rule **)g_ptr_array_free(rules, FALSE);
}

void conditions_free(Condition **conditions)
{
    for (Condition **condition = conditions; *condition; condition++)
        condition_free(*condition);
    g_free(conditions);
}

void rule_free(Rule *rule)
{
    for (Step **step = rule->steps; *step; step++)
        step_free(*step);
    g_free(rule->steps);
    g_strfreev(rule->stop_tags);
    conditions_free(rule->when);
    conditions_free(rule->unless);
    g_free(rule->name);
    g_free(rule->purpose);
    g_free(rule->reward);
    g_free(rule->basis);
    g_free(rule->digest);
    g_free(rule);
}
