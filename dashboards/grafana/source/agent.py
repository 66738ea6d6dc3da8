"""One agent: what it does, what it is denied, and whether that is usual for it."""

import layout
from panels import bars, series, stat
from queries import RATE, query

ALL = 'guard_decisions_total{@,agent=~"$agent"}'
USUAL = 'agent:guard_denied_commands:mean1d_increase10m{@,agent=~"$agent"}'
DENIED = 'guard_decisions_total{@,agent=~"$agent",verdict="deny"}'


def dashboard():
    return layout.dashboard(
        "guard-agent",
        "Guard: One agent",
        "What an agent does, what it is denied, and whether that is usual for it.",
        [
            ("In the time that is shown", numbers()),
            ("Over time", over_time()),
            ("Habits", habits()),
        ],
        agent=True,
    )


def numbers():
    return [
        stat(
            "Decisions",
            "Operations of the agent that were evaluated.",
            f"sum(increase({ALL}[$__range]))",
            width=3,
        ),
        stat(
            "Denied",
            "Operations of the agent that were denied.",
            f"sum(increase({DENIED}[$__range]))",
            width=3,
        ),
        stat(
            "Denied commands",
            "Processes of the agent that were denied something, each counted once.",
            'sum(increase(guard_denied_commands_total{@,agent=~"$agent"}[$__range]))',
            width=3,
        ),
        stat(
            "Part denied",
            "Denied operations, as a part of all operations of the agent that were evaluated.",
            f"sum(increase({DENIED}[$__range])) / sum(increase({ALL}[$__range]))",
            unit="percentunit",
            width=3,
        ),
        stat(
            "Audited",
            "Operations that audit mode allowed and enforcement would have denied.",
            'sum(increase(guard_decisions_total{@,agent=~"$agent",verdict="audit"}[$__range]))',
        ),
        stat(
            "Retry storms",
            "Times the agent tried the same denied operation repeatedly.",
            'sum(increase(guard_retry_storms_total{@,agent=~"$agent"}[$__range]))',
            bad_from=1,
        ),
        stat(
            "Mass deletions",
            "Times the agent removed very many files in a short time.",
            'sum(increase(guard_mass_deletions_total{@,agent=~"$agent"}[$__range]))',
            bad_from=1,
        ),
    ]


def over_time():
    return [
        series(
            "Decisions by verdict",
            "Operations a second that were evaluated. Points are exemplars: each leads to the trace of "
            "one denial.",
            "ops",
            query(f"sum by (verdict) (rate({ALL}{RATE}))", "{{verdict}}", exemplar=True),
            width=12,
            stack=True,
        ),
        series(
            "Denials by operation",
            "Denied operations a second, by operation.",
            "ops",
            query(f"sum by (operation) (rate({DENIED}{RATE}))", "{{operation}}", exemplar=True),
            width=12,
            stack=True,
        ),
        series(
            "Denials by host",
            "Denied operations a second, by the exporter that counted them.",
            "ops",
            query(f"sum by (instance) (rate({DENIED}{RATE}))", "{{instance}}"),
            width=12,
        ),
        series(
            "Operations",
            "Operations a second that were evaluated, by operation.",
            "ops",
            query(f"sum by (operation) (rate({ALL}{RATE}))", "{{operation}}"),
            width=12,
            stack=True,
        ),
    ]


def habits():
    return [
        series(
            "Denied commands against what is usual",
            "Commands that were denied something in ten minutes, and their mean of the day before; a command "
            "counts once, however many files it names. Needs the recording rules; an alert fires at five "
            "times the mean, from ten commands on.",
            "short",
            query('sum(agent:guard_denied_commands:increase10m{@,agent=~"$agent"})', "in 10 minutes"),
            query(f"sum({USUAL})", "mean of a day"),
            query(f"5 * sum({USUAL})", "five times it"),
            width=12,
        ),
        series(
            "Part denied",
            "Denied operations, as a part of all of each agent's. Needs the recording rules.",
            "percentunit",
            query(
                'max by (agent) (agent:guard_denials:ratio_rate5m{@,agent=~"$agent"})', "{{agent}}"
            ),
            width=12,
        ),
        bars(
            "Agents by denials",
            "The agents that were denied most in the time that is shown.",
            "short",
            f"topk(10, sum by (agent) (increase({DENIED}[$__range])))",
            "{{agent}}",
            width=12,
        ),
        bars(
            "Denials by operation, in all",
            "What the agent was denied in the time that is shown.",
            "short",
            f"sum by (operation) (increase({DENIED}[$__range]))",
            "{{operation}}",
            width=12,
        ),
    ]
