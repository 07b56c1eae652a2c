/*
 * What is known of large mail providers: their servers, and where their access tokens come from. Data only; every part of it
 * can be overruled by a key of the configuration.
 *
 * Device codes: Google grants none for mail, Yahoo and Fastmail have none; a browser is sent to their page instead.
 */
#include "config/parts.h"

static const Provider providers[] = {
    {.name = "gmail",
     .smtp = {"smtps://smtp.gmail.com:465", "smtp.gmail.com", 465, TLS_IMPLICIT},
     .imap = {"imaps://imap.gmail.com:993", "imap.gmail.com", 993, TLS_IMPLICIT},
     .token_url = "https://oauth2.googleapis.com/token",
     .device_url = "",
     .authorize_url = "https://accounts.google.com/o/oauth2/v2/auth",
     .scope = "https://mail.google.com/"},
    {.name = "microsoft",
     .smtp = {"smtp://smtp.office365.com:587", "smtp.office365.com", 587, TLS_STARTTLS},
     .imap = {"imaps://outlook.office365.com:993", "outlook.office365.com", 993, TLS_IMPLICIT},
     .token_url = "https://login.microsoftonline.com/common/oauth2/v2.0/token",
     .device_url = "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
     .authorize_url = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
     .scope = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"},
    {.name = "yahoo",
     .smtp = {"smtps://smtp.mail.yahoo.com:465", "smtp.mail.yahoo.com", 465, TLS_IMPLICIT},
     .imap = {"imaps://imap.mail.yahoo.com:993", "imap.mail.yahoo.com", 993, TLS_IMPLICIT},
     .token_url = "https://api.login.yahoo.com/oauth2/get_token",
     .device_url = "",
     .authorize_url = "https://api.login.yahoo.com/oauth2/request_auth",
     .redirect_url = "oob",
     .scope = "mail-w",
     .secret_in_header = TRUE},
    {.name = "fastmail",
     .smtp = {"smtps://smtp.fastmail.com:465", "smtp.fastmail.com", 465, TLS_IMPLICIT},
     .imap = {"imaps://imap.fastmail.com:993", "imap.fastmail.com", 993, TLS_IMPLICIT},
     .token_url = "https://api.fastmail.com/oauth/refresh",
     .device_url = "",
     .authorize_url = "https://api.fastmail.com/oauth/authorize",
     .scope = "https://www.fastmail.com/dev/protocol-imap https://www.fastmail.com/dev/protocol-smtp"},
};

static const char *const names[] = {"gmail", "microsoft", "yahoo", "fastmail", NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == G_N_ELEMENTS(providers) + 1);

const char *const *provider_names(void)
{
    return names;
}

const Provider *provider_at(int index)
{
    g_assert(index >= 0 && (gsize)index < G_N_ELEMENTS(providers) && g_str_equal(providers[index].name, names[index]));
    return &providers[index];
}

void provider_server(const ProviderServer *server, Endpoint *endpoint)
{
    endpoint->url = g_strdup(server->url);
    endpoint->host = g_strdup(server->host);
    endpoint->port = server->port;
    endpoint->tls = server->tls;
}
