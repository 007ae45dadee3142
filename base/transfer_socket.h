// SPDX-License-Identifier: MIT
// curl's sockets and timer on the event loop. A kept connection stays watched
// between calls: taking it off and on again costs more system calls than a call.
#ifndef BASE_TRANSFER_SOCKET_H
#define BASE_TRANSFER_SOCKET_H

#include <curl/curl.h>
#include <uv.h>

struct transfer_sockets;

// Called whenever curl has worked: calls may have ended. May end the engine.
typedef void (*transfer_sockets_worked)(void *context);

// Ties `multi` to `loop`; both outlive it. NULL where no descriptor is left.
struct transfer_sockets *transfer_sockets_new(uv_loop_t *loop, CURLM *multi,
                                              transfer_sockets_worked worked, void *context);

// Opens a socket for curl, closed on exec; CURL_SOCKET_BAD and errno where it cannot.
curl_socket_t transfer_sockets_open(void *sockets, const struct curl_sockaddr *address);

// Closes one.
int transfer_sockets_close(void *sockets, curl_socket_t fd);

// Ends it, after curl_multi_cleanup; its handles are closed by the next turns of
// the loop.
void transfer_sockets_free(struct transfer_sockets *sockets);

#endif
