/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit directly, tools/selftest-spec writes it from:
 *	Documentation/netlink/specs/dualstack.yaml
 */
/* FAM_COUNTER(attribute, name) is up to whoever includes this. */
FAM_COUNTER(MAPPED_ACCEPT, mapped_accept)
FAM_COUNTER(NATIVE_ACCEPT, native_accept)
FAM_COUNTER(MAPPED_RECV, mapped_recv)
FAM_COUNTER(NATIVE_RECV, native_recv)
FAM_COUNTER(MAPPED_CONNECT, mapped_connect)
FAM_COUNTER(MAPPED_SEND, mapped_send)
FAM_COUNTER(REJECT_V6ONLY, reject_v6only)
FAM_COUNTER(REJECT_ADDR, reject_addr)
FAM_COUNTER(REJECT_V4ONLY, reject_v4only)
FAM_COUNTER(REJECT_CONNECT, reject_connect)
FAM_COUNTER(REJECT_SEND, reject_send)
FAM_COUNTER(REJECT_BIND, reject_bind)
FAM_COUNTER(WIRE_MAPPED, wire_mapped)
FAM_COUNTER(V4_ACCEPT, v4_accept)
FAM_COUNTER(V4_RECV, v4_recv)
FAM_COUNTER(V4_CONNECT, v4_connect)
FAM_COUNTER(V4_SEND, v4_send)
FAM_COUNTER(NATIVE_CONNECT, native_connect)
