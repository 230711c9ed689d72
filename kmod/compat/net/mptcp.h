/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_MPTCP_H
#define _DUALSTACK_COMPAT_NET_MPTCP_H

#include_next <net/mptcp.h>

#if IS_ENABLED(CONFIG_MPTCP_IPV6)
#define DS_MPTCP_V6
#ifdef DS_INET6_BIND_SK
#define DS_MPTCP_BIND_SK
#endif
#endif

#endif /* _DUALSTACK_COMPAT_NET_MPTCP_H */
