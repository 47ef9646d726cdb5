"""`python -m benchmarks.torture`: every torment at full length; exit status 1 where a checker complains."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.catalogue import CATALOGUE, POSTGRESQL, SQLITE, Torment
from benchmarks.torture.server import Server, server

SHOWN = 5


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", choices=sorted(CATALOGUE), help="only this torment")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], help="only on this database")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is full length, 0.1 a tenth of it")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep databases, ledgers and logs here")
    return parser.parse_args()


def rounds(wanted: argparse.Namespace) -> Iterator[tuple[str, str, Torment]]:
    """Yield what is to be done: name, database, torment."""
    for name in wanted.only or CATALOGUE:
        for database in CATALOGUE[name].databases:
            if wanted.database in (None, database):
                yield name, database, CATALOGUE[name]


def torture(wanted: argparse.Namespace, folder: Path) -> int:
    """Run every round; return how many went wrong."""
    wrong = 0
    todo = list(rounds(wanted))
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(server()) if any(each[1] == POSTGRESQL for each in todo) else None
        for number, (name, database, torment) in enumerate(todo, 1):
            print(f"{number:>3}/{len(todo)}  {name}, {database} … ", end="", flush=True)
            place = folder / f"{number}-{database}"
            url = _url(database, postgresql, place)
            try:
                verdict = torment.run(Arena(url, place, seed=wanted.seed), wanted.scale, postgresql)
            except TimeoutError as error:
                verdict = Verdict([str(error)], {})
            wrong += not tell(verdict, torment)
    return wrong


def _url(database: str, postgresql: Server | None, place: Path) -> str:
    if database == POSTGRESQL and postgresql is not None:
        return postgresql.new_database()
    return f"sqlite+aiosqlite:///{place / 'torture.db'}"


def tell(verdict: Verdict, torment: Torment) -> bool:
    """Print one verdict; True when all is well."""
    facts = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in verdict.facts.items())
    as_expected = bool(verdict.facts) and torment.expected(verdict.facts)
    if as_expected and not verdict.complaints:
        print(f"nothing lost, nothing twice, all explained ({facts})", flush=True)
        return True
    print(f"WRONG ({facts})")
    for complaint in verdict.complaints[:SHOWN]:
        print(f"         {complaint}")
    if len(verdict.complaints) > SHOWN:
        print(f"         … and {len(verdict.complaints) - SHOWN} more")
    if not as_expected:
        print("         the figures are not what this torment must show", flush=True)
    return False


def main() -> None:
    """Torture."""
    wanted = arguments()
    with contextlib.ExitStack() as stack:
        folder = wanted.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        wrong = torture(wanted, folder)
    print("all is well" if not wrong else f"{wrong} torment(s) went wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
