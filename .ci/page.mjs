// What the page must be in a browser; run by .ci/browser.
//
//     node page.mjs SCRATCH MODULES
//
// SCRATCH/home is the guarded home, with rings in its state directory; MODULES has playwright-core
// and axe-core. Starts and ends the exporter itself, since one check is what happens meanwhile.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const [scratch, modules] = process.argv.slice(2).map((given) => path.resolve(given));
const require = createRequire(path.join(modules, "node_modules/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const home = path.join(scratch, "home");
const announcement = path.join(home, ".codex/es-guard/exporter.json");
const bin = process.env.GUARD_BIN;
const DEADLINE_MS = 60_000;
const KEPT = 10_000;

const until = async (what, holds) => {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    assert(Date.now() < deadline, `timed out waiting until ${what}`);
    await pause(50);
  }
};

// Another exporter on the same port is, to a browser, the same that came back.
const freePort = () =>
  new Promise((found) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
const port = await freePort();
const address = `http://127.0.0.1:${port}/`;
let exporter;
const start = async () => {
  exporter = spawn(path.join(bin, "guard-exporter"), ["--listen", `127.0.0.1:${port}`], { stdio: "ignore" });
  const { pid } = exporter;
  await until("the exporter listens", () => {
    try {
      return JSON.parse(readFileSync(announcement)).pid === pid;
    } catch {
      return false;
    }
  });
};
const kill = () =>
  new Promise((ended) => {
    exporter.once("exit", ended);
    exporter.kill("SIGKILL");
  });

// A real agent's `rm` in a real session, by the name of a file in the zone.
const deny = (name, options = []) => {
  const file = path.join(home, "zone", name);
  const words = ["run", "--quiet", "--no-exporter", "--agent", "codex", "--", "rm", ...options, file];
  const done = spawnSync(path.join(bin, "codex-es-guard"), words, { encoding: "utf8" });
  assert.match(done.stderr, /Operation not permitted/);
  assert(existsSync(file), "it is still there");
  return file;
};

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
assert(program, "Chromium is not installed; .ci/install does it");

let browser;
const complaints = [];
const open = async (options = {}, query = "") => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    // That is the exporter being away, which one check brings about.
    const isAway = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;
    if (["error", "warning"].includes(message.type()) && !(page.mayFail && isAway.test(message.text()))) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) {
      complaints.push(`outside: ${request.url()}`);
    }
  });
  await page.goto(address + query);
  return page;
};
const rows = (page) => page.locator("#denials .rows tbody tr");
const picture = (page, name, full = false) =>
  page.screenshot({ path: path.join(modules, "pictures", `${name}.png`), fullPage: full });

// Rules of axe-core, those of WCAG 2.1 A and AA and its best practices.
const accessible = async (page, what) => {
  await page.addScriptTag({ content: axe }).catch(async () => page.evaluate(axe));
  const { violations, passes } = await page.evaluate(() => window.axe.run(document));
  for (const rule of ["color-contrast", "landmark-one-main", "label", "page-has-heading-one"]) {
    assert(passes.some(({ id }) => id === rule), `${what}: ${rule} was checked`);
  }
  const found = violations.map(({ id, help, nodes }) => `${what}: ${id}: ${help}: ${nodes[0].html}`);
  complaints.push(...found);
};

const fits = async (page, what) => {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert(wide <= room, `${what}: ${wide} px on ${room}`);
};

const checks = {
  "it is whole without scripts": async () => {
    const page = await open({ javaScriptEnabled: false }, "?view=each");
    assert.match(await page.locator("#summary").innerText(), /guards are at work/);
    assert.match(await page.locator("#protected").innerText(), /thesis \/home\/ada\/thesis/);
    assert((await page.locator("#history .lanes svg").count()) > 3);
    assert.equal(await rows(page).count(), 100);
    assert.match(await page.locator("#shown").innerText(), /^100 of 10,000 kept/);
    for (const id of ["agents", "latency", "guards"]) {
      assert((await page.locator(`#${id} tbody tr`).count()) > 0, id);
    }
    await page.locator("#older").click();
    await page.locator("#newest").waitFor();
    assert.equal(await rows(page).count(), 100);
    await rows(page).first().locator("summary").click();
    assert(await rows(page).first().locator(".facts").isVisible(), "a row opens");
    await page.locator("select[name=agent]").selectOption("gemini_cli");
    await page.locator("#filter button").click();
    await page.waitForURL(/view=each&.*agent=gemini_cli/);
    assert.equal(await rows(page).count(), 100);
    assert.deepEqual([...new Set(await page.locator("#denials .chip").allInnerTexts())], ["gemini_cli"]);
  },
  "a denial appears by itself": async () => {
    const page = await open();
    await page.locator(".live.good").waitFor();
    await page.evaluate(() => (window.mark = "not loaded again"));
    const file = deny("first");
    const row = rows(page).filter({ hasText: `codex was stopped from removing ${file} with rm` });
    await row.waitFor({ timeout: DEADLINE_MS });
    assert.equal(await row.locator(".deed code").innerText(), file);
    assert.equal(await page.evaluate(() => window.mark), "not loaded again");
    assert.match(await page.locator("[role=status]").textContent(), /new denial/);
    assert((await rows(page).count()) <= 100);
  },
  "a command is one row that leads on": async () => {
    const page = await open();
    await page.locator(".live.good").waitFor();
    const many = deny("many", ["-rf"]);
    const row = rows(page).filter({ hasText: `40 paths in ${many}` });
    await row.waitFor({ timeout: DEADLINE_MS });
    await row.locator("summary").click();
    assert.match(await row.locator(".facts").innerText(), /Only a person does that/);
    const copy = row.getByRole("button", { name: /^Copy codex-es-guard explain/ });
    await copy.click();
    await until("it is copied", async () => (await copy.innerText()) === "Copied");
    // It stays open while the page goes on.
    const before = await page.locator("#summary").evaluateHandle((old) => old);
    await until("the page was updated", () => before.evaluate((old) => !old.isConnected));
    assert(await row.locator("details").evaluate((details) => details.open));
    await row.getByRole("link", { name: "All 40 of them" }).click();
    await page.waitForURL(/group=/);
    assert.equal(await rows(page).count(), 40);
  },
  "who does not look is shown how many there are": async () => {
    const page = await open();
    await page.locator(".live.good").waitFor();
    const hide = (hidden) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    await until("the title counts", async () => /^\(\d+\) codex-es-guard/.test(await page.title()));
    assert.match(await page.locator("link[rel=icon]").getAttribute("href"), /icon-new/);
    await hide(false);
    assert.match(await page.title(), /^codex-es-guard/);
  },
  "a list applies at once, and times are local": async () => {
    const page = await open({ timezoneId: "Asia/Tokyo", locale: "en-GB" });
    const time = rows(page).first().locator("time").first();
    const [shown, utc] = [await time.locator("strong").innerText(), await time.getAttribute("title")];
    const hours = (Number(shown.slice(0, 2)) - Number(utc.slice(0, 2)) + 24) % 24;
    assert.equal(hours, 9, `${shown} is ${utc}`);
    assert.match(await rows(page).first().locator(".ago").first().innerText(), /ago|now/);
    await page.locator("select[name=since]").selectOption("15m");
    await page.waitForURL(/since=15m/);
    assert(!page.url().includes("session="), "what is empty is left out");
  },
  "paused, it stays as it is": async () => {
    const page = await open({}, "?view=each");
    await page.getByRole("button", { name: "Pause" }).click();
    const before = await rows(page).first().getAttribute("id");
    const earlier = await (await fetch(`${address}api/v1/denials?limit=1`)).json();
    await until("there is a newer denial", async () => {
      const now = await (await fetch(`${address}api/v1/denials?limit=1`)).json();
      return now.denials[0].id !== earlier.denials[0].id;
    });
    assert.equal(await rows(page).first().getAttribute("id"), before);
    await page.getByRole("button", { name: "Resume" }).click();
    await until("it goes on", async () => (await rows(page).first().getAttribute("id")) !== before);
  },
  "a broken stream is taken up again": async () => {
    const page = await open();
    await page.locator(".live.good").waitFor();
    page.mayFail = true;
    await kill();
    await page.locator(".live.bad").waitFor();
    await start();
    await page.locator(".live.good").waitFor({ timeout: DEADLINE_MS });
    page.mayFail = false;
    const file = deny("second");
    await rows(page).filter({ hasText: file }).waitFor({ timeout: DEADLINE_MS });
  },
  "names stay text": async () => {
    const page = await open({}, "?view=each&agent=codex&zone=photos&limit=1000");
    const named = rows(page).filter({ hasText: "<img src=x onerror=" });
    assert((await named.count()) > 0);
    assert.match(await named.first().innerText(), /\\u\{202e\}gpj\.exe/);
    assert.equal(await page.locator("#denials img").count(), 0);
    assert(!(await page.content()).includes("\u202e"));
  },
  "10,000 denials can be read to the end": async () => {
    const page = await open({ javaScriptEnabled: false }, "?view=each&limit=1000");
    const seen = new Set();
    for (;;) {
      const ids = await page.evaluate(() => [...document.querySelectorAll("#denials .rows tbody tr")].map((row) => row.id));
      for (const id of ids) seen.add(id);
      if ((await page.locator("#older").count()) === 0) break;
      await page.goto(new URL(await page.locator("#older").getAttribute("href"), address).href);
    }
    // Meanwhile the oldest give way to new ones.
    assert(seen.size > KEPT - 500 && seen.size <= KEPT + 500, `${seen.size}`);
  },
  "it is accessible, light and dark, wide and narrow": async () => {
    for (const [name, options] of [
      ["light", {}],
      ["dark", { colorScheme: "dark" }],
      ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
      ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
    ]) {
      const page = await open({ reducedMotion: "reduce", bypassCSP: true, ...options }, "?limit=20");
      await page.locator(".live.good").waitFor();
      await fits(page, name);
      await picture(page, name);
      await accessible(page, name);
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first stop");
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const [red] = background.match(/\d+/g).map(Number);
      assert.equal(red < 128, name.includes("dark"), `${name}: ${background}`);
      const headings = await page.locator("h1, h2").allInnerTexts();
      assert.deepEqual(headings.filter((text) => text !== "Detected"), ["codex-es-guard", "Requests", "Protected", "Denials", "Changed and removed", "Agents", "Latency", "Guards"]);
    }
    const page = await open({ viewport: { width: 320, height: 640 } }, "?limit=1000&agent=codex");
    await fits(page, "the narrowest");
  },
};

process.env.HOME = home;
await start();
try {
  browser = await chromium.launch({ executablePath: program, args: flags });
  await until("all are kept", async () => {
    const status = await (await fetch(`${address}api/v1/status`)).json();
    return status.kept_denials === KEPT;
  });
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (error) {
      complaints.push(`${name}: ${error.stack}`);
    }
    for (const context of browser.contexts()) await context.close();
  }
} finally {
  await browser?.close();
  await kill();
}
if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exit(1);
}
console.log(`browser: ${Object.keys(checks).length} checks hold: ${Object.keys(checks).join("; ")}`);
