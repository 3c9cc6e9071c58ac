"""Starts the program that this package brings, under the name of the package as well: `uvx` goes by that."""

import os
import subprocess
import sys
import sysconfig


def main():
    binary = "repertoire.exe" if os.name == "nt" else "repertoire"
    # Beside the command that was called; that is where it is for `pip install --user` and `--prefix`, too.
    folders = [os.path.dirname(os.path.abspath(sys.argv[0])), sysconfig.get_path("scripts")]
    program = next((path for path in (os.path.join(folder, binary) for folder in folders) if os.path.exists(path)), None)
    if program is None:
        sys.exit(f"`{binary}` is not in `{folders[1]}`, where this package puts it: install it again")
    command = [program, *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(program, command)
