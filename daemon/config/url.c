/*
 * Server URLs: scheme, host and port. The scheme says how TLS is begun.
 */
#include <gio/gio.h>
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

gboolean url_is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    if (address)
        return g_inet_address_get_is_loopback(address);
    return g_ascii_strcasecmp(host, "localhost") == 0;
}

/* Letters of host names and addresses only: nothing that could mean something else further down. */
static gboolean is_host(const char *host)
{
    if (g_hostname_is_ip_address(host))
        return TRUE;
    if (!*host || strlen(host) > 253 || *host == '-' || *host == '.')
        return FALSE;
    for (const char *p = host; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '.' && *p != '_')
            return FALSE;
    return TRUE;
}

static gboolean split(const char *text, char **ret_scheme, char **ret_host, int *ret_port)
{
    g_autofree char *user = NULL;
    g_autofree char *path = NULL;
    g_autofree char *query = NULL;
    g_autofree char *fragment = NULL;
    g_autofree char *host = NULL;
    if (!g_uri_split(text, G_URI_FLAGS_NONE, ret_scheme, &user, &host, ret_port, &path, &query, &fragment, NULL))
        return FALSE;
    if (!*ret_scheme || !host || user || query || fragment || (path && *path && !g_str_equal(path, "/")) || !is_host(host))
        return FALSE;
    *ret_host = g_ascii_strdown(host, -1);
    return TRUE;
}

void url_parse(Reader *reader, const config_setting_t *setting, const char *tls_scheme, const char *starttls_scheme,
               guint16 tls_port, guint16 starttls_port, Endpoint *endpoint)
{
    g_autofree char *example = g_strdup_printf("\"%s://mail.example.com:%u\" (TLS from the start) or \"%s://mail.example.com:%u\" (STARTTLS)",
                                               tls_scheme, tls_port, starttls_scheme, starttls_port);
    g_autofree char *scheme = NULL;
    g_autofree char *host = NULL;
    g_autofree char *name = reader_name_of(setting);
    int port = -1;
    const char *text = reader_text(reader, setting, example);
    if (!text)
        return;
    g_autofree char *shown = text_escape(text, 80);
    if (!split(text, &scheme, &host, &port)) {
        reader_fault(reader, setting, "%s: \"%s\" is no server's URL; write %s", name, strchr(shown, '@') ? "…" : shown, example);
        return;
    }
    gboolean is_tls = g_ascii_strcasecmp(scheme, tls_scheme) == 0;
    if (!is_tls && g_ascii_strcasecmp(scheme, starttls_scheme) != 0) {
        reader_fault(reader, setting, "%s: the scheme \"%s\" is not known here; write %s", name, scheme, example);
        return;
    }
    if (port == 0 || port > 65535) {
        reader_fault(reader, setting, "%s: the port must be from 1 to 65535; write %s", name, example);
        return;
    }
    endpoint->url = g_strdup(text);
    endpoint->host = g_steal_pointer(&host);
    endpoint->tls = is_tls ? TLS_IMPLICIT : TLS_STARTTLS;
    endpoint->port = port > 0 ? (guint16)port : is_tls ? tls_port : starttls_port;
}
