// SPDX-License-Identifier: MIT
// The protocol of sd_notify(3): one datagram to a socket whose name is in the
// environment. Used by the agent.
#include "service_manager.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void service_manager_notify(const char *state)
{
    const char *name = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!name || (name[0] != '/' && name[0] != '@') || strlen(name) >= sizeof address.sun_path)
        return;
    g_strlcpy(address.sun_path, name, sizeof address.sun_path);
    if (name[0] == '@')
        address.sun_path[0] = '\0'; // an abstract socket
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    ssize_t sent = sendto(descriptor, state, strlen(state), MSG_NOSIGNAL,
                          (const struct sockaddr *)&address, length);
    (void)sent; // a manager that does not listen is no fault of ours
    close(descriptor);
}

int64_t service_manager_watchdog_us(void)
{
    const char *text = g_getenv("WATCHDOG_USEC");
    return text ? g_ascii_strtoll(text, NULL, 10) / 2 : 0;
}
