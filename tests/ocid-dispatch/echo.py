#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# echo.py ADDRESS PORT: sends back what a client has sent, once that has ended its half.
import socket, socketserver, sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data = b""
        while part := self.request.recv(65536):
            data += part
        self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET


Server((sys.argv[1], int(sys.argv[2])), Echo).serve_forever()
