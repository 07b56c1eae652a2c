/*
 * config/: the sample loads, every fault is told with its line and what to write, and no file whatever makes the reader crash.
 */
#include "fixture.h"

static const char FULL[] =
    "store = { url = \"sqlite:///tmp/nurture-test/n.db\"; };\n"
    "templates = \"templates\";\n"
    "organisation = { name = \"Berg & Sons\"; postal_address = \"Storgata 1\"; domains = [ \"Example.com\" ]; };\n"
    "pipeline = { stages = [ \"research\", \"pitching\", \"follow-up\" ]; customer_stage = \"follow-up\"; };\n"
    "sending = { time_zone = \"Europe/Oslo\"; window = { days = \"mon-fri\"; from = \"09:00\"; to = \"24:00\"; }; min_gap = \"2 days\"; max_late = \"7 days\"; blind_after = \"15 minutes\"; max_per = { week = 2; }; quiet_after_contact = \"5 days\"; max_attachment = \"2500 kB\"; };\n"
    "accounts = ( { name = \"anna\"; from = \"Anna Berg <Anna@Example.com>\"; on_uncertain = \"resend\"; reply_to = \"Sales, Oslo <Sales@Example.com>\"; signature = \"anna\"; dkim_selector = \"mail2026\"; canary = { every = \"12 hours\"; };\n"
    "  smtp = { url = \"smtps://smtp.example.com\"; user = \"anna\"; password = \"p\"; connections = 4; auth = { method = \"auto\"; }; };\n"
    "  imap = { url = \"imap://imap.example.com:1143\"; user = \"anna\"; password_command = \"echo p\"; folders = [ \"INBOX\", \"Svar\" ]; read_back = \"7 days\"; };\n"
    "  limits = { per_hour = 60; per_day = 400; every = \"30 seconds\"; jitter = \"20 seconds\"; ramp = { start = 20; step = 10; max = 400; }; }; window = { from = \"08:00\"; }; } );\n"
    "rules = ( { name = \"after-pitch\"; anchor = \"stage\"; when = { stage = \"Pitching\"; };\n"
    "    steps = ( { after = \"3 days\"; template = \"pitch-1\"; }, { after = \"5 days\"; template = \"pitch-2\"; same_thread = true; variants = ( { template = \"pitch-2\"; weight = 3; }, \"pitch-2b\" ); if = { not_replied = { within = \"9 days\"; }; }; } );\n"
    "    stop_on = [ \"reply\", \"call\" ]; },\n"
    "  { name = \"ask\"; purpose = \"referral\"; anchor = \"customer\"; when = { customer = true; tag = \"happy\"; customer_age = { min = \"30 days\"; }; score = { min = 9; };\n"
    "      attributes = { plan = [ \"gold\", \"silver\" ]; seats = { min = 10; max = 99.5; }; renewal = true; level = 3; }; };\n"
    "    unless = { tag = [ \"vip\" ]; not_contacted = { for = \"14 days\"; }; }; steps = ( { age = \"45 days\"; at = \"10:00\"; on = \"tue\"; template = \"referral\"; },\n"
    "      { on = \"renewal\"; before = \"9 days\"; yearly = true; kind = \"task\"; approve = false; template = \"renewal\"; } ); priority = 5;\n"
    "    approve = true; scope = \"company\"; window = { to = \"15:00\"; }; until = \"3 years\"; repeat_every = \"6 months\"; repeat_max = 3; } );\n";

static void test_everything_is_read(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(Config) config = load(fixture, FULL, NULL);
    assert_non_null(config);
    assert_string_equal(config->store_url, "sqlite:///tmp/nurture-test/n.db");
    assert_true(g_path_is_absolute(config->templates_dir));
    assert_string_equal(config->organisation.domains[0], "example.com");
    assert_int_equal(config->sending.window.days, DAY_MON | DAY_TUE | DAY_WED | DAY_THU | DAY_FRI);
    assert_int_equal(config->sending.window.to_min, 1440);
    const Account *anna = config_account(config, "Anna");
    assert_string_equal(anna->from_name, "Anna Berg");
    assert_string_equal(anna->from_address, "anna@example.com");
    assert_int_equal(anna->smtp.server.port, 465);
    assert_int_equal(anna->smtp.server.tls, TLS_IMPLICIT);
    assert_int_equal(anna->imap.server.port, 1143);
    assert_int_equal(anna->imap.server.tls, TLS_STARTTLS);
    assert_int_equal(g_strv_length(anna->imap.folders), 2);
    assert_int_equal(anna->limits.every_ms, 30000);
    assert_int_equal(anna->on_uncertain, ON_UNCERTAIN_RESEND);
    assert_string_equal(anna->reply_to, "sales@example.com");
    assert_string_equal(anna->reply_to_name, "Sales, Oslo");
    assert_string_equal(anna->signature, "anna");
    assert_string_equal(anna->dkim_selector, "mail2026");
    assert_true(anna->canary.wanted);
    assert_int_equal(anna->canary.every_ms, 12 * 3600 * 1000);
    assert_int_equal(anna->canary.timeout_ms, 30 * 60 * 1000);
    assert_int_equal(config->sending.max_attachment, 2500000);
    const Rule *pitch = config_rule(config, "after-pitch");
    assert_string_equal(pitch->when[0]->any_of[0], "pitching"); /* as the pipeline spells it */
    assert_int_equal(pitch->stop_on, STOP_REPLY | STOP_CALL | STOP_ALWAYS);
    assert_true(config_rule_step(pitch, "pitch-2")->same_thread);
    Variant **variants = config_rule_step(pitch, "pitch-2")->variants;
    assert_string_equal(variants[0]->template_name, "pitch-2");
    assert_int_equal(variants[0]->weight, 3);
    assert_string_equal(variants[1]->template_name, "pitch-2b");
    assert_int_equal(variants[1]->weight, 1);
    assert_null(variants[2]);
    assert_null(config_rule_step(pitch, "pitch-1")->variants[0]);
    const Rule *ask = config_rule(config, "ask");
    assert_int_equal(g_strv_length((char **)ask->when), 8);
    assert_int_equal(ask->repeat_every.months, 6);
    assert_ptr_equal(config_account_for_owner(config, ""), anna);
    assert_null(config_account_for_owner(config, "bob"));
    assert_int_equal(config_stage_index(config, "PITCHING"), 1);
}

/* Left out: the server tells which it is, it is read, and nothing is written into it. */
static void test_the_folder_for_sent_mail(void **state)
{
    g_autofree char *text = with(FULL, "read_back = ", "sent_folder = \"Sendt/Åpne\"; save_sent = true; watch_sent = false; read_back = ");
    g_autofree char *no_name = with(FULL, "read_back = ", "save_sent = true; read_back = ");
    g_autofree char *bad = with(FULL, "read_back = ", "sent_folder = \"Sent\\r\\nA1 LOGOUT\"; read_back = ");
    g_autoptr(Config) plain = load_good(*state, FULL);
    assert_string_equal(plain->accounts[0]->imap.sent_folder, "");
    assert_true(plain->accounts[0]->imap.watch_sent && !plain->accounts[0]->imap.save_sent);
    g_autoptr(Config) given = load_good(*state, text);
    assert_string_equal(given->accounts[0]->imap.sent_folder, "Sendt/Åpne");
    assert_true(!given->accounts[0]->imap.watch_sent && given->accounts[0]->imap.save_sent);
    g_autoptr(Config) found = load_good(*state, no_name);
    assert_true(found->accounts[0]->imap.save_sent);
    assert_fault(*state, bad, 8, "sent_folder must not hold control characters", TRUE);
}

/* Texts and groups; what becomes of strangers is said of some. */
static void test_the_folders(void **state)
{
    static const char *const faults[][2] = {
        {"( )", "imap.folders is empty"},
        {"( \"A\", { name = \"A\"; } )", "stands in folders twice"},
        {"( { unknown = \"prospect\"; } )", "name is missing; write \"INBOX\""},
        {"( { name = \"A\"; unknown = \"prospects\"; } )", "did you mean \"prospect\"?"},
        {"( 7 )", "folders = [ \"INBOX\" ]"},
        {"[ \"A\\r\\n\" ]", "must not hold control characters"},
    };
    g_autofree char *mixed = with(FULL, "[ \"INBOX\", \"Svar\" ];", "( \"INBOX\", { name = \"Leads\"; unknown = \"prospect\"; }, { name = \"X\"; unknown = \"ignore\"; } ); "
                                        "junk_folder = \"Spam\"; watch_junk = false;");
    g_autofree char *one = with(FULL, "[ \"INBOX\", \"Svar\" ];", "\"Svar\";");
    g_autofree char *none = with(FULL, "folders = [ \"INBOX\", \"Svar\" ];", "");
    g_autoptr(Config) config = load_good(*state, mixed);
    const ImapSettings *imap = &config->accounts[0]->imap;
    g_autofree char *names = g_strjoinv(" ", imap->folders), *prospects = g_strjoinv(" ", imap->prospect_folders);
    assert_string_equal(names, "INBOX Leads X");
    assert_string_equal(prospects, "Leads");
    assert_string_equal(imap->junk_folder, "Spam");
    assert_false(imap->watch_junk);
    g_autoptr(Config) single = load_good(*state, one);
    assert_string_equal(single->accounts[0]->imap.folders[0], "Svar");
    g_autoptr(Config) plain = load_good(*state, none);
    assert_string_equal(plain->accounts[0]->imap.folders[0], "INBOX");
    assert_true(plain->accounts[0]->imap.watch_junk);
    assert_string_equal(plain->accounts[0]->imap.junk_folder, "");
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *text = with(FULL, "[ \"INBOX\", \"Svar\" ]", faults[i][0]);
        assert_fault(*state, text, 8, faults[i][1], TRUE);
    }
}

static char *replaced(const char *from, const char *to)
{
    return with(FULL, from, to);
}

static void test_faults_say_where_what_and_what_to_write(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *from, *to;
        guint line;
        const char *want;
    } cases[] = {
        {"templates =", "tempaltes =", 2, "did you mean \"templates\"?"},
        {"sqlite:///tmp", "mysql:///tmp", 1, "write \"sqlite:///"},
        {"postal_address = \"Storgata 1\"; ", "", 3, "postal_address"},
        {"\"research\", \"pitching\"", "\"research\", \"Research\"", 4, "twice"},
        {"customer_stage = \"follow-up\"", "customer_stage = \"folow-up\"", 4, "did you mean \"follow-up\"?"},
        {"Europe/Oslo", "Europe/Olso", 5, "did you mean \"Europe/Oslo\"?"},
        {"Europe/Oslo", "Home/Oslo", 5, "IANA"},
        {"\"mon-fri\"", "\"mon-fry\"", 5, "\"mon-fri\""},
        {"\"09:00\"", "\"9:00\"", 5, "\"09:00\""},
        {"from = \"09:00\"; to = \"24:00\"", "from = \"09:00\"; to = \"08:00\"", 5, "before"},
        {"\"2 days\"", "\"2 dayz\"", 5, "days"},
        {"blind_after = \"15 minutes\"", "blind_after = \"1 month\"", 5, "blind_after"},
        {"blind_after = \"15 minutes\"", "blind_after = \"0 seconds\"", 5, "from \"1 second\" to \"30 days\""},
        {"blind_after = \"15 minutes\"", "blind_after = \"50 days\"", 5, "from \"1 second\" to \"30 days\""},
        {"min_gap = \"2 days\"", "min_gap = 2", 5, "text in quotes"},
        {"Anna@Example.com>", "Anna@>", 6, "address"},
        {"on_uncertain = \"resend\"", "on_uncertain = \"maybe\"", 6, "\"hold\""},
        {"\"2500 kB\"", "\"26 MB\"", 5, "\"25 MB\""},
        {"\"2500 kB\"", "\"0 MB\"", 5, "\"5 MB\""},
        {"\"2500 kB\"", "\"5 megabytes\"", 5, "is no size"},
        {"\"2500 kB\"", "\"99999999999999999999 kB\"", 5, "is not between"},
        {"\"2500 kB\"", "\"-1 MB\"", 5, "is no size"},
        {"\"2500 kB\"", "5000000", 5, "\"5 MB\""},
        {"signature = \"anna\"", "signature = \"_anna.md\"", 6, "\"anna\" for _anna.md"},
        {"signature = \"anna\"", "signature = \"../anna\"", 6, "without folder"},
        {"\"mail2026\"", "\"s._domainkey example\"", 6, "behind s="},
        {"\"mail2026\"", "\"a..b\"", 6, "behind s="},
        {"{ every = \"12 hours\"; }", "\"daily\"", 6, "true or false"},
        {"{ every = \"12 hours\"; }", "{ every = \"1 second\"; }", 6, "1 minute"},
        {"weight = 3", "weight = 0", 11, "1 to 1000"},
        {"{ template = \"pitch-2\"; weight = 3; }, ", "", 11, "two templates at least"},
        {"( { template = \"pitch-2\"; weight = 3; }, \"pitch-2b\" )", "\"pitch-2\"", 11, "two templates at least"},
        {"\"pitch-2b\" )", "\"Pitch-2\" )", 11, "stands twice"},
        {"\"pitch-2b\" )", "\"pitch-1\" )", 11, "sent by step \"pitch-1\" as well"},
        {"\"pitch-2b\" )", "\"../pitch\" )", 11, "letters"},
        {"\"pitch-2b\" )", "7 )", 11, "text in quotes"},
        {"weight = 3", "wieght = 3", 11, "did you mean \"weight\"?"},
        {"smtps://smtp", "https://smtp", 7, "smtps://"},
        {"smtps://smtp.example.com", "smtps://smtp.example.com:99999", 7, "smtps://"},
        {"connections = 4", "connections = 400", 7, "1 to 64"},
        {"connections = 4", "connections = \"4\"", 7, "whole number"},
        {"connections = 4", "connections = 4294967300", 7, "write 4294967300L"}, /* libconfig would read 4 */
        {"connections = 4", "connections = 0x100000004", 7, "too large"},
        {"connections = 4", "ca_file = \"/\"", 7, "is not a file"},
        {"read_back = \"7 days\"", "poll = \"500 seconds 1 week\"", 8, "from \"1 second\" to \"1 day\""},
        {"password = \"p\"; ", "", 7, "password_file"},
        {"password = \"p\"", "password = \"p\"; password_command = \"x\"", 7, "only one of"},
        {"connections = 4", "tls = \"none\"", 7, "contradicts"},
        {"imap://imap.example.com:1143\";", "imap://imap.example.com\"; tls = \"none\";", 8, "allow_plaintext"},
        {"per_hour = 60", "per_hour = 0", 9, "out of range"},
        {"stage = \"Pitching\"", "stage = \"pithcing\"", 10, "did you mean \"pitching\"?"},
        {"anchor = \"stage\"", "anchor = \"stages\"", 10, "did you mean \"stage\"?"},
        {"after = \"3 days\"; template", "template", 11, "either after"},
        {"template = \"pitch-2\"", "template = \"pitch-1\"", 11, "two steps"},
        {"template = \"pitch-2\"", "template = \"../pitch\"", 11, "letters"},
        {"\"call\"", "\"calls\"", 12, "did you mean \"call\"?"},
        {"tag = \"happy\"", "plan = \"gold\"", 13, "attributes = { plan"},
        {"tag = \"happy\"", "tag = []", 13, "names nothing"},
        {"{ min = \"30 days\"; }", "{ min = \"30 days\"; max = \"4 weeks\"; }", 13, "min is not below max"},
        {"min = 9", "min = 1e999", 13, "too large"},
        {"seats = { min = 10;", "seats = { min = 5000000000;", 14, "write 5000000000L"},
        {"name = \"ask\"", "name = \"after-pitch\"", 13, "two rules"},
        {"repeat_every = \"6 months\"; ", "", 13, "repeat_max needs repeat_every"}, /* a rule's own fault stands at the rule */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replaced(cases[i].from, cases[i].to);
        assert_fault(fixture, text, cases[i].line, cases[i].want, FALSE);
    }
}

static void test_all_faults_are_told_at_once(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = load(fixture, "organisation = { nam = \"x\"; };\naccounts = ( { name = \"a\"; } );\nrules = 3;\nbanana = true;\n", &faults);
    assert_null(config);
    assert_true(faults->len >= 7);
}

/* Large numbers are refused where they are numbers, and nowhere else; with an L, and as fractions, they are what they say. */
static void test_large_numbers_are_told_from_what_looks_like_them(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *harmless = replaced("seats = { min = 10; max = 99.5; }",
                                         "# 5000000000\n// 5000000000\n/* 5000000000\n 5000000000 */ x5000000000 = \"5000000000 \\\" 5000000000\";"
                                         " seats = { min = -2147483648; max = 5e9; }; visits = 5000000000L; debt = -0.5");
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = load(fixture, harmless, &faults);
    assert_non_null(config);
    Condition **when = config_rule(config, "ask")->when;
    gboolean found = FALSE;
    for (; *when; when++)
        if (g_strcmp0((*when)->attribute, "visits") == 0)
            found = (*when)->min > 4.9e9 && (*when)->max < 5.1e9;
    assert_true(found);
    /* a comment and a text that span lines do not lead the count of lines astray, and an included file is read as well */
    g_autofree char *other = g_build_filename(fixture->folder, "more.conf", NULL);
    g_file_set_contents(other, "\n/*\n*/ rules = ( { name = \"r\n\"; anchor = \"stage\"; steps = ( );\n when = { score = { min = 3000000000; }; }; } );\n", -1,
                        NULL);
    g_autofree char *head = g_strndup(FULL, (gsize)(strstr(FULL, "rules = (") - FULL));
    g_autofree char *changed = g_strconcat(head, "@include \"more.conf\"\n", NULL);
    g_autoptr(GPtrArray) included = NULL;
    g_autoptr(Config) none = load(fixture, changed, &included);
    assert_null(none);
    assert_non_null(strstr(included->pdata[0], "more.conf:5: the number 3000000000 "));
}

/* Whatever texts of the file a fault shows, it stays on its line: nothing in the file can forge another fault or turn a terminal. */
static void test_a_fault_is_one_line(void **state)
{
    const Fixture *fixture = *state;
    const struct {
        const char *from, *to;
    } cases[] = {{"\"Example.com\"", "\"a@\\n\\x1b[31mx\""}, {"\"pitch-2\"", "\"pitch\\n2\""}, {"\"referral\"; anchor", "\"re\\nferral\"; anchor"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replaced(cases[i].from, cases[i].to);
        g_autoptr(GPtrArray) faults = NULL;
        g_autoptr(Config) config = load(fixture, text, &faults);
        assert_null(config);
        for (guint j = 0; j < faults->len; j++)
            assert_null(strpbrk(faults->pdata[j], "\n\x1b"));
    }
}

static void test_two_accounts_cannot_differ_in_case_alone(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *text = replaced("}; } );\nrules", "}; }, { name = \"ANNA\"; from = \"b@example.com\"; one_way = true; smtp = { url = \"smtp://h\"; }; } );\nrules");
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = load(fixture, text, &faults);
    assert_null(config);
    assert_non_null(strstr(faults->pdata[0], "two accounts"));
}

static void test_a_syntax_error_names_its_line_and_an_include_its_own_file(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) bad = load(fixture, "store = {\n url = \"x\n", &faults);
    assert_null(bad);
    assert_true(g_str_has_prefix(faults->pdata[0], fixture->file));
    g_autofree char *other = g_build_filename(fixture->folder, "rules.conf", NULL);
    g_file_set_contents(other, "\nrules = ( { name = \"r\"; banana = 1; } );\n", -1, NULL);
    g_autofree char *text = g_strndup(FULL, (gsize)(strstr(FULL, "rules = (") - FULL));
    g_autofree char *changed = g_strconcat(text, "@include \"rules.conf\"\n", NULL);
    g_autoptr(GPtrArray) included = NULL;
    g_autoptr(Config) config = load(fixture, changed, &included);
    assert_null(config);
    g_autofree char *place = g_strdup_printf("%s:2: ", other);
    gboolean found = FALSE;
    for (guint i = 0; i < included->len; i++)
        found = found || (g_str_has_prefix(included->pdata[i], place) && strstr(included->pdata[i], "banana"));
    assert_true(found);
}

static void test_a_password_file_that_others_can_read_is_refused(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *secret = g_build_filename(fixture->folder, "anna.secret", NULL);
    g_file_set_contents(secret, "topsecret\nmore\n", -1, NULL);
    g_autofree char *text = replaced("password = \"p\"", "password_file = \"anna.secret\"");
    for (int private = 0; private < 2; private ++) {
        g_chmod(secret, private ? 0600 : 0640);
        g_autoptr(GPtrArray) faults = NULL;
        g_autoptr(Config) config = load(fixture, text, &faults);
        assert_int_equal(config != NULL, private);
        if (!private)
            assert_non_null(strstr(faults->pdata[0], "chmod 600"));
    }
    g_autoptr(GError) error = NULL;
    const SecretSource source = {.kind = SECRET_FILE, .value = secret};
    char *read = secret_read(&source, &error);
    assert_string_equal(read, "topsecret");
    secret_free(read);
    g_chmod(secret, 0644);
    assert_null(secret_read(&source, &error));
    assert_null(strstr(error->message, "topsecret"));
}

static void test_password_commands(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    char *read = secret_read(&(SecretSource){.kind = SECRET_COMMAND, .value = (char *)"printf 'abc\\nrest\\n'"}, &error);
    assert_string_equal(read, "abc");
    secret_free(read);
    assert_null(secret_read(&(SecretSource){.kind = SECRET_COMMAND, .value = (char *)"echo hunter2; exit 3"}, &error));
    assert_null(strstr(error->message, "hunter2"));
    g_clear_error(&error);
    assert_null(secret_read(&(SecretSource){.kind = SECRET_CREDENTIAL, .value = (char *)"anna"}, &error));
}

static void test_a_digest_changes_with_the_rule_and_only_then(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(Config) first = load(fixture, FULL, NULL);
    const struct {
        const char *from, *to;
        gboolean changed;
    } cases[] = {{"store =", "\n\nstore =", FALSE},          {"\"3 days\"", "\"4 days\"", TRUE},   {"same_thread = true", "same_thread = false", TRUE},
                 {"weight = 3", "weight = 2", TRUE},         {"\"pitch-2b\"", "\"pitch-2c\"", TRUE},
                 {"\"reply\", \"call\"", "\"reply\"", TRUE}, {"\"reply\", \"call\"", "\"call\", \"reply\"", FALSE}, {"\"Pitching\"", "\"research\"", TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replaced(cases[i].from, cases[i].to);
        g_autoptr(Config) second = load(fixture, text, NULL);
        assert_int_equal(strcmp(first->rules[0]->digest, second->rules[0]->digest) != 0, cases[i].changed);
        assert_string_equal(first->rules[1]->digest, second->rules[1]->digest);
    }
}

/* Every value of a full file in turn becomes one of every type. */
static void test_a_wrong_type_anywhere_is_a_fault_and_never_a_crash(void **state)
{
    const Fixture *fixture = *state;
    const char *values[] = {"1", "7000000000L", "\"x\"", "\"\"", "true", "{ }", "( )", "[ ]", "1.5", "( 1, \"a\", { b = 1; } )", "{ min = 1; banana = ( ); }"};
    guint places = 0;
    for (const char *equals = strchr(FULL, '='); equals; equals = strchr(equals + 1, '=')) {
        const char *end = equals;
        int depth = 0;
        gboolean quoted = FALSE;
        for (; *end && (quoted || depth > 0 || *end != ';'); end++) {
            quoted = quoted != (*end == '"');
            depth += quoted ? 0 : (strchr("{([", *end) != NULL) - (strchr("})]", *end) != NULL);
        }
        places++;
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
            GString *text = g_string_new_len(FULL, equals + 1 - FULL);
            g_string_append_printf(text, " %s%s", values[i], end);
            g_autoptr(GPtrArray) faults = NULL;
            g_autoptr(Config) config = load(fixture, text->str, &faults);
            assert_true(config != NULL || faults->len > 0);
            for (guint j = 0; faults && j < faults->len; j++)
                assert_null(strstr(faults->pdata[j], "syntax error")); /* the file was made wrong in meaning, not in form */
            g_string_free(text, TRUE);
        }
    }
    assert_int_equal(places, 114);
}

/* ---- the manual ------------------------------------------------------------------------------------------------------ */

/* The words that the manual page sets as keys. */
static GHashTable *keys_of_the_manual(const char *page)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, ".Ic ") && !g_str_has_prefix(*line, ".It Ic "))
            continue;
        g_auto(GStrv) words = g_strsplit_set(*line, " ;,(){}=\"", -1);
        for (char **word = words; *word; word++)
            g_hash_table_add(keys, g_strdup(*word));
    }
    return keys;
}

/* A key that nobody knows, put into each group in turn, makes the reader say which keys it does know there. */
static void test_every_key_stands_in_the_manual(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *page = NULL;
    if (!g_file_get_contents("man/nurtured.conf.5", &page, NULL, NULL)) {
        print_message("man/nurtured.conf.5 is not here: not run from the top of the tree\n");
        skip();
    }
    g_autoptr(GHashTable) manual = keys_of_the_manual(page);
    const char *groups[] = {"",          "store = {",  "organisation = {", "pipeline = {",     "sending = {",  "window = {", "accounts = ( {", "smtp = {",
                            "imap = {",  "limits = {", "rules = ( {",      "when = {",         "unless = {",   "steps = ( {", "customer_age = {", "score = {",
                            "max_per = {", "ramp = {", "variants = ( {", "not_replied = {", "not_contacted = {", "auth = {"};
    guint known = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_autofree char *changed = g_strconcat(groups[i], " qqqqqqqqqqqq = 1; ", NULL);
        g_autofree char *text = *groups[i] ? replaced(groups[i], changed) : g_strconcat(changed, FULL, NULL);
        g_autoptr(GPtrArray) faults = NULL;
        g_autoptr(Config) config = load(fixture, text, &faults);
        assert_null(config);
        const char *list = strstr(faults->pdata[0], "known here: ");
        assert_non_null(list);
        list += strlen("known here: ");
        g_autofree char *all = g_strndup(list, strcspn(list, ";"));
        g_auto(GStrv) names = g_strsplit(all, ", ", -1);
        for (char **name = names; *name; name++, known++)
            if (!g_hash_table_contains(manual, *name))
                fail_msg("nurtured.conf(5) does not tell of the key \"%s\" in \"%s\"", *name, groups[i]);
    }
    assert_true(known > 110);
}

/* Property: whatever stands in the file, the reader gives a Config or faults. */
static void test_no_file_makes_it_crash(void **state)
{
    const Fixture *fixture = *state;
    const char *parts[] = {"1", "\"x\"", "true", "{ }", "( )", "[ ]", "1.5", "( 1, \"a\" )", "{ min = 1; }", "99999999999L", "\"\"", "\"\\x01\""};
    GRand *random = g_rand_new_with_seed(20261124);
    guint length = (guint)strlen(FULL);
    for (guint i = 0; i < 3000; i++) {
        GString *text = g_string_new(FULL);
        for (int edits = g_rand_int_range(random, 1, 4); edits > 0; edits--) {
            char *equals = strchr(text->str + g_rand_int_range(random, 0, (gint32)length / 2), '=');
            char *end = equals ? strpbrk(equals, ";,)") : NULL;
            if (end && g_rand_boolean(random)) {
                gssize at = equals + 1 - text->str;
                g_string_erase(text, at, end - equals - 1);
                g_string_insert(text, at, parts[g_rand_int_range(random, 0, G_N_ELEMENTS(parts))]);
            } else {
                text->str[g_rand_int_range(random, 0, (gint32)text->len)] = (char)g_rand_int_range(random, 1, 256);
            }
        }
        g_autoptr(GPtrArray) faults = NULL;
        g_autoptr(Config) config = load(fixture, text->str, &faults);
        assert_true(config != NULL || faults->len > 0);
        g_string_free(text, TRUE);
    }
    g_rand_free(random);
}

/* The sample as installed, and with its examples put into force. */
static Config *load_sample(const Fixture *fixture, gboolean with_examples)
{
    g_autofree char *sample = NULL;
    g_autofree char *rules = NULL;
    if (!g_file_get_contents("conf/nurtured.conf", &sample, NULL, NULL) || !g_file_get_contents("conf/rules.conf", &rules, NULL, NULL))
        return NULL; /* not run from the top of the tree */
    g_autoptr(GRegex) example = g_regex_new("^( *)# (?=[a-z_]+ += | +[{a-z,])", G_REGEX_MULTILINE, 0, NULL);
    const char *mark = with_examples ? "\\1" : "\\0";
    g_autofree char *rules_text = g_regex_replace(example, rules, -1, 0, mark, 0, NULL);
    g_autofree char *sample_text = g_regex_replace(example, sample, -1, 0, mark, 0, NULL);
    g_autofree char *other = g_build_filename(fixture->folder, "rules.conf", NULL);
    g_autofree char *holidays = g_build_filename(fixture->folder, "holidays-no.ics", NULL);
    g_file_set_contents(other, rules_text, -1, NULL);
    g_file_set_contents(holidays, "x", -1, NULL);
    GString *text = g_string_new(sample_text);
    g_string_replace(text, "password_file = \"/etc/nurtured/anna.secret\"", "password = \"x\"", 0);
    Config *config = load_good(fixture, text->str);
    g_string_free(text, TRUE);
    return config;
}

static void test_the_sample_loads(void **state)
{
    g_autoptr(Config) config = load_sample(*state, FALSE);
    if (!config)
        skip();
    assert_int_equal(g_strv_length((char **)config->rules), 5);
    assert_int_equal(config->accounts[0]->limits.ramp_start, 0);
}

static void test_the_examples_of_the_sample_are_right(void **state)
{
    g_autoptr(Config) config = load_sample(*state, TRUE);
    if (!config)
        skip();
    assert_int_equal(g_strv_length((char **)config->rules), 15);
    assert_int_equal(g_strv_length(config->sending.holiday_files), 1);
    assert_int_equal(config->sending.max_per.week, 2);
    assert_int_equal(config->sending.quiet_after_contact.days, 5);
    assert_int_equal(config->accounts[0]->limits.ramp_start, 20);
    assert_string_equal(config->accounts[1]->imap.server.host, "outlook.office365.com");
    assert_true(config->accounts[0]->has_window);
    const Rule *stalled = config_rule(config, "stalled-negotiation");
    assert_true(stalled->has_window && stalled->priority == 10 && stalled->scope_company && stalled->steps[0]->approve);
    assert_int_equal(config_rule_step(config_rule(config, "renewal"), "renewal-task")->kind, STEP_TASK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_folder_for_sent_mail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_say_where_what_and_what_to_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_faults_are_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_numbers_are_told_from_what_looks_like_them, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_fault_is_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_accounts_cannot_differ_in_case_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_syntax_error_names_its_line_and_an_include_its_own_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_password_file_that_others_can_read_is_refused, setup, teardown),
        cmocka_unit_test(test_password_commands),
        cmocka_unit_test_setup_teardown(test_a_digest_changes_with_the_rule_and_only_then, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_type_anywhere_is_a_fault_and_never_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_key_stands_in_the_manual, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_file_makes_it_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_sample_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_examples_of_the_sample_are_right, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
