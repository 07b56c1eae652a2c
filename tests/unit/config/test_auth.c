/* Protects `auth` groups: presets by provider, which of account and server counts, users, token names, and every fault's words. */
#include "fixture.h"

#define TOP                                                                                                                 \
    "organisation = { name = \"B\"; postal_address = \"S 1\"; };\n"                                                         \
    "store = { url = \"sqlite:n.db\"; };\n"
#define LOGIN "user = \"u\"; password = \"pw\";"
#define OWN "method = \"oauth2\"; client_id = \"id-1\"; token_url = \"https://login.example.com/token\";"

static Config *load_account(const Fixture *fixture, const char *inside, GPtrArray **ret_faults)
{
    g_autofree char *text =
        g_strconcat(TOP "accounts = ( { name = \"anna\"; from = \"Anna <anna@example.com>\"; ", inside, " } );\n", NULL);
    return load(fixture, text, ret_faults);
}

static void test_a_provider_needs_few_lines(void **state)
{
    g_autoptr(Config) config =
        load_account(*state, "auth = { method = \"oauth2\"; provider = \"microsoft\"; client_id = \"id-1\"; };", NULL);
    assert_non_null(config);
    const Account *anna = config->accounts[0];
    const OAuth *oauth = anna->oauths[0];
    assert_string_equal(anna->smtp.server.host, "smtp.office365.com");
    assert_int_equal(anna->smtp.server.port, 587);
    assert_int_equal(anna->smtp.server.tls, TLS_STARTTLS);
    assert_true(anna->has_imap);
    assert_string_equal(anna->imap.server.url, "imaps://outlook.office365.com:993");
    assert_string_equal(anna->imap.server.user, "anna@example.com");
    assert_string_equal(anna->imap.folders[0], "INBOX");
    assert_ptr_equal(anna->smtp.server.oauth, oauth);
    assert_ptr_equal(anna->imap.server.oauth, oauth);
    assert_null(anna->oauths[1]);
    assert_string_equal(oauth->token_name, "anna");
    assert_string_equal(oauth->user, "anna@example.com");
    assert_string_equal(oauth->device_url, "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode");
    assert_true(g_str_has_suffix(config->tokens_dir, "/n.db.tokens"));
}

static void test_every_provider_is_whole(void **state)
{
    const char *const names[] = {"gmail", "microsoft", "yahoo", "fastmail"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *inside = g_strdup_printf(
            "auth = { method = \"oauth2\"; provider = \"%s\"; client_id = \"id-1\"; user = \"a@b.example\"; };", names[i]);
        g_autoptr(Config) config = load_account(*state, inside, NULL);
        assert_non_null(config);
        const Account *anna = config->accounts[0];
        assert_string_equal(anna->oauths[0]->provider, names[i]);
        assert_true(g_str_has_prefix(anna->oauths[0]->token_url, "https://"));
        assert_true(*anna->oauths[0]->device_url || *anna->oauths[0]->authorize_url);
        assert_true(*anna->smtp.server.host && *anna->imap.server.host && anna->imap.server.port == 993);
        assert_string_equal(anna->smtp.server.user, "a@b.example");
    }
}

static void test_a_key_overrules_the_provider(void **state)
{
    g_autoptr(Config) config = load_account(*state,
                                            "auth = { method = \"oauth2\"; provider = \"gmail\"; client_id = \"id-1\"; "
                                            "scope = \"x\"; client_secret = \"s\"; };\n"
                                            "smtp = { url = \"smtps://relay.example.com\"; user = \"other\"; connections = "
                                            "4; }; imap = { folders = [ \"A\" ]; };",
                                            NULL);
    assert_non_null(config);
    const Account *anna = config->accounts[0];
    assert_string_equal(anna->smtp.server.host, "relay.example.com");
    assert_string_equal(anna->smtp.server.user, "other");
    assert_int_equal(anna->smtp.server.sign_in, SIGN_IN_OAUTH2);
    assert_string_equal(anna->imap.server.host, "imap.gmail.com");
    assert_string_equal(anna->imap.folders[0], "A");
    assert_string_equal(anna->oauths[0]->scope, "x");
    assert_int_equal(anna->oauths[0]->client_secret.kind, SECRET_TEXT);
}

static void test_a_server_has_its_own_way(void **state)
{
    g_autoptr(Config) config =
        load_account(*state,
                     "smtp = { url = \"smtps://s.example\"; user = \"u\"; auth = { " OWN " }; };\n"
                     "imap = { url = \"imaps://s.example\"; " LOGIN " auth = { method = \"cram-md5\"; }; };",
                     NULL);
    assert_non_null(config);
    const Account *anna = config->accounts[0];
    assert_int_equal(anna->smtp.server.sign_in, SIGN_IN_OAUTH2);
    assert_int_equal(anna->imap.server.sign_in, SIGN_IN_CRAM_MD5);
    assert_string_equal(anna->oauths[0]->token_name, "anna.smtp");
    assert_string_equal(anna->oauths[0]->user, "u");
    assert_null(anna->oauths[1]);
}

static void test_a_servers_password_is_stronger(void **state)
{
    g_autoptr(Config) config = load_account(*state,
                                            "auth = { " OWN " }; smtp = { url = \"smtps://s.example\"; };\n"
                                            "imap = { url = \"imaps://s.example\"; " LOGIN " };",
                                            NULL);
    assert_non_null(config);
    assert_int_equal(config->accounts[0]->smtp.server.sign_in, SIGN_IN_OAUTH2);
    assert_int_equal(config->accounts[0]->imap.server.sign_in, SIGN_IN_AUTO);
    assert_null(config->accounts[0]->imap.server.oauth);
}

static void test_faults_say_what_to_write(void **state)
{
#define WAYS " smtp = { url = \"smtps://s.example\"; }; imap = { url = \"imaps://s.example\"; };"
    static const struct {
        const char *inside, *want;
    } cases[] = {
        {"auth = { method = \"oauth\"; };" WAYS, "did you mean \"oauth2\"?"},
        {"auth = { client_id = \"x\"; };" WAYS, "auth.method is missing; write method = \"oauth2\""},
        {"auth = { method = \"oauth2\"; provider = \"gmial\"; client_id = \"x\"; };", "did you mean \"gmail\"?"},
        {"auth = { method = \"oauth2\"; provider = \"gmail\"; };", "auth.client_id is missing; register an application"},
        {"auth = { method = \"oauth2\"; client_id = \"x\"; };" WAYS,
         "write provider = \"gmail\" (microsoft, yahoo, fastmail), or token_url"},
        {"auth = { method = \"oauth2\"; client_id = \"x\"; token_url = \"http://l.example/t\"; };" WAYS,
         "is no https URL; write \"https://"},
        {"auth = { method = \"oauth2\"; client_id = \"x\"; token_url = \"https://u:pw@l.example/t\"; };" WAYS,
         "\"…\" is no https URL"},
        {"auth = { " OWN " client_secret = \"a\"; client_secret_file = \"b\"; };" WAYS, "write only one of client_secret"},
        {"auth = { " OWN " client_secret_file = \"missing\"; };" WAYS, "make it, with the secret on its first line"},
        {"auth = { method = \"plain\"; client_id = \"x\"; }; smtp = { url = \"smtps://s.example\"; " LOGIN
         " }; one_way = true;",
         "auth.client_id belongs to method = \"oauth2\"; leave it out"},
        {"smtp = { url = \"smtps://s.example\"; " LOGIN " auth = { " OWN " }; }; one_way = true;",
         "leave one of the two out"},
        {"auth = { " OWN " }; smtp = { url = \"smtps://s.example\"; " LOGIN " }; one_way = true;",
         "auth is used by no server"},
        {"auth = { method = \"plain\"; }; smtp = { user = \"u\"; password = \"p\"; }; one_way = true;",
         "smtp.url is missing; write url = \"smtps://"},
        {"one_way = true;", "has no smtp; write smtp = {"},
        {"auth = { method = \"auto\"; provider = \"yahoo\"; };", "a mailbox needs a user"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) faults = NULL;
        g_autoptr(Config) config = load_account(*state, cases[i].inside, &faults);
        assert_null(config);
        g_ptr_array_add(faults, NULL);
        g_autofree char *all = g_strjoinv("\n", (char **)faults->pdata);
        if (!strstr(all, cases[i].want))
            fail_msg("case %zu: %s", i, all);
        assert_null(strstr(all, "pw@"));
    }
}

static void test_tokens_are_not_shared(void **state)
{
    const char *text = TOP "accounts = ( { name = \"anna\"; from = \"a@example.com\"; one_way = true; smtp = { url = "
                           "\"smtps://s.example\"; auth = { " OWN " }; }; },\n"
                           "{ name = \"anna.smtp\"; from = \"b@example.com\"; one_way = true; auth = { " OWN
                           " }; smtp = { url = \"smtps://s.example\"; }; } );\n";
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = load(*state, text, &faults);
    assert_null(config);
    assert_non_null(strstr(faults->pdata[0], "would share one token; give one of the accounts another name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_provider_needs_few_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_provider_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_key_overrules_the_provider, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_server_has_its_own_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_servers_password_is_stronger, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_say_what_to_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens_are_not_shared, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
