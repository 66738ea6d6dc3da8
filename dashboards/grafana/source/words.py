"""In words: each denial, change and request as a sentence, beside how many there are.

The sentences are made from the lines of the logs, which a log store has as they are; see
dashboards/vector/vector.yml.
"""

import layout
from panels import lines, series
from queries import RATE, log_query, query

# As guard-report's sentence.rs has them.
DOING = {
    "unlink": "removing",
    "rename": "moving",
    "exchange": "swapping",
    "truncate": "emptying",
    "clone": "overwriting",
    "link": "linking",
    "write": "writing to",
    "control": "reaching into",
}
# As guard-core's verdict.rs has them; the reasons for which something is denied.
BECAUSE = {
    "agent_in_zone": "an AI agent's process would destroy something in a zone",
    "audit_only": "it would be denied, but the policy's mode is audit",
    "unknown_lineage": "the actor's ancestry is unknown; on_unknown answered",
    "deadline": "the kernel's deadline passed first; on_deadline answered",
    "unresolved_path": "the path could not be resolved to an object",
    "guard_files": "it is one of the guard's own files or processes",
    "unpreservable": "what would be lost could not be preserved first",
}
DID = {
    "removed": "removed",
    "replaced": "replaced",
    "shrunk": "cut",
}
HOW = {
    "hardlink": "preserved by a hard link",
    "rename": "moved into the undo store",
    "reflink": "preserved by a reflink",
    "copy": "preserved by a copy",
    "record": "preserved by its record",
}
STEPS = {
    "requested": "asks to",
    "granted": "may now",
    "rejected": "may not",
    "unanswered": "got no answer, whether it may",
    "used": "used its override to",
}


def dashboard():
    return layout.dashboard(
        "guard-words",
        "Guard: In words",
        "Each denial, change and request as a sentence, from a log store, beside how many there are.",
        [
            ("Denials", denials()),
            ("Changes and requests", others()),
        ],
        agent=True,
        logs=True,
    )


def denials():
    return [
        series(
            "Denials by agent",
            "Denied operations a second, by the agent in the actor's lineage.",
            "ops",
            query(
                f'sum by (agent) (rate(guard_decisions_total{{@,agent=~"$agent",verdict="deny"}}{RATE}))',
                "{{agent}}",
                exemplar=True,
            ),
            width=24,
        ),
        lines(
            "What was denied",
            "Each denial in a sentence, the newest first; one that repeats others has their number. A line "
            "opens to its fields. From denials.jsonl, by way of a log store.",
            log_query(
                "denials",
                ["verdict", "op", "path", "dest", "process", "reason", "zone_name", "count"],
                "{{if .who}}{{.who}}{{else}}a process{{end}} "
                '{{if eq .verdict "audit"}}would have been{{else}}was{{end}} stopped from '
                + choice("op", DOING, "changing")
                + " {{.path}}{{if .dest}} to {{.dest}}{{end}} with {{.process}}: "
                + choice("reason", BECAUSE, "{{.reason}}")
                + "{{if .zone_name}} (zone {{.zone_name}}){{end}}"
                "{{if .count}}; {{.count}} such denials{{end}}",
            ),
        ),
    ]


def others():
    return [
        series(
            "Kept files that agents took",
            "Kept files a second that agents removed, replaced or changed, by what they did.",
            "ops",
            query(
                f'sum by (kind) (rate(guard_file_changes_total{{@,agent=~"$agent"}}{RATE}))', "{{kind}}"
            ),
            width=12,
            stack=True,
        ),
        series(
            "Requests",
            "What agents ask for and what became of it.",
            "short",
            query(
                f'sum by (step) (increase(guard_requests_total{{@,agent=~"$agent"}}{RATE})) > 0', "{{step}}"
            ),
            width=12,
        ),
        lines(
            "What agents changed",
            "What agents were allowed to take from kept files, and the command that has it back. From "
            "changes.jsonl, by way of a log store.",
            log_query(
                "changes",
                ["change", "path", "dest", "process", "preserved", "unpreserved", "zone_name", "undo_session"],
                "{{if .who}}{{.who}}{{else}}a process{{end}} "
                + choice("change", DID, "changed")
                + " {{if .dest}}{{.dest}} by {{.path}}{{else}}{{.path}}{{end}} with {{.process}}: "
                + choice("preserved", HOW, "not preserved ({{.unpreserved}})")
                + "{{if .zone_name}} (zone {{.zone_name}}){{end}}"
                "{{if .preserved}}; codex-es-guard undo show {{.undo_session}}{{end}}",
            ),
            width=12,
        ),
        lines(
            "What agents asked for",
            "Steps of requests and overrides. From overrides.jsonl, by way of a log store.",
            log_query(
                "overrides",
                ["step", "path", "because", "id"],
                "{{if .who}}{{.who}}{{else}}everyone{{end}} "
                + choice("step", STEPS, "had an override ({{.step}}) to")
                + " remove or change {{.path}}{{if .because}}: {{.because}}{{end}} ({{.id}})",
            ),
            width=12,
        ),
    ]


def choice(field, words, otherwise):
    """A template that writes the word for a field's value."""
    cases = [f'if eq .{field} "{value}"}}}}{word}' for value, word in words.items()]
    return "{{" + "{{else ".join(cases) + "{{else}}" + otherwise + "{{end}}"
