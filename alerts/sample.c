// SPDX-License-Identifier: MIT
// Makes a notice as route would, from a failure that never was. Only mail-test
// sends it.
#include "sample.h"

#include "../base/ids.h"

#include <string.h>

// What the made-up run says; every host is one that cannot exist.
static const char sample_result[] =
    "{\"flow\":\"sample\",\"system\":\"sample\",\"priority\":\"P2\",\"state\":\"failed\","
    "\"run\":\"SAMPLE\",\"duration_ms\":412,\"steps\":[{\"step\":\"submit order\","
    "\"system\":\"sample\",\"state\":\"failed\",\"attempts\":1,\"request\":{\"method\":\"POST\","
    "\"url\":\"https://erp.example/api/salesOrders\"},\"status\":400,\"duration_ms\":310,"
    "\"timing_ms\":{\"dns\":1,\"connect\":12,\"tls\":30,\"first_byte\":300,\"total\":310},"
    "\"verdict\":{\"class\":\"error_code\",\"phase\":null,\"cause\":\"validation\","
    "\"code\":\"Sample_ValidationError\",\"message\":\"This is a sample: no call was made.\","
    "\"explanation\":null,\"act\":null,\"failed_expectation\":null,"
    "\"correlation\":{\"request-id\":\"sample\"}},\"exchanges\":[{\"method\":\"POST\","
    "\"url\":\"https://erp.example/api/salesOrders\",\"request_headers\":[[\"Content-Type\","
    "\"application/json\"]],\"request_body\":\"{\\\"sku\\\":\\\"SAMPLE\\\"}\",\"status\":400,"
    "\"http_version\":\"1.1\",\"response_headers\":[[\"Content-Type\",\"application/json\"]],"
    "\"response_body\":\"{\\\"error\\\":{\\\"code\\\":\\\"Sample_ValidationError\\\","
    "\\\"message\\\":\\\"This is a sample: no call was made.\\\"}}\",\"timing_ms\":{\"dns\":1,"
    "\"connect\":12,\"tls\":30,\"sent\":31,\"first_byte\":300,\"total\":310}}]}],\"undo\":[]}";

static bool notifies(const struct config_flow *flow, const char *contact)
{
    for (guint i = 0; flow->notify && i < flow->notify->len; i++)
        if (strcmp(flow->notify->pdata[i], contact) == 0)
            return true;
    return false;
}

static const struct config_flow *choose_flow(const struct config *config, const char *contact)
{
    for (guint i = 0; config->flows && i < config->flows->len; i++)
        if (notifies(config->flows->pdata[i], contact))
            return config->flows->pdata[i];
    return config->flows && config->flows->len > 0 ? config->flows->pdata[0] : NULL;
}

static struct transition_flow *failing_flow(const char *id, struct clock_wall now)
{
    struct transition_flow *flow = g_new0(struct transition_flow, 1);
    flow->flow = g_strdup(id);
    flow->failing = true;
    flow->first_failed = flow->last_failed = now;
    flow->runs_failed = 1;
    return flow;
}

static cJSON *result_at(const char *time)
{
    cJSON *result = json_parse(sample_result, strlen(sample_result), NULL);
    cJSON *exchange = cJSON_GetArrayItem(
        json_member(cJSON_GetArrayItem(json_member(result, "steps"), 0), "exchanges"), 0);
    json_add_text(result, "started", time);
    json_add_text(exchange, "started", time);
    return result;
}

// Kind "test": its subject and its body say so.
static void mark_as_test(struct notice *notice)
{
    g_free(notice->kind);
    notice->kind = g_strdup("test");
    cJSON_ReplaceItemInObjectCaseSensitive(notice->facts, "kind", cJSON_CreateString("test"));
}

struct notice *sample_notice(const struct config *config, const struct config_contact *contact,
                             struct clock_wall now)
{
    const struct config_flow *flow = choose_flow(config, contact->id);
    g_autofree char *time = clock_wall_format(now);
    g_autofree char *incident = ids_hash(26, "sample", time, contact->id, NULL);
    g_autoptr(transition_t) transition = transition_new(TRANSITION_OPENED, incident);
    g_autoptr(cJSON) result = result_at(time);
    transition->number = 1;
    transition->at = transition->opened = now;
    transition->system = g_strdup(flow && flow->system ? flow->system->id : "sample");
    g_ptr_array_add(transition->flows, failing_flow(flow ? flow->id : "sample", now));
    g_ptr_array_add(transition->told, g_strdup(contact->id));
    struct notice *notice = notice_new(transition, config, contact, result);
    mark_as_test(notice);
    return notice;
}
