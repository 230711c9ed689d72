// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "util/file.h"
#include "util/ipv6.h"

#define CONF	"/proc/sys/net/ipv6/conf"

static bool is_disabled(const char *dev)
{
	char path[sizeof(CONF) + NAME_MAX + sizeof("/disable_ipv6")];
	char value[2];

	snprintf(path, sizeof(path), CONF "/%s/disable_ipv6", dev);
	return file_start(path, value, sizeof(value)) > 0 && *value != '0';
}

/* What is no device beyond which anybody is. */
static bool is_passed_over(const char *dev)
{
	return *dev == '.' || !strcmp(dev, "all") || !strcmp(dev, "default") ||
	       !strcmp(dev, "lo");
}

bool ipv6_is_off(void)
{
	bool off = true, any = false;
	struct dirent *d;
	DIR *dir;

	dir = opendir(CONF);
	if (!dir)
		return false;
	while (off && (d = readdir(dir))) {
		if (is_passed_over(d->d_name))
			continue;
		any = true;
		off = is_disabled(d->d_name);
	}
	closedir(dir);
	return any ? off : is_disabled("all");
}
