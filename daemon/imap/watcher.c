/*
 * The child process of one mailbox: one connection from hello to the first fault, after which it says why and ends; the
 * link starts another one. So nothing of a conversation gone wrong, and none of what libetpan may leak, lives on.
 *
 *   limits -> hello, secret -> read all files that are needed -> TCP connect -> no more system calls than talking needs
 *   -> TLS, sign-in -> follow the folders
 *
 * No octet of the network is read before the sandbox is closed: the name was resolved by the parent, and connecting is the
 * kernel's.
 */
#include "imap/watcher.h"

#include <iconv.h>
#include <string.h>

#include "base/text.h"
#include "channel.h"
#include "config/config.h"
#include "config/secret.h"
#include "fault.h"
#include "folder_name.h"
#include "follow.h"
#include "limits.h"
#include "sandbox.h"
#include "session.h"

enum { PARENT_FD = 3 };

#ifdef NURTURE_SANITIZED
/* libetpan leaks where an answer is in error; the process ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libetpan";
}
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif

static void close_charset(gpointer converter)
{
    iconv_close(converter);
}

/*
 * Character sets come as modules that glibc loads when one is first asked for, which the sandbox does not allow. One
 * descriptor held open keeps its module loaded. Names differ (iso-8859-1, latin1), modules are what counts. The result is
 * to be held.
 */
static GPtrArray *preload_charsets(void)
{
    static const char *const charsets[] = {
        "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-3",   "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-6",   "ISO-8859-7",
        "ISO-8859-8",   "ISO-8859-9",   "ISO-8859-10",  "ISO-8859-11",  "ISO-8859-13",  "ISO-8859-14",  "ISO-8859-15",
        "ISO-8859-16",  "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255",
        "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "WINDOWS-874",  "TIS-620",      "KOI8-R",       "KOI8-U",
        "IBM437",       "IBM850",       "IBM852",       "IBM865",       "IBM866",       "MACINTOSH",    "UTF-7",
        "UTF-16",       "UTF-32",       "GB2312",       "GBK",          "GB18030",      "HZ-GB-2312",   "BIG5",
        "BIG5-HKSCS",   "EUC-TW",       "EUC-JP",       "SHIFT_JIS",    "CP932",        "ISO-2022-JP",  "ISO-2022-JP-2",
        "EUC-KR",       "CP949",        "ISO-2022-KR",  "JOHAB",        "VISCII",       "TCVN",         "ARMSCII-8",
    };
    GPtrArray *held = g_ptr_array_new_with_free_func(close_charset);
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
        iconv_t converter = iconv_open("UTF-8", charsets[i]);
        if (converter != (iconv_t)-1) /* text in one that this system lacks is read as unknown */
            g_ptr_array_add(held, converter);
    }
    return held;
}

/* A message of ours read once, so that what libraries load or allocate at first use is there. */
static void warm_up(WatcherReadFunc read)
{
    static const char sample[] =
        "From: =?iso-8859-1?q?A?= <a@example.com>\r\nDate: Tue, 24 Nov 2026 08:15:00 +0100\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVp\r\n--b\r\n"
        "Content-Type: text/html; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "<p>Hei=E6</p>\r\n--b--\r\n";
    g_time_zone_unref(g_time_zone_new_local()); /* reads the zone's file */
    inbound_message_free(read(sample, sizeof sample - 1, 1));
}

static GPtrArray *wire_names_of(const Hello *hello, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < hello->folders->len; i++) {
        const HelloFolder *folder = hello->folders->pdata[i];
        gboolean named = *folder->name != '\0'; /* else the server says which it is */
        char *name = named ? folder_wire_name(folder->name, error) : NULL;
        if (name == NULL && named)
            return NULL;
        g_ptr_array_add(names, name);
    }
    return g_steal_pointer(&names);
}

/* From TCP to signed in. Wipes the secret. */
static Session *sign_in_to(const Hello *hello, char *secret, gnutls_certificate_credentials_t trust, Channel *channel,
                           GError **error)
{
    Session *session = NULL;
    Stream *stream = stream_connect((const char *const *)hello->addresses, hello->port, channel_tick, channel, error);
    const SessionSettings settings = {
        .host = hello->host, .port = hello->port, .tls = (TlsMode)hello->tls, .trust = trust,
        .user = hello->user, .sign_in = (SignIn)hello->sign_in, .secret = secret};
    if (stream != NULL && !sandbox_close(error))
        g_clear_pointer(&stream, stream_free);
    if (stream != NULL)
        session = session_open(stream, &settings, error);
    explicit_bzero(secret, strlen(secret));
    return session;
}

static void watch(Channel *channel, WatcherReadFunc read, GError **error)
{
    g_autoptr(Hello) hello = NULL;
    char *secret = NULL;
    if (!channel_read_hello(channel, &hello, &secret, error))
        return;
    g_autoptr(GPtrArray) wire_names = wire_names_of(hello, error);
    gnutls_certificate_credentials_t trust = NULL;
    gboolean ready = wire_names != NULL;
    if (ready && hello->tls != TLS_NONE)
        ready = (trust = stream_trust_load(hello->ca_file, error)) != NULL;
    if (ready) {
        GPtrArray *charsets = preload_charsets();
        warm_up(read);
        g_autoptr(Session) session = sign_in_to(hello, secret, trust, channel, error);
        if (session != NULL)
            follow(session, channel, hello, wire_names, read, error);
        g_ptr_array_unref(charsets);
    }
    secret_free(secret);
    if (trust != NULL)
        gnutls_certificate_free_credentials(trust);
}

int watcher_main(WatcherReadFunc read)
{
    g_autoptr(Channel) channel = channel_new(PARENT_FD);
    g_autoptr(GError) fault = NULL;
    mmap_string_set_ceil(G_MAXINT); /* libetpan: strings stay in memory, never in a temporary file */
    if (sandbox_begin(&fault))
        watch(channel, read, &fault);
    if (g_error_matches(fault, IMAP_FAULT, IMAP_FAULT_PARENT))
        return 0; /* nobody to tell */
    if (fault->domain != IMAP_FAULT)
        fault->code = IMAP_FAULT_LOCAL;
    channel_send_fault(channel, fault);
    return 1;
}
