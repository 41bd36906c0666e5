"""A server of its own for a test run, which ends with the process that started it."""

import ctypes
import os
import signal
import subprocess
import tempfile
import threading

from . import program

_PR_SET_PDEATHSIG = 1


def _end_with(parent):
    """For the child before it becomes the server: it is told when its parent is gone."""
    library = ctypes.CDLL(None, use_errno=True)

    def prepare():
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Server:
    """`qubs-mock serve` on a free port of loopback."""

    def __init__(self):
        self._errors = tempfile.TemporaryFile()
        # Only this: a variable of the developer's shell must not make tests differ.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("QUBS_MOCK_")
        }
        # A session of its own: Ctrl-C goes to the tests, which stop the server when they are done.
        self._process = subprocess.Popen(
            [program(), "serve", "--port", "0", "--log", "off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=environment, start_new_session=True, preexec_fn=_end_with(os.getpid()),
        )
        watchdog = threading.Timer(30, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        words = line.split()
        if not words or not words[-1].startswith("http://"):
            self.stop()
            self._errors.seek(0)
            text = self._errors.read().decode(errors="replace").strip()
            raise RuntimeError(f"qubs-mock does not start: {text or 'no line within 30 s'}")
        self.base_url = words[-1]

    def stop(self):
        """Stops the server and waits for its end."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()
