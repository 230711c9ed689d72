/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_SOCK_H
#define _DUALSTACK_COMPAT_NET_SOCK_H

#include_next <net/sock.h>

/* The owner of a socket, as bind() compares it for SO_REUSEPORT. */
static inline kuid_t ds_sk_uid(struct sock *sk)
{
#ifdef DS_SOCK_I_UID
	return sock_i_uid(sk);
#else
	return sk_uid(sk);
#endif
}

#ifdef DS_NO_MEM_CGROUP_FROM_SK
static inline struct mem_cgroup *mem_cgroup_from_sk(const struct sock *sk)
{
	return sk->sk_memcg;
}
#endif

/* Give a socket a port, as bind() does. Before Linux 6.2 it fails with 1, and that is
 * EADDRINUSE to the application.
 */
static inline int ds_get_port(struct sock *sk, unsigned short port)
{
	int err = READ_ONCE(sk->sk_prot)->get_port(sk, port);

	return err > 0 ? -EADDRINUSE : err;
}

#endif /* _DUALSTACK_COMPAT_NET_SOCK_H */
