/*
 * Farewells in eleven languages, and what is none. People must never be proposed who are not named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/departure.h"
#include "mail/read.h"

static const char *const others[] = {"kari@acme.example", "anna@example.com", NULL};

static const struct {
    const char *text, *kind, *address, *name;
} notes[] = {
    /* who left, and whom to ask */
    {"Hello,\nI have left Acme. Please contact my colleague Sam Smith (sam.smith@acme.example) instead.\n", "successor", "sam.smith@acme.example", "Sam Smith"},
    {"I have left, ask Sam.", "left", "", "Sam"},
    {"Kari Nordmann no longer works at Acme. For urgent matters please write to Sam Smith at sam@acme.example.", "successor", "sam@acme.example", "Sam Smith"},
    {"I am no longer with the company. My successor is Ola Vik <ola@acme.example>.", "successor", "ola@acme.example", "Ola Vik"},
    {"Thanks for your mail. As of 1 May I've left the company. All enquiries: info@acme.example", "successor", "info@acme.example", ""},
    {"Please contact sam@acme.example, as I no longer work here.", "successor", "sam@acme.example", ""},
    {"My last day at Acme was Friday. Please reach out to Jo Lee, jo@acme.example", "successor", "jo@acme.example", "Jo Lee"},
    {"Kari has retired. You can write to me at kari@acme.example no more.", "left", "", ""},
    {"Jeg har sluttet i Acme. Ta kontakt med min kollega Ola Vik på ola@acme.example.", "successor", "ola@acme.example", "Ola Vik"},
    {"Kari Nordmann jobber ikke lenger hos oss. Vennligst kontakt Per Berg (per@acme.example).", "successor", "per@acme.example", "Per Berg"},
    {"Jag har slutat på Acme. Kontakta Erik Ek, erik@acme.example", "successor", "erik@acme.example", "Erik Ek"},
    {"Kari arbetar inte längre kvar här. Vänd dig till Eva Ek (eva@acme.example)", "successor", "eva@acme.example", "Eva Ek"},
    {"Jeg er fratrådt min stilling hos Acme. Kontakt venligst Lars Dam: lars@acme.example", "successor", "lars@acme.example", "Lars Dam"},
    {"Kari arbejder ikke længere hos os. Skriv til Mette Dam på mette@acme.example", "successor", "mette@acme.example", "Mette Dam"},
    {"Ich bin nicht mehr für Acme tätig. Bitte wenden Sie sich an Frau Petra Klein (petra.klein@acme.example).", "successor", "petra.klein@acme.example", "Petra Klein"},
    {"Herr Nordmann ist aus unserem Unternehmen ausgeschieden. Ihr neuer Ansprechpartner ist Max Kurz, max@acme.example", "successor", "max@acme.example", "Max Kurz"},
    {"Ik ben niet meer werkzaam bij Acme. Neem contact op met Jan de Vries (jan@acme.example).", "successor", "jan@acme.example", "Jan de Vries"},
    {"Kari is uit dienst. Vragen? team@acme.example", "successor", "team@acme.example", ""},
    {"Je ne travaille plus chez Acme. Veuillez contacter Luc Petit (luc@acme.example).", "successor", "luc@acme.example", "Luc Petit"},
    {"Mme Nordmann a quitté la société. Merci de contacter Anne Roy à anne@acme.example", "successor", "anne@acme.example", "Anne Roy"},
    {"Ya no trabajo en Acme. Póngase en contacto con Ana Ruiz (ana@acme.example).", "successor", "ana@acme.example", "Ana Ruiz"},
    {"He dejado la empresa. Escriba a luis@acme.example", "successor", "luis@acme.example", ""},
    {"Non lavoro più in Acme. Contattare Marco Neri (marco@acme.example).", "successor", "marco@acme.example", "Marco Neri"},
    {"Ha lasciato l'azienda. Si rivolga a Lia Blu, lia@acme.example", "successor", "lia@acme.example", "Lia Blu"},
    {"Nie pracuję już w Acme. Proszę o kontakt z Jan Kowal (jan@acme.example).", "successor", "jan@acme.example", "Jan Kowal"},
    {"Już nie pracuję w tej firmie.", "left", "", ""},
    {"Já não trabalho na Acme. Contacte Rui Sá (rui@acme.example).", "successor", "rui@acme.example", "Rui Sá"},
    {"Não trabalho mais na empresa. Fale com Bia Reis, bia@acme.example", "successor", "bia@acme.example", "Bia Reis"},
    /* another address of the same person */
    {"Please note that my new e-mail address is kari@new.example.", "new-address", "kari@new.example", ""},
    {"My email address has changed to kari@new.example, please update your records.", "new-address", "kari@new.example", ""},
    {"I have left Acme; my new address is kari@new.example.", "new-address", "kari@new.example", ""},
    {"You can now reach me at kari@new.example", "new-address", "kari@new.example", ""},
    {"Min nye e-postadresse er kari@new.example", "new-address", "kari@new.example", ""},
    {"Jeg har byttet e-post til kari@new.example", "new-address", "kari@new.example", ""},
    {"Ny mejladress: kari@new.example", "new-address", "kari@new.example", ""},
    {"Jeg har fået ny mailadresse: kari@new.example", "new-address", "kari@new.example", ""},
    {"Meine neue E-Mail-Adresse lautet kari@new.example.", "new-address", "kari@new.example", ""},
    {"Mijn nieuwe e-mailadres is kari@new.example", "new-address", "kari@new.example", ""},
    {"Ma nouvelle adresse est la suivante :\nkari@new.example", "new-address", "kari@new.example", ""},
    {"Mi nuevo correo es kari@new.example", "new-address", "kari@new.example", ""},
    {"Il mio nuovo indirizzo è kari@new.example", "new-address", "kari@new.example", ""},
    {"Mój nowy adres: kari@new.example", "new-address", "kari@new.example", ""},
    {"O meu novo endereço é kari@new.example", "new-address", "kari@new.example", ""},
    {"551 5.1.6 User not local; please try <kari@new.example>", "new-address", "kari@new.example", ""},
    {"551 User has moved; please try kari@new.example\n\nThe original message was", "new-address", "kari@new.example", ""},
    /* nothing of that */
    {"I have left the documents on your desk, sam@acme.example has the key.", "none", "", ""},
    {"I've left you a message. Regards, Sam, sam@acme.example", "none", "", ""},
    {"We no longer work with suppliers from abroad. Sam (sam@acme.example)", "none", "", ""},
    {"I am out of the office until 3 May. In urgent cases contact Sam, sam@acme.example.", "none", "", ""},
    {"We moved to a new address: Storgata 1, 0155 Oslo", "none", "", ""},
    {"My new address is kari@acme.example", "none", "", ""}, /* the one that she writes from */
    {"Jeg har sluttet å røyke. Hilsen Kari", "none", "", ""},
    {"Ich bin bis Montag nicht im Büro. Bitte wenden Sie sich an petra@acme.example", "none", "", ""},
    {"", "none", "", ""},
};

static void every_note_is_understood_as_the_table_says(void **state)
{
    guint wrong = 0;
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
        Departure found = departure_find(notes[i].text, others);
        if (!g_str_equal(departure_kind_name(found.kind), notes[i].kind) || !g_str_equal(found.address, notes[i].address) ||
            !g_str_equal(found.name, notes[i].name)) {
            print_error("%s\n   %s, \"%s\", \"%s\": %s\n", notes[i].text, departure_kind_name(found.kind), found.address, found.name, found.evidence);
            wrong++;
        }
        assert_int_equal(found.kind == DEPARTURE_NONE, *found.evidence == '\0');
        departure_clear(&found);
    }
    assert_int_equal(wrong, 0);
}

static void the_sentence_that_says_it_is_the_evidence(void **state)
{
    (void)state;
    Departure found = departure_find("Hi there.\nThanks! I no longer work at Acme,\tsorry. Ask sam@acme.example. Bye.", others);
    assert_string_equal(found.evidence, "I no longer work at Acme, sorry");
    departure_clear(&found);
}

static void any_text_takes_bounded_time_and_gives_bounded_lines(void **state)
{
    static const char *const units[] = {"I have left, ask ", "contact my colleague the my colleague ", "Sam Sam Sam ", "a@b.example ", "551 ", "non lavoro più ",
                                        "\x80\xff", "new address "};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autoptr(GString) text = g_string_new("I have left Acme. ");
        while (text->len < 1000000)
            g_string_append(text, units[i]);
        Departure found = departure_find(text->str, others);
        assert_true(strlen(found.evidence) <= DEPARTURE_MAX_EVIDENCE);
        assert_true(strlen(found.name) <= DEPARTURE_MAX_NAME);
        assert_true(g_utf8_validate(found.evidence, -1, NULL) && g_utf8_validate(found.name, -1, NULL));
        departure_clear(&found);
    }
}

/* ---- in messages ---- */

static InboundMessage *read_text(const char *text)
{
    return mail_read(text, strlen(text), 1795514400000);
}

static void an_automatic_answer_and_a_bounce_bear_it(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) away = read_text("From: Kari <kari@acme.example>\r\nTo: anna@example.com\r\nAuto-Submitted: auto-replied\r\n"
                                               "Subject: Automatic reply\r\nMessage-ID: <1@acme.example>\r\n\r\nI have left Acme. Please contact Sam Vik, sam@acme.example.\r\n");
    g_autoptr(InboundMessage) bounce = read_text(
        "From: MAILER-DAEMON@mx.example\r\nTo: anna@example.com\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; kari@acme.example\r\nAction: failed\r\n"
        "Status: 5.1.6\r\nDiagnostic-Code: smtp; 551 User not local; please try <kari@new.example>\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        "Message-ID: <x@gateway.example>\r\nReply-To: Anna <anna+m-1-aaaaaaaaaaaaaaaaaaaa@example.com>\r\nTo: kari@acme.example\r\n\r\n--b--\r\n");
    assert_int_equal(away->departure.kind, DEPARTURE_SUCCESSOR);
    assert_string_equal(away->departure.address, "sam@acme.example");
    assert_string_equal(away->departure.name, "Sam Vik");
    assert_int_equal(bounce->class, INBOUND_BOUNCE);
    assert_int_equal(bounce->departure.kind, DEPARTURE_NEW_ADDRESS);
    assert_string_equal(bounce->departure.address, "kari@new.example");
    assert_string_equal(bounce->original_reply_to, "anna+m-1-aaaaaaaaaaaaaaaaaaaa@example.com");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_note_is_understood_as_the_table_says),
        cmocka_unit_test(the_sentence_that_says_it_is_the_evidence),
        cmocka_unit_test(any_text_takes_bounded_time_and_gives_bounded_lines),
        cmocka_unit_test(an_automatic_answer_and_a_bounce_bear_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
