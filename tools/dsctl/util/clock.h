/* SPDX-License-Identifier: GPL-2.0 */
/* Clocks, in nanoseconds. */
#ifndef DSCTL_CLOCK_H
#define DSCTL_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

/**
 * clock_ns() - What time it is.
 * @clock: CLOCK_REALTIME, or CLOCK_MONOTONIC, which is never set.
 *
 * Return: nanoseconds since the clock's own beginning.
 */
uint64_t clock_ns(clockid_t clock);

/**
 * clock_ms_until() - How long it is until a time, for poll().
 * @when: the time, of CLOCK_MONOTONIC.
 *
 * Return: milliseconds, rounded up; 0 if it has come.
 */
int clock_ms_until(uint64_t when);

#endif /* DSCTL_CLOCK_H */
