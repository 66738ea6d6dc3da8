"""Writes the dashboards into the folder above; with --check, only checks whether they are up to date.

python3 dashboards/grafana/source [--check]
"""

import json
import pathlib
import sys

import agent
import fleet
import latency
import overview
import words

FOLDER = pathlib.Path(__file__).parent.parent


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, page in PAGES.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(page.dashboard(), indent=2, ensure_ascii=False) + "\n"
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"not as python3 dashboards/grafana/source writes them: {', '.join(stale)}")


PAGES = {"overview": overview, "latency": latency, "agent": agent, "fleet": fleet, "words": words}

if __name__ == "__main__":
    main()
