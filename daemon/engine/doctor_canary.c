/*
 * The canary as the doctor tells it: what the last one said, as the store has it, or a new one that the daemon is asked for.
 */
#include <json-glib/json-glib.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "engine/control.h"
#include "engine/doctor_parts.h"
#include "store/canary.h"

enum { ASK_TIMEOUT_MS = 5000, LOOK_US = 250 * 1000 };

static const char *advice_of(const CanaryRecord *record)
{
    return record->failed ? "look at mx, spf, dmarc and dkim above, and at the folder for junk; then nurture doctor --canary ACCOUNT" : "";
}

static void tell(const DoctorSetup *setup, const char *account, const CanaryRecord *record)
{
    g_autofree char *at = timestamp_format(record->ended_ms);
    doctor_tell(setup, account, "canary", record->failed ? FINDING_FAIL : FINDING_OK, advice_of(record), "%s%s%s%s (%s)",
                record->failed ? "failed: " : "", record->reason, *record->results ? "; " : "", record->results, at);
}

/* FALSE where there is none, or it cannot be read, which the check of the store tells. */
static gboolean read_record(const Config *config, const char *account, CanaryRecord *ret_record)
{
    g_autoptr(Store) store = store_open(config->store_url, STORE_OPEN_READ_ONLY, NULL);
    return store && store_canary_get(store, account, ret_record, NULL);
}

void doctor_check_canary(const DoctorSetup *setup, const Account *account)
{
    g_auto(CanaryRecord) record = {0};
    if (account->has_imap && read_record(setup->config, account->name, &record) && record.ended_ms)
        tell(setup, account->name, &record);
    else if (account->has_imap && !account->canary.wanted)
        doctor_tell(setup, account->name, "canary", FINDING_NOT_ASKED, "write canary = true, or try nurture doctor --canary ACCOUNT",
                    "the account does not look whether its mail arrives");
}

static gboolean ask_daemon(const DoctorSetup *setup, GError **error)
{
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "canary");
    json_object_set_string_member(request, "account", setup->account->name);
    g_autoptr(JsonObject) answer = control_call(setup->config, request, ASK_TIMEOUT_MS, error);
    return answer != NULL;
}

void doctor_send_canary(const DoctorSetup *setup)
{
    const char *name = setup->account->name;
    const gint64 until_ms = clock_monotonic_ms() + CANARY_WAIT_S * 1000;
    g_autoptr(GError) error = NULL;
    if (!ask_daemon(setup, &error)) {
        doctor_tell(setup, name, "canary", FINDING_FAIL, "", "%s", error->message);
        return;
    }
    while (clock_monotonic_ms() < until_ms) {
        g_auto(CanaryRecord) record = {0};
        gboolean known = read_record(setup->config, name, &record);
        if (known && *record.message_id == '\0') {
            doctor_tell(setup, name, "canary", FINDING_FAIL, "nurture doctor tells what is wrong with the way out", "it could not be sent");
            return;
        }
        if (known && !canary_record_is_under_way(&record)) {
            tell(setup, name, &record);
            return;
        }
        g_usleep(LOOK_US);
    }
    doctor_tell(setup, name, "canary", FINDING_WARN, "nurture status tells when it is", "it was sent, and is not found after %d s", CANARY_WAIT_S);
}
