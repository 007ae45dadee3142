// SPDX-License-Identifier: MIT
// A run's exchanges as an HTTP archive (HAR 1.2), which the developer tools of
// every browser open.
#ifndef ALERTS_COMPOSE_HAR_H
#define ALERTS_COMPOSE_HAR_H

#include "../base/json.h"

// The archive of a result's exchanges as JSON text of at most `max_bytes`: bodies are cut at
// 64 KiB, and further where it would be too large, each marked. NULL where there is no exchange.
// The caller frees it.
char *compose_har(const cJSON *result, gsize max_bytes);

#endif
