/*
 * The configuration file, read whole into one immutable, reference-counted struct. Every key's type and range is checked,
 * unknown keys are refused with the nearest known name, and all faults are reported at once. Strings are never NULL unless
 * said so; "" stands for "not given". Lists of strings are NULL-terminated and never NULL themselves.
 */
#pragma once

#include <glib.h>

#include "base/duration.h"
#include "config/condition.h"
#include "config/secret.h"

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);

typedef enum {
    CONFIG_ERROR_INVALID, /* the file has faults; they are in the list of faults */
    CONFIG_ERROR_SECRET   /* a password could not be read */
} ConfigError;

enum { DAY_MON = 1 << 0, DAY_TUE = 1 << 1, DAY_WED = 1 << 2, DAY_THU = 1 << 3, DAY_FRI = 1 << 4, DAY_SAT = 1 << 5, DAY_SUN = 1 << 6, DAY_ALL = 0x7f };

/* When mail may leave, in the contact's local time: on these days from from_min (inclusive) to to_min (exclusive). */
typedef struct {
    guint8 days;  /* DAY_… bits */
    int from_min; /* minutes since local midnight, 0 … 1439 */
    int to_min;   /* from_min+1 … 1440 */
} Window;

typedef enum { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE } TlsMode;

/* How to prove who we are. */
typedef enum {
    SIGN_IN_AUTO,     /* by password: PLAIN or LOGIN; CRAM-MD5 with a server that has neither */
    SIGN_IN_PLAIN,    /* by password, in this way only */
    SIGN_IN_LOGIN,
    SIGN_IN_CRAM_MD5,
    SIGN_IN_OAUTH2    /* by access token: OAUTHBEARER or XOAUTH2, whichever the server has */
} SignIn;

/* "auto", "plain" …, as in the file. */
const char *sign_in_name(SignIn sign_in);

/* Where access tokens come from. URLs are https. */
typedef struct {
    char *token_name; /* whose token it is: the account's name, or "anna.smtp" where smtp and imap have one each */
    char *provider;   /* "gmail" …; "" for none */
    char *user;       /* who authorises: the user at the server */
    char *client_id;
    SecretSource client_secret; /* SECRET_NONE for an application without one; never a command */
    gboolean secret_in_header;  /* sent as HTTP Basic, not in the form */
    char *token_url;
    char *device_url;    /* of the device code (RFC 8628), "" where there is none */
    char *authorize_url; /* of the page that a browser is sent to, "" where there is none */
    char *redirect_url;  /* where that page leads back to, as it was registered; "oob": it shows a code; "" for this machine, at any port */
    char *scope;         /* words between spaces, "" for none */
    char *ca_file;       /* "" for the system's authorities */
} OAuth;

/* A server and how to sign in there. */
typedef struct {
    char *url; /* as written, for messages */
    char *host;
    guint16 port; /* the scheme's default where the URL names none: 465, 587, 993, 143 */
    TlsMode tls;
    char *ca_file; /* "" for the system's authorities */
    char *user;    /* "" for no sign-in */
    SignIn sign_in;
    SecretSource password; /* SECRET_NONE where SIGN_IN_OAUTH2 */
    const OAuth *oauth;    /* where SIGN_IN_OAUTH2; one of the account's */
} Endpoint;

typedef struct {
    Endpoint server;
    guint connections; /* 1 … 64, default 2 */
} SmtpSettings;

typedef struct {
    Endpoint server;
    char **folders;       /* at least one, default INBOX; each once */
    char **prospect_folders; /* those of them where an unknown sender becomes a prospect (unknown = "prospect") */
    char *junk_folder;    /* "": the one that the server says is it (RFC 6154) */
    gboolean watch_junk;  /* read it, for answers and bounces that went there by mistake; default true */
    char *sent_folder;    /* "": the one that the server says is it (RFC 6154) */
    gboolean save_sent;   /* file copies of what is sent there */
    gboolean watch_sent;  /* read it, for what the owner writes by hand; default true */
    Duration read_back;   /* how far a first run reads back; zero: starts at the mailbox's present end */
    gint64 poll_ms;       /* between looks, where a server lacks IDLE or for folders beside the first; default 1 minute */
} ImapSettings;

/* 0 means "does not limit". */
typedef struct {
    guint per_hour; /* in any 60 minutes */
    guint per_day;  /* in any 24 hours */
    gint64 every_ms;
    gint64 jitter_ms; /* up to this much is added to every_ms, chosen by the message */
    guint ramp_start; /* a new account: so many on the first day (24 hours from its first message) … */
    guint ramp_step;  /* … and so many more on each day after it … */
    guint ramp_max;   /* … up to so many, where the ramp ends */
} AccountLimits;

/* A message to oneself from time to time, to see whether mail arrives. */
typedef struct {
    gboolean wanted;
    gint64 every_ms;   /* default 1 day */
    gint64 timeout_ms; /* until it must be found; default 30 minutes */
} CanarySettings;

/* Whether, and when, an account's owner is told that somebody wrote. */
typedef enum { NOTIFY_UNSAID /* of a rule: as the account says */, NOTIFY_NONE, NOTIFY_DIGEST, NOTIFY_AT_ONCE } Notify;

typedef enum { ON_UNCERTAIN_HOLD, ON_UNCERTAIN_RESEND } OnUncertain;

typedef struct {
    char *name;
    char *from_name;    /* decoded display name, "" for none */
    char *from_address; /* canonical */
    char *reply_to;     /* "" for none */
    char *reply_to_name; /* "" for none: from_name stands there */
    gboolean reply_token; /* the address for answers bears a token behind "+": the mailbox takes mail for such addresses (RFC 5233) */
    char *signature;    /* the partial that stands behind each message to a contact; "" for none */
    CanarySettings canary; /* every_ms and timeout_ms hold whether it is wanted or not */
    char *dkim_selector; /* under which its mail is signed, for `nurture doctor`; "" for not known */
    char *source;       /* "file:line" of where it is written, for faults */
    OAuth **oauths;     /* NULL-terminated: what has to be authorised, mostly one or none */
    SmtpSettings smtp;
    gboolean one_way; /* has no imap and says that this is meant */
    gboolean has_imap;
    ImapSettings imap; /* where has_imap */
    AccountLimits limits;
    OnUncertain on_uncertain;
    Notify notify;      /* never UNSAID; default NONE */
    int digest_min;     /* minute of the day at which the digest is made; default 8 o'clock */
    gboolean has_window;
    Window window; /* where has_window: instead of sending's */
} Account;

/* One of several templates that a step tries. */
typedef struct {
    char *template_name;
    guint weight; /* 1 … 1000, beside those of the others */
} Variant;

/* What a rule counts from. Those of referrals and scores are of a person's own doing and may come again: each is a round. */
typedef enum {
    ANCHOR_STAGE,
    ANCHOR_CUSTOMER,
    ANCHOR_SCORE,    /* since they gave a score */
    ANCHOR_REFERRAL, /* since the referral that brought them was accepted */
    ANCHOR_THANKS,   /* since somebody whom they introduced was accepted */
    ANCHOR_REWARD    /* since somebody whom they introduced became a customer */
} Anchor;
typedef enum { STEP_AFTER, STEP_AGE } StepTiming;
typedef enum {
    STEP_MESSAGE, /* to the contact */
    STEP_TASK,    /* a reminder to the owner, and a task on the contact's history */
    STEP_SCORE    /* a message that asks for a score from 0 to 10, which is read from the answer */
} StepKind;

/* The date that a step waits for, beside its delay. */
typedef enum {
    STEP_DATE_NONE,
    STEP_DATE_ANNIVERSARY, /* of the anchor, from the first year on */
    STEP_DATE_YEARLY,      /* on_month, on_day of any year */
    STEP_DATE_ONCE,        /* on_year, on_month, on_day */
    STEP_DATE_ATTRIBUTE    /* on_attribute holds "2027-03-01", or, each year, "03-01" */
} StepDate;

typedef struct {
    StepKind kind;
    StepTiming timing;
    Duration delay;       /* AFTER: since the step before (the anchor, for the first); AGE: since the anchor */
    guint8 on_days;       /* DAY_… bits: on the first of these weekdays; 0: any */
    int at_min;           /* at this minute of the local day; -1: any */
    StepDate date;
    int on_year, on_month, on_day;
    char *on_attribute;   /* STEP_DATE_ATTRIBUTE: its name; else NULL */
    gboolean yearly;      /* STEP_DATE_ATTRIBUTE: at its month and day of each year (a birthday) */
    Duration before;      /* so long before the date */
    Condition **conditions; /* `if`: NULL-terminated; all must hold when the step is due, else it is skipped */
    gboolean approve;     /* waits for `nurture queue approve` (its own, or the rule's) */
    char *template_name;  /* also the step's identity; unique within its rule */
    Variant **variants;   /* NULL-terminated; empty: template_name alone. Else it is sent only where it is among them */
    gboolean same_thread; /* answers the rule's message before, in the same conversation */
    char *source;         /* "file:line" of where it is written, for faults */
} Step;

/* What ends an enrolment, as bits. STOP_ALWAYS always does. */
typedef enum {
    STOP_REPLY = 1 << 0,
    STOP_STAGE_CHANGE = 1 << 1,
    STOP_MEETING = 1 << 2,
    STOP_CALL = 1 << 3,
    STOP_NOTE = 1 << 4,
    STOP_BOUNCE = 1 << 5,
    STOP_UNSUBSCRIBE = 1 << 6,
    STOP_COMPLAINT = 1 << 7,
    STOP_TAG = 1 << 8, /* any tag was added; certain ones: Rule.stop_tags */
    STOP_AUTO_REPLY = 1 << 9,
    STOP_REFERRAL = 1 << 10
} StopEvent;
#define STOP_ALWAYS (STOP_BOUNCE | STOP_UNSUBSCRIBE | STOP_COMPLAINT)

typedef struct {
    char *name;
    char *purpose; /* "follow-up" (default) or "referral" */
    Anchor anchor;
    gboolean asks;        /* purpose "referral": it asks people to introduce others, which the next three are about */
    Duration cooldown;    /* nobody who was asked by whatever rule within this is asked; zero: no such limit */
    Duration trouble;     /* nor who complained, or gave a low score, within this; zero: no such limit */
    gboolean accept_auto; /* a friend who wrote to us themself needs no yes of the owner */
    char *basis;          /* on what legal ground it writes, for the record; "": told from what is known of the contact */
    char *reward;         /* what the thank-you promises ({{reward}}); "" for nothing */
    Condition **when;   /* NULL-terminated; all must hold */
    Condition **unless; /* NULL-terminated; none may hold */
    Step **steps;       /* NULL-terminated, at least one */
    guint stop_on;      /* StopEvent bits, STOP_ALWAYS included */
    char **stop_tags;   /* NULL-terminated: these tags stop it, too ("tag:won") */
    gboolean scope_company; /* what stop_on names stops it for the colleagues (same company) as well */
    Notify notify;      /* of answers to its messages */
    int priority;       /* -100 … 100, default 0; the higher goes first where an account's limits bind */
    gboolean has_window;
    Window window;      /* where has_window: instead of the account's and sending's */
    Duration repeat_every; /* zero: one round only */
    guint repeat_max;      /* rounds at most; 0: no limit */
    Duration until_age;    /* no step later than this after the anchor; zero: no such end */
    int until_year, until_month, until_day; /* no step after this local day; until_year 0: no such end */
    char *digest;       /* of all above: changes when the rule does */
} Rule;

typedef struct {
    char *name;
    char *postal_address;
    char **domains; /* lower case */
} Organisation;

typedef struct {
    char **stages;
    char *customer_stage;
    char **lost_stages; /* of those who will not become customers: as given, else those named "lost", "closed-lost" or "left" */
} Pipeline;

/* Holidays of those contacts whose attribute Sending.holidays_by has this value. */
typedef struct {
    char *value;
    char **files; /* absolute */
} HolidaysOf;

/* So many messages to one contact at most, across rules; 0: does not limit. A day is 24 hours, a week seven of them, a month goes
 * by the calendar. */
typedef struct {
    guint day, week, month;
} MaxPer;

/* So many messages that came back for the time being (a full mailbox), within so long, are as good as one that did for good. */
typedef struct {
    guint most;
    gint64 within_ms;
} SoftBounces;

/* An account pauses itself where too much of what it sent came back. Shares are in percent of the messages tried. */
typedef struct {
    gint64 within_ms;  /* how far back is counted */
    guint at_least;    /* messages, before which nothing is judged */
    double bounces;
    double complaints;
} Breaker;

typedef struct {
    char *time_zone;
    Window window;
    char **holiday_files; /* of everybody else; absolute; checked to be readable iCalendar by plan/calendar.h's loader */
    HolidaysOf **holidays_of; /* NULL-terminated */
    char *holidays_by;    /* attribute of the contact, else of their company; default "country" */
    Duration min_gap;
    Duration max_late;
    Duration referral_cooldown; /* between two requests for referrals, where a rule has no cooldown of its own; zero: none */
    Duration quiet_after_contact; /* no automatic mail so long after the person wrote, or the owner wrote or spoke to them; zero: none */
    MaxPer max_per;
    Breaker breaker;
    Duration absence_hold; /* after an automatic answer that names no date of return; zero: none */
    SoftBounces soft_bounces;
    gint64 blind_after_ms;
    gint64 max_attachment; /* octets of all files of one message together, before encoding; default 5 MB */
    gint64 retry_for_ms; /* a deferred message fails when this old; default 5 days */
    char *digest; /* of all that moves due times: zone, windows (the accounts', too), holidays with the files' content */
} Sending;

/* How long what is stored about people is kept. */
typedef struct {
    Duration bodies; /* of messages, in histories; zero: as long as the contact. At least a day, no business days */
} Retention;

typedef struct Config {
    char *file;           /* absolute */
    char *store_url;      /* "sqlite:///absolute/path" (relative paths are made absolute, from the file's folder) */
    char *tokens_dir;     /* of OAuth2 tokens: beside the store, told apart by its name */
    char *unreadable_dir; /* of messages that could not be read: as tokens_dir */
    char *templates_dir;  /* absolute */
    char *runtime_dir;    /* of the control socket: key "runtime"; else /run/nurtured for a store in /var/lib/nurtured, else the store's folder */
    char *control_socket; /* absolute path inside runtime_dir, told apart by the store's name */
    Organisation organisation;
    Pipeline pipeline;
    Sending sending;
    Retention retention;
    Account **accounts; /* NULL-terminated, at least one */
    Rule **rules;       /* NULL-terminated, may be empty */
} Config;

/*
 * Reads and checks the file. On faults returns NULL, sets CONFIG_ERROR_INVALID (all faults, one a line), and, where
 * ret_faults is not NULL, gives them as an array of char* "file:line: what is wrong; what to write instead" (free with
 * g_ptr_array_unref()). ret_faults is untouched on success. No password is read and no command run, but a password_file
 * that is missing or that others can read is a fault.
 */
Config *config_load(const char *file, GPtrArray **ret_faults, GError **error);
Config *config_ref(Config *config);
void config_unref(Config *config);

/* NULL where there is none of that name. They belong to config. */
const Account *config_account(const Config *config, const char *name);
const Rule *config_rule(const Config *config, const char *name);
const Step *config_rule_step(const Rule *rule, const char *template_name);

/* The account that writes to a contact of this owner: the one of that name; for no owner ("" or NULL) the first. NULL for an
 * owner who has none. */
const Account *config_account_for_owner(const Config *config, const char *owner);

/* TRUE where a stage is one of those who will not become customers (case matters not). */
gboolean config_stage_is_lost(const Config *config, const char *stage);

/* TRUE for an anchor that may come again, a round each: a score, thanks, a reward. */
gboolean anchor_is_repeated(Anchor anchor);

/* The sending window that counts: the rule's, else the account's (which may be NULL), else sending's. */
const Window *config_window(const Config *config, const Rule *rule, const Account *account);

/* Position of the stage in the pipeline, -1 where it is not one (case matters not). */
int config_stage_index(const Config *config, const char *stage);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_unref)
