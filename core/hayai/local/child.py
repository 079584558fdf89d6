"""The first program of every child: drops root, ties itself to its parent, and becomes the server.

It is run by path, in isolated mode and without site-packages (20 ms instead of 200), so it imports the standard
library alone. The parent-death signal is asked for after the user has changed, because the kernel forgets it at
every change of user (prctl(2), PR_SET_PDEATHSIG), and survives the exec of a program that is not set-uid.

    child.py PARENT_PID DEATH_SIGNAL USER_OR_EMPTY PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def drop_to(user: str) -> None:
    """Become `user` for good, with that user's groups and no others."""
    entry = pwd.getpwnam(user)
    os.setgroups([entry.pw_gid])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = "/"


def tie_to_parent(parent: int, signal_number: int) -> bool:
    """Ask for that signal at the parent's death; False where the parent is dead already. Linux alone can do this."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    return os.getppid() == parent


def main(arguments: list[str]) -> int:
    """Never returns where all goes well."""
    parent, signal_number, user, *command = arguments
    if user:
        drop_to(user)
    if not tie_to_parent(int(parent), int(signal_number)):
        return 1
    os.execv(command[0], command)  # noqa: S606 - the command is the parent's own
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
