// SPDX-License-Identifier: MIT
// Takes the judging of long answers off the loop. Comes between call_run and judge, which is pure:
// what it shares with others (patterns, paths, the lexicon) does not change.
#include "judge_apart.h"

// No shorter body has the nodes that make an XPath long (xml_parse.c): each takes two bytes.
#define LONG_BODY (32 * 1024)

struct judging {
    uv_work_t work;
    struct judge_input input;
    struct verdict *verdict;
    void (*done)(struct verdict *verdict, void *context);
    void *context;
};

bool judge_apart_is_due(const struct judge_input *input)
{
    const struct transfer_response *response = input->response;
    return response->outcome == TRANSFER_ANSWERED && g_bytes_get_size(response->body) >= LONG_BODY;
}

static void judge_in_thread(uv_work_t *work)
{
    struct judging *judging = work->data;
    judging->verdict = judge(&judging->input);
}

static void on_judged(uv_work_t *work, int status)
{
    (void)status; // it is never cancelled
    g_autofree struct judging *judging = work->data;
    judging->done(judging->verdict, judging->context);
}

void judge_apart_start(uv_loop_t *loop, const struct judge_input *input,
                       void (*done)(struct verdict *verdict, void *context), void *context)
{
    struct judging *judging = g_new0(struct judging, 1);
    judging->input = *input;
    judging->done = done;
    judging->context = context;
    judging->work.data = judging;
    uv_queue_work(loop, &judging->work, judge_in_thread, on_judged);
}
