"""A service that answers each line with its checksum, which a C library forms; a client; and what both steps cost."""

import json
import socket
import socketserver
import threading

import cffi

import armprof

ffi = cffi.FFI()
ffi.cdef("uint32_t digest(const unsigned char *bytes, size_t size);")
library = ffi.dlopen("./libdigest.so")

decode = armprof.region("decode")
digest = armprof.region("digest")


class Handler(socketserver.StreamRequestHandler):
    """Answers the lines of one client."""

    def handle(self) -> None:
        for line in self.rfile:
            with decode:
                body = json.loads(line)["body"].encode()
            with digest:
                answer = library.digest(ffi.from_buffer("unsigned char[]", body), len(body))
            self.wfile.write(b"%08x\n" % answer)


def ask(address: tuple[str, int], requests: int) -> str:
    """Sends so many messages of 10 kB, and returns the last answer."""
    message = json.dumps({"body": "0123456789" * 1000}).encode() + b"\n"
    with socket.create_connection(address) as client, client.makefile("rb") as answers:
        for _ in range(requests):
            client.sendall(message)
            answer = answers.readline()
    return answer.decode().strip()


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("answer", ask(server.server_address, 500))
    server.shutdown()

for region in (decode, digest):
    spent = region.per_call("ns")
    print(f"{region.name}: {region.calls} calls of {spent.mean / 1000:.1f} us")
