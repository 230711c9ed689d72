/* SPDX-License-Identifier: GPL-2.0 */
/* Whether netfilter may take a packet before any socket. */
#ifndef DSCTL_NETFILTER_H
#define DSCTL_NETFILTER_H

/**
 * netfilter_look() - Look whether there are rules that incoming packets meet.
 * @family: of the packet, AF_INET or AF_INET6.
 *
 * What the rules say is not looked at. No module is loaded for the question.
 *
 * Return: 1 if there are some in the network namespace that the caller is in, 0 if
 * there are none, -1 if the caller may not look.
 */
int netfilter_look(int family);

#endif /* DSCTL_NETFILTER_H */
