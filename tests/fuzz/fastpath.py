"""Calls by the function-call message of the protocol, as PQfn() sends it: the server looks nothing up but the function's oid, so a function
is not told the types of its arguments."""
import os, socket, struct
from load import Problem
from calls import INTERNAL



class Connection:
    def __init__(self, server, dbname, user):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(server.dir, '.s.PGSQL.5432'))
        parameters = b''.join(s.encode() + b'\0' for s in ('user', user, 'database', dbname, 'client_encoding', 'SQL_ASCII', 'client_min_messages', 'error')) + b'\0'
        self.send(b'', struct.pack('!i', 196608) + parameters)
        self.until_ready()

    def send(self, kind, body):
        self.socket.sendall(kind + struct.pack('!i', len(body) + 4) + body)

    def read(self, n):
        data = b''
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    def until_ready(self):
        error = None
        while True:
            kind, = self.read(1),
            body = self.read(struct.unpack('!i', self.read(4))[0] - 4)
            if kind == b'E':
                error = {chr(field[0]): field[1:].decode('utf-8', 'replace') for field in body.split(b'\0') if field}
            if kind == b'Z':
                return error

    def call(self, oid, arguments):
        """Arguments as text, None for NULL."""
        body = struct.pack('!ihhh', oid, 1, 0, len(arguments))
        for a in arguments:
            body += struct.pack('!i', -1) if a is None else struct.pack('!i', len(a)) + a
        self.send(b'F', body + struct.pack('!h', 0))
        return self.until_ready()


def called(fuzz, calls):
    user = fuzz.c.info.user
    connection = Connection(fuzz.server, fuzz.dbname, user)
    for f in fuzz.functions:
        for _ in range(calls):
            drawn = []
            for type_name, name in zip(f.types, f.names):
                apt, general = (fuzz.places.get((type_name, key), (0, 0)) for key in (name or '-', None))
                begin, n = apt if apt[1] and fuzz.rand.random() < .8 else general
                drawn.append(f'(select convert_to(v::text, getdatabaseencoding()) from fuzz."{type_name}" where i = {begin + fuzz.rand.randrange(n)})')
            arguments = [a if a is None else bytes(a) for a in fuzz.c.execute('select ' + ', '.join(drawn)).fetchone()]
            try:
                # Undone as well, but for the sequences.
                connection.send(b'Q', b'begin\0')
                connection.until_ready()
                error = connection.call(f.oid, arguments)
                connection.send(b'Q', b'rollback\0')
                connection.until_ready()
            except OSError as e:
                raise Problem(f'{fuzz.dbname}: the backend is gone after a fast-path call of {f.signature} with {[a and a[:200] for a in arguments]}') from e
            # What the server itself refuses to call so, or to read, is its own affair.
            theirs = error and (error['C'][:2] in ('0A', '42', '22', *(() if f.public else INTERNAL)) or f.trigger)
            if error and not (theirs or error['C'] in fuzz.states):
                raise Problem(f"{fuzz.dbname}: fast-path call of {f.signature} with {[a and a[:200] for a in arguments]}: {error['C']} {error['M']}")
    connection.socket.close()
