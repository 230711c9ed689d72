// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/ipv6.h"

#define NET	"/proc/sys/net"
#define CONF	NET "/ipv6/conf"

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

/* That neither is there tells of /proc alone. */
bool ipv6_exists(void)
{
	return !access(NET "/ipv6", F_OK) || access(NET "/ipv4", F_OK);
}

const char *ipv6_off(void)
{
	bool off = true, any = false;
	struct dirent *d;
	DIR *dir;

	if (!ipv6_exists())
		return "ipv6.disable";

	dir = opendir(CONF);
	if (!dir)
		return NULL;
	while (off && (d = readdir(dir))) {
		if (is_passed_over(d->d_name))
			continue;
		any = true;
		off = is_disabled(d->d_name);
	}
	closedir(dir);
	if (!any)
		off = is_disabled("all");
	return off ? "disable_ipv6" : NULL;
}
