// SPDX-License-Identifier: GPL-2.0
#include "util/clock.h"

uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int clock_ms_until(uint64_t when)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	return now < when ? (when - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC : 0;
}
