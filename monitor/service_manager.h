// SPDX-License-Identifier: MIT
// What systemd is told: ready, alive, reloading, stopping (sd_notify(3) and its
// protocol, without its library).
#ifndef MONITOR_SERVICE_MANAGER_H
#define MONITOR_SERVICE_MANAGER_H

#include <stdint.h>

// Sends `state` ("READY=1", …) to $NOTIFY_SOCKET; nothing where there is none.
void service_manager_notify(const char *state);

// How often WATCHDOG=1 is wanted at most, half of $WATCHDOG_USEC; 0 where not.
int64_t service_manager_watchdog_us(void);

#endif
