// SPDX-License-Identifier: MIT
// Tokens in a store on disk: what is kept of them, and that one at a time has one.
#include "../../monitor/token_keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

struct place {
    char *folder;
    uv_loop_t loop;
    struct store *stores[2];
    struct writer *writers[2];
    struct token_keep *keeps[2];
};

// What came back from the door.
struct answer {
    unsigned times;
    char *problem;
    struct token_record *record;
};

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);

    place->folder = g_dir_make_tmp("erpwatch-tokens-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(place->folder, "store.db", NULL);

    uv_loop_init(&place->loop);
    for (size_t i = 0; i < G_N_ELEMENTS(place->stores); i++) {
        place->stores[i] = store_open(path, NULL);
        place->writers[i] =
            writer_new(&place->loop, store_take_db(place->stores[i]), 16, NULL, NULL);
        place->keeps[i] = token_keep_new(&place->loop, place->writers[i], place->stores[i]);
    }
    *state = place;
    return 0;
}

static void remove_folder(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_folder(inner);
    }
    g_remove(path);
}

static int tear_down(void **state)
{
    struct place *place = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(place->stores); i++)
        writer_close(place->writers[i], NULL, NULL);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < G_N_ELEMENTS(place->stores); i++) {
        token_keep_free(place->keeps[i]);
        store_free(place->stores[i]);
    }
    assert_int_equal(uv_loop_close(&place->loop), 0);
    remove_folder(place->folder);
    g_free(place->folder);
    g_free(place);
    return 0;
}

static void on_open(const struct token_record *record, const char *problem, void *context)
{
    struct answer *answer = context;

    answer->times++;
    answer->problem = g_strdup(problem);
    answer->record = record != NULL ? token_record_copy(record) : NULL;
}

static void on_saved(const char *problem, void *context)
{
    on_open(NULL, problem, context);
}

static void clear(struct answer *answer)
{
    g_free(answer->problem);
    token_record_free(answer->record);
    *answer = (struct answer){0};
}

static void wait_for(struct place *place, const struct answer *answer)
{
    while (answer->times == 0)
        uv_run(&place->loop, UV_RUN_ONCE);
    assert_int_equal(answer->times, 1);
}

static const struct token_store *door(struct place *place, size_t which)
{
    return token_keep_door(place->keeps[which]);
}

static void open_token(struct place *place, size_t which, const char *key, int64_t patience_ms,
                       struct answer *answer)
{
    const struct token_store *store = door(place, which);

    store->open(store->self, key, patience_ms, on_open, answer);
    assert_int_equal(answer->times, 0);
}

static void test_what_is_kept_comes_back(void **state)
{
    struct place *place = *state;
    struct answer answer = {0};
    char refresh[] = "r-2", former[] = "r-1", access[] = "a-2", purpose[] = "p";
    const struct token_record record = {.refresh = refresh,
                                        .former = former,
                                        .access = access,
                                        .purpose = purpose,
                                        .access_until = {3},
                                        .obtained = {2},
                                        .asking = {0}};

    open_token(place, 0, "K", 1000, &answer);
    wait_for(place, &answer);
    assert_null(answer.problem);
    assert_null(answer.record->refresh);
    assert_null(answer.record->access);
    clear(&answer);
    door(place, 0)->save(door(place, 0)->self, "K", &record, on_saved, &answer);
    wait_for(place, &answer);
    assert_null(answer.problem);
    clear(&answer);
    door(place, 0)->close(door(place, 0)->self, "K");
    open_token(place, 1, "K", 1000, &answer);
    wait_for(place, &answer);
    assert_string_equal(answer.record->refresh, "r-2");
    assert_string_equal(answer.record->former, "r-1");
    assert_string_equal(answer.record->access, "a-2");
    assert_string_equal(answer.record->purpose, "p");
    assert_int_equal(answer.record->access_until.us, 3);
    assert_int_equal(answer.record->obtained.us, 2);
    clear(&answer);
    door(place, 1)->close(door(place, 1)->self, "K");
}

static void test_one_at_a_time(void **state)
{
    struct place *place = *state;
    struct answer first = {0}, second = {0}, third = {0};

    open_token(place, 0, "K", 1000, &first);
    wait_for(place, &first);
    open_token(place, 1, "K", 60000, &second);
    open_token(place, 1, "L", 1000, &third); // another token is nobody's
    wait_for(place, &third);
    assert_null(third.problem);
    assert_int_equal(second.times, 0);
    door(place, 0)->close(door(place, 0)->self, "K");
    wait_for(place, &second);
    assert_null(second.problem);
    door(place, 1)->close(door(place, 1)->self, "K");
    door(place, 1)->close(door(place, 1)->self, "L");
    clear(&first);
    clear(&second);
    clear(&third);
}

// Waiting ends with its patience, or when it is ended; whose the token is keeps it.
static void test_patience(void **state)
{
    struct place *place = *state;
    struct answer first = {0}, impatient = {0}, abandoned = {0}, last = {0};

    open_token(place, 0, "K", 1000, &first);
    wait_for(place, &first);
    open_token(place, 1, "K", 1, &impatient);
    open_token(place, 0, "K", 60000, &abandoned); // of the same process
    wait_for(place, &impatient);
    assert_non_null(impatient.problem);
    assert_null(impatient.record);
    door(place, 0)->abandon(door(place, 0)->self, &abandoned);
    wait_for(place, &abandoned);
    assert_non_null(abandoned.problem);
    open_token(place, 1, "K", 1, &last);
    wait_for(place, &last);
    assert_non_null(last.problem); // the first one has it still
    door(place, 0)->close(door(place, 0)->self, "K");
    clear(&first);
    clear(&impatient);
    clear(&abandoned);
    clear(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_kept_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
