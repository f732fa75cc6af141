"""A request over TLS as it is given, byte for byte: visitor.py <host> <port> <file of the root> <name> <request>"""
import socket
import ssl
import sys

host, port, root, name, request = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
context.verify_flags |= ssl.VERIFY_X509_STRICT
with context.wrap_socket(socket.create_connection((host, int(port)), 5), server_hostname=name) as connection:
    connection.sendall(request.encode().decode("unicode_escape").encode())
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
print(answer.decode())
