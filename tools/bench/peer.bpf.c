// SPDX-License-Identifier: GPL-2.0
/*
 * What an eBPF program would do to count the datagrams and connections of each
 * AF_INET6 socket by family: less than the module does, which keeps the last
 * peer and its time as well. Built with STORAGE, the counts are in the socket's
 * local storage, else in a hash map.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define AF_INET6	10
#define ETH_P_IP	0x0800

/* As much of these as is read; libbpf finds where it is in this kernel. */
struct sock_common {
	unsigned short skc_family;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

struct sk_buff {
	__be16 protocol;
} __attribute__((preserve_access_index));

struct counts {
	__u64 mapped;
	__u64 native;
};

#ifdef STORAGE
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct counts);
} counts SEC(".maps");

static struct counts *get_counts(struct sock *sk)
{
	return bpf_sk_storage_get(&counts, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}
#else
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct sock *);
	__type(value, struct counts);
} counts SEC(".maps");

static struct counts *get_counts(struct sock *sk)
{
	static const struct counts none;
	struct counts *found;

	found = bpf_map_lookup_elem(&counts, &sk);
	if (found)
		return found;
	bpf_map_update_elem(&counts, &sk, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&counts, &sk);
}

/* Storage ends with its socket, an entry of a map does not. */
SEC("fentry/inet_sock_destruct")
int BPF_PROG(peer_end, struct sock *sk)
{
	bpf_map_delete_elem(&counts, &sk);
	return 0;
}
#endif

static void count(struct sock *sk, struct sk_buff *skb)
{
	struct counts *c;

	if (sk->__sk_common.skc_family != AF_INET6)
		return;
	c = get_counts(sk);
	if (!c)
		return;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		__sync_fetch_and_add(&c->mapped, 1);
	else
		__sync_fetch_and_add(&c->native, 1);
}

SEC("fentry/skb_consume_udp")
int BPF_PROG(peer_recv, struct sock *sk, struct sk_buff *skb)
{
	count(sk, skb);
	return 0;
}

SEC("fentry/tcp_child_process")
int BPF_PROG(peer_accept, struct sock *sk, struct sock *child,
	     struct sk_buff *skb)
{
	count(sk, skb);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
