"""The front door: exit statuses, and answers that need none of the libraries."""

import gc
import os
import sys

DONE, GATE_FAILED, BAD_INPUT, BUG, NOT_WRITTEN, INTERRUPTED, CLOSED_PIPE, TERMINATED = 0, 1, 2, 70, 74, 130, 141, 143

SHORT = ("compute", "compare", "memory")
"""The commands that are answered without the parser where they are asked as usual."""

COMPLETES = "_TCOST_COMPLETE"
"""What a shell sets that asks for words."""

UNCOLLECTED = 200_000
"""Objects that a process may make before Python looks for cycles among them: most commands end before."""

MAX_LINE = 1500
"""Characters of a line of a message: more than those that name all that is known."""


def main() -> None:
    """Run `tcost` with the process's arguments and exit with its status, whoever reads what is said of it."""
    from tcost.output import Forgiving

    gc.set_threshold(UNCOLLECTED)
    if sys.stderr is not None:
        sys.stderr = Forgiving(sys.stderr)
    if sys.argv[1:] != ["--version"] and COMPLETES not in os.environ:  # which leave nothing to be cleaned up
        _clean_up_when_terminated()
    try:
        status = run(sys.argv[1:])
    except Exception:  # noqa: BLE001  # which only TCOST_DEBUG lets through
        import traceback

        traceback.print_exc()
        status = BUG
    if sys.stdout is not None:
        # What an interruption has left there: where that cannot be written, Python would make it status 120.
        Forgiving(sys.stdout).flush()
    sys.exit(status)


def _clean_up_when_terminated() -> None:
    """Let SIGTERM, which would end the process where it stands, unwind it as Ctrl-C does."""
    import signal  # 1 ms

    from tcost.errors import Terminated

    def end(*_: object) -> None:
        raise Terminated(TERMINATED)

    signal.signal(signal.SIGTERM, end)


def run(args: list[str]) -> int:
    """Run `tcost` and return its exit status.

    0 done; 1 a gate failed, such as a proof; 2 bad input; 70 a bug of ours; 74 output that could not be
    written; 130 interrupted; 141, silently, where the reader of a pipe has gone. A process of its own ends with
    143 after SIGTERM. TCOST_DEBUG=1 shows the traceback of a bug, which it raises.
    """
    from tcost.errors import GateError, InputError
    from tcost.output import OutputError, ReaderGoneError

    try:
        return _answer(args)
    except GateError as error:
        return _complain(str(error), GATE_FAILED)
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except OutputError as error:
        return _complain(str(error), NOT_WRITTEN)
    except ReaderGoneError:
        return CLOSED_PIPE
    except KeyboardInterrupt as interrupt:
        return _complain(str(interrupt), INTERRUPTED) if str(interrupt) else INTERRUPTED
    except Exception as error:
        if os.environ.get("TCOST_DEBUG"):
            raise
        return _complain(
            f"this is a bug in tcost: {type(error).__name__}: {error}\nplease report it with the command that shows it",
            BUG,
        )


def _answer(args: list[str]) -> int:
    """Answer the shortest way: neither the version nor a shell needs a library, a usual command no parser."""
    if args == ["--version"]:
        from tcost import __version__
        from tcost.output import write

        write(f"tcost {__version__}\n")
        return DONE
    if COMPLETES in os.environ:
        from tcost.completion import complete
        from tcost.output import write

        write(complete(args))
        return DONE
    from tcost.commands.aliases import meant

    args = meant(args)
    if args and args[0] in SHORT:
        from tcost.commands.calling import deliver
        from tcost.short_way import answer

        if printed := answer(args):
            deliver(printed)
            return DONE
    from tcost import cli

    return cli.run(args)


def _complain(message: str, status: int) -> int:
    """Print a message on standard error, lines after the first aligned with it, but none into a half-typed line."""
    from tcost.text import visible

    if sys.stderr is not None and COMPLETES not in os.environ:
        lines = (visible(_shortened(line)) for line in message.split("\n"))
        print("error: " + "\n       ".join(lines), file=sys.stderr)
    return status


def _shortened(line: str) -> str:
    beyond = len(line) - MAX_LINE
    return f"{line[:MAX_LINE]}... and {beyond:,} characters more" if beyond > 0 else line


if __name__ == "__main__":
    main()
