/* Protects whose token is given: where a reload has put somebody else behind an account's name, who was there before gets none of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/secret.h"
#include "engine/token_file.h"
#include "engine/tokens.h"

/* The one account is anna's, of that client. */
static Config *config_in(const char *folder, const char *client)
{
    g_autoptr(GPtrArray) faults = NULL;
    g_autofree char *file = g_build_filename(folder, "n.conf", NULL);
    g_autofree char *text = g_strdup_printf(
        "store = { url = \"sqlite://%s/n.db\"; }; templates = \"templates\";\n"
        "organisation = { name = \"Berg\"; postal_address = \"Storgata 1\"; domains = [ \"example.com\" ]; };\n"
        "sending = { time_zone = \"Europe/Oslo\"; window = { days = \"mon-fri\"; from = \"09:00\"; to = \"16:30\"; }; };\n"
        "accounts = ( { name = \"anna\"; from = \"Anna <anna@example.com>\"; one_way = true;\n"
        "    smtp = { url = \"smtp://127.0.0.1:9\"; tls = \"none\"; user = \"anna\";\n"
        "        auth = { method = \"oauth2\"; token_url = \"https://127.0.0.1:9/token\"; device_url = \"https://127.0.0.1:9/device\";\n"
        "                 scope = \"mail\"; client_id = \"%s\"; }; }; } );\n"
        "rules = ();\n",
        folder, client);
    assert_true(g_file_set_contents(file, text, -1, NULL));
    assert_int_equal(g_chmod(file, 0600), 0);
    Config *config = config_load(file, &faults, NULL);
    if (!config)
        fail_msg("%s", (char *)faults->pdata[0]);
    g_remove(file);
    return config;
}

static void keep_token(const Config *config, const OAuth *oauth)
{
    const gint64 now_ms = clock_system_now_ms();
    const StoredToken token = {.client_id = oauth->client_id, .user = oauth->user, .refresh_token = (char *)"refresh",
                               .access_token = (char *)"access", .obtained_ms = now_ms, .expires_ms = now_ms + 3600 * 1000,
                               .withdrawn = (char *)""};
    assert_true(token_file_write(config->tokens_dir, oauth->token_name, &token, NULL, NULL, NULL));
}

static void on_change(const char *name, gpointer unused)
{
    (void)name, (void)unused;
}

static void test_a_name_that_is_another_client_s_gives_no_token_to_the_one_before(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("nurture-tokens-XXXXXX", NULL);
    g_autoptr(Config) before = config_in(folder, "one");
    g_autoptr(Config) now = config_in(folder, "two");
    const OAuth *old = before->accounts[0]->smtp.server.oauth, *new = now->accounts[0]->smtp.server.oauth;
    g_autofree char *reason = NULL;
    gint64 retry_in_ms = 0;
    Tokens *tokens = tokens_new(NULL, on_change, NULL);
    keep_token(before, old);
    tokens_configure(tokens, before);
    char *secret = tokens_get(tokens, old, NULL, NULL);
    assert_string_equal(secret, "access");
    secret_free(secret);
    keep_token(now, new);
    tokens_configure(tokens, now);
    g_autoptr(GError) error = NULL;
    assert_null(tokens_get(tokens, old, NULL, &error));
    assert_non_null(strstr(error->message, "the configuration has changed"));
    assert_false(tokens_refused(tokens, old)); /* which would have the new one thrown away */
    assert_int_equal(tokens_state(tokens, new, &reason, &retry_in_ms), TOKEN_READY);
    secret = tokens_get(tokens, new, NULL, NULL);
    assert_string_equal(secret, "access");
    secret_free(secret);
    tokens_free(tokens);
    g_autofree char *path = token_file_path(now->tokens_dir, "anna");
    g_remove(path);
    g_rmdir(now->tokens_dir);
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_name_that_is_another_client_s_gives_no_token_to_the_one_before)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
