// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "out/out.h"
#include "out/stream.h"
#include "out/text.h"

void out_text(const char *str)
{
	struct text text = { };

	text_escape(&text, str);
	if (text.failed)
		out_no_memory();
	else if (text.buf)
		fputs(text.buf, stdout);
	free(text.buf);
	out_failed();
}

void out_begin(struct out *out)
{
	if (out->title)
		puts(out->title);
	out->title = NULL;
	if (!out->heading)
		return;
	fputs(out->headed ? "\nnetns: " : "netns: ", stdout);
	out_text(out->netns ? out->netns : "(own)");
	putchar('\n');
	out->headed = true;
	out->heading = false;
}
