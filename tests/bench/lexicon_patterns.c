// SPDX-License-Identifier: MIT
// A thousand patterns, of all packs and of the common lexicon, over an answer of 64 KiB:
// the first time, which compiles what is needed, from then on, and beside one run of
// PCRE2 for each; then over a text made of the words that the patterns are about.
#include "../../base/patterns.h"
#include "../../config/pack.h"
#include "../../config/pack_source.h"
#include "bench_use.h"

enum { PATTERNS = 1000, BYTES = 64 * 1024, ROUNDS = 20 };

static const char *const common[] = {
#define LEXICON(where, pattern, cause, act, explanation) #where, pattern,
#include "../../probes/lexicon.def"
};

// Codes are asked of a text as a whole, as they are of codes.
struct all {
    struct patterns *codes, *messages;
    GPtrArray *plain; // of struct regex
    guint codes_count, messages_count;
};

static void add(struct all *all, const char *pattern, bool code)
{
    enum regex_flags flags = REGEX_CASELESS | (code ? REGEX_WHOLE : REGEX_PLAIN);
    if (!pattern || all->codes_count + all->messages_count == PATTERNS)
        return;
    patterns_add(code ? all->codes : all->messages, pattern);
    all->codes_count += code;
    all->messages_count += !code;
    g_ptr_array_add(all->plain, regex_compile(pattern, flags, NULL));
}

static void add_packs(struct all *all, GString *words)
{
    g_autoptr(GPtrArray) names = pack_source_names(NULL);
    for (guint i = 0; i < names->len; i++) {
        g_autoptr(pack_lexicon_t) pack = pack_read_lexicon(names->pdata[i]);
        for (guint k = 0; pack && k < pack->meanings->len; k++) {
            const struct pack_meaning *meaning = pack->meanings->pdata[k];
            add(all, meaning->code, true);
            add(all, meaning->message, false);
            for (unsigned l = 0; l < PACK_LANGUAGES; l++)
                g_string_append_printf(words, "%s %s\n", meaning->says[l], meaning->next[l]);
        }
    }
}

// All there are, again and again, until there are enough.
static void gather(struct all *all, GString *words)
{
    *all = (struct all){.codes = patterns_new(REGEX_WHOLE),
                        .messages = patterns_new(REGEX_PLAIN),
                        .plain = g_ptr_array_new_with_free_func((GDestroyNotify)regex_free)};
    while (all->codes_count + all->messages_count < PATTERNS) {
        add_packs(all, words);
        for (size_t i = 0; i < G_N_ELEMENTS(common); i += 2)
            add(all, common[i + 1], g_str_equal(common[i], "CODE"));
    }
}

static unsigned run(const struct all *all, const char *text)
{
    g_autoptr(patterns_text_t) held = patterns_text_new(text, BYTES);
    unsigned fits = 0;
    for (guint i = 0; i < all->codes_count; i++)
        fits += patterns_fit(all->codes, i, held);
    for (guint i = 0; i < all->messages_count; i++)
        fits += patterns_fit(all->messages, i, held);
    return fits;
}

static unsigned run_plainly(const struct all *all, const char *text)
{
    unsigned fits = 0;
    for (guint i = 0; i < all->plain->len; i++)
        fits += regex_match(all->plain->pdata[i], text, BYTES, 0, NULL, NULL);
    return fits;
}

// An order with its lines, and behind it what the program that answered was doing.
static void write_answer(GString *text)
{
    static const char *const names[] = {"ATHENS Desk", "PARIS Guest Chair, black", "Bicycle",
                                        "AMSTERDAM Lamp", "ROME Whiteboard, base"};
    for (int i = 0; text->len < BYTES * 3 / 4; i++)
        g_string_append_printf(text,
                               "{\"lineNo\": %d, \"itemNumber\": \"19%02d-S\", \"description\": "
                               "\"%s\", \"quantity\": %d, \"unitPrice\": %d.%02d},\n",
                               10000 * i, i % 97, names[i % 5], i % 13, i * 7 % 900, i % 100);
    for (int i = 0; text->len < BYTES; i++)
        g_string_append_printf(text,
                               "   at Acme.Orders.Worker%d.Submit(Order order, String key) in "
                               "D:\\build\\Orders%d.cs:line %d\n",
                               i % 31, i % 17, i * 3);
    const char *message = "\"error\": {\"message\": \"The number series is used up.\"}";
    memcpy(text->str + BYTES - strlen(message), message, strlen(message));
}

static double spent(const struct all *all, const char *text)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
        run(all, text);
        best = MIN(best, bench_clock(CLOCK_PROCESS_CPUTIME_ID) - began);
    }
    return best * 1e3;
}

int main(void)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    g_autoptr(GString) words = g_string_new(NULL);
    struct all all;
    gather(&all, words);
    write_answer(answer);
    while (words->len < BYTES)
        g_string_append(words, "No such order exists.\n");
    double began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    unsigned fits = run(&all, answer->str);
    double first = (bench_clock(CLOCK_PROCESS_CPUTIME_ID) - began) * 1e3;
    double again = spent(&all, answer->str);
    began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    unsigned plainly = run_plainly(&all, answer->str);
    double plain = (bench_clock(CLOCK_PROCESS_CPUTIME_ID) - began) * 1e3;
    bool same = fits == plainly && run(&all, words->str) == run_plainly(&all, words->str);
    printf("first_ms=%.2f again_ms=%.2f plain_ms=%.1f words_ms=%.1f fits=%u\n", first, again, plain,
           spent(&all, words->str), fits);
    return same ? 0 : 1;
}
