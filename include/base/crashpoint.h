/*
 * Places where the crash tests end the process. In a release build they are nothing; in the tests' flavours (compiled with
 * NURTURE_CRASH_POINTS) the process kills itself with SIGKILL at crash_point("outbox-sending") when the environment has
 * NURTURE_CRASH_AT=outbox-sending, or outbox-sending:3 for the third passage.
 */
#pragma once

#ifdef NURTURE_CRASH_POINTS
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif
