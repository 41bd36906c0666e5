"""The command qubs-mock, and a plugin for pytest that starts it."""

import os
import shutil
import sys
import sysconfig


def program():
    """The path of the command: that of this environment, else the first on PATH."""
    folders = [
        sysconfig.get_path("scripts"),
        os.path.dirname(sys.executable),
        sysconfig.get_path("scripts", f"{os.name}_user"),
    ]
    for folder in folders:
        path = shutil.which("qubs-mock", path=folder)
        if path:
            return path
    path = shutil.which("qubs-mock")
    if path:
        return path
    raise FileNotFoundError("no command qubs-mock in this environment or on PATH")
