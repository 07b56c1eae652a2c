/*
 * Protects: a letter bears the signature of its account once, in its language; a task bears none; an answer in a conversation bears the
 * subject that it answers; what a rehearsal composes says the same and carries no files.
 */
#include "faults.h"

#define SIGNED                                                                                                              \
    "{ name = \"anna\"; from = \"Anna Berg <anna@example.com>\"; reply_to = \"Salg <salg@example.com>\"; one_way = true;"   \
    "  signature = \"sig\"; smtp = { url = \"smtp://127.0.0.1:1\"; tls = \"none\"; }; }"
#define RULE_LETTERS                                                                                                        \
    "{ name = \"letters\"; anchor = \"stage\"; when = { stage = \"pitching\"; };"                                           \
    "  steps = ( { after = \"1 day\"; template = \"plain\"; }, { after = \"1 day\"; template = \"own\"; },"                 \
    "            { after = \"1 day\"; template = \"todo\"; kind = \"task\"; } ); }"

static int setup(void **state)
{
    int failed = rig_setup(state);
    if (failed)
        return failed;
    rig_write(*state, "_sig.md", "Best\n\n*{{owner.first_name}}*\n");
    rig_write(*state, "_sig.nb.md", "Hilsen\n\n*{{owner.first_name}}*\n");
    rig_write(*state, "plain.md", "Subject: Plain\nAttach: a.pdf\n\nHello\n");
    rig_write(*state, "plain.nb.md", "Subject: Enkelt\n\nHei\n");
    rig_write(*state, "own.md", "Subject: Own\n\nHello\n\n{{> sig}}\n\nPS: more\n");
    rig_write(*state, "more.md", "Subject: More\n\nHello\n");
    rig_write(*state, "todo.md", "Subject: Call {{name}}\n\nCall them\n");
    rig_write(*state, "a.pdf", "%PDF-1.7 and what a file holds");
    rig_configure(*state, SIGNED, RULE_LETTERS);
    return 0;
}

#define with_letters(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

static Letter *letter(Rig *rig, const char *step, const char *language, const char *thread_subject)
{
    GError *error = NULL;
    g_autoptr(Contact) contact = NULL;
    gint64 id = rig_save(
        rig, &(ContactEdit){.email = "kari@customer.test", .first_name = "Kari", .stage = "pitching", .language = language});
    assert_done(store_contact_get(rig->store, id, &contact, &error));
    const Rule *rule = config_rule(rig->config, "letters");
    const LetterInput input = {.config = rig->config,
                               .templates = rig->templates,
                               .contact = contact,
                               .rule = rule,
                               .step = config_rule_step(rule, step),
                               .variant = "",
                               .message_id = "2@example.com",
                               .in_reply_to = *thread_subject ? "1@example.com" : "",
                               .references = *thread_subject ? "1@example.com" : "",
                               .thread_subject = thread_subject,
                               .token_secret = "secret",
                               .date_ms = NOW,
                               .zone = rig->core->default_zone};
    Letter *made = letter_new(&input, &error);
    if (made == NULL)
        fail_msg("%s", error->message);
    return made;
}

static ComposedMessage composed(Rig *rig, const char *step, const char *language, const char *thread_subject)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Letter) made = letter(rig, step, language, thread_subject);
    ComposedMessage message = {0};
    if (!letter_compose(made, &message, &error))
        fail_msg("%s", error->message);
    return message;
}

static void assert_text(Rig *rig, const char *step, const char *language, const char *want)
{
    ComposedMessage message = composed(rig, step, language, "");
    g_autofree char *text = g_strndup(message.text, (gsize)(strstr(message.text, "\n\n----\n") - message.text));
    assert_string_equal(text, want);
    composed_message_clear(&message);
}

static void a_signature_stands_there_once(void **state)
{
    assert_text(*state, "plain", "en", "Hello\n\nBest\n\nAnna");
    assert_text(*state, "plain", "nb-NO", "Hei\n\nHilsen\n\nAnna");
    assert_text(*state, "own", "", "Hello\n\nBest\n\nAnna\n\nPS: more");
    assert_text(*state, "todo", "", "Call them");
}

static void an_answer_bears_the_subject_that_it_answers(void **state)
{
    const struct {
        const char *before, *want;
    } rows[] = {{"", "Plain"},
                {"Offer", "Re: Offer"},
                {"Re: Offer", "Re: Offer"},
                {"RE: Offer", "RE: Offer"},
                {"Reply wanted", "Re: Reply wanted"}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        ComposedMessage message = composed(*state, "plain", "", rows[i].before);
        assert_string_equal(message.subject, rows[i].want);
        gboolean answers = strstr(g_bytes_get_data(message.bytes, NULL),
                                  "\r\nIn-Reply-To: <1@example.com>\r\nReferences: <1@example.com>\r\n") != NULL;
        assert_int_equal(answers, *rows[i].before != '\0');
        composed_message_clear(&message);
    }
}

static void a_rehearsal_composes_the_same_words_and_no_files(void **state)
{
    g_autoptr(Letter) made = letter(*state, "plain", "", "");
    g_autoptr(GPtrArray) files = letter_attachments(made);
    assert_int_equal(files->len, 1);
    ComposedMessage whole = {0}, words = {0};
    assert_true(letter_compose(made, &whole, NULL));
    assert_true(letter_compose_words(made, &words, NULL));
    assert_string_equal(whole.subject, words.subject);
    assert_string_equal(whole.text, words.text);
    assert_non_null(strstr(g_bytes_get_data(whole.bytes, NULL), "filename=\"a.pdf\""));
    assert_null(words.bytes);
    composed_message_clear(&whole);
    composed_message_clear(&words);
}

/* The letter to the contact that is due, composed. */
static char *subject_claimed(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    const ClaimAccount account = {.account = config_account(rig->config, "anna"), .paused = ""};
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    ComposedMessage composed_message = {0};
    ClaimResult claim;
    assert_done(claim_message(rig->core, &account, message, &claim, &error));
    assert_non_null(claim.letter);
    assert_done(letter_compose(claim.letter, &composed_message, &error));
    char *subject = g_strdup(composed_message.subject);
    composed_message_clear(&composed_message);
    letter_free(claim.letter);
    return subject;
}

/* What was under way when the daemon was killed, and did arrive, has no subject on its row. */
static void a_conversation_goes_on_over_a_crash(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, SIGNED,
                  "{ name = \"letters\"; anchor = \"stage\"; when = { stage = \"pitching\"; };"
                  "  steps = ( { after = \"1 day\"; template = \"plain\"; }, { after = \"3 days\"; template = \"own\"; "
                  "same_thread = true; },"
                  "            { after = \"3 days\"; template = \"more\"; same_thread = true; } ); }");
    const char *wanted[] = {"Plain", "Re: Plain", "Re: Plain"};
    gint64 contact = rig_pitched(rig, "kari@customer.test", 0);
    rig_decide(rig, contact);
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        GError *error = NULL;
        guint count = 0;
        rig_queue_due(rig);
        g_autofree char *subject = subject_claimed(rig, contact);
        assert_string_equal(subject, wanted[i]);
        assert_done(outcome_recover(rig->core, &count, &error));
        assert_int_equal(count, 1);
        g_autoptr(OutboxMessage) message = rig_message(rig, contact);
        assert_string_equal(message->subject, "");
        assert_done(outcome_settle_sent(rig->core, message, "seen to have arrived", &error));
        clock_set(rig->clock, NOW + (gint64)(i + 1) * 4 * DAY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_letters(a_signature_stands_there_once),
        with_letters(an_answer_bears_the_subject_that_it_answers),
        with_letters(a_conversation_goes_on_over_a_crash),
        with_letters(a_rehearsal_composes_the_same_words_and_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
