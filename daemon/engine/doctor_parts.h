/*
 * The parts of nurture doctor. Private to engine/.
 */
#pragma once

#include "engine/doctor.h"
#include "engine/templates.h"

/* Hands a finding on. found is escaped and cut; advice is ours. */
void doctor_tell(const DoctorSetup *setup, const char *account, const char *check, FindingLevel level, const char *advice,
                 const char *found, ...) G_GNUC_PRINTF(6, 7);

/* What all accounts share. */
void doctor_check_machine(const DoctorSetup *setup);
void doctor_check_templates(const DoctorSetup *setup);

/* What the account's last canary said, where there was one. */
void doctor_check_canary(const DoctorSetup *setup, const Account *account);

/* One account. *no_network: a name server did not answer, and none is asked any more. */
void doctor_check_dns(const DoctorSetup *setup, const Account *account, gboolean *no_network);
void doctor_check_mail(const DoctorSetup *setup, const Account *account);
