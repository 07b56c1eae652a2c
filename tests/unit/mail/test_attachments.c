/*
 * What is attached to a received message: by name, type and size, however programs write names (RFC 2183, 2231, 2047 where it may not stand,
 * none of these), and what Outlook packs into winmail.dat.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/read.h"

#define HEAD "From: kari@kunde.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" \
             "--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b\r\n"
#define TAIL "\r\n--b--\r\n"

/* "name|type|size" a line. Caller frees. */
static char *listed(const InboundMessage *message)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < message->attachments->len; i++) {
        const InboundAttachment *one = message->attachments->pdata[i];
        g_string_append_printf(list, "%s%s|%s|%" G_GINT64_FORMAT, i > 0 ? "\n" : "", one->name, one->type, one->size);
    }
    return g_string_free(list, FALSE);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *head, *want;
    } cases[] = {
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"offer.pdf\"", "offer.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=offer.pdf; size=3", "offer.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=our offer 2026.pdf", "our offer 2026.pdf"},
        {"Content-Type: application/pdf; name=\"offer.pdf\"", "offer.pdf"},
        {"Content-Type: application/pdf;\r\n name=\"offer.pdf\"\r\nContent-Disposition: attachment", "offer.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?utf-8?B?YmzDpWLDpnIucGRm?=\"", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename==?utf-8?Q?bl=C3=A5b=C3=A6r.pdf?=", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?iso-8859-1?Q?bl=E5b?=\r\n =?iso-8859-1?Q?=E6r.pdf?=\"", "blåbær.pdf"},
        {"Content-Type: application/pdf; name=\"=?utf-8?Q?bl=C3=A5b=C3=A6r.pdf?=\"\r\nContent-Disposition: attachment", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''bl%C3%A5b%C3%A6r.pdf", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=UTF-8'no'bl%C3%A5b%C3%A6r.pdf", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=iso-8859-1'no'bl%E5b%E6r.pdf", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=\"utf-8''bl%C3%A5b%C3%A6r.pdf\"", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0=\"a very\"; filename*1=\" long name.pdf\"", "a very long name.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=utf-8''bl%C3; filename*1*=%A5b%C3%A6r.pdf", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*1*=%A6r.pdf; filename*0*=utf-8''bl%C3%A5b%C3", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"blaabaer.pdf\"; filename*=utf-8''bl%C3%A5b%C3%A6r.pdf", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"bl\xc3\xa5" "b\xc3\xa6r.pdf\"", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"bl\xe5" "b\xe6r.pdf\"", "blåbær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?utf-8?Q?bl=C3=A5?= og =?utf-8?Q?b=C3=A6r.pdf?=\"", "blå og bær.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"say \\\"hi\\\".pdf\"", "say \"hi\".pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"offer.pdf", "offer.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=offer(final).pdf", "offer(final).pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?ISO-2022-JP?B?GyRCOCtAUT1xGyhCLnBkZg==?=\"", "見積書.pdf"},
        {"Content-Type: application/pdf\r\nContent-Disposition: attachment", ""},
        {"Content-Type: image/png; name=logo.png\r\nContent-Disposition: inline; filename=logo.png", "logo.png"},
        {"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=notes.txt", "notes.txt"},
        {"Content-Type: text/plain; name=notes.txt\r\nContent-Disposition: inline; filename=notes.txt", "notes.txt"},
        {"Content-Disposition: attachment; filename=notes.txt", "notes.txt"},
    };
    guint wrong = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(HEAD, cases[i].head, "\r\n\r\nabc", TAIL, NULL);
        g_autoptr(InboundMessage) message = mail_read(text, strlen(text), 0);
        const char *name = message->attachments->len == 1 ? ((InboundAttachment *)message->attachments->pdata[0])->name : "(none)";
        if (!g_str_equal(name, cases[i].want) || !g_str_equal(message->text, "see below")) {
            print_error("%s: [%s], text [%s]\n", cases[i].head, name, message->text);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_sizes_and_types(void **state)
{
    (void)state;
    const char *text = HEAD "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\nAAAA\r\n"
                            "--b\r\nContent-Type: Image/PNG; name=b.png\r\n\r\nxyz\r\n"
                            "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\nhi\r\n"
                            "--b\r\nContent-Type: text/calendar; method=REQUEST; name=invite.ics\r\n\r\nBEGIN:VCALENDAR\r\n" TAIL;
    g_autoptr(InboundMessage) message = mail_read(text, strlen(text), 0);
    g_autofree char *got = listed(message);
    assert_string_equal(got, "a.pdf|application/pdf|6\nb.png|image/png|3\ninside.eml|message/rfc822|20\ninvite.ics|text/calendar|17");
}

/* ---- winmail.dat ------------------------------------------------------------------------------------------------------- */

static void put(GByteArray *out, guint32 number, guint octets)
{
    for (guint i = 0; i < octets; i++) {
        guint8 octet = (guint8)(number >> (8 * i));
        g_byte_array_append(out, &octet, 1);
    }
}

static void put_attribute(GByteArray *out, guint level, guint32 id, const void *data, guint length)
{
    put(out, level, 1);
    put(out, id, 4);
    put(out, length, 4);
    g_byte_array_append(out, data, length);
    put(out, 0, 2);
}

/* PR_ATTACH_LONG_FILENAME in UTF-16, PR_ATTACH_MIME_TAG, behind a number, a named property and one of several values. */
static GByteArray *attachment_properties(void)
{
    static const char name[] = "b\0l\0\xe5\0.\0p\0d\0f\0\0\0", type[] = "application/pdf";
    GByteArray *out = g_byte_array_new();
    put(out, 5, 4);
    put(out, 0x0003, 2), put(out, 0x0e21, 2), put(out, 7, 4);
    put(out, 0x001e, 2), put(out, 0x8001, 2);
    g_byte_array_append(out, (const guint8 *)"0123456789abcdef", 16);
    put(out, 1, 4), put(out, 6, 4), g_byte_array_append(out, (const guint8 *)"a\0b\0\0\0\0\0", 8);
    put(out, 1, 4), put(out, 2, 4), g_byte_array_append(out, (const guint8 *)"x\0\0\0", 4);
    put(out, 0x1003, 2), put(out, 0x1234, 2), put(out, 2, 4), put(out, 1, 4), put(out, 2, 4);
    put(out, 0x001f, 2), put(out, 0x3707, 2), put(out, 1, 4), put(out, 14, 4);
    g_byte_array_append(out, (const guint8 *)name, 14), put(out, 0, 2);
    put(out, 0x001e, 2), put(out, 0x370e, 2), put(out, 1, 4), put(out, 16, 4);
    g_byte_array_append(out, (const guint8 *)type, 16);
    return out;
}

static GByteArray *winmail(void)
{
    GByteArray *out = g_byte_array_new(), *properties = attachment_properties();
    put(out, 0x223e9f78, 4);
    put(out, 1, 2);
    put_attribute(out, 1, 0x00069007, "\xe4\x04\0\0\0\0\0\0", 8); /* 1252 */
    put_attribute(out, 1, 0x0002800c, "Bl\xe5 tekst", 10);
    put_attribute(out, 2, 0x00069002, "0123456789abcd", 14);
    put_attribute(out, 2, 0x00018010, "BLA~1.PDF", 10);
    put_attribute(out, 2, 0x0006800f, "12345", 5);
    put_attribute(out, 2, 0x00069005, properties->data, properties->len);
    put_attribute(out, 2, 0x00069002, "0123456789abcd", 14);
    put_attribute(out, 2, 0x00018010, "notes.txt", 10);
    put_attribute(out, 2, 0x0006800f, "123", 3);
    g_byte_array_unref(properties);
    return out;
}

static InboundMessage *read_winmail(const guint8 *bytes, gsize len)
{
    g_autofree char *base64 = g_base64_encode(bytes, len);
    g_autofree char *text = g_strconcat("From: kari@kunde.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
                                        "Content-Transfer-Encoding: base64\r\n\r\n", base64, "\r\n", NULL);
    return mail_read(text, strlen(text), 0);
}

static void test_winmail(void **state)
{
    (void)state;
    GByteArray *bytes = winmail();
    g_autoptr(InboundMessage) message = read_winmail(bytes->data, bytes->len);
    g_autofree char *got = listed(message);
    assert_string_equal(got, "blå.pdf|application/pdf|5\nnotes.txt|application/octet-stream|3");
    assert_string_equal(message->text, "Blå tekst");
    g_autoptr(InboundMessage) none = read_winmail((const guint8 *)"no TNEF", 7);
    g_autofree char *itself = listed(none);
    assert_string_equal(itself, "winmail.dat|application/ms-tnef|7");
    g_byte_array_unref(bytes);
}

/* Cut anywhere, or with any octet another: what can be read is, and nothing else happens. */
static void test_damaged_winmail(void **state)
{
    (void)state;
    GByteArray *bytes = winmail();
    for (guint length = 1; length < bytes->len; length++) {
        g_autofree guint8 *copy = g_memdup2(bytes->data, length); /* so that a read behind its end is seen */
        g_autoptr(InboundMessage) message = read_winmail(copy, length);
        assert_true(message->attachments->len >= 1 && message->attachments->len <= 2);
    }
    for (guint i = 6; i < bytes->len; i++)
        for (guint8 value = 0xff; value > 0; value = (guint8)(value >> 4)) {
            guint8 was = bytes->data[i];
            bytes->data[i] = value;
            g_autoptr(InboundMessage) message = read_winmail(bytes->data, bytes->len);
            assert_true(message->attachments->len >= 1 && message->attachments->len <= READ_MAX_ATTACHMENTS);
            bytes->data[i] = was;
        }
    g_byte_array_unref(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sizes_and_types),
        cmocka_unit_test(test_winmail),
        cmocka_unit_test(test_damaged_winmail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
