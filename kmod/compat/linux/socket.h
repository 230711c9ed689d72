/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_SOCKET_H
#define _DUALSTACK_COMPAT_LINUX_SOCKET_H

#include_next <linux/socket.h>

/* What struct proto and struct proto_ops take for an address. */
#ifdef DS_SOCKADDR_UNSIZED
#define ds_sockaddr sockaddr_unsized
#else
#define ds_sockaddr sockaddr
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_SOCKET_H */
