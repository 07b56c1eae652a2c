/*
 * The order of the examination, and how a finding is told. Runs in the command.
 */
#include "engine/doctor.h"

#include "base/text.h"
#include "engine/doctor_parts.h"

enum { FOUND_OCTETS = 600 };

const char *finding_level_name(FindingLevel level)
{
    static const char *const names[] = {
        [FINDING_OK] = "ok", [FINDING_NOT_ASKED] = "not asked", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail"};
    return names[level];
}

void doctor_tell(const DoctorSetup *setup, const char *account, const char *check, FindingLevel level, const char *advice,
                 const char *found, ...)
{
    va_list arguments;
    va_start(arguments, found);
    g_autofree char *raw = g_strdup_vprintf(found, arguments);
    va_end(arguments);
    g_autofree char *text = text_escape(raw, FOUND_OCTETS);
    const Finding finding = {.level = level, .account = account, .check = check, .found = text, .advice = advice};
    setup->func(&finding, setup->data);
}

void doctor_tell_faults(const DoctorSetup *setup, const char *check, const char *faults)
{
    g_auto(GStrv) lines = g_strsplit(faults, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            doctor_tell(setup, "", check, FINDING_FAIL, "", "%s", *line);
}

void doctor_examine(const DoctorSetup *setup)
{
    gboolean no_network = FALSE;
    doctor_check_machine(setup);
    doctor_check_templates(setup);
    for (Account **account = setup->config->accounts; *account; account++) {
        if (setup->account && setup->account != *account)
            continue;
        doctor_check_dns(setup, *account, &no_network);
        doctor_check_mail(setup, *account);
        doctor_check_canary(setup, *account);
    }
}
