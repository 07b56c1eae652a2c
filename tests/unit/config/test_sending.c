/*
 * config/: the keys of sending and of an account's limits, their faults, and the digest over what moves due times.
 */
#include "fixture.h"

/* Keys of sending stand in line 2, of the account in line 3. */
static char *sending_with(const char *sending, const char *account)
{
    return g_strdup_printf("organisation = { name = \"Berg\"; postal_address = \"Storgata 1\"; };\n"
                           "sending = { %s };\n"
                           "accounts = ( { name = \"anna\"; from = \"a@example.com\"; one_way = true; smtp = { url = \"smtp://h\"; }; %s } );\n",
                           sending, account);
}

static Config *load_sending(const Fixture *fixture, const char *sending, const char *account)
{
    g_autofree char *text = sending_with(sending, account);
    return load_good(fixture, text);
}

static void write_holidays(const Fixture *fixture, const char *name, const char *content)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    assert_true(g_file_set_contents(path, content, -1, NULL));
}

static void test_what_spares_the_contacts(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(Config) plain = load_sending(fixture, "", "");
    assert_true(duration_is_zero(&plain->sending.quiet_after_contact));
    assert_int_equal(plain->sending.max_per.day + plain->sending.max_per.week + plain->sending.max_per.month, 0);
    assert_string_equal(plain->sending.holidays_by, "country");
    assert_null(plain->sending.holidays_of[0]);
    g_autoptr(Config) config = load_sending(fixture, "quiet_after_contact = \"5 days\"; max_per = { week = 2; month = 5; };", "");
    assert_int_equal(config->sending.quiet_after_contact.days, 5);
    assert_int_equal(config->sending.max_per.day, 0);
    assert_int_equal(config->sending.max_per.week, 2);
    assert_int_equal(config->sending.max_per.month, 5);
    g_autoptr(Config) day = load_sending(fixture, "max_per = { day = 1; };", "");
    assert_int_equal(day->sending.max_per.day, 1);
}

static void test_holidays_for_all_and_by_country(void **state)
{
    const Fixture *fixture = *state;
    write_holidays(fixture, "no.ics", "x");
    write_holidays(fixture, "se.ics", "y");
    g_autofree char *no = g_build_filename(fixture->folder, "no.ics", NULL);
    g_autofree char *se = g_build_filename(fixture->folder, "se.ics", NULL);
    g_autoptr(Config) all = load_sending(fixture, "holidays = [ \"no.ics\", \"se.ics\" ];", "");
    assert_string_equal(all->sending.holiday_files[0], no);
    assert_string_equal(all->sending.holiday_files[1], se);
    assert_null(all->sending.holidays_of[0]);
    g_autoptr(Config) by =
        load_sending(fixture, "holidays_by = \"region\"; holidays = { default = [ \"no.ics\" ]; SE = [ \"se.ics\", \"no.ics\" ]; none = [ ]; };", "");
    assert_string_equal(by->sending.holidays_by, "region");
    assert_int_equal(g_strv_length(by->sending.holiday_files), 1);
    assert_string_equal(by->sending.holidays_of[0]->value, "SE");
    assert_string_equal(by->sending.holidays_of[0]->files[0], se);
    assert_string_equal(by->sending.holidays_of[0]->files[1], no);
    assert_string_equal(by->sending.holidays_of[1]->value, "none");
    assert_null(by->sending.holidays_of[1]->files[0]); /* people there have none, whatever the default */
    assert_null(by->sending.holidays_of[2]);
    g_autoptr(Config) without = load_sending(fixture, "holidays = { SE = \"se.ics\"; };", "");
    assert_null(without->sending.holiday_files[0]);
    assert_string_equal(without->sending.holidays_of[0]->files[0], se);
}

static void test_window_and_ramp_of_an_account(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(Config) plain = load_sending(fixture, "", "limits = { per_day = 9; };");
    assert_false(plain->accounts[0]->has_window);
    assert_int_equal(plain->accounts[0]->limits.ramp_start + plain->accounts[0]->limits.ramp_max, 0);
    g_autoptr(Config) config = load_sending(fixture, "window = { days = \"mon-thu\"; to = \"18:00\"; };",
                                            "window = { from = \"10:00\"; }; limits = { per_day = 9; ramp = { start = 20; step = 10; max = 400; }; };");
    const Account *account = config->accounts[0];
    assert_true(account->has_window);
    assert_int_equal(account->window.days, DAY_MON | DAY_TUE | DAY_WED | DAY_THU);
    assert_int_equal(account->window.from_min, 600);
    assert_int_equal(account->window.to_min, 1080);
    assert_int_equal(account->limits.per_day, 9);
    assert_int_equal(account->limits.ramp_start, 20);
    assert_int_equal(account->limits.ramp_step, 10);
    assert_int_equal(account->limits.ramp_max, 400);
    g_autoptr(Config) flat = load_sending(fixture, "", "limits = { ramp = { start = 20; max = 20; }; };");
    assert_int_equal(flat->accounts[0]->limits.ramp_step, 0);
}

static void test_faults_of_sending(void **state)
{
    const Fixture *fixture = *state;
    write_holidays(fixture, "no.ics", "x");
    const struct {
        const char *text, *want;
    } cases[] = {
        {"quiet_after_contact = 5;", "text in quotes"},
        {"quiet_after_contacts = \"5 days\";", "did you mean \"quiet_after_contact\"?"},
        {"max_per = { };", "max_per is empty; write max_per = { week = 2; month = 5; }"},
        {"max_per = 3;", "must be a group"},
        {"max_per = { wek = 2; };", "did you mean \"week\"?"},
        {"max_per = { day = 0; };", "from 1 to 1000"},
        {"holidays = [ \"gone.ics\" ];", "gone.ics: No such file or directory; name an iCalendar file"},
        {"holidays = [ \".\" ];", "is not a file"},
        {"holidays = { default = [ \"gone.ics\" ]; };", "gone.ics: No such file"},
        {"holidays = { NO = [ \"gone.ics\" ]; };", "gone.ics: No such file"},
        {"holidays = { NO = { SE = [ ]; }; };", "a text or a list of texts"},
        {"holidays = { default = { SE = [ ]; }; };", "a text or a list of texts"},
        {"holidays = { NO = \"no.ics\"; no = \"no.ics\"; };", "\"no\" stands twice"},
        {"holidays = 3;", "a text or a list of texts"},
        {"holidays_by = \"country\";", "write holidays = { NO = [ \"holidays-no.ics\" ]; }"},
        {"holidays_by = \"region\"; holidays = { default = \"no.ics\"; };", "but all have the same"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = sending_with(cases[i].text, "");
        assert_fault(fixture, text, 2, cases[i].want, TRUE);
    }
}

static void test_faults_of_accounts(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *text, *want;
    } cases[] = {
        {"window = { to = \"08:00\"; };", "must be before"},
        {"window = { til = \"08:00\"; };", "unknown key \"til\""},
        {"limits = { ramp = { step = 10; max = 400; }; };", "start is missing; write start = 20"},
        {"limits = { ramp = { start = 20; step = 10; }; };", "max is missing; write max = 400"},
        {"limits = { ramp = { start = 20; step = 10; max = 19; }; };", "max is below start"},
        {"limits = { ramp = { start = 20; max = 400; }; };", "without step it would never rise"},
        {"limits = { ramp = { start = 0; step = 1; max = 400; }; };", "out of range"},
        {"limits = { ramp = { start = 20; step = -1; max = 400; }; };", "out of range"},
        {"limits = { ramp = { start = 20; setp = 1; max = 20; }; };", "did you mean \"step\"?"},
        {"limits = { ramp = 20; };", "must be a group"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = sending_with("", cases[i].text);
        assert_fault(fixture, text, 3, cases[i].want, FALSE);
    }
}

/* What moves due times changes the digest; what does not, leaves it. */
static void test_the_digest_of_sending(void **state)
{
    const Fixture *fixture = *state;
    write_holidays(fixture, "no.ics", "x");
    write_holidays(fixture, "se.ics", "y");
    const struct {
        const char *sending, *account;
    } others[] = {
        {"time_zone = \"Europe/Oslo\";", ""},
        {"window = { to = \"16:00\"; };", ""},
        {"max_late = \"8 days\";", ""},
        {"", "window = { };"},
        {"", "window = { to = \"16:00\"; };"},
        {"holidays = \"no.ics\";", ""},
        {"holidays = \"se.ics\";", ""},
        {"holidays = [ \"no.ics\", \"se.ics\" ];", ""},
        {"holidays = { NO = \"no.ics\"; };", ""},
        {"holidays = { SE = \"no.ics\"; };", ""},
        {"holidays = { NO = \"no.ics\"; }; holidays_by = \"region\";", ""},
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Config) first = load_sending(fixture, "", "");
    assert_int_equal(strlen(first->sending.digest), 64);
    g_hash_table_add(seen, g_strdup(first->sending.digest));
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(Config) config = load_sending(fixture, others[i].sending, others[i].account);
        if (!g_hash_table_add(seen, g_strdup(config->sending.digest)))
            fail_msg("%s %s has the digest of another", others[i].sending, others[i].account);
    }
    g_autoptr(Config) same = load_sending(fixture, "\nretry_for = \"4 days\"; min_gap = \"1 day\"; max_per = { week = 1; };", "limits = { per_day = 3; };");
    assert_string_equal(same->sending.digest, first->sending.digest);
    for (int of_country = 0; of_country < 2; of_country++) {
        const char *holidays = of_country ? "holidays = { NO = \"no.ics\"; };" : "holidays = \"no.ics\";";
        write_holidays(fixture, "no.ics", "x");
        g_autoptr(Config) before = load_sending(fixture, holidays, "");
        write_holidays(fixture, "no.ics", "x2");
        g_autoptr(Config) after = load_sending(fixture, holidays, "");
        assert_string_not_equal(before->sending.digest, after->sending.digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_spares_the_contacts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holidays_for_all_and_by_country, setup, teardown),
        cmocka_unit_test_setup_teardown(test_window_and_ramp_of_an_account, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_sending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_digest_of_sending, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
