"""The help page of a command, in words that no version of the parser changes."""

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose help has its arguments by their names alone: `SPEC`, not `{SPEC}` and `SPEC <str>`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line: `[OPTIONS] SPEC [LAYER]`, `[OPTIONS] [SPEC]...`."""
        arguments = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        return ["[OPTIONS]", *map(_in_usage, arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each argument, then one for each option."""
        lines: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                kind = param.param_type_name
                lines[kind].append((_name(param), record[1]) if kind == "argument" else record)
        for kind, records in lines.items():
            if records:
                with formatter.section(f"{kind.title()}s"):
                    formatter.write_dl(records)


def _in_usage(argument: Any) -> str:
    name = _name(argument) if argument.required else f"[{_name(argument)}]"
    return f"{name}..." if argument.nargs == -1 else name


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
