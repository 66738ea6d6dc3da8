"""Writes the tests of whole days into the folder above; with --check, only checks whether they are up to date.

python3 dashboards/prometheus/tests/source [--check]
"""

import pathlib
import sys

import bad_day
import week

FOLDER = pathlib.Path(__file__).parent.parent


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, test in {"bad_day": bad_day, "week": week}.items():
        path = FOLDER / f"{name}.yml"
        if not check:
            path.write_text(test.text())
        elif not path.exists() or path.read_text() != test.text():
            stale.append(path.name)
    if stale:
        sys.exit(f"not as python3 dashboards/prometheus/tests/source writes them: {', '.join(stale)}")


if __name__ == "__main__":
    main()
