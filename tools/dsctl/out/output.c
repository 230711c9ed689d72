// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dsctl.h"
#include "out/output.h"
#include "out/text.h"

#define INDENT 4

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_USEC	1000

/* The array of json_join(). */
static struct json_array joined;
static bool joining;

/* Something is missing in what was made by json_set() and json_add(). */
static bool json_lost;

/* Of out_heading(), NULL once it is printed. */
static const char *heading;

/* Why stdout failed, for the end: errno is long gone then. */
static int out_errno;

/*
 * Else a socket or a file would get the number of what is closed, and with it what is
 * printed. These are opened the other way round, so that each use is an error.
 */
void out_init(void)
{
	static const int modes[] = {
		[STDIN_FILENO] = O_WRONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_RDONLY,
	};
	int fd;

	for (fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			_exit(EXIT_KERNEL);
}

bool out_is_open(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return true;
	out_errno = EBADF;
	return false;
}

void out_hung_up(void)
{
	out_errno = EPIPE;
}

bool out_failed(void)
{
	if (!ferror(stdout))
		return false;
	if (!out_errno)
		out_errno = errno ? errno : EIO;
	return true;
}

bool out_flush(void)
{
	fflush(stdout);
	return !out_failed();
}

int out_close(void)
{
	bool failed = out_failed() || out_errno;

	/* A full disk can show itself as late as here. */
	if (fclose(stdout) && !failed) {
		out_errno = errno;
		failed = true;
	}
	if (!failed)
		return EXIT_OK;
	/* Where the reader of a pipe has gone, nobody wants to know. */
	if (out_errno != EPIPE)
		err("write error: %s", strerror(out_errno));
	return EXIT_KERNEL;
}

json_t *json_text(const char *str)
{
	struct text text = { };
	json_t *string;

	string = json_string(str);
	if (string)
		return string;
	text_utf8(&text, str);
	string = text.failed ? NULL : json_string(text.buf);
	free(text.buf);
	return string;
}

void json_set(json_t *obj, const char *key, json_t *value)
{
	json_lost |= json_object_set_new(obj, key, value);
}

void json_add(json_t *array, json_t *value)
{
	json_lost |= json_array_append_new(array, value);
}

/* Whether it is all there; asked once for each value. */
static bool json_whole(const json_t *value)
{
	bool whole = value && !json_lost;

	json_lost = false;
	return whole;
}

/* What is not ASCII is escaped: no byte of a name reaches a terminal raw. */
static size_t json_flags(void)
{
	return JSON_ENSURE_ASCII | (opts.pretty ? JSON_INDENT(INDENT)
						: JSON_COMPACT);
}

/* The namespace comes first, where an object does not name it anyway. */
static json_t *with_netns(json_t *value)
{
	json_t *obj;

	if (json_object_get(value, "netns"))
		return json_incref(value);
	obj = json_pack("{s:o}", "netns",
			opts.netns ? json_text(opts.netns) : json_null());
	json_lost |= json_object_update(obj, value);
	return obj;
}

static int join_one(json_t *value)
{
	json_t *obj = with_netns(value);
	int ret = json_array_put(&joined, obj);

	json_decref(obj);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

static int join(json_t *value)
{
	int ret = EXIT_OK;
	json_t *elem;
	size_t i;

	if (!json_is_array(value))
		return join_one(value);
	json_array_foreach(value, i, elem)
		ret = exit_worse(ret, join_one(elem));
	return ret;
}

int json_out(json_t *value)
{
	bool whole = json_whole(value);
	int ret = EXIT_OK;

	if (whole && joining) {
		ret = join(value);
	} else if (whole) {
		whole = !json_dumpf(value, stdout, json_flags());
		putchar('\n');
		whole |= out_failed();
	}
	if (!whole) {
		err("out of memory");
		ret = EXIT_KERNEL;
	}
	json_decref(value);
	return ret;
}

/* An element of an array stands one step further in. No string holds a '\n'. */
static void put_indented(const char *buf, size_t len)
{
	const char *end = buf + len, *line, *eol;

	for (line = buf; line < end; line = eol + 1) {
		eol = memchr(line, '\n', end - line);
		if (!eol)
			eol = end;
		printf("\n%*s%.*s", INDENT, "", (int)(eol - line), line);
	}
}

static void json_array_free(struct json_array *array)
{
	free(array->buf);
	array->buf = NULL;
	array->size = 0;
}

/* Dump into memory: stdio's cost for each token is much of the whole. */
static size_t dump(struct json_array *array, const json_t *value)
{
	size_t len;
	char *buf;

	len = json_dumpb(value, array->buf, array->size, json_flags());
	if (len <= array->size)
		return len;

	buf = realloc(array->buf, len);
	if (!buf)
		return 0;
	array->buf = buf;
	array->size = len;
	return json_dumpb(value, buf, len, json_flags());
}

int json_array_put(struct json_array *array, const json_t *value)
{
	size_t len;

	if (joining)
		array = &joined;
	len = json_whole(value) ? dump(array, value) : 0;
	if (!len) {
		err("out of memory");
		json_array_free(array);
		return -1;
	}
	putchar(array->n++ ? ',' : '[');
	if (opts.pretty)
		put_indented(array->buf, len);
	else
		fwrite(array->buf, 1, len, stdout);
	if (!out_failed())
		return 0;
	json_array_free(array);
	return -1;
}

void json_array_end(struct json_array *array)
{
	if (joining)
		return;
	if (!array->n)
		putchar('[');
	else if (opts.pretty)
		putchar('\n');
	puts("]");
	json_array_free(array);
}

void json_join(void)
{
	joining = true;
}

void json_join_end(void)
{
	joining = false;
	json_array_end(&joined);
	joined.n = 0;
}

void out_heading(const char *netns)
{
	heading = netns;
}

void out_text(const char *str)
{
	struct text text = { };

	text_escape(&text, str);
	if (text.failed)
		out_errno = ENOMEM;
	else if (text.buf)
		fputs(text.buf, stdout);
	free(text.buf);
	out_failed();
}

void out_begin(void)
{
	static bool first = true;

	if (!heading)
		return;
	fputs(first ? "netns: " : "\nnetns: ", stdout);
	out_text(heading);
	putchar('\n');
	first = false;
	heading = NULL;
}

const char *time_str(uint64_t time, unsigned int parts, char *buf)
{
	time_t sec = time / NSEC_PER_SEC;
	struct tm tm = { };
	size_t len;

	localtime_r(&sec, &tm);
	len = strftime(buf, TIME_STRLEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (parts & TIME_USEC)
		len += snprintf(buf + len, TIME_STRLEN - len, ".%06llu",
				(unsigned long long)time % NSEC_PER_SEC /
				NSEC_PER_USEC);
	if (parts & TIME_ZONE && TIME_STRLEN - len > sizeof("+hh:mm")) {
		/* "+hhmm": ISO 8601 has a colon where the rest has them. */
		strftime(buf + len, TIME_STRLEN - len, "%z", &tm);
		memmove(buf + len + 4, buf + len + 3, sizeof("mm"));
		buf[len + 3] = ':';
	}
	return buf;
}
