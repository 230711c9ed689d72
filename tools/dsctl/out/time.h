/* SPDX-License-Identifier: GPL-2.0 */
/* Times as text. */
#ifndef DSCTL_TIME_H
#define DSCTL_TIME_H

#include <stdint.h>

/* Room for 2026-11-21T13:00:00.123456+01:00. */
#define TIME_STRLEN	48

#define TIME_USEC	1u	/* with microseconds */
#define TIME_ZONE	2u	/* with the zone */

/**
 * time_str() - Print a time by ISO 8601, in local time.
 * @time: nanoseconds since the epoch.
 * @parts: what else than date and seconds: TIME_USEC, TIME_ZONE.
 * @buf: room for TIME_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *time_str(uint64_t time, unsigned int parts, char *buf);

#endif /* DSCTL_TIME_H */
