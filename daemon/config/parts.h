/*
 * The parts of a configuration that have a file of their own. Private to config/.
 */
#pragma once

#include "config/config.h"
#include "config/reader.h"

/* KEY_CUSTOM parsers: field is an Account***, Rule***, Condition*** (of when, unless, if). */
void account_parse_list(Reader *reader, config_setting_t *setting, gpointer field);
void rule_parse_list(Reader *reader, config_setting_t *setting, gpointer field);
void condition_parse_group(Reader *reader, config_setting_t *setting, gpointer field);

/* field is a Window*; keys that are left out stay as they are in it. */
void window_parse(Reader *reader, config_setting_t *setting, gpointer field);

/* window_parse() over sending's window: what a rule or an account leaves out is as there. */
void window_parse_own(Reader *reader, config_setting_t *setting, Window *ret_window);

/* field is a CanarySettings*. */
/* Whom to tell of replies, and when; UNSAID and a fault where it is none of the words. */
Notify notify_parse(Reader *reader, const config_setting_t *setting);

/* The minute of the day of an account's digest = { at = "08:00"; }; setting NULL: the default. */
int digest_time_parse(Reader *reader, config_setting_t *setting);

void canary_parse(Reader *reader, config_setting_t *setting, gpointer field);

/* "mon-fri", "mon,wed,fri", "sat-mon", "every day" as DAY_… bits; 0 where it is none of these. */
guint8 window_days(const char *text);

/* "mon, tue, wed". Caller frees. */
char *window_days_text(guint8 days);

/* "09:00", to "24:00": minutes since midnight; -1 for no time of day. */
int window_minute(const char *text);

/* 540 as "09:00". Caller frees. */
char *window_minute_text(int minute);

/* Defaults where setting is NULL. */
void sending_parse(Reader *reader, config_setting_t *setting, Sending *sending);
void sending_clear(Sending *sending);

/* The steps of a rule (NULL-terminated); approve is the rule's. What stands between steps is checked as well. */
Step **step_parse_list(Reader *reader, config_setting_t *setting, gboolean approve);
void step_free(Step *step);

/* What `on` says: weekdays or a date, into the step's fields. */
void step_parse_on(Reader *reader, config_setting_t *setting, Step *step);

typedef enum {
    DATE_NOT,     /* does not look like one */
    DATE_WRONG,   /* looks like one, but there is no such day */
    DATE_OF_YEAR, /* "12-24"; month and day */
    DATE_ONCE     /* "2027-01-15" */
} DateForm;

typedef struct {
    int year, month, day; /* year 0 in DATE_OF_YEAR */
} Date;

DateForm date_parse(const char *text, Date *ret_date);

/* Steps that the windows that count for the rule, or its `until`, would never let go. */
void rule_check_times(Reader *reader, const Rule *rule);

/* Every part of the rule's meaning, but the windows it shares with others. Caller frees. */
char *digest_of_rule(const Rule *rule);

/* What moves due times of any rule; notes a holiday file that cannot be read. Caller frees. */
char *digest_of_sending(Reader *reader, const Config *config);

/* "smtps://host:port" of one of the two schemes (TLS from the start, STARTTLS) into the endpoint; notes faults. */
void url_parse(Reader *reader, const config_setting_t *setting, const char *tls_scheme, const char *starttls_scheme,
               guint16 tls_port, guint16 starttls_port, Endpoint *endpoint);

/* A mail provider whose servers and OAuth2 endpoints are known. */
typedef struct {
    const char *url, *host;
    guint16 port;
    TlsMode tls;
} ProviderServer;

typedef struct {
    const char *name;
    ProviderServer smtp, imap;
    const char *token_url, *device_url, *authorize_url, *redirect_url, *scope;
    gboolean secret_in_header;
} Provider;

const char *const *provider_names(void); /* NULL-terminated */
const Provider *provider_at(int index);  /* of provider_names() */
void provider_server(const ProviderServer *server, Endpoint *endpoint);

/* What an `auth` group says. Zero: nothing, which is SIGN_IN_AUTO. */
typedef struct {
    SignIn sign_in;
    const Provider *provider; /* NULL for none */
    char *user;               /* NULL for none */
    OAuth *oauth;             /* where SIGN_IN_OAUTH2; NULL where it had faults */
} Auth;

void auth_parse(Reader *reader, config_setting_t *setting, Auth *ret_auth);
void auth_clear(Auth *auth);
void oauth_free(OAuth *oauth);

/* Of the account that a server belongs to. */
typedef struct {
    Auth auth;
    const char *name, *address;
    config_setting_t *where; /* what stands for a group that is left out */
    GPtrArray *oauths; /* OAuth*: what is used */
} AccountAuth;

/* The group (NULL: left out, for an account whose provider is known) of such a server. */
void smtp_parse(Reader *reader, config_setting_t *group, AccountAuth *auth, SmtpSettings *smtp);
/* The folders that are read (setting: of imap, NULL for none), into imap->folders and prospect_folders. */
#define FOLDERS_EXAMPLE "folders = [ \"INBOX\" ], or ( \"INBOX\", { name = \"Leads\"; unknown = \"prospect\"; } )"
void folders_parse(Reader *reader, config_setting_t *setting, ImapSettings *imap);

void imap_parse(Reader *reader, config_setting_t *group, AccountAuth *auth, ImapSettings *imap);
void endpoint_clear(Endpoint *endpoint);

/* Notes a file of that key that is missing, empty, or can be read by others. */
void secret_file_check(Reader *reader, const config_setting_t *where, const char *key, const char *path);

/* A text that must be one line without control characters; NULL passes. */
void plain_check(Reader *reader, const config_setting_t *where, const char *what, const char *text);

/* Refuses numbers that libconfig would silently read as others, in every file that settings under root come from. */
void numbers_check(Reader *reader, config_setting_t *root);

/* TRUE for 127/8, ::1 and localhost. */
gboolean url_is_loopback(const char *host);

/* The stage as the pipeline spells it; NULL and a fault for one that it does not have. */
const char *stage_parse(Reader *reader, const config_setting_t *setting, const char *stage);

/* "5 MB", "500 kB" of at most max bytes; *ret_bytes untouched and a fault else. */
void size_parse(Reader *reader, config_setting_t *setting, gint64 max, const char *example, gint64 *ret_bytes);

/* The variants of a step (NULL-terminated): a list of names, or of groups with weights. */
Variant **variant_parse_list(Reader *reader, config_setting_t *setting);
void variants_free(Variant **variants);

/* A name that stays inside the folder of templates, and cannot be taken for a partial or a variant in another language. */
gboolean is_template_name(const char *name);

void account_free(Account *account);
void rule_free(Rule *rule);
void conditions_free(Condition **conditions);
