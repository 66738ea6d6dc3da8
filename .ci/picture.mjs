// A picture of a page: node picture.mjs MODULES FILE-OR-ADDRESS PICTURE [WIDTH HEIGHT]

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, page, picture, width = "1600", height] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "node_modules/") + "/");
const { chromium } = require("playwright-core");
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
assert(program, "Chromium is not installed; .ci/install does it");

const browser = await chromium.launch({
  executablePath: program,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
try {
  const viewport = { width: Number(width), height: Number(height ?? 1000) };
  const shown = await browser.newPage({ viewport, reducedMotion: "reduce" });
  await shown.goto(page.includes("://") ? page : pathToFileURL(path.resolve(page)).href);
  await shown.screenshot({ path: picture, fullPage: height === undefined });
} finally {
  await browser.close();
}
