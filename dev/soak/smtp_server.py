"""A small mail server that refuses, hesitates, or accepts; a program of its own.

``python smtp_server.py FOLDER PORT`` reads what to do from ``FOLDER/behaviour`` and appends a line to
``FOLDER/accepted`` for each message before it confirms it, as a server does that takes its promises seriously.

Behaviours: ``accept``; ``busy`` answers every recipient with 451; ``slow`` waits around the acceptance.
Recipients that begin with ``unknown`` are refused for good (550); a message to one that begins with
``vanish`` is accepted, and the connection lost before the client gets the answer.
"""

import os
import pathlib
import re
import socketserver
import sys
import time

_DELAY = 0.03


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True

    def handle(self):
        """Answer commands until the client leaves."""
        self._reply(220, "ready")
        self.recipients = []
        for line in self.rfile:
            command = line.decode(errors="replace").strip()
            verb = command.partition(" ")[0].upper()
            if verb == "QUIT":
                self._reply(221, "bye")
                return
            if not getattr(self, f"_do_{verb.lower()}", self._do_other)(command):
                return

    def _reply(self, code, text):
        self.wfile.write(f"{code} {text}\r\n".encode())
        return True

    def _do_other(self, command):
        return self._reply(250, "ok")

    def _do_mail(self, command):
        self.recipients = []
        return self._reply(250, "ok")

    def _do_rcpt(self, command):
        address = re.search(r"<(.*?)>", command)[1]
        if self._read_behaviour() == "busy":
            return self._reply(451, "try again later")
        if address.startswith("unknown"):
            return self._reply(550, "no such user")
        self.recipients.append(address)
        return self._reply(250, "ok")

    def _do_data(self, command):
        self._reply(354, "go on")
        message_id = None
        for line in self.rfile:
            if line == b".\r\n":
                break
            if line.lower().startswith(b"message-id:") and not message_id:
                message_id = line.decode().partition(":")[2].strip()
        else:
            return False
        is_slow = self._read_behaviour() == "slow"
        time.sleep(_DELAY if is_slow else 0)
        self._remember(message_id)
        time.sleep(_DELAY if is_slow else 0)
        if self.recipients[0].startswith("vanish"):
            return False
        return self._reply(250, "accepted")

    def _read_behaviour(self):
        return (self.server.folder / "behaviour").read_text().strip()

    def _remember(self, message_id):
        handle = os.open(self.server.folder / "accepted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            for recipient in self.recipients:
                os.write(handle, f"{recipient} {message_id}\n".encode())
        finally:
            os.close(handle)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that are killed break off: that is what they are here for."""


if __name__ == "__main__":
    with _Server(("127.0.0.1", int(sys.argv[2])), _Session) as server:
        server.folder = pathlib.Path(sys.argv[1])
        server.serve_forever()
