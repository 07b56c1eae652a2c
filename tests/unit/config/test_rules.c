/*
 * config/: what rules, steps and conditions can say is read as it is meant, and what cannot be meant is told with its line.
 */
#include "fixture.h"

/* A place for conditions in line 5, for keys of the rule in line 6, for those of a step in line 8. */
static char *rules_with(const char *when, const char *rule, const char *step)
{
    return g_strdup_printf("organisation = { name = \"Berg\"; postal_address = \"Storgata 1\"; };\n"
                           "sending = { window = { days = \"mon-fri\"; from = \"09:00\"; to = \"16:30\"; }; };\n"
                           "accounts = ( { name = \"anna\"; from = \"a@example.com\"; one_way = true; smtp = { url = \"smtp://h\"; }; } );\n"
                           "rules = ( { name = \"r\"; anchor = \"stage\";\n"
                           "  when = { %s };\n"
                           "  %s\n"
                           "  steps = (\n"
                           "    { template = \"one\"; %s },\n"
                           "    { template = \"two\"; after = \"5 days\"; } ); } );\n",
                           when, rule, step);
}

static Config *load_rule(const Fixture *fixture, const char *when, const char *rule, const char *step)
{
    g_autofree char *text = rules_with(when, rule, step);
    return load_good(fixture, text);
}

typedef struct {
    const char *text;
    guint line;
    const char *want;
} FaultCase;

/* ---- conditions ------------------------------------------------------------------------------------------------------ */

static void test_conditions_over_the_history(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *text;
        ConditionKind kind;
        gboolean flag, has_min, has_max;
        int min_days, max_days;
    } cases[] = {
        {"replied = true;", CONDITION_REPLIED, TRUE, FALSE, FALSE, 0, 0},
        {"replied = false;", CONDITION_REPLIED, FALSE, FALSE, FALSE, 0, 0},
        {"replied = { within = \"30 days\"; };", CONDITION_REPLIED, TRUE, FALSE, TRUE, 0, 30},
        {"not_replied = true;", CONDITION_REPLIED, FALSE, FALSE, FALSE, 0, 0},
        {"not_replied = false;", CONDITION_REPLIED, TRUE, FALSE, FALSE, 0, 0},
        {"not_replied = { within = \"2 weeks\"; };", CONDITION_REPLIED, FALSE, FALSE, TRUE, 0, 14},
        {"not_contacted = { for = \"14 days\"; };", CONDITION_NOT_CONTACTED, FALSE, TRUE, FALSE, 14, 0},
        {"not_contacted = \"3 days\";", CONDITION_NOT_CONTACTED, FALSE, TRUE, FALSE, 3, 0},
        {"referred = true;", CONDITION_REFERRED, TRUE, FALSE, FALSE, 0, 0},
        {"referred = false;", CONDITION_REFERRED, FALSE, FALSE, FALSE, 0, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *step = g_strdup_printf("after = \"3 days\"; if = { customer = true; %s };", cases[i].text);
        g_autoptr(Config) config = load_rule(fixture, cases[i].text, "", step);
        const Condition *both[] = {config->rules[0]->when[0], config->rules[0]->steps[0]->conditions[1]}; /* `if` reads the same words */
        assert_int_equal(config->rules[0]->steps[0]->conditions[0]->kind, CONDITION_CUSTOMER);
        assert_null(config->rules[0]->steps[1]->conditions[0]);
        for (gsize j = 0; j < G_N_ELEMENTS(both); j++) {
            assert_int_equal(both[j]->kind, cases[i].kind);
            assert_int_equal(both[j]->flag, cases[i].flag);
            assert_int_equal(both[j]->has_min, cases[i].has_min);
            assert_int_equal(both[j]->has_max, cases[i].has_max);
            assert_int_equal(both[j]->min_age.days, cases[i].min_days);
            assert_int_equal(both[j]->max_age.days, cases[i].max_days);
        }
    }
}

static void test_faults_of_conditions(void **state)
{
    const Fixture *fixture = *state;
    const FaultCase cases[] = {
        {"replied = { withn = \"30 days\"; };", 5, "did you mean \"within\"?"},
        {"replied = { };", 5, "within is missing; write within = \"30 days\""},
        {"replied = { within = \"0 days\"; };", 5, "no time at all"},
        {"replied = { within = \"30 dayz\"; };", 5, "within: "},
        {"replied = \"30 days\";", 5, "write replied = true, or replied = { within = \"30 days\"; }"},
        {"not_replied = 3;", 5, "write not_replied = true, or not_replied = { within"},
        {"not_replid = true;", 5, "did you mean \"not_replied\"?"},
        {"not_contacted = { fro = \"14 days\"; };", 5, "did you mean \"for\"?"},
        {"not_contacted = { };", 5, "for is missing; write for = \"14 days\""},
        {"not_contacted = true;", 5, "write not_contacted = { for = \"14 days\"; }"},
        {"not_contacted = \"0 days\";", 5, "met by everybody"},
        {"referred = \"yes\";", 5, "true or false"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = rules_with(cases[i].text, "", "after = \"3 days\";");
        assert_fault(fixture, text, cases[i].line, cases[i].want, FALSE);
        g_autofree char *step = g_strdup_printf("after = \"3 days\"; if = { %s };", cases[i].text);
        g_autofree char *in_step = rules_with("customer = true;", "", step);
        assert_fault(fixture, in_step, 8, cases[i].want, FALSE);
    }
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

static void test_days_and_times_of_steps(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *text;
        StepTiming timing;
        int delay_days;
        guint on_days;
        int at_min;
        StepDate date;
        int year, month, day;
        const char *attribute;
        gboolean yearly;
        int before_days;
    } cases[] = {
        {"after = \"3 days\";", STEP_AFTER, 3, 0, -1, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"age = \"9 days\"; at = \"09:00\";", STEP_AGE, 9, 0, 540, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"after = \"3 days\"; at = \"16:29\";", STEP_AFTER, 3, 0, 989, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"on = \"tue\";", STEP_AFTER, 0, DAY_TUE, -1, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"after = \"1 day\"; on = \"Mon-Wed\";", STEP_AFTER, 1, DAY_MON | DAY_TUE | DAY_WED, -1, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"on = [ \"tue\", \"Thursday\" ];", STEP_AFTER, 0, DAY_TUE | DAY_THU, -1, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"on = ( \"mon-tue\", \"fri\" );", STEP_AFTER, 0, DAY_MON | DAY_TUE | DAY_FRI, -1, STEP_DATE_NONE, 0, 0, 0, NULL, FALSE, 0},
        {"on = \"anniversary\"; before = \"7 days\";", STEP_AFTER, 0, 0, -1, STEP_DATE_ANNIVERSARY, 0, 0, 0, NULL, FALSE, 7},
        {"on = \"12-24\";", STEP_AFTER, 0, 0, -1, STEP_DATE_YEARLY, 0, 12, 24, NULL, FALSE, 0},
        {"on = \"02-29\";", STEP_AFTER, 0, 0, -1, STEP_DATE_YEARLY, 0, 2, 29, NULL, FALSE, 0},
        {"on = \"2027-01-15\"; at = \"10:00\";", STEP_AFTER, 0, 0, 600, STEP_DATE_ONCE, 2027, 1, 15, NULL, FALSE, 0},
        {"on = \"2028-02-29\";", STEP_AFTER, 0, 0, -1, STEP_DATE_ONCE, 2028, 2, 29, NULL, FALSE, 0},
        {"age = \"1 day\"; on = \"renewal\"; before = \"30 days\";", STEP_AGE, 1, 0, -1, STEP_DATE_ATTRIBUTE, 0, 0, 0, "renewal", FALSE, 30},
        {"on = \"birthday\"; yearly = true;", STEP_AFTER, 0, 0, -1, STEP_DATE_ATTRIBUTE, 0, 0, 0, "birthday", TRUE, 0},
        {"on = \"Vertragsende\"; yearly = false;", STEP_AFTER, 0, 0, -1, STEP_DATE_ATTRIBUTE, 0, 0, 0, "Vertragsende", FALSE, 0},
        {"on = \"start\";", STEP_AFTER, 0, 0, -1, STEP_DATE_ATTRIBUTE, 0, 0, 0, "start", FALSE, 0}, /* near "sat", and not it */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) config = load_rule(fixture, "customer = true;", "", cases[i].text);
        const Step *step = config->rules[0]->steps[0];
        assert_int_equal(step->timing, cases[i].timing);
        assert_int_equal(step->delay.days, cases[i].delay_days);
        assert_int_equal(step->on_days, cases[i].on_days);
        assert_int_equal(step->at_min, cases[i].at_min);
        assert_int_equal(step->date, cases[i].date);
        assert_int_equal(step->on_year, cases[i].year);
        assert_int_equal(step->on_month, cases[i].month);
        assert_int_equal(step->on_day, cases[i].day);
        assert_int_equal(g_strcmp0(step->on_attribute, cases[i].attribute), 0);
        assert_int_equal(step->yearly, cases[i].yearly);
        assert_int_equal(step->before.days, cases[i].before_days);
    }
}

static void test_a_step_is_a_message_unless_it_says_task_and_is_approved_as_its_rule_is(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *rule, *step;
        StepKind kind;
        gboolean approve, same_thread;
    } cases[] = {
        {"", "on = \"tue\";", STEP_MESSAGE, FALSE, FALSE},
        {"", "on = \"tue\"; kind = \"message\"; same_thread = true;", STEP_MESSAGE, FALSE, TRUE},
        {"", "on = \"tue\"; kind = \"task\"; same_thread = false;", STEP_TASK, FALSE, FALSE},
        {"", "on = \"tue\"; approve = true;", STEP_MESSAGE, TRUE, FALSE},
        {"approve = true;", "on = \"tue\";", STEP_MESSAGE, TRUE, FALSE},
        {"approve = true;", "on = \"tue\"; approve = false; kind = \"task\";", STEP_TASK, FALSE, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) config = load_rule(fixture, "customer = true;", cases[i].rule, cases[i].step);
        const Step *step = config_rule_step(config->rules[0], "one");
        assert_int_equal(step->kind, cases[i].kind);
        assert_int_equal(step->approve, cases[i].approve);
        assert_int_equal(step->same_thread, cases[i].same_thread);
        assert_int_equal(config_rule_step(config->rules[0], "two")->approve, *cases[i].rule != '\0');
    }
}

static void test_faults_of_steps(void **state)
{
    const Fixture *fixture = *state;
    const FaultCase cases[] = {
        {"", 8, "needs either after (since the step before), age (since the anchor) or on (a day)"},
        {"at = \"10:00\";", 8, "needs either after"},
        {"after = \"3 days\"; age = \"3 days\";", 8, "not both"},
        {"after = \"3 days\"; att = \"10:00\";", 8, "did you mean \"at\"?"},
        {"after = \"3 days\"; at = \"10 o'clock\";", 8, "write it as \"10:00\""},
        {"after = \"3 days\"; at = \"24:00\";", 8, "write it as \"10:00\""},
        {"after = \"3 days\"; at = 10;", 8, "text in quotes"},
        {"after = \"3 days\"; at = \"08:59\";", 8, "outside of the window of sending, so step \"one\" would never go; write a time from 09:00 to before 16:30"},
        {"after = \"3 days\"; at = \"16:30\";", 8, "outside of the window of sending"},
        {"on = \"sat\";", 8, "the window of sending has no sat, so step \"one\" would never go; write one of mon, tue, wed, thu, fri"},
        {"on = [ \"fri\", \"sun\" ];", 8, "the window of sending has no sun; write fri alone"},
        {"on = \"tuesdy\";", 8, "names no weekdays"},
        {"on = \"mon-wen\";", 8, "names no weekdays"},
        {"on = [ \"tue\", \"anniversary\" ];", 8, "a list holds weekdays only, and \"anniversary\" is none"},
        {"on = [ ];", 8, "names no day"},
        {"on = 24;", 8, "text in quotes"},
        {"on = \"aniversary\";", 8, "did you mean \"anniversary\"?"},
        {"on = \"02-30\";", 8, "there is no day \"02-30\""},
        {"on = \"13-01\";", 8, "there is no day \"13-01\""},
        {"on = \"00-10\";", 8, "there is no day"},
        {"on = \"12-00\";", 8, "there is no day"},
        {"on = \"2027-02-29\";", 8, "there is no day \"2027-02-29\""},
        {"on = \"1027-02-20\";", 8, "there is no day"},
        {"on = \"24.12.\";", 8, "write month and day as \"12-24\""},
        {"on = \"1/2-3\";", 8, "write month and day as"},
        {"on = \"24 december\";", 8, "is no date"},
        {"on = \"a\\nb\";", 8, "is no name of an attribute"},
        {"after = \"3 days\"; before = \"1 day\";", 8, "before needs a date"},
        {"on = \"tue\"; before = \"1 day\";", 8, "before needs a date"},
        {"on = \"renewal\"; before = \"1 dya\";", 8, "before: "},
        {"on = \"12-24\"; yearly = true;", 8, "yearly needs an attribute"},
        {"after = \"3 days\"; yearly = true;", 8, "yearly needs an attribute"},
        {"on = \"birthday\"; yearly = \"yes\";", 8, "true or false"},
        {"after = \"3 days\"; kind = \"tasks\";", 8, "did you mean \"task\"?"},
        {"after = \"3 days\"; kind = \"task\"; same_thread = true;", 8, "same_thread is for messages"},
        {"after = \"3 days\"; approve = \"yes\";", 8, "true or false"},
        {"after = \"3 days\"; if = true;", 8, "must be a group"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = rules_with("customer = true;", "", cases[i].text);
        assert_fault(fixture, text, cases[i].line, cases[i].want, TRUE);
    }
}

static void test_ages_rise_from_step_to_step(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *up = rules_with("customer = true;", "", "age = \"9 days\"; }, { after = \"1 day\"; template = \"x\"; }, { age = \"10 days\"; template = \"y\";");
    g_autoptr(Config) config = load_good(fixture, up);
    assert_int_equal(config->rules[0]->steps[2]->delay.days, 10);
    g_autofree char *down = rules_with("customer = true;", "", "age = \"9 days\"; },\n { after = \"1 day\"; template = \"x\"; },\n { age = \"1 week\"; template = \"y\";");
    assert_fault(fixture, down, 10, "step \"y\" has an age that is not above that of step \"one\"", TRUE);
    g_autofree char *twice = rules_with("customer = true;", "", "after = \"9 days\"; },\n { after = \"1 day\"; template = \"ONE\";");
    assert_fault(fixture, twice, 9, "stands in two steps", TRUE);
}

/* ---- rules ----------------------------------------------------------------------------------------------------------- */

static void test_keys_of_rules(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(Config) plain = load_rule(fixture, "customer = true;", "", "after = \"3 days\";");
    const Rule *rule = plain->rules[0];
    assert_int_equal(rule->priority, 0);
    assert_int_equal(rule->stop_on, STOP_REPLY | STOP_STAGE_CHANGE | STOP_ALWAYS);
    assert_null(rule->stop_tags[0]);
    assert_false(rule->scope_company || rule->has_window || rule->until_year);
    assert_true(duration_is_zero(&rule->until_age));
    assert_ptr_equal(config_window(plain, rule, plain->accounts[0]), &plain->sending.window);
    g_autoptr(Config) config =
        load_rule(fixture, "customer = true;",
                  "priority = -100; scope = \"company\"; window = { from = \"07:00\"; days = \"sat\"; }; until = \"2027-06-30\";"
                  " stop_on = [ \"auto-reply\", \"meeting\", \"note\", \"tag: won \", \"referral\", \"tag:Lost\" ];",
                  "after = \"3 days\"; at = \"07:00\"; on = \"sat\";");
    rule = config->rules[0];
    assert_int_equal(rule->priority, -100);
    assert_true(rule->scope_company);
    assert_int_equal(rule->stop_on, STOP_AUTO_REPLY | STOP_MEETING | STOP_NOTE | STOP_REFERRAL | STOP_ALWAYS);
    assert_string_equal(rule->stop_tags[0], "won");
    assert_string_equal(rule->stop_tags[1], "Lost");
    assert_null(rule->stop_tags[2]);
    assert_true(rule->has_window);
    assert_int_equal(rule->window.days, DAY_SAT);
    assert_int_equal(rule->window.from_min, 420);
    assert_int_equal(rule->window.to_min, 990); /* as sending's */
    assert_ptr_equal(config_window(config, rule, config->accounts[0]), &rule->window);
    assert_int_equal(rule->until_year * 10000 + rule->until_month * 100 + rule->until_day, 20270630);
    g_autoptr(Config) other = load_rule(fixture, "customer = true;", "until = \"2 years\"; stop_on = \"tag\"; scope = \"contact\";", "after = \"3 days\";");
    assert_int_equal(other->rules[0]->until_age.months, 24);
    assert_int_equal(other->rules[0]->until_year, 0);
    assert_int_equal(other->rules[0]->stop_on, STOP_TAG | STOP_ALWAYS);
    assert_false(other->rules[0]->scope_company);
    g_autoptr(Config) alone = load_rule(fixture, "customer = true;", "stop_on = \"tag:won\";", "after = \"3 days\";");
    assert_int_equal(alone->rules[0]->stop_on, STOP_ALWAYS);
    assert_string_equal(alone->rules[0]->stop_tags[0], "won");
}

static void test_faults_of_rules(void **state)
{
    const Fixture *fixture = *state;
    const FaultCase cases[] = {
        {"priority = 101;", 6, "write a number from -100 to 100"},
        {"priority = -101;", 6, "write a number from -100 to 100"},
        {"priority = \"high\";", 6, "whole number"},
        {"approve = 1;", 6, "true or false"},
        {"scope = \"compny\";", 6, "did you mean \"company\"?"},
        {"window = { form = \"10:00\"; };", 6, "did you mean \"from\"?"},
        {"window = { from = \"17:00\"; };", 6, "must be before"}, /* than sending's `to` */
        {"window = true;", 6, "must be a group"},
        {"until = \"2027-06-31\";", 6, "there is no day \"2027-06-31\""},
        {"until = \"06-30\";", 6, "write \"2027-06-30\""},
        {"until = \"2 yaers\";", 6, "until: "},
        {"until = \"0 days\";", 6, "would end before anything is sent"},
        {"until = true;", 6, "text in quotes"},
        {"until = \"2 days\";", 8, "step \"one\" comes after 10 days, when the rule has ended"},
        {"stop_on = [ \"reply\", \"autoreply\" ];", 6, "did you mean \"auto-reply\"?"},
        {"cooldown = \"6 months\";", 6, "cooldown is for a rule that asks for referrals; write purpose"},
        {"accept = \"auto\";", 6, "write purpose = \"referral\", or leave accept out"},
        {"purpose = \"referral\"; accept = \"yes\";", 6, "accept"},
        {"reward = \"cake\";", 6, "write purpose = \"referral\" or anchor = \"reward\""},
        {"stop_on = \"refferal\";", 6, "did you mean \"referral\"?"},
        {"stop_on = \"click\";", 6, "write one of \"reply\", \"auto-reply\""},
        {"stop_on = [ \"tag:\" ];", 6, "write \"tag:won\""},
        {"stop_on = [ 3 ];", 6, "text in quotes"},
        {"untill = \"2 years\";", 6, "did you mean \"until\"?"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = rules_with("customer = true;", cases[i].text, "after = \"10 days\";");
        assert_fault(fixture, text, cases[i].line, cases[i].want, FALSE);
    }
}

static void test_more_conditions_than_a_database_takes_are_refused(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(GString) many = g_string_new("attributes = {");
    for (int i = 0; i < 201; i++)
        g_string_append_printf(many, " a%d = true;", i);
    g_string_append(many, " };");
    g_autofree char *text = rules_with(many->str, "", "after = \"10 days\";");
    assert_fault(fixture, text, 5, "when has 201 conditions; write at most 200", TRUE);
}

static void test_a_day_behind_the_last_one_is_told(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *late = rules_with("customer = true;", "until = \"2027-06-30\";", "on = \"2027-07-01\";");
    assert_fault(fixture, late, 8, "behind the rule's last one (until = \"2027-06-30\")", TRUE);
    g_autoptr(Config) on_it = load_rule(fixture, "customer = true;", "until = \"2027-06-30\";", "on = \"2027-06-30\";");
    assert_int_equal(on_it->rules[0]->steps[0]->on_month, 6);
    g_autoptr(Config) earlier = load_rule(fixture, "customer = true;", "until = \"2027-06-30\";", "on = \"2027-07-05\"; before = \"1 week\";");
    assert_int_equal(earlier->rules[0]->steps[0]->before.days, 7);
    g_autoptr(Config) in_working_days = load_rule(fixture, "customer = true;", "", "on = \"renewal\"; before = \"3 business days\";");
    assert_int_equal(in_working_days->rules[0]->steps[0]->before.business_days, 3);
    /* a month may have 28 days: not surely too late */
    g_autoptr(Config) month = load_rule(fixture, "customer = true;", "until = \"28 days\";", "after = \"1 month\";");
    assert_int_equal(month->rules[0]->until_age.days, 28);
}

/* Steps are held against the window that counts: the rule's own, else each account's, else sending's. */
static void test_the_window_that_counts(void **state)
{
    const Fixture *fixture = *state;
    const char *anna = "one_way = true; smtp";
    g_autofree char *at = rules_with("customer = true;", "", "on = \"tue\"; at = \"08:00\";");
    assert_fault(fixture, at, 8, "of sending", TRUE);
    g_autofree char *early = with(at, anna, "window = { from = \"07:00\"; }; one_way = true; smtp");
    g_autoptr(Config) config = load_good(fixture, early); /* nobody sends by sending's */
    assert_int_equal(config->accounts[0]->window.from_min, 420);
    assert_int_equal(config->accounts[0]->window.to_min, 990);
    assert_ptr_equal(config_window(config, config->rules[0], config->accounts[0]), &config->accounts[0]->window);
    g_autofree char *two = with(early, "accounts = ( {", "accounts = ( { name = \"bob\"; from = \"b@example.com\"; one_way = true; smtp = { url = \"smtp://h\"; }; "
                                                         "window = { from = \"07:30\"; days = \"wed\"; }; }, {");
    assert_fault(fixture, two, 8, "the window of account \"bob\" has no tue, so step \"one\" would never go", TRUE);
    g_autofree char *either = with(two, "on = \"tue\";", "on = \"tue-wed\";");
    g_autoptr(Config) both = load_good(fixture, either);
    assert_true(both->accounts[0]->has_window);
    g_autofree char *own = with(two, "  steps = (", "  window = { from = \"10:00\"; }; steps = (");
    assert_fault(fixture, own, 8, "outside of the window of rule \"r\"", TRUE);
    g_autofree char *wrong = with(at, "to = \"16:30\"", "to = \"08:30\"");
    assert_fault(fixture, wrong, 2, "\"from\" must be before \"to\"", TRUE); /* and no word about steps, which are right */
}

/* ---- digests --------------------------------------------------------------------------------------------------------- */

static void test_the_digest_covers_every_part(void **state)
{
    const Fixture *fixture = *state;
    const char *rules[] = {"",
                           "priority = 1;",
                           "scope = \"company\";",
                           "approve = true;",
                           "until = \"2027-06-30\";",
                           "until = \"2027-06-29\";",
                           "until = \"2 years\";",
                           "window = { };",
                           "window = { to = \"16:00\"; };",
                           "stop_on = [ \"reply\", \"stage-change\", \"tag\" ];",
                           "stop_on = [ \"reply\", \"stage-change\", \"tag:won\" ];",
                           "stop_on = [ \"reply\", \"stage-change\", \"tag:w\", \"tag:on\" ];",
                           "repeat_every = \"1 year\";"};
    const char *steps[] = {"after = \"4 days\";",
                           "age = \"3 days\";",
                           "after = \"3 days\"; at = \"10:00\";",
                           "after = \"3 days\"; on = \"tue\";",
                           "after = \"3 days\"; on = \"anniversary\";",
                           "after = \"3 days\"; on = \"12-24\";",
                           "after = \"3 days\"; on = \"12-23\";",
                           "after = \"3 days\"; on = \"2027-12-24\";",
                           "after = \"3 days\"; on = \"renewal\";",
                           "after = \"3 days\"; on = \"renewals\";",
                           "after = \"3 days\"; on = \"renewal\"; yearly = true;",
                           "after = \"3 days\"; on = \"renewal\"; before = \"1 day\";",
                           "after = \"3 days\"; kind = \"task\";",
                           "after = \"3 days\"; approve = true;",
                           "after = \"3 days\"; same_thread = true;",
                           "after = \"3 days\"; if = { replied = true; };",
                           "after = \"3 days\"; if = { not_replied = true; };",
                           "after = \"3 days\"; if = { replied = { within = \"1 day\"; }; };",
                           "after = \"3 days\"; if = { not_contacted = \"1 day\"; };",
                           "after = \"3 days\"; if = { referred = true; };",
                           "after = \"3 days\"; if = { tag = \"a\"; };",
                           "after = \"3 days\"; if = { tag = [ \"a\", \"b\" ]; };"};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rules) + G_N_ELEMENTS(steps); i++) {
        gboolean of_rule = i < G_N_ELEMENTS(rules);
        const char *step = of_rule ? "after = \"3 days\";" : steps[i - G_N_ELEMENTS(rules)];
        g_autoptr(Config) config = load_rule(fixture, "customer = true;", of_rule ? rules[i] : "", step);
        g_autoptr(Config) again = load_rule(fixture, "customer = true;", of_rule ? rules[i] : "\n\n", step);
        assert_string_equal(config->rules[0]->digest, again->rules[0]->digest);
        if (!g_hash_table_add(seen, g_strdup(config->rules[0]->digest)))
            fail_msg("%s %s has the digest of another", of_rule ? rules[i] : "", step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_conditions_over_the_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_days_and_times_of_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_is_a_message_unless_it_says_task_and_is_approved_as_its_rule_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ages_rise_from_step_to_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_of_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_conditions_than_a_database_takes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_day_behind_the_last_one_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_window_that_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_digest_covers_every_part, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
