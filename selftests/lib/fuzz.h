/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fuzz_spec.h tells of the netlink spec.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>

enum fuzz_type {
	FUZZ_PAD,
	FUZZ_FLAG,
	FUZZ_U8,
	FUZZ_U16,
	FUZZ_U32,
	FUZZ_U64,
	FUZZ_STRING,
	FUZZ_BINARY,
	FUZZ_NEST,
};

/**
 * struct fuzz_attr - an attribute
 * @id: its number
 * @name: its name in the spec
 * @type: its type there
 * @request: a request may have it
 */
struct fuzz_attr {
	int id;
	const char *name;
	enum fuzz_type type;
	bool request;
};

/**
 * struct fuzz_op - a request
 * @cmd: its number
 * @name: its name in the spec
 * @dump: it can be a dump
 * @admin: it takes CAP_NET_ADMIN
 * @attrs: the attributes of its set
 * @n_attrs: how many
 */
struct fuzz_op {
	int cmd;
	const char *name;
	bool dump;
	bool admin;
	const struct fuzz_attr *attrs;
	size_t n_attrs;
};

#endif /* FUZZ_H */
