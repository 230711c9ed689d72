// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "out/time.h"
#include "util/clock.h"

#define NSEC_PER_USEC	1000

const char *time_str(uint64_t time, unsigned int parts, char *buf)
{
	time_t sec = time / NSEC_PER_SEC;
	struct tm tm = { };
	size_t len;

	localtime_r(&sec, &tm);
	len = strftime(buf, TIME_STRLEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (parts & TIME_USEC)
		len += snprintf(buf + len, TIME_STRLEN - len, ".%06llu",
				(unsigned long long)time % NSEC_PER_SEC /
				NSEC_PER_USEC);
	if (parts & TIME_ZONE && TIME_STRLEN - len > sizeof("+hh:mm")) {
		/* "+hhmm": ISO 8601 has a colon where the rest has them. */
		strftime(buf + len, TIME_STRLEN - len, "%z", &tm);
		memmove(buf + len + 4, buf + len + 3, sizeof("mm"));
		buf[len + 3] = ':';
	}
	return buf;
}
