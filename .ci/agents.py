"""Rows for .ci/agents: agents.py HOME PROGRAMS AGENTS claude|codex|codex-code [ROW...]. See there."""
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import time

from model import Model

home, programs, agents, name = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
guard = f"{programs}/codex-es-guard"
work = home / "work"
keep = work / "thesis.tex"
policy = home / ".codex/es_policy.json"
environment = {
    "HOME": str(home),
    "PATH": f"{programs}:{agents}:{os.environ['PATH']}",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
    # Nothing is sent to anybody but the model.
    "ANTHROPIC_API_KEY": "sk-dummy",
    "SCRIPTED_API_KEY": "sk-dummy",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}


class Failed(Exception):
    pass


def note(text):
    """Shows what happens, for who looks for a mistake or records a picture."""
    if "SHOW" in os.environ:
        print(text, flush=True)


def check(holds, what):
    if not holds:
        raise Failed(what)


def eventually(what, holds):
    deadline = time.monotonic() + 60
    while not (found := holds()):
        check(time.monotonic() < deadline, f"in a minute not seen: {what}")
        time.sleep(0.05)
    return found


# What each agent is started with.


def claude(address):
    environment["ANTHROPIC_BASE_URL"] = address
    return ["claude", "--print", "go on", "--dangerously-skip-permissions", "--output-format", "json"]


def codex(address):
    config = home / ".codex/config.toml"
    text = config.read_text() if config.exists() else CODEX_CONFIG
    lines = [f'base_url = "{address}/v1"' if line.startswith("base_url") else line for line in text.splitlines()]
    config.write_text("\n".join(lines) + "\n")
    return ["codex", "exec", "go on", "--json", "--skip-git-repo-check"] + [
        f"--dangerously-bypass-{what}" for what in ("approvals-and-sandbox", "hook-trust")
    ]


# The name decides which tools the model has: some models call each, and some only write programs that
# do ("code mode").
CODEX_CONFIG = f"""\
model = "{'gpt-6.2-sol' if name == 'codex-code' else 'gpt-5.5'}"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "scripted"
base_url = ""
wire_api = "responses"
env_key = "SCRIPTED_API_KEY"

[analytics]
enabled = false

[otel]
metrics_exporter = "none"
"""


def session(*turns, directory=work):
    """A guarded session in which the agent's model takes these turns; what the model was sent."""
    model = Model(turns, note)
    command = [guard, "run", "--quiet", "--no-exporter", "--", *START(model.address)]
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
    finally:
        model.close()
    for error in model.errors:
        raise Failed(f"{error}; the model was sent {model.results}")
    if len(model.results) < len(turns) or done.returncode:
        raise Failed(f"the agent ended early ({done.returncode}): {done.stdout}{done.stderr}; the model was sent {model.results}")
    return model.results


def by_person(*arguments):
    """A person runs the guard's program on a terminal, in another process."""
    process, terminal = pty.fork()
    if not process:
        os.execve(guard, [guard, *arguments], environment)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # The last process left the terminal.
        pass
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    note(f"person> {' '.join(arguments)}\n{shown.decode()}")
    check(status == 0, f"{arguments} ended with {status}: {shown.decode()}")
    return shown.decode()


def requests():
    shown = subprocess.run([guard, "requests", "--json"], env=environment, capture_output=True, text=True, check=True)
    return json.loads(shown.stdout)


def overrides():
    return json.loads(policy.read_text()).get("temporary_overrides")


def stage(notice="on", **more):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    keep.write_text("mine\n")
    policy.parent.mkdir(exist_ok=True)
    policy.write_text(json.dumps({"protected_zones": ["~/work"], "notice": notice, **more}, indent=2) + "\n")


REASON = "thesis.typ replaces it"
KEPT = f"codex-es-guard: kept {keep}: only a person may remove it"
FACT = f"codex-es-guard: denied op=unlink path={keep} zone=work reason=agent_in_zone id="
ASK = ("tool", "request_security_override", {"path": str(keep), "reason": REASON})
LIST = ("tool", "list_denials", {})
REMOVE = ("run", f"rm {keep}")


# The rows.


def stderr_alone():
    """the model reads why on standard error, nothing installed"""
    stage()
    (result,) = session(REMOVE)
    check(KEPT in result and "Operation not permitted" in result, result)
    check(FACT not in result, f"a hook answered: {result}")
    check(keep.exists(), "the file is gone")


def hook():
    """the model reads why by the hook that setup installed, where standard error is silent"""
    subprocess.run([guard, "setup", "--yes", PROGRAM], env=environment, check=True, capture_output=True)
    stage(notice="off")
    failed, ended_well, silent = session(REMOVE, ("run", f"rm {keep} 2>/dev/null || true"), ("run", "true"))
    for result in (failed, ended_well):
        check(FACT in result and "request_security_override" in result, result)
        check(KEPT not in result, result)
    check("codex-es-guard" not in silent, f"an answer to nothing: {silent}")
    check(keep.exists(), "the file is gone")


def answered(answer, *after):
    """A session in which the agent is denied, asks, and a person answers while the model thinks."""

    def then():
        (request,) = eventually("the request", lambda: [r for r in requests() if r["state"] == "open"])
        check(request["path"] == str(keep) and request["because"] == REASON, request)
        answer(request["id"])
        return REMOVE

    return session(REMOVE, ASK, then, *after)


def granted_once():
    """the model asks by MCP, a person approves once, the retry succeeds, and the override ends"""
    stage()

    def again():
        check(not keep.exists(), "the retry did not remove the file")
        eventually("the override's end", lambda: not overrides())
        keep.write_text("mine again\n")
        return REMOVE

    denied, asked, _, denied_again = answered(lambda id: by_person("approve", id, "--once"), again)
    check("Operation not permitted" in denied, denied)
    check('"state":"open"' in asked and "A person was asked" in asked, asked)
    check("Operation not permitted" in denied_again and keep.exists(), denied_again)


def rejected():
    """a person rejects: the retry is denied, and the model reads that it is final"""
    stage()
    status = ("tool", "override_status", {})
    _, _, denied, status = answered(lambda id: by_person("reject", id, "--because", "it is the only copy"), status)
    check("Operation not permitted" in denied and keep.exists(), denied)
    check('"state":"rejected"' in status and "it is the only copy" in status, status)


def expired():
    """a person approves for a time: after it the removal is denied"""
    stage()

    def approve(id):
        by_person("approve", id, "--for", "1s")
        eventually("the end", lambda: [r for r in requests() if r["state"] == "ended"])

    *_, denied = answered(approve)
    check("Operation not permitted" in denied and keep.exists(), denied)
    check(not overrides(), "the override is in the policy")


def automatic():
    """with override_approval "auto" the request is granted without a person"""
    stage(override_approval="auto")
    denied, asked, _ = session(REMOVE, ASK, REMOVE)
    check("Operation not permitted" in denied, denied)
    check('"state":"granted"' in asked and "try again now" in asked, asked)
    check(not keep.exists(), "the retry did not remove the file")


def days_work():
    """a day's work, and the next morning's, without one denial"""
    stage()
    project = work / "project"
    person = lambda *words: subprocess.run(["git", "-C", project, *words], env=environment, check=True, capture_output=True)
    project.mkdir()
    (project / "README").write_text("a person's\n")
    person("init", "-qb", "main")
    person("config", "user.email", "me@example.org")
    person("config", "user.name", "me")
    person("add", "README")
    person("commit", "-qm", "Begin")
    run = lambda command: ("run", f"cd {project} && {command} && echo went ''well")
    makefile = "hello: hello.o\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -c -o $@ $<\ntest: hello\n\t./hello | grep -q hello\nclean:\n\trm -f hello *.o\n"
    source = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
    day = session(
        ("write", str(project / "hello.c"), source),
        ("write", str(project / "Makefile"), makefile),
        ("write", str(project / "notes.md"), "a first idea\n"),
        run("printf 'hello\\n*.o\\n.venv\\n__pycache__\\n' > .gitignore && make test"),
        run("git add -A && git commit -qm 'Say hello'"),
        ("edit", str(project / "README"), "a person's", "a person's, and how to build: make"),
        ("edit", str(project / "hello.c"), *(source.splitlines()[1].replace("hello", text) for text in ("hello", "hello, world"))),
        run("sed -i s/world/reader/ hello.c && make test && rm notes.md"),
        run("git checkout -qb topic && git add -A && git commit -qm 'Greet readers'"),
        run("git rm -q README && git commit -qm 'Drop README' && git checkout -q main && make test && git checkout -q topic"),
        run("python3 -m venv --without-pip .venv && .venv/bin/python -c 'print(1)' && rm -r .venv"),
        run("printf 'def f():\\n    return 1\\n' > m.py && python3 -c 'import m' && rm -r __pycache__ && mv m.py n.py && rm n.py"),
        run("mkdir -p out/a && cp hello.c out/a && rm -r out && make clean && git clean -qfdx && git checkout -q main"),
        run("git merge -q topic && git branch -d topic && git stash list && make test"),
        LIST,
        directory=project,
    )
    next_day = session(
        run("git status --short && make clean && make test && git log --oneline"),
        run("git checkout -qb more HEAD~1 && make test && git checkout -q main && git branch -D more"),
        run("rm hello.o hello && make && git rm -q hello.c Makefile && git reset -q --hard && rm hello && make test"),
        LIST,
        directory=project,
    )
    for result in [*day, *next_day]:
        check("Operation not permitted" not in result and "codex-es-guard: " not in result, result)
    written = [r for r in (*day[:3], *day[5:7]) if "Error" in r or "error" in r or "failed" in r]
    check(not written, written)
    for listed in (day.pop(), next_day.pop()):
        check('"in_session":true' in listed and '"denials":[]' in listed, listed)
    for result in (*day[3:5], *day[7:], *next_day):
        check("went well" in result, result)


START = claude if name == "claude" else codex
PROGRAM = START.__name__
home.mkdir(parents=True, exist_ok=True)
(home / ".codex").mkdir(exist_ok=True)
version = subprocess.run([PROGRAM, "--version"], env=environment, check=True, capture_output=True, text=True).stdout.strip()
ROWS = [stderr_alone, hook, granted_once, rejected, expired, automatic, days_work]
wanted = sys.argv[5:] or [row.__name__ for row in ROWS]
failures = 0
for row in ROWS:
    if row.__name__ not in wanted:
        continue
    began = time.monotonic()
    try:
        row()
        outcome = "ok"
    except (Failed, subprocess.SubprocessError, OSError) as error:
        outcome = f"FAILED: {error}"
        failures += 1
    print(f"agents: {name} {version}: {row.__doc__}: {outcome} ({time.monotonic() - began:.1f} s)", flush=True)
sys.exit(failures > 0)
