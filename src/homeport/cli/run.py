"""The frame of every run: which way a command line goes, and what becomes of errors. On the hot path: imports little.

Exit codes: what the command answers (0 yes, 1 no), and of errors
2 usage, 3 needs more rights, 1 any other, 70 a bug (EX_SOFTWARE of sysexits.h), 130 interrupted.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

from homeport.cli.text import safe
from homeport.errors import HomeportError

INTERRUPTED = 130
BUG = 70
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def run(words: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return its exit code. Nothing but SystemExit gets out."""
    try:
        _prepare()
        code = _dispatch(sys.argv[1:] if words is None else words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _forget_output()
        return INTERRUPTED
    except BrokenPipeError:
        return _end_like_others()
    except HomeportError as error:
        what = error.what if error.why is None else f"{error.what}: {error.why}"
        complain(what, error.remedy)
        return error.exit_code
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            return _bug(error)
        _forget_output()
        complain(f"the answer cannot be written: {error.strerror}")
        return 1
    except Exception as error:  # noqa: BLE001  # the last net: a bug must not look like an answer
        if isinstance(error.__cause__, KeyboardInterrupt):  # within __set_name__ Python before 3.12 wraps it so
            _forget_output()
            return INTERRUPTED
        return _bug(error)


def complain(what: str, remedy: str | None = None) -> None:
    """Say on standard error what happened, and on a line of its own what to do."""
    text = f"homeport: {safe(what)}\n"
    if remedy:
        text += f"{safe(remedy)}\n"
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # standard error is gone: the exit code still says it
        pass


def _dispatch(words: Sequence[str]) -> int:
    if "_HOMEPORT_COMPLETE" not in os.environ:
        from homeport.cli import quick

        request = quick.parse(list(words))
        if request is not None:
            from homeport.cli.listing import answer

            return answer(request)
    from homeport.cli.main import main

    return main(words)


def _prepare() -> None:
    """Make sure that there are streams, and that every character can be written: as an escape, where it must be."""
    if sys.stdout is None:  # closed by the caller (`>&-`): the exit code is all that is wanted
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not fail on it at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    except OSError:  # no /dev/null: the worst is a line of complaint by the interpreter
        pass


def _end_like_others() -> int:
    """The reader of a pipe went away (`| head`): end by SIGPIPE, without a word, as any other program does."""
    import signal

    _forget_output()
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    return 1


def _bug(error: BaseException) -> int:
    if os.environ.get("HOMEPORT_DEBUG"):
        import traceback

        traceback.print_exc()
    remedy = "this is a bug: please report it with the command and the output of HOMEPORT_DEBUG=1"
    complain(f"internal error: {type(error).__name__}: {error}", remedy)
    return BUG
