"""Services for tests under load, in a process of their own. Commands on standard input, a line each, an answer each:

    open          listens on a new port: its number
    close PORT    stops listening and cuts what is still connected: the number of requests that were cut

A request gets its service's port and its path as the body; a WebSocket gets back the bytes that it sends.
"""
import asyncio
import sys


class Connection(asyncio.Protocol):
    def __init__(self, service):
        self.service, self.buffer, self.raw = service, b'', False

    def connection_made(self, transport):
        self.transport = transport
        self.service.connections.add(self)

    def connection_lost(self, error):
        self.service.connections.discard(self)

    def data_received(self, data):
        if self.raw:
            self.transport.write(data)
            return
        self.buffer += data
        while not self.raw and (end := self.buffer.find(b'\r\n\r\n')) >= 0:
            head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
            self.answer(head)

    def answer(self, head):
        path = head.split(b' ', 2)[1]
        if b'\r\nupgrade: websocket' in head.lower():
            self.raw = True
            self.transport.write(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
            self.transport.write(self.buffer)
            return
        if path.startswith(b'/slow'):
            self.service.running += 1
            asyncio.get_running_loop().call_later(0.3, self.reply, path, 1)
        else:
            self.reply(path, 0)

    def reply(self, path, slow):
        self.service.running -= slow
        body = b'%d %s' % (self.service.port, path)
        self.transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))


class Service:
    def __init__(self):
        self.connections, self.running = set(), 0

    async def open(self):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Connection(self), '127.0.0.1', 0, backlog=1024)
        self.port = self.server.sockets[0].getsockname()[1]
        return self.port

    def close(self):
        cut = self.running + sum(connection.raw for connection in self.connections)
        self.server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        return cut


async def main():
    services = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, *words = line.split()
        if command == 'open':
            service = Service()
            answer = await service.open()
            services[answer] = service
        else:
            answer = services.pop(int(words[0])).close()
        print(answer, flush=True)


if __name__ == '__main__':
    asyncio.run(main())
