// Keeps the page up to date: fetches it again when something happens, and adds the new rows on top.
// Shows local times, copies commands, counts what is new in the title, and notifies who asked for it.
// It renders nothing itself: the server has the only templates.
"use strict";
(() => {
  const SOON_MS = 400;
  const REFRESH_MS = 5000;
  const COME_BACK_MS = 10000;
  const AGO_MS = 15000;
  const isOlder = new URLSearchParams(location.search).has("before");
  const title = document.title;
  let paused = false;
  let timer = 0;
  let unseen = 0;

  const make = (kind, words, into) => {
    const made = document.createElement(kind);
    made.textContent = words;
    into.append(made);
    return made;
  };
  const control = (words, into, act) => {
    const made = make("button", words, into);
    made.type = "button";
    made.addEventListener("click", act);
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

  // Times, as this browser's user reads them. UTC is what hovering shows.
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const ago = (date) => {
    const seconds = Math.round((date - Date.now()) / 1000);
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
    return Math.abs(seconds) < 5 ? "just now" : relative.format(Math.trunc(seconds / size), unit);
  };
  const localise = (within) => {
    for (const time of within.querySelectorAll("time:not([title])")) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      time.title = `${time.textContent.trim()} UTC`;
      time.querySelector("strong").textContent = clock.format(date);
      time.querySelector("span").textContent = day.format(date);
      const since = document.createElement("span");
      since.className = "ago";
      since.textContent = ago(date);
      time.after(since);
    }
    for (const head of within.querySelectorAll("thead th")) {
      if (head.textContent === "Time (UTC)") head.textContent = "Time";
    }
  };
  setInterval(() => {
    for (const since of document.querySelectorAll(".ago")) {
      since.textContent = ago(new Date(since.previousElementSibling.dateTime));
    }
  }, AGO_MS);

  const copyable = (within) => {
    if (!navigator.clipboard) return;
    for (const command of within.querySelectorAll(".steps .command:not([data-copied])")) {
      command.dataset.copied = "";
      const button = control("Copy", command.parentElement, async () => {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
        spoken.textContent = "Copied.";
      });
      button.className = "copy";
      button.setAttribute("aria-label", `Copy ${command.textContent}`);
      command.after(button);
    }
  };
  const prepare = (within) => {
    localise(within);
    copyable(within);
  };
  prepare(document);

  const form = document.getElementById("filter");
  form?.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  // An address without what was left empty.
  form?.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of form?.elements ?? []) field.disabled = false;
  });

  const controls = form ?? document.createElement("div");
  const button = control("Pause", controls, () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    say(paused ? "idle" : "good", paused ? "Paused" : "Live");
    if (!paused) refresh();
  });

  // A notification, if the person asked for it and allows it.
  let notifies = false;
  try {
    notifies = localStorage.getItem("notify") === "yes";
  } catch {
    // No storage, nothing kept.
  }
  const mayNotify = () => notifies && window.Notification?.permission === "granted";
  if (window.Notification && window.isSecureContext && Notification.permission !== "denied") {
    const toggle = control("", controls, async () => {
      if (!mayNotify()) {
        notifies = (await Notification.requestPermission()) === "granted";
      } else {
        notifies = false;
      }
      try {
        localStorage.setItem("notify", notifies ? "yes" : "no");
      } catch {
        // Holds until the page is left.
      }
      show();
    });
    const show = () => {
      toggle.textContent = mayNotify() ? "Do not notify me" : "Notify me";
      toggle.setAttribute("aria-pressed", String(mayNotify()));
    };
    show();
  }

  // While nobody looks, denials are counted as they come, and nothing is fetched.
  let latest = "";
  let since = 0;
  let announcing = 0;
  const arrived = (event) => {
    unseen += 1;
    since += 1;
    latest = JSON.parse(event.data).summary;
    announcing ||= setTimeout(announce, SOON_MS);
  };
  const announce = () => {
    announcing = 0;
    if (!document.hidden) return;
    document.title = `(${unseen}) ${title}`;
    document.querySelector("link[rel=icon]").href = "/icon-new.svg";
    if (mayNotify()) {
      const body = since === 1 ? latest : `${since} denials; the latest: ${latest}`;
      const note = new Notification("codex-es-guard", { body, tag: "denial", icon: "/icon-new.svg" });
      note.onclick = () => {
        window.focus();
        note.close();
      };
    }
    since = 0;
  };
  const seen = () => {
    unseen = 0;
    since = 0;
    document.title = title;
    document.querySelector("link[rel=icon]").href = "/icon.svg";
  };

  // Existing rows stay, with the selection in them, and open if they were; a group that grew is
  // replaced, and moves to the top.
  const fill = (table, page) => {
    const rows = [...page.rows];
    const wanted = new Set(rows.map((row) => row.id));
    for (const row of [...table.rows]) if (!wanted.has(row.id)) row.remove();
    let count = 0;
    let before = table.rows[0] ?? null;
    for (const row of rows) {
      const old = document.getElementById(row.id);
      if (old && old.dataset.count === row.dataset.count) {
        if (old !== before) table.insertBefore(old, before);
        before = old.nextElementSibling;
        continue;
      }
      count += row.dataset.count - (old?.dataset.count ?? 0);
      row.querySelector("details").open = old?.querySelector("details").open ?? false;
      if (!old) row.classList.add("new");
      if (old === before) before = old?.nextElementSibling ?? null;
      const focused = old?.contains(document.activeElement);
      old?.remove();
      table.insertBefore(row, before);
      if (focused) row.querySelector("summary").focus();
    }
    return count;
  };

  const refresh = async () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, REFRESH_MS);
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || paused) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      prepare(page);
      const parts = ["summary", "detections", "protected", "asked", "agents", "latency", "guards"];
      const body = (from, id) => from.querySelector(`#${id} .rows tbody`);
      fill(body(document, "changes"), body(page, "changes"));
      if (!isOlder) {
        const count = fill(body(document, "denials"), body(page, "denials"));
        document.getElementById("none")?.toggleAttribute("hidden", body(page, "denials").rows.length > 0);
        if (count > 0) spoken.textContent = count === 1 ? "One new denial." : `${count} new denials.`;
        parts.push("more", "history");
      }
      for (const id of parts) {
        const now = page.getElementById(id);
        const old = document.getElementById(id);
        if (!now || !old || old.contains(document.activeElement)) continue;
        for (const details of now.querySelectorAll("details[id]")) {
          details.open = document.getElementById(details.id)?.open ?? false;
        }
        old.replaceWith(now);
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
    events.addEventListener("denial", (event) => {
      if (document.hidden) arrived(event);
    });
    events.addEventListener("error", () => {
      if (!paused) say("bad", "Reconnecting");
      // The browser reconnects by itself, except after a refusal.
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, COME_BACK_MS);
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    seen();
    happened();
  });
  if (!form) return;
  if (isOlder) say("idle", "Older denials");
  else listen();
  timer = setTimeout(refresh, REFRESH_MS);
})();
