/*
 * How a libcurl easy handle is made ready for a server: address, waits, TLS. What is asked of it, and what it tells, is the session's.
 * Keeps nothing.
 */
#include "handle.h"

#include <string.h>
#include <unistd.h>

#define SYSTEM_AUTHORITIES_FILE "/etc/ssl/certs/ca-certificates.crt"
#define SYSTEM_AUTHORITIES_DIR "/etc/ssl/certs"

/* libcurl's own limits, above ours: they must never end a wait that on_progress() allows. */
static void set_waits(CURL *curl, const SmtpLimits *limits)
{
    gint64 connect_ms = limits->connect_ms + 8 * limits->command_ms;
    gint64 answer_s = (MAX(limits->final_ms, limits->command_ms) + 999) / 1000 + 10;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)answer_s);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a look-up that hangs is left behind, not waited for */
}

/* The system's authorities; a private one comes to them. This build loads file and folder both, and the folder costs 18
 * ms a connection where the bundle takes 5, so it is used only where the file's place is taken. */
static void set_tls(CURL *curl, const Endpoint *server)
{
    curl_easy_setopt(curl, CURLOPT_USE_SSL, server->tls == TLS_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (*server->ca_file || access(SYSTEM_AUTHORITIES_FILE, R_OK) != 0) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, *server->ca_file ? server->ca_file : NULL);
        curl_easy_setopt(curl, CURLOPT_CAPATH, SYSTEM_AUTHORITIES_DIR);
    } else {
        curl_easy_setopt(curl, CURLOPT_CAINFO, SYSTEM_AUTHORITIES_FILE);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
}

void smtp_handle_prepare(CURL *curl, const Endpoint *server, const char *url, const SmtpLimits *limits)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* CURLOPT_INFILESIZE stays unset: it is compared with bytes after dot-stuffing, and too small a one cuts the
     * message short */
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    set_waits(curl, limits);
    set_tls(curl, server);
}

/* The name that we give in EHLO: the sender's domain, whose mail this is. Never "localhost", which some servers refuse. */
static char *hello_name(const Account *account)
{
    const char *at = strrchr(account->from_address, '@');
    const char *domain = at ? at + 1 : "";
    gboolean usable = *domain && g_ascii_strcasecmp(domain, "localhost") != 0;
    for (const char *c = domain; *c && usable; c++)
        usable = g_ascii_isalnum(*c) || *c == '.' || *c == '-';
    return g_strdup(usable ? domain : "[127.0.0.1]");
}

char *smtp_handle_url(const Account *account)
{
    const Endpoint *server = &account->smtp.server;
    gboolean bare_ipv6 = strchr(server->host, ':') && server->host[0] != '[';
    g_autofree char *name = hello_name(account);
    g_autofree char *path = g_uri_escape_string(name, NULL, FALSE);
    return g_strdup_printf("%s://%s%s%s:%u/%s", server->tls == TLS_IMPLICIT ? "smtps" : "smtp", bare_ipv6 ? "[" : "",
                           server->host, bare_ipv6 ? "]" : "", (guint)server->port, path);
}
