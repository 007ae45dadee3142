// SPDX-License-Identifier: MIT
// Reads the answers of token servers, as RFC 6749 has them and as servers send
// them: numbers as text, "Bearer" in any case, errors with any status.
#include "token_answer.h"

#include "../base/json.h"
#include "../base/wipe.h"

// More than this says nothing: some servers send 2^31 or the end of time.
#define EXPIRES_MAX_S (INT64_C(10) * 365 * 86400)

static const int64_t margin_max_us = INT64_C(120) * G_USEC_PER_SEC;

static cJSON *read_body(const struct transfer_response *response)
{
    gsize length = 0;
    const char *body = g_bytes_get_data(response->body, &length);
    return response->outcome == TRANSFER_ANSWERED && length > 0 ? json_parse(body, length, NULL)
                                                                : NULL;
}

// 3599, "3599", 3599.0.
static int64_t read_seconds(const cJSON *json)
{
    const cJSON *member = json_member(json, "expires_in");
    char buffer[32];
    const char *text = cJSON_IsString(member)   ? member->valuestring
                       : cJSON_IsNumber(member) ? json_number_text(member, buffer)
                                                : "";
    double seconds = g_ascii_strtod(text, NULL);
    return seconds >= 1 && seconds <= (double)EXPIRES_MAX_S ? (int64_t)seconds : 0;
}

// What may stand in an Authorization header behind "Bearer ".
static bool is_token(const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
            return false;
    }
    return *text;
}

// A refresh token goes into a form, where anything may stand but nothing.
static char *read_refresh(const cJSON *json)
{
    const char *text = json_text(json, "refresh_token");
    return text && *text ? g_strdup(text) : NULL;
}

void token_answer_read(const struct transfer_response *response, struct token_answer *answer)
{
    g_autoptr(cJSON) json = read_body(response);
    const char *access = json_text(json, "access_token");
    const char *type = json_text(json, "token_type");
    *answer = (struct token_answer){.refresh = read_refresh(json)};
    if (!access || !is_token(access)) {
        answer->problem = g_strdup("the answer holds no access_token that can be sent");
    } else if (type && g_ascii_strcasecmp(type, "bearer") != 0) {
        answer->problem = g_strdup_printf("a token of the type \"%s\" cannot be used: only Bearer "
                                          "tokens can",
                                          type);
    } else {
        answer->access = g_strdup(access);
        answer->expires_in_s = read_seconds(json);
    }
}

void token_answer_clear(struct token_answer *answer)
{
    wipe_text(answer->access);
    wipe_text(answer->refresh);
    g_free(answer->problem);
    *answer = (struct token_answer){0};
}

bool token_answer_is_refusal(const struct transfer_response *response)
{
    return response->outcome == TRANSFER_ANSWERED && response->status >= 400 &&
           response->status < 500 && response->status != 408;
}

// True where the body's error or its description fits the pattern.
static bool says(const struct transfer_response *response, const char *pattern)
{
    g_autoptr(cJSON) json = read_body(response);
    static const char *const members[] = {"error", "error_description", "message"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *text = json_text(json, members[i]);
        if (text && g_regex_match_simple(pattern, text, G_REGEX_CASELESS, 0))
            return true;
    }
    return false;
}

bool token_answer_refuses_refresh(const struct transfer_response *response)
{
    return response->outcome == TRANSFER_ANSWERED &&
           !says(response, "^(invalid_client|unsupported_grant_type|invalid_scope)$") &&
           says(response, "^invalid_grant$|refresh.?token");
}

bool token_answer_is_too_early(const struct transfer_response *response)
{
    return token_answer_is_refusal(response) && says(response, "not (yet )?expired");
}

int64_t token_answer_margin_us(int64_t lifetime_us)
{
    return MIN(margin_max_us, lifetime_us / 24);
}
