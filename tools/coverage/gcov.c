// SPDX-License-Identifier: GPL-2.0
/* gcov's counters of the module, in a file from load to load.
 *
 * The file is what gcov reads, one .gcda behind the other: each behind the name
 * that gcc would have given it, which ends in a NUL byte, and its length.
 */

#include <linux/fs.h>
#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

#include "gcov.h"
#include "gcov_info.h"

#define DS_GCOV_FILE	"/tmp/dualstack.gcov"

#define GCOV_DATA_MAGIC		0x67636461
#define GCOV_TAG_FUNCTION	0x01000000
#define GCOV_TAG_ARCS		0x01a10000

static const struct gcov_info *ds_gcov_last[1] __section(".gcov_info") __used;

/* A file as it is put together; or what was read, where @add is set. */
struct ds_stream {
	u8 *buf;
	size_t len;
	size_t size;
	bool add;
};

/* Count only, where there is no buffer. */
static void ds_put(struct ds_stream *stream, const void *data, size_t len)
{
	if (!stream->add && stream->buf && stream->len + len <= stream->size)
		memcpy(stream->buf + stream->len, data, len);
	stream->len += len;
}

static void ds_put_u32(struct ds_stream *stream, u32 value)
{
	ds_put(stream, &value, sizeof(value));
}

static void ds_put_counters(struct ds_stream *stream,
			    const struct gcov_ctr_info *ctr)
{
	unsigned int i;
	u64 value;

	for (i = 0; i < ctr->num; i++) {
		if (stream->add && stream->len + sizeof(value) <= stream->size) {
			memcpy(&value, stream->buf + stream->len, sizeof(value));
			__atomic_fetch_add(&ctr->values[i], value,
					   __ATOMIC_RELAXED);
		}
		value = ctr->values[i];
		ds_put(stream, &value, sizeof(value));
	}
}

static void ds_put_functions(struct ds_stream *stream,
			     const struct gcov_info *info)
{
	unsigned int i;

	for (i = 0; i < info->n_functions; i++) {
		const struct gcov_fn_info *fn = info->functions[i];

		if (!fn || fn->key != info)
			continue;
		ds_put_u32(stream, GCOV_TAG_FUNCTION);
		ds_put_u32(stream, 3 * sizeof(u32));
		ds_put_u32(stream, fn->ident);
		ds_put_u32(stream, fn->lineno_checksum);
		ds_put_u32(stream, fn->cfg_checksum);
		ds_put_u32(stream, GCOV_TAG_ARCS);
		ds_put_u32(stream, fn->ctrs[0].num * sizeof(u64));
		ds_put_counters(stream, &fn->ctrs[0]);
	}
}

static void ds_put_file(struct ds_stream *stream, const struct gcov_info *info)
{
	ds_put_u32(stream, GCOV_DATA_MAGIC);
	ds_put_u32(stream, info->version);
	ds_put_u32(stream, info->stamp);
	ds_put_u32(stream, info->checksum);
	ds_put_functions(stream, info);
	ds_put_u32(stream, 0);
}

/* All objects: those between the first and the last in their section. */
static void ds_put_all(struct ds_stream *stream)
{
	const struct gcov_info **info;

	for (info = ds_gcov_first + 1; info < ds_gcov_last; info++) {
		struct ds_stream file = { };

		if (!*info)
			continue;
		ds_put_file(&file, *info);
		ds_put(stream, (*info)->filename, strlen((*info)->filename) + 1);
		ds_put_u32(stream, file.len);
		ds_put_file(stream, *info);
	}
}

/* Add what the loads before this one have counted. */
static void ds_gcov_load(void)
{
	struct ds_stream stream = { .add = true }, now = { };
	void *buf = NULL;
	ssize_t len;

	len = kernel_read_file_from_path(DS_GCOV_FILE, 0, &buf, SZ_16M, NULL,
					 READING_UNKNOWN);
	ds_put_all(&now);
	if (len == now.len) {
		stream.buf = buf;
		stream.size = len;
		ds_put_all(&stream);
	} else if (len > 0) {
		pr_err("%s: of another module\n", DS_GCOV_FILE);
	}
	if (len >= 0)
		kvfree(buf);
}

/* Nothing else of the module runs any more, or it goes on and is not seen further. */
static void ds_gcov_save(void)
{
	struct ds_stream stream = { };
	struct file *file;
	loff_t pos = 0;

	ds_put_all(&stream);
	stream.size = stream.len;
	stream.len = 0;
	stream.buf = kvmalloc(stream.size, GFP_KERNEL | __GFP_NOFAIL);
	ds_put_all(&stream);
	file = filp_open(DS_GCOV_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (IS_ERR(file)) {
		pr_err("%s: %pe\n", DS_GCOV_FILE, file);
	} else {
		kernel_write(file, stream.buf, stream.size, &pos);
		filp_close(file, NULL);
	}
	kvfree(stream.buf);
}

/* A module that cannot be removed any more saves them when its parameter is written. */
static int ds_gcov_set(const char *val, const struct kernel_param *kp)
{
	ds_gcov_save();
	return 0;
}

static const struct kernel_param_ops ds_gcov_ops = {
	.set = ds_gcov_set,
};

module_param_cb(gcov_save, &ds_gcov_ops, NULL, 0200);

int __init init_module(void)
{
	int err;

	ds_gcov_load();
	err = ds_gcov_init();
	if (err)
		ds_gcov_save();
	return err;
}

void __exit cleanup_module(void)
{
	ds_gcov_exit();
	ds_gcov_save();
}

/* Referred to by each object, and called by nobody. */
void __gcov_merge_add(u64 *counters, unsigned int n);
void __gcov_merge_add(u64 *counters, unsigned int n)
{
}
