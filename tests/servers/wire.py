# SPDX-License-Identifier: MIT
"""The way to an HTTP server on loopback, with what goes wrong on ways: a proxy that reads whole
requests and answers, and does to them what its fault says. One event loop for all wires.

    wire = Wire(port)               wire.port is to be called in place of `port`
    wire.fault = Cut("body", "rst") from now on; None: all goes through
    wire.refuse(), wire.accept()    nobody listens; somebody listens again
    wire.freeze()                   the connections that are open now are silent from now on
    wire.vanish()                   they are gone, and nobody was told (in a namespace of our own)
    wire.seen                       every request that came whole, as (method, path, body)

A fault looks at a request of its `methods` (None: of any), and is told when it struck."""
import asyncio
import socket
import struct
import threading

from listening import hold_port

TCP_REPAIR = 19


class Fault:
    """Lets everything through."""

    def __init__(self, methods=None, times=None):
        self.methods, self.left, self.struck = methods, times, 0

    def concerns(self, method):
        return (self.methods is None or method in self.methods) and self.left != 0

    def strike(self):
        self.struck += 1
        if self.left:
            self.left -= 1

    async def on_connection(self, connection):
        pass

    async def on_request(self, connection, request):
        """False where the server is not to hear of it."""
        return True

    async def on_answer(self, connection, answer, head):
        """Hands the answer over; `head` of its bytes are the head."""
        await connection.send(answer)


class Hold(Fault):
    """Half-open: the connection is taken, and nothing ever comes."""

    async def on_connection(self, connection):
        self.strike()
        await connection.hang()


class ResetAtOnce(Fault):
    async def on_connection(self, connection):
        self.strike()
        connection.end("rst")


class Cut(Fault):
    """The answer ends at `where`: "before" it, in the "head", in the "body", "after" it, or at that
    number of bytes; `how`: with a FIN, an RST, or in silence. Where `acts` is false the server never
    hears of the request."""

    def __init__(self, where, how, acts=True, **more):
        super().__init__(**more)
        self.where, self.how, self.acts = where, how, acts

    async def on_request(self, connection, request):
        if self.acts:
            return True
        self.strike()
        await connection.end_or_hang(self.how)
        return False

    def place(self, length, head):
        if isinstance(self.where, int):
            return min(self.where, length - 1)
        return {"before": 0, "head": head // 2, "body": (head + length) // 2, "after": length}[self.where]

    async def on_answer(self, connection, answer, head):
        self.strike()
        await connection.send(answer[:self.place(len(answer), head)])
        await connection.end_or_hang(self.how)


class Drip(Fault):
    """A slow-loris: a byte at a time, `every` so many seconds."""

    def __init__(self, every, **more):
        super().__init__(**more)
        self.every = every

    async def on_answer(self, connection, answer, head):
        self.strike()
        for place in range(len(answer)):
            await connection.send(answer[place:place + 1])
            await asyncio.sleep(self.every)


class Loss(Fault):
    """Packets are lost and sent again: each piece of `size` bytes comes after `delay()` seconds."""

    def __init__(self, size, delay, **more):
        super().__init__(**more)
        self.size, self.delay = size, delay

    async def on_request(self, connection, request):
        await asyncio.sleep(self.delay())
        return True

    async def on_answer(self, connection, answer, head):
        self.strike()
        for place in range(0, len(answer), self.size):
            await asyncio.sleep(self.delay())
            await connection.send(answer[place:place + self.size])


class Together(Fault):
    """Answers wait for each other until there are `count`: so many connections are open then."""

    def __init__(self, count, **more):
        super().__init__(**more)
        self.count, self.all = count, asyncio.Event()

    async def on_answer(self, connection, answer, head):
        self.strike()
        if self.struck >= self.count:
            self.all.set()
        await self.all.wait()
        await connection.send(answer)


class Ended(Exception):
    """This connection is over."""


class Connection:
    def __init__(self, wire, reader, writer):
        self.wire, self.reader, self.writer = wire, reader, writer
        self.server = None
        self.frozen = False

    async def send(self, data):
        if self.frozen:
            await self.hang()
        self.writer.write(data)
        await self.writer.drain()

    async def hang(self):
        await asyncio.Event().wait()

    def end(self, how):
        if how == "rst":
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                            struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        raise Ended

    async def end_or_hang(self, how):
        if how == "silent":
            await self.hang()
        self.end(how)

    async def ask(self, message):
        if not self.server:
            self.server = await asyncio.open_connection("127.0.0.1", self.wire.target)
        reader, writer = self.server
        writer.write(message)
        await writer.drain()
        return await read_message(reader)

    async def handle(self, head, body):
        wire = self.wire
        method, path = head.split(b" ", 2)[:2]
        request = method.decode(), path.decode(), body.decode("utf-8", "replace")
        wire.seen.append(request)
        fault = wire.fault if wire.fault and wire.fault.concerns(request[0]) else Fault()
        if not await fault.on_request(self, request):
            return
        answer_head, answer_body = await self.ask(head + body)
        await fault.on_answer(self, answer_head + answer_body, len(answer_head))

    async def serve(self):
        await (self.wire.fault or Fault()).on_connection(self)
        while True:
            head, body = await read_message(self.reader, self.go_on)
            if self.frozen:
                await self.hang()
            await self.handle(head, body)

    async def go_on(self):
        await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")


async def read_message(reader, go_on=None):
    """Head and body of a request or an answer, whose body has a Content-Length or is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"expect" and go_on:
            await go_on()
    return head, await reader.readexactly(length)


def start_loop():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


LOOP = start_loop()


def on_loop(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(60)


class Wire:
    def __init__(self, target, host="127.0.0.1"):
        self.target, self.fault, self.seen = target, None, []
        self.socket, self.server, self.connections = hold_port(host), None, {}
        self.port = self.socket.getsockname()[1]
        self.accept()

    async def on_client(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections[connection] = asyncio.current_task()
        try:
            await connection.serve()
        except (Ended, OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever cancelled it wants it to end, no more
        finally:
            del self.connections[connection]
            for stream in (writer, connection.server and connection.server[1]):
                if stream:
                    stream.close()

    async def listen(self):
        self.server = await asyncio.start_server(self.on_client, sock=self.socket.dup(), backlog=1024)

    async def end(self):
        if self.server:
            self.server.close()
            self.server = None
            self.socket.shutdown(socket.SHUT_RDWR)
        for task in list(self.connections.values()):
            task.cancel()

    def accept(self):
        if not self.server:
            on_loop(self.listen())

    def refuse(self):
        """And what was open ends."""
        on_loop(self.end())

    def freeze(self):
        for connection in list(self.connections):
            connection.frozen = True

    def vanish(self):
        async def forget():
            for connection in list(self.connections):
                # a socket under repair is closed without a packet
                connection.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
                connection.writer.transport.abort()
        on_loop(forget())

    def close(self):
        self.refuse()
        self.socket.close()
