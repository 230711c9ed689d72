/* SPDX-License-Identifier: GPL-2.0 */
/* The settings of the module. */
#ifndef DSCTL_CONFIG_H
#define DSCTL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/dsnl.h"

/**
 * struct config - The settings of a namespace, and those of the whole module.
 * @tracking: the hooks are in the kernel.
 * @bindv6only: IPV6_V6ONLY is on for sockets to come.
 * @max_sockets: how many sockets can have a record.
 * @event_rate: how many events a second are sent.
 * @peers: the ledger of peers is kept.
 * @max_peers: how many peers it has in each direction.
 * @numbered: each event has a number, for a listener.
 * @event_seq: that of the latest one.
 * @since: from when on none was missed, in nanoseconds since the epoch; 0 if that
 *	is not known, as while tracking is off.
 */
struct config {
	bool tracking;
	bool bindv6only;
	uint32_t max_sockets;
	uint32_t event_rate;
	bool peers;
	uint32_t max_peers;
	bool numbered;
	uint64_t event_seq;
	uint64_t since;
};

/**
 * config_get() - Ask for the settings.
 * @nl: from dsnl_open_dualstack().
 * @defaults: ask for what a namespace starts with instead.
 * @config: filled in.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it.
 */
int config_get(struct dsnl *nl, bool defaults, struct config *config);

#endif /* DSCTL_CONFIG_H */
