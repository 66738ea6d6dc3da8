// Puts new denials on top as they come, and brings the rest of the page up to date.
"use strict";
(() => {
  const MOST_ROWS = 200;
  const REFRESH_MS = 5000;
  const body = document.querySelector("#denials tbody");
  const asked = new URLSearchParams(location.search);
  const fields = { agent: "agent", zone: "zone_name", operation: "op", verdict: "verdict" };
  let paused = false;
  let fresh = 0;

  const words = document.createElement("p");
  words.className = "unseen";
  words.setAttribute("role", "status");
  document.body.append(words);

  const button = document.createElement("button");
  button.type = "button";
  const label = () => {
    button.textContent = paused ? "Go on" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
  };
  button.addEventListener("click", () => {
    paused = !paused;
    label();
    if (!paused) location.reload();
  });
  label();
  document.getElementById("filter").append(button);

  const wanted = (denial) =>
    Object.entries(fields).every(([name, field]) => {
      const value = asked.get(name);
      return !value || denial[field] === value;
    });

  // What would not be seen, or would turn its neighbours around, is shown by its number.
  const misleading =
    /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
  const visible = (text) =>
    text.replace(misleading, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

  const cell = (row, name, ...content) => {
    const cell = row.insertCell();
    cell.dataset.label = name;
    cell.setAttribute("role", "cell");
    cell.append(...content);
  };

  const show = (denial) => {
    if (document.getElementById(`d-${denial.id}`)) return;
    const row = body.insertRow(0);
    row.id = `d-${denial.id}`;
    row.setAttribute("role", "row");
    row.className = denial.verdict === "audit" ? "audit" : "deny";
    const time = document.createElement("time");
    time.dateTime = denial.time;
    time.textContent = denial.time.slice(0, 19).replace("T", " ");
    cell(row, "Time", time);
    cell(row, "Agent", visible(denial.agent ?? "unknown"));
    cell(row, "What happened", visible(denial.summary));
    while (body.rows.length > MOST_ROWS) body.rows[body.rows.length - 1].remove();
    document.getElementById("none")?.remove();
    fresh += 1;
  };

  // An older page stays as it is.
  if (!asked.has("before")) {
    const events = new EventSource("/api/v1/events");
    events.addEventListener("denial", (event) => {
      if (paused) return;
      const denial = JSON.parse(event.data);
      if (wanted(denial)) show(denial);
    });
    events.addEventListener("missed", () => {
      words.textContent = "Some denials came too fast to be shown here; reload to see them.";
    });
  }

  const refresh = async () => {
    if (fresh > 0) {
      words.textContent = fresh === 1 ? "One new denial." : `${fresh} new denials.`;
      fresh = 0;
    }
    if (paused || document.hidden) return;
    try {
      const answer = await fetch("/?limit=1");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["summary", "detections", "agents", "latency", "guards"]) {
        const now = page.getElementById(id);
        const old = document.getElementById(id);
        if (now && old && !old.contains(document.activeElement)) old.replaceWith(now);
      }
    } catch {
      const state = document.querySelector("#summary .state");
      state.className = "state bad";
      state.textContent = "The exporter does not answer.";
    }
  };
  setInterval(refresh, REFRESH_MS);
})();
