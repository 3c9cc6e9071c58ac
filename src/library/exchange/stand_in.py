"""Stands for the module `repertoire` where a script is started by itself: what needs no Repertoire works as it does there."""

import shlex
import subprocess
import sys
import time


class CommandResult:
    def __init__(self, stdout, stderr, exit_code):
        self.stdout, self.stderr, self.exit_code = stdout, stderr, exit_code

    def __await__(self):
        return self
        yield


class _Nothing:
    def __await__(self):
        return None
        yield


def run_command(command, *arguments, cwd=None, timeout=None, stdin=None, check=True, **others):
    words = list(command) if isinstance(command, (list, tuple)) else shlex.split(command)
    ended = subprocess.run(words, cwd=cwd, timeout=timeout, input=stdin, capture_output=True, text=True)
    if check and ended.returncode:
        raise RuntimeError(f"`{shlex.join(words)}` ended with {ended.returncode}: {ended.stderr.strip()}")
    return CommandResult(ended.stdout, ended.stderr, ended.returncode)


def log(message):
    print(message, file=sys.stderr)


def checkpoint(state, name=None):
    return None


def sleep(seconds):
    time.sleep(seconds)
    return _Nothing()


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*arguments, **others):
        raise RuntimeError(f"`{name}` needs Repertoire: run this procedure with `repertoire run`")

    return missing
