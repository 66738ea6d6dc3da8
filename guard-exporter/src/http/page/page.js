// Keeps the page up to date: fetches it again when something happens, and adds the new rows on top.
// It renders nothing itself: the server has the only templates.
"use strict";
(() => {
  const SOON_MS = 400;
  const REFRESH_MS = 5000;
  const COME_BACK_MS = 10000;
  const isOlder = new URLSearchParams(location.search).has("before");
  let paused = false;
  let timer = 0;

  const make = (kind, words, into) => {
    const made = document.createElement(kind);
    made.textContent = words;
    into.append(made);
    return made;
  };
  const spoken = make("p", "", document.body);
  spoken.className = "unseen";
  spoken.setAttribute("role", "status");
  const live = make("p", "", document.querySelector("header"));
  const say = (kind, words) => {
    live.className = `live ${kind}`;
    live.textContent = words;
  };

  const button = make("button", "Pause", document.getElementById("filter"));
  button.type = "button";
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    say(paused ? "idle" : "good", paused ? "Paused" : "Live");
    if (!paused) refresh();
  });

  // Existing rows stay, with the selection in them.
  const denials = (page) => {
    const table = document.querySelector("#denials tbody");
    const rows = [...page.querySelectorAll("#denials tbody tr")];
    const wanted = new Set(rows.map((row) => row.id));
    for (const row of [...table.rows]) if (!wanted.has(row.id)) row.remove();
    let fresh = 0;
    let before = table.rows[0] ?? null;
    for (const row of rows) {
      const old = document.getElementById(row.id);
      if (old) {
        before = old.nextElementSibling;
      } else {
        row.classList.add("new");
        table.insertBefore(row, before);
        fresh += 1;
      }
    }
    document.getElementById("none")?.toggleAttribute("hidden", rows.length > 0);
    if (fresh > 0) spoken.textContent = fresh === 1 ? "One new denial." : `${fresh} new denials.`;
  };

  const refresh = async () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, REFRESH_MS);
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || paused) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = ["summary", "detections", "changes", "agents", "latency", "guards"];
      if (!isOlder) {
        denials(page);
        parts.push("more");
      }
      for (const id of parts) {
        const now = page.getElementById(id);
        const old = document.getElementById(id);
        if (now && old && !old.contains(document.activeElement)) old.replaceWith(now);
      }
    } catch {
      say("bad", "The exporter does not answer");
    }
  };

  let soon = 0;
  const happened = () => {
    soon ||= setTimeout(() => {
      soon = 0;
      refresh();
    }, SOON_MS);
  };

  const listen = () => {
    const events = new EventSource("/api/v1/events");
    events.addEventListener("open", () => {
      if (!paused) say("good", "Live");
      happened();
    });
    for (const kind of ["denial", "detection", "missed"]) events.addEventListener(kind, happened);
    events.addEventListener("error", () => {
      if (!paused) say("bad", "Reconnecting");
      // The browser reconnects by itself, except after a refusal.
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, COME_BACK_MS);
    });
  };
  document.addEventListener("visibilitychange", happened);
  if (isOlder) say("idle", "Older denials");
  else listen();
  timer = setTimeout(refresh, REFRESH_MS);
})();
