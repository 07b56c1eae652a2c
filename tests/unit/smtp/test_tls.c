/*
 * Whom we trust with mail and password: certificates by authority, name and date; STARTTLS that cannot be stripped;
 * sign-in by PLAIN and LOGIN only, and never without TLS where TLS was asked for.
 */
#include "peer.h"

/* An authority, and server certificates of each kind, made anew for each run. */
static char *pki_dir;

static void run_openssl(const char *arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *command = g_strdup_printf("openssl %s", arguments);
    g_auto(GStrv) argv = NULL;
    int status = 0;
    assert_true(g_shell_parse_argv(command, NULL, &argv, NULL));
    assert_true(g_spawn_sync(pki_dir, argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                             NULL, &status, &error));
    if (!g_spawn_check_wait_status(status, NULL))
        fail_msg("openssl %s", arguments);
}

static void make_certificate(const char *name, const char *alternative, const char *authority, int days)
{
    g_autofree char *ext = g_strdup_printf("%s/%s.ext", pki_dir, name);
    g_autofree char *lines = g_strdup_printf("subjectAltName=%s\nbasicConstraints=CA:FALSE\n", alternative);
    assert_true(g_file_set_contents(ext, lines, -1, NULL));
    g_autofree char *request = g_strdup_printf(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -keyout %s.key -out %s.csr", name, name,
        name);
    run_openssl(request);
    g_autofree char *sign =
        authority ? g_strdup_printf(
                        "x509 -req -in %s.csr -CA %s.crt -CAkey %s.key -CAcreateserial -days %d -extfile %s.ext -out %s.crt",
                        name, authority, authority, days, name, name)
                  : g_strdup_printf("x509 -req -in %s.csr -signkey %s.key -days %d -extfile %s.ext -out %s.crt", name, name,
                                    days, name, name);
    run_openssl(sign);
}

static int make_pki(void **state)
{
    (void)state;
    pki_dir = g_dir_make_tmp("smtp-pki-XXXXXX", NULL);
    run_openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Authority -keyout ca.key "
                "-out ca.crt");
    run_openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Other -keyout other.key "
                "-out other.crt");
    make_certificate("good", "DNS:localhost,IP:127.0.0.1", "ca", 30);
    make_certificate("wrong-name", "DNS:mail.example.net,IP:127.0.0.9", "ca", 30);
    make_certificate("expired", "DNS:localhost,IP:127.0.0.1", "ca", -1);
    make_certificate("self-signed", "DNS:localhost,IP:127.0.0.1", NULL, 30);
    make_certificate("untrusted", "DNS:localhost,IP:127.0.0.1", "other", 30);
    return 0;
}

static int remove_pki(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(pki_dir, 0, NULL);
    const char *name;
    (void)state;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(pki_dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(pki_dir);
    g_clear_pointer(&pki_dir, g_free);
    return 0;
}

typedef struct {
    const char *certificate, *host, *auth;
    TlsMode tls;
    const char *option, *value; /* one more for the peer */
    const char *user, *ca_file; /* ca_file NULL: the authority's */
    SecretSource password;
} Setup;

/* One message by this setup; the log of the peer comes back. */
static char *send_by(const Setup *setup, Mail *mail)
{
    Peer peer;
    const char *senders[] = {"ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    g_autofree char *cert = g_strdup_printf("--cert=%s/%s.crt", pki_dir, setup->certificate);
    g_autofree char *key = g_strdup_printf("--key=%s/%s.key", pki_dir, setup->certificate);
    g_autofree char *ca = g_strdup_printf("%s/%s", pki_dir, "ca.crt");
    g_autofree char *auth = g_strdup_printf("--auth=%s", setup->auth ? setup->auth : "");
    g_autofree char *more =
        g_strdup_printf("%s=%s", setup->option ? setup->option : "--quit", setup->option ? setup->value : "");
    const char *options[] = {
        more, auth, setup->certificate ? cert : NULL, key, setup->tls == TLS_IMPLICIT ? "--implicit" : NULL, NULL};
    peer_start(&peer, options);
    Account account = peer_account(peer.port);
    Endpoint *server = &account.smtp.server;
    server->host = (char *)setup->host;
    server->tls = setup->tls;
    server->ca_file = setup->ca_file ? (char *)setup->ca_file : ca;
    server->user = (char *)(setup->user ? setup->user : "");
    server->password = setup->password;
    send_each(&account, &limits, senders, mail);
    char *log = peer_read(&peer, "log", NULL);
    peer_stop(&peer);
    return log ? log : g_strdup("");
}

static void test_good_certificates(void **state)
{
    static const Setup setups[] = {
        {.certificate = "good", .host = "localhost", .tls = TLS_IMPLICIT},
        {.certificate = "good", .host = "127.0.0.1", .tls = TLS_IMPLICIT},
        {.certificate = "good", .host = "localhost", .tls = TLS_STARTTLS},
        {.certificate = "good", .host = "127.0.0.1", .tls = TLS_STARTTLS},
        {.certificate = "good", .host = "localhost", .tls = TLS_IMPLICIT, .option = "--tls-max", .value = "TLSv1_2"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(setups); i++) {
        Mail mail = {0};
        g_autofree char *log = send_by(&setups[i], &mail);
        if (mail.result.class != DELIVERY_SENT)
            fail_msg("case %zu: %s", i, mail.result.text);
        assert_int_equal(setups[i].tls == TLS_STARTTLS, strstr(log, "STARTTLS") != NULL);
        mail_clear(&mail);
    }
}

/* Neither mail nor password goes to whom we do not trust, at the start or after STARTTLS. */
static void test_bad_certificates(void **state)
{
    static const char *const certificates[] = {"wrong-name", "expired", "self-signed", "untrusted"};
    static const TlsMode modes[] = {TLS_IMPLICIT, TLS_STARTTLS};
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(certificates) * 4; i++) {
        const Setup setup = {.certificate = certificates[i / 4],
                             .host = hosts[i % 2],
                             .tls = modes[i / 2 % 2],
                             .auth = "PLAIN LOGIN",
                             .user = "anna",
                             .password = {.kind = SECRET_TEXT, .value = (char *)"open-sesame"}};
        Mail mail = {0};
        g_autofree char *log = send_by(&setup, &mail);
        if (mail.result.class != DELIVERY_UNREACHABLE || !mail.result.permanent || !strstr(mail.result.text, "certificate"))
            fail_msg("%s %s: %s \"%s\"", setup.certificate, setup.host, delivery_class_name(mail.result.class),
                     mail.result.text);
        assert_null(strstr(log, "AUTH-"));
        assert_null(strstr(log, "MAIL FROM"));
        mail_clear(&mail);
    }
}

/* The system's authorities alone do not know ours; a file that is none is said to be. */
static void test_authorities(void **state)
{
    static const char *const files[] = {"", "/nonexistent/ca.crt"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        const Setup setup = {.certificate = "good", .host = "localhost", .tls = TLS_IMPLICIT, .ca_file = files[i]};
        Mail mail = {0};
        g_autofree char *log = send_by(&setup, &mail);
        assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
        assert_true(mail.result.permanent);
        mail_clear(&mail);
    }
}

/* A server that takes the connection and then keeps silent about TLS: as one that cannot be reached, and as soon. */
static void test_silence_instead_of_tls(void **state)
{
    Peer peer;
    const char *options[] = {"--greeting", "hang", NULL}, *senders[] = {"ok@x.example", NULL};
    SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {0};
    gint64 start_ms = clock_monotonic_ms();
    (void)state;
    limits.connect_ms = 500;
    peer_start(&peer, options);
    Account account = peer_account(peer.port);
    account.smtp.server.tls = TLS_IMPLICIT;
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_false(mail.result.permanent);
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    mail_clear(&mail);
    peer_stop(&peer);
}

static void test_old_tls_is_refused(void **state)
{
    const Setup setup = {
        .certificate = "good", .host = "localhost", .tls = TLS_IMPLICIT, .option = "--tls-max", .value = "TLSv1_1"};
    Mail mail = {0};
    (void)state;
    g_autofree char *log = send_by(&setup, &mail);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_null(strstr(log, "MAIL FROM"));
    mail_clear(&mail);
}

/* Somebody between us and the server takes STARTTLS out, refuses it, or adds answers to come after it. */
static void test_starttls_is_not_optional(void **state)
{
    static const struct {
        const char *how;
        gboolean permanent;
    } cases[] = {{"none", TRUE}, {"454", FALSE}, {"502", TRUE}, {"drop", FALSE}, {"inject", FALSE}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Setup setup = {.certificate = "good",
                             .host = "localhost",
                             .tls = TLS_STARTTLS,
                             .option = "--starttls",
                             .value = cases[i].how,
                             .auth = "PLAIN",
                             .user = "anna",
                             .password = {.kind = SECRET_TEXT, .value = (char *)"open-sesame"}};
        Mail mail = {0};
        g_autofree char *log = send_by(&setup, &mail);
        if (mail.result.class != DELIVERY_UNREACHABLE || mail.result.permanent != cases[i].permanent)
            fail_msg("%s: %s \"%s\"", cases[i].how, delivery_class_name(mail.result.class), mail.result.text);
        assert_null(strstr(log, "AUTH-"));
        assert_null(strstr(log, "MAIL FROM"));
        mail_clear(&mail);
    }
}

static void test_sign_in(void **state)
{
    static const struct {
        const char *offered, *want; /* want NULL: not signed in */
    } cases[] = {
        {"PLAIN", "AUTH-PLAIN AGFubmEAb3Blbi1zZXNhbWU="},
        {"LOGIN", "AUTH-LOGIN YW5uYQ== b3Blbi1zZXNhbWU="},
        {"CRAM-MD5 DIGEST-MD5 NTLM XOAUTH2 PLAIN LOGIN", "AUTH-PLAIN AGFubmEAb3Blbi1zZXNhbWU="},
        {"SCRAM-SHA-256 LOGIN", "AUTH-LOGIN YW5uYQ== b3Blbi1zZXNhbWU="},
        {"CRAM-MD5", NULL},
        {"", NULL},
    };
    static const TlsMode modes[] = {TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(modes); i++) {
        const char *offered = cases[i / 3].offered, *want = cases[i / 3].want;
        const Setup setup = {.certificate = modes[i % 3] == TLS_NONE ? NULL : "good",
                             .host = "127.0.0.1",
                             .tls = modes[i % 3],
                             .auth = offered,
                             .user = "anna",
                             .password = {.kind = SECRET_TEXT, .value = (char *)"open-sesame"}};
        Mail mail = {0};
        g_autofree char *log = send_by(&setup, &mail);
        gboolean right =
            want ? mail.result.class == DELIVERY_SENT && strstr(log, want)
                 : mail.result.class == DELIVERY_UNREACHABLE && mail.result.permanent && !strstr(log, "MAIL FROM");
        if (!right)
            fail_msg("\"%s\": %s \"%s\"", offered, delivery_class_name(mail.result.class), mail.result.text);
        mail_clear(&mail);
    }
}

static void test_sign_in_refused(void **state)
{
    static const struct {
        const char *reply;
        int code;
        gboolean permanent;
    } cases[] = {{"535", 535, TRUE}, {"534", 534, TRUE}, {"454", 454, FALSE}, {"421", 421, FALSE}, {"drop", 0, FALSE}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Setup setup = {.certificate = "good",
                             .host = "127.0.0.1",
                             .tls = TLS_IMPLICIT,
                             .option = "--auth-reply",
                             .value = cases[i].reply,
                             .auth = "PLAIN",
                             .user = "anna",
                             .password = {.kind = SECRET_TEXT, .value = (char *)"open-sesame"}};
        Mail mail = {0};
        g_autofree char *log = send_by(&setup, &mail);
        if (mail.result.class != DELIVERY_UNREACHABLE || mail.result.code != cases[i].code ||
            mail.result.permanent != cases[i].permanent)
            fail_msg("%s: %s %d \"%s\"", cases[i].reply, delivery_class_name(mail.result.class), mail.result.code,
                     mail.result.text);
        assert_null(strstr(mail.result.text, "sesame"));
        assert_null(strstr(log, "MAIL FROM"));
        mail_clear(&mail);
    }
}

typedef struct {
    gint64 lifetime_ms; /* 0: there is none */
    guint given;
} TokenSource;

static char *give_token(gint64 *ret_until_ms, gpointer data, GError **error)
{
    TokenSource *source = data;
    if (!source->lifetime_ms) {
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "there is no token");
        return NULL;
    }
    *ret_until_ms = clock_monotonic_ms() + source->lifetime_ms;
    return g_strdup_printf("token-%u", source->given++);
}

static void token_done(gpointer job, const DeliveryResult *result, const ComposedMessage *composed, gpointer unused)
{
    (void)unused;
    mail_done(job, result, composed, NULL);
}

static Account token_account(guint16 port)
{
    static const OAuth oauth = {.token_name = (char *)"anna"};
    Account account = peer_account(port);
    account.smtp.server.user = (char *)"anna";
    account.smtp.server.sign_in = SIGN_IN_OAUTH2;
    account.smtp.server.oauth = &oauth;
    return account;
}

static SmtpPool *token_pool(const Account *account, const SmtpLimits *limits, TokenSource *source)
{
    const SmtpCallbacks callbacks = {.compose = mail_compose, .done = token_done, .get_token = give_token, .data = source};
    return smtp_pool_new_limited(account, NULL, &callbacks, limits);
}

/* A wrong password is tried once, however many messages wait; and the password is read anew for a new connection. */
static void test_refused_sign_in_takes_what_waits_along(void **state)
{
    Peer peer;
    const char *options[] = {"--auth=PLAIN", "--auth-reply=535", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mails[20] = {0};
    (void)state;
    peer_start(&peer, options);
    Account account = peer_account(peer.port);
    account.smtp.server.user = (char *)"anna";
    account.smtp.server.password = (SecretSource){.kind = SECRET_TEXT, .value = (char *)"wrong"};
    SmtpPool *pool = mail_pool(&account, &limits);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_submit(pool, &mails[i], "ok@x.example");
    pool_drain(pool);
    smtp_pool_free(pool, 1000);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        assert_int_equal(mails[i].result.class, DELIVERY_UNREACHABLE);
        assert_int_equal(mails[i].result.code, 535);
        assert_true(mails[i].result.permanent);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "AUTH-PLAIN"), 1);
    peer_stop(&peer);
}

/* What a server repeats of a sign-in would end in the log and in `nurture status`. */
static void test_a_server_that_repeats_the_secret_is_not_quoted(void **state)
{
    static const char *const offers[] = {"--auth=PLAIN", "--auth=OAUTHBEARER"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(offers); i++) {
        Peer peer;
        const char *options[] = {offers[i], "--auth-reply=echo", NULL};
        const SmtpLimits limits = PATIENT_LIMITS;
        Mail mail = {0};
        peer_start(&peer, options);
        Account account = token_account(peer.port);
        if (i == 0) {
            account.smtp.server.sign_in = SIGN_IN_AUTO;
            account.smtp.server.password = (SecretSource){.kind = SECRET_TEXT, .value = (char *)"token-0"};
        }
        TokenSource source = {.lifetime_ms = 60000};
        SmtpPool *pool = token_pool(&account, &limits, &source);
        mail_submit(pool, &mail, "ok@x.example");
        pool_drain(pool);
        smtp_pool_free(pool, 1000);
        assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
        assert_true(mail.result.sign_in_refused);
        assert_null(strstr(mail.result.text, "token-0"));
        assert_string_equal(mail.result.text, "(the server repeats what is secret)");
        mail_clear(&mail);
        peer_stop(&peer);
    }
}

/* Nor one that repeats it later, when another message has gone by the same connection. */
static void test_a_server_that_repeats_the_secret_later_is_not_quoted(void **state)
{
    static const char *const senders[] = {"rcpt.echo@x.example", "dot.echo@x.example"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(senders); i++) {
        Peer peer;
        const char *options[] = {"--auth=PLAIN", NULL};
        const SmtpLimits limits = PATIENT_LIMITS;
        Mail mails[2] = {0};
        peer_start(&peer, options);
        Account account = peer_account(peer.port);
        account.smtp.server.user = (char *)"anna";
        account.smtp.server.password = (SecretSource){.kind = SECRET_TEXT, .value = (char *)"token-0"};
        SmtpPool *pool = mail_pool(&account, &limits);
        mail_submit(pool, &mails[0], "ok@x.example");
        mail_submit(pool, &mails[1], senders[i]);
        pool_drain(pool);
        smtp_pool_free(pool, 1000);
        assert_int_equal(mails[0].result.class, DELIVERY_SENT);
        assert_int_equal(mails[1].result.class, DELIVERY_FAILED);
        assert_int_equal(mails[1].result.code, 550);
        assert_string_equal(mails[1].result.text, "(the server repeats what is secret)");
        assert_int_equal(peer_count(&peer, "AUTH-PLAIN"), 1);
        mail_clear(&mails[0]);
        mail_clear(&mails[1]);
        peer_stop(&peer);
    }
}

/* A connection is not used beyond the end of the token that it signed in with; before, it is used again. */
static void test_a_connection_is_left_when_its_token_ends(void **state)
{
    Peer peer;
    const char *options[] = {"--auth=OAUTHBEARER", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    TokenSource source = {.lifetime_ms = 700};
    (void)state;
    peer_start(&peer, options);
    Account account = token_account(peer.port);
    SmtpPool *pool = token_pool(&account, &limits, &source);
    for (guint i = 0; i < 4; i++) {
        Mail mail = {0};
        if (i == 2)
            g_usleep(800 * 1000);
        mail_submit(pool, &mail, "ok@x.example");
        pool_drain(pool);
        assert_int_equal(mail.result.class, DELIVERY_SENT);
        mail_clear(&mail);
    }
    source.lifetime_ms = 0;
    g_usleep(800 * 1000);
    Mail mail = {0};
    mail_submit(pool, &mail, "ok@x.example");
    pool_drain(pool);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_false(mail.result.permanent || mail.result.sign_in_refused);
    assert_non_null(strstr(mail.result.text, "there is no token"));
    mail_clear(&mail);
    smtp_pool_free(pool, 1000);
    assert_int_equal(peer_count(&peer, "AUTH-BEARER token-0"), 1);
    assert_int_equal(peer_count(&peer, "AUTH-BEARER token-1"), 1);
    assert_int_equal(peer_count(&peer, "AUTH-"), 2);
    peer_stop(&peer);
}

static void test_password_is_read_for_each_connection(void **state)
{
    Peer peer;
    g_autofree char *file = g_build_filename(pki_dir, "secret", NULL);
    const char *options[] = {"--auth=LOGIN", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mails[3] = {0};
    (void)state;
    peer_start(&peer, options);
    Account account = peer_account(peer.port);
    account.smtp.server.user = (char *)"anna";
    account.smtp.server.password = (SecretSource){.kind = SECRET_FILE, .value = file};
    SmtpPool *pool = mail_pool(&account, &limits);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autofree char *secret = g_strdup_printf("secret-%zu\n", i);
        assert_true(g_file_set_contents_full(file, secret, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
        mail_submit(pool, &mails[i], i == 0 ? "ok@x.example" : "dot.okdrop@x.example");
        pool_drain(pool);
        assert_int_equal(mails[i].result.class, DELIVERY_SENT);
        g_usleep(200000); /* the end of the peer's connection arrives */
        mail_clear(&mails[i]);
    }
    g_unlink(file);
    mails[0] = (Mail){0};
    mail_submit(pool, &mails[0], "ok@x.example");
    pool_drain(pool);
    assert_int_equal(mails[0].result.class, DELIVERY_UNREACHABLE);
    assert_false(mails[0].result.permanent);
    mail_clear(&mails[0]);
    smtp_pool_free(pool, 1000);
    assert_int_equal(peer_count(&peer, "AUTH-LOGIN YW5uYQ== c2VjcmV0LTA="), 1); /* secret-0, for the first and the second */
    assert_int_equal(peer_count(&peer, "AUTH-LOGIN YW5uYQ== c2VjcmV0LTI="), 1); /* secret-2 */
    assert_int_equal(peer_count(&peer, "AUTH-LOGIN"), 2);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_certificates),
        cmocka_unit_test(test_bad_certificates),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_silence_instead_of_tls),
        cmocka_unit_test(test_old_tls_is_refused),
        cmocka_unit_test(test_starttls_is_not_optional),
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_sign_in_refused),
        cmocka_unit_test(test_refused_sign_in_takes_what_waits_along),
        cmocka_unit_test(test_a_server_that_repeats_the_secret_is_not_quoted),
        cmocka_unit_test(test_a_server_that_repeats_the_secret_later_is_not_quoted),
        cmocka_unit_test(test_a_connection_is_left_when_its_token_ends),
        cmocka_unit_test(test_password_is_read_for_each_connection),
    };
    return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
