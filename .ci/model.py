"""A model that follows a script, for Claude Code and Codex.

It serves on loopback what their models serve: streams of Anthropic's Messages API and of OpenAI's
Responses API. A script is a list of turns:

    ("run", command)                 a shell command
    ("tool", name, arguments)        a tool of the MCP server codex-es-guard
    ("write", path, text)            a new file, by the agent's own tool
    ("edit", path, old, new)         a changed file, likewise
    ("say", text)                    the end

or a function that returns one of these; it may wait, as a model that thinks does. `results` has, for
each call of a tool, all that the model was sent after it: the tool's output and what hooks added.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Model:
    def __init__(self, turns, note=lambda text: None):
        self.turns = turns
        self.note = note
        self.results = []
        self.errors = []
        self.lock = threading.Lock()
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.reply(b"{}", "application/json")

            do_HEAD = do_GET

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
                if self.path.startswith("/v1/messages/count_tokens"):
                    self.reply(b'{"input_tokens": 1}', "application/json")
                elif self.path.startswith("/v1/messages"):
                    events = model.messages(body)
                    if body.get("stream"):
                        self.stream(events)
                    else:
                        self.reply(json.dumps(whole_message(events)).encode(), "application/json")
                elif self.path.startswith("/v1/responses"):
                    self.stream(model.responses(body))
                else:
                    self.reply(b"{}", "application/json")

            def stream(self, events):
                lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
                self.reply("".join(lines).encode(), "text/event-stream")

            def reply(self, data, kind):
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def turn(self, results):
        """The turn after these results."""
        with self.lock:
            self.results = results
            self.note(results[-1] if results else "")
            turn = self.turns[len(results)] if len(results) < len(self.turns) else ("say", "done")
            try:
                turn = turn() if callable(turn) else turn
            except Exception as error:  # The agent is to end, and the row to fail.
                self.errors.append(error)
                turn = ("say", "failed")
            self.note(f"model> {turn}")
            return turn

    # Anthropic's Messages API.

    def messages(self, body):
        tools = [tool.get("name") for tool in body.get("tools", [])]
        if "Bash" in tools:
            turn = self.turn(results(body["messages"], is_of_model=lambda m: m["role"] == "assistant"))
        else:
            turn = ("say", "a title")
        number = len(self.results)
        names = {"run": "Bash", "write": "Write", "edit": "Edit"}
        if turn[0] == "say":
            block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": turn[1]}
        else:
            call = {
                "run": lambda: {"command": turn[1], "description": "Go on"},
                "tool": lambda: turn[2],
                "write": lambda: {"file_path": turn[1], "content": turn[2]},
                "edit": lambda: {"file_path": turn[1], "old_string": turn[2], "new_string": turn[3]},
            }[turn[0]]()
            name = names.get(turn[0]) or f"mcp__codex-es-guard__{turn[1]}"
            block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call)}
        stop = "end_turn" if turn[0] == "say" else "tool_use"
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {
            "id": f"msg_{number}", "type": "message", "role": "assistant", "model": body.get("model", "scripted"),
            "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
        }
        return [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ]

    # OpenAI's Responses API.

    def responses(self, body):
        is_of_model = lambda item: item["type"] in CALLS or item.get("role") == "assistant"
        turn = self.turn(results(body["input"], is_of_model))
        number = len(self.results)
        call = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}"}
        in_code = any(item["type"] == "additional_tools" for item in body["input"])
        if turn[0] != "say" and in_code:
            item = {"type": "custom_tool_call", "id": f"ctc_{number}", "call_id": f"call_{number}", "namespace": "functions", "name": "exec", "input": code(turn)}
        elif turn[0] == "say":
            item = {"type": "message", "id": "msg", "role": "assistant", "content": [{"type": "output_text", "text": turn[1]}]}
        elif turn[0] == "run":
            item = {**call, "name": "exec_command", "arguments": json.dumps({"cmd": turn[1], "yield_time_ms": 30000})}
        elif turn[0] == "tool":
            item = {**call, "namespace": "mcp__codex_es_guard", "name": turn[1], "arguments": json.dumps(turn[2])}
        else:
            item = {"type": "custom_tool_call", "id": f"ctc_{number}", "call_id": f"call_{number}", "name": "apply_patch", "input": patch(turn)}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        return [
            {"type": "response.created", "response": {"id": f"resp_{number}"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": f"resp_{number}", "output": [item], "usage": usage}},
        ]


CALLS = ("function_call", "custom_tool_call")


def results(items, is_of_model):
    """For each call of a tool, the text that follows it, up to the model's next word."""
    found = []
    for item in items:
        if is_of_model(item):
            is_call = item.get("type") in CALLS or any(
                isinstance(part, dict) and part.get("type") == "tool_use" for part in item.get("content", [])
            )
            if is_call:
                found.append("")
        elif found:
            found[-1] += "".join(f"{text}\n" for text in texts(item))
    return found


def texts(item):
    """Every text in an item, at any depth."""
    if isinstance(item, str):
        return [item]
    if isinstance(item, list):
        return [text for part in item for text in texts(part)]
    if isinstance(item, dict):
        return [text for name in ("content", "output", "text") for text in texts(item.get(name))]
    return []


def patch(turn):
    if turn[0] == "write":
        body = "".join(f"+{line}\n" for line in turn[2].splitlines())
        return f"*** Begin Patch\n*** Add File: {turn[1]}\n{body}*** End Patch"
    before = "".join(f"-{line}\n" for line in turn[2].splitlines())
    after = "".join(f"+{line}\n" for line in turn[3].splitlines())
    return f"*** Begin Patch\n*** Update File: {turn[1]}\n@@\n{before}{after}*** End Patch"


def code(turn):
    """The call as a program, for models of Codex that have no other tool."""
    if turn[0] == "run":
        return f"text(await tools.exec_command({json.dumps({'cmd': turn[1], 'yield_time_ms': 30000})}));"
    if turn[0] == "tool":
        return f"text(await tools.mcp__codex_es_guard__{turn[1]}({json.dumps(turn[2])}));"
    return f"text(await tools.apply_patch({json.dumps(patch(turn))}));"


def whole_message(events):
    message = events[0]["message"]
    block, delta = events[1]["content_block"], events[2]["delta"]
    if block["type"] == "text":
        block["text"] = delta["text"]
    else:
        block["input"] = json.loads(delta["partial_json"])
    message["content"] = [block]
    message["stop_reason"] = events[4]["delta"]["stop_reason"]
    return message
