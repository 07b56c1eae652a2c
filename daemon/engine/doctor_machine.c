/*
 * The configuration, the store, the machine's disk and clock, and the daemon that runs on them.
 */
#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "engine/control.h"
#include "engine/doctor_parts.h"
#include "store/contacts.h"
#include "store/store.h"

#define SQLITE_SCHEME "sqlite://"

static const guint64 DISK_FAIL_OCTETS = G_GUINT64_CONSTANT(100) * 1000 * 1000;
static const guint64 DISK_WARN_OCTETS = G_GUINT64_CONSTANT(1000) * 1000 * 1000;
enum { STATUS_TIMEOUT_MS = 5000 };

/* ---- store and disk -------------------------------------------------------------------------------------------------- */

static void check_disk(const DoctorSetup *setup, const char *folder)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) {
        doctor_tell(setup, "", "disk", FINDING_FAIL, "make the folder, for the user that nurtured runs as", "%s: %s", folder,
                    g_strerror(errno));
        return;
    }
    guint64 free_octets = (guint64)disk.f_bavail * disk.f_frsize;
    double free_gb = (double)free_octets / 1e9;
    if (disk.f_flag & ST_RDONLY)
        doctor_tell(setup, "", "disk", FINDING_FAIL, "mount it for writing, or move the store", "%s can only be read", folder);
    else if (free_octets < DISK_FAIL_OCTETS)
        doctor_tell(setup, "", "disk", FINDING_FAIL, "make room: nothing is sent while the store cannot be written", "%s: %.1f GB free",
                    folder, free_gb);
    else
        doctor_tell(setup, "", "disk", free_octets < DISK_WARN_OCTETS ? FINDING_WARN : FINDING_OK,
                    free_octets < DISK_WARN_OCTETS ? "make room before the store can grow no more" : "", "%s: %.1f GB free", folder, free_gb);
}

static void check_store(const DoctorSetup *setup)
{
    const char *url = setup->config->store_url;
    const char *path = g_str_has_prefix(url, SQLITE_SCHEME) ? url + strlen(SQLITE_SCHEME) : url;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;
    guint64 contacts = 0;
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        doctor_tell(setup, "", "store", FINDING_WARN, "nurture import, or the daemon's first start, makes it", "%s is not made yet", path);
    } else {
        g_autoptr(Store) store = store_open(url, STORE_OPEN_READ_ONLY, &error);
        if (store && store_contact_count(store, &contacts, &error))
            doctor_tell(setup, "", "store", FINDING_OK, "", "%s opens, with this program's schema; contacts: %" G_GUINT64_FORMAT, path,
                        contacts);
        else
            doctor_tell(setup, "", "store", FINDING_FAIL, "", "%s", error->message);
    }
    check_disk(setup, folder);
}

/* ---- clock ----------------------------------------------------------------------------------------------------------- */

static void check_clock(const DoctorSetup *setup)
{
    switch (clock_system_sync()) {
    case CLOCK_SYNCHRONISED:
        doctor_tell(setup, "", "clock", FINDING_OK, "", "kept right by a time service");
        break;
    case CLOCK_UNSYNCHRONISED:
        doctor_tell(setup, "", "clock", FINDING_WARN, "install chrony or systemd-timesyncd: mail dated wrongly looks like spam",
                    "no time service keeps it right");
        break;
    case CLOCK_UNKNOWN:
        doctor_tell(setup, "", "clock", FINDING_NOT_ASKED, "", "the system does not say whether it is right");
        break;
    }
}

/* ---- daemon ---------------------------------------------------------------------------------------------------------- */

static const char *text_of(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, "");
}

static void tell_daemon_account(const DoctorSetup *setup, JsonObject *status)
{
    const char *account = text_of(status, "account"), *sending = text_of(status, "sending");
    if (setup->account && !g_str_equal(setup->account->name, account))
        return;
    if (g_str_equal(sending, "paused") || g_str_equal(sending, "unreachable") || g_str_equal(sending, "blind"))
        doctor_tell(setup, account, "sending", FINDING_WARN, g_str_equal(sending, "paused") ? "nurture resume, when that is mended" : "",
                    "%s: %s", sending, text_of(status, "sending_reason"));
    if (g_str_equal(text_of(status, "mailbox"), "failed"))
        doctor_tell(setup, account, "mailbox", FINDING_WARN, "", "not watched: %s", text_of(status, "mailbox_reason"));
}

static void tell_daemon(const DoctorSetup *setup, JsonObject *status)
{
    const char *version = text_of(status, "version"), *file = text_of(status, "config"), *store = text_of(status, "store");
    gint64 pid = json_object_get_int_member_with_default(status, "pid", 0);
    if (!g_str_equal(version, NURTURE_VERSION))
        doctor_tell(setup, "", "daemon", FINDING_WARN, "restart it, so that it is the installed one",
                    "nurtured %s runs, and this is %s", version, NURTURE_VERSION);
    else if (!g_str_equal(file, setup->config->file))
        doctor_tell(setup, "", "daemon", FINDING_WARN, "look at the one that is in force", "nurtured runs with another configuration, %s", file);
    else if (!g_str_equal(store, "ready"))
        doctor_tell(setup, "", "daemon", FINDING_FAIL, "nothing is lost; it is tried again every few seconds", "the store refuses: %s", store);
    else if (json_object_get_boolean_member_with_default(status, "paused", FALSE))
        doctor_tell(setup, "", "daemon", FINDING_WARN, "nurture resume", "all sending is paused");
    else
        doctor_tell(setup, "", "daemon", FINDING_OK, "", "nurtured %s runs, process %" G_GINT64_FORMAT, version, pid);
    JsonNode *accounts = json_object_get_member(status, "accounts");
    JsonArray *list = accounts && JSON_NODE_HOLDS_ARRAY(accounts) ? json_node_get_array(accounts) : NULL;
    for (guint i = 0; list && i < json_array_get_length(list); i++)
        tell_daemon_account(setup, json_array_get_object_element(list, i));
}

static void check_daemon(const DoctorSetup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "status");
    g_autoptr(JsonObject) status = control_call(setup->config, request, STATUS_TIMEOUT_MS, &error);
    if (status)
        tell_daemon(setup, status);
    else
        doctor_tell(setup, "", "daemon", FINDING_WARN, "", "%s", error->message);
}

void doctor_check_machine(const DoctorSetup *setup)
{
    const Config *config = setup->config;
    doctor_tell(setup, "", "configuration", FINDING_OK, "", "%s (accounts: %u, rules: %u)", config->file,
                g_strv_length((char **)config->accounts), g_strv_length((char **)config->rules));
    check_store(setup);
    check_clock(setup);
    check_daemon(setup);
}
