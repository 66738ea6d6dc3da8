// The dashboards against Grafana's own model of dashboards, and what they ask a log store against
// Grafana's own parser of LogQL; run by .ci/dashboards.
//
//     node .ci/grafana.mjs MODULES
//
// MODULES has grafana-foundation-sdk, whose TypeScript declarations are generated from Grafana's
// schemas. Each dashboard is compiled as a literal of those types: an option, a field or a value that
// Grafana does not know is an error. First dashboards with one fault each must be refused.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const modules = path.resolve(process.argv[2]);
const require = createRequire(path.join(modules, "node_modules/"));
const ts = require("typescript");
const { parser } = require("@grafana/lezer-logql");

// === the model ===

const KINDS = {
  bargauge: "bargauge",
  heatmap: "heatmap",
  logs: "logs",
  stat: "stat",
  "state-timeline": "statetimeline",
  table: "table",
  timeseries: "timeseries",
};
// Kinds of panels that have no field options of their own.
const WITHOUT_FIELD_OPTIONS = new Set(["bargauge", "logs", "stat"]);
const QUERIES = { prometheus: "prometheus.Dataquery", loki: "loki.dataquery" };

const SDK = "@grafana/grafana-foundation-sdk";
const prelude = [
  `import type * as dashboard from "${SDK}/dashboard";`,
  `import type * as prometheus from "${SDK}/prometheus";`,
  `import type * as loki from "${SDK}/loki";`,
  ...Object.values(KINDS).map((module) => `import type * as ${module} from "${SDK}/${module}";`),
  // As JSON has it: values of enumerations by themselves, no methods, and what is left out has a default.
  `type Json<T> = 0 extends 1 & T ? any
    : T extends string ? \`\${T}\`
    : T extends number | boolean | null | undefined ? T
    : T extends readonly (infer Item)[] ? Json<Item>[]
    : T extends object ? { [K in keyof T as K extends \`_\${string}\` ? never : K]?: Json<T[K]> }
    : T;`,
  `type Field<Custom> = Json<Omit<dashboard.FieldConfig, "custom">> & { custom?: Json<Custom> };`,
  `type Panel<Kind, Options, Custom, Query> =
    Json<Omit<dashboard.Panel, "type" | "options" | "fieldConfig" | "targets">> & {
      type: Kind;
      options: Json<Options>;
      targets: Json<Query>[];
      fieldConfig: { defaults: Field<Custom>; overrides: Json<dashboard.FieldConfigSource["overrides"]> };
    };`,
].join("\n");

// A dashboard as a module of typed literals.
const source = ({ panels, ...rest }) => {
  const literal = (name, type, value) => `export const ${name}: ${type} = ${JSON.stringify(value, null, 1)};`;
  const typed = panels.map((panel, number) => {
    if (panel.type === "row") return literal(`panel${number}`, "Json<dashboard.RowPanel>", panel);
    const module = KINDS[panel.type];
    assert(module, `${rest.title}: ${panel.title}: no kind ${panel.type} is known here`);
    const custom = WITHOUT_FIELD_OPTIONS.has(panel.type) ? "never" : `${module}.FieldConfig`;
    const query = QUERIES[panel.datasource.type];
    const type = `Panel<"${panel.type}", ${module}.Options, ${custom}, ${query}>`;
    return literal(`panel${number}`, type, panel);
  });
  return [prelude, literal("page", 'Json<Omit<dashboard.Dashboard, "panels">>', rest), ...typed].join("\n");
};

// What the compiler says of each of these files.
const complaints = (files) => {
  const named = new Map([...files].map(([name, text]) => [path.join(modules, `${name}.ts`), text]));
  const options = {
    strict: true, noEmit: true, skipLibCheck: true, types: [],
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const [read, exists, parse] = [host.readFile, host.fileExists, host.getSourceFile];
  host.readFile = (file) => named.get(file) ?? read(file);
  host.fileExists = (file) => named.has(file) || exists(file);
  host.getSourceFile = (file, version) =>
    named.has(file) ? ts.createSourceFile(file, named.get(file), version, true) : parse(file, version);
  const program = ts.createProgram([...named.keys()], options, host);
  const found = new Map([...files.keys()].map((name) => [name, []]));
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const what = ts.flattenDiagnosticMessageText(messageText, "\n    ");
    assert(file && named.has(file.fileName), what);
    const { line } = file.getLineAndCharacterOfPosition(start);
    const text = file.text.split("\n")[line].trim();
    found.get(path.basename(file.fileName, ".ts")).push(`${text}\n    ${what}`);
  }
  return found;
};

// === what is wrong with a query ===

const unparsed = (expression) => {
  // Grafana replaces its variables first.
  const asked = expression.replace(/\$\w+/g, "x");
  const cursor = parser.parse(asked).cursor();
  do {
    if (cursor.type.isError) return asked.slice(Math.max(0, cursor.from - 20), cursor.to + 20) || "its end";
  } while (cursor.next());
  return undefined;
};

// === the dashboards, and faults that must be found ===

const folder = path.resolve(import.meta.dirname, "../dashboards/grafana");
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const load = (name) => JSON.parse(readFileSync(path.join(folder, name), "utf8"));
const first = (page, kind) => page.panels.find(({ type }) => type === kind);
const FAULTS = {
  "an option that no stat has": (page) => (first(page, "stat").options.colourMode = "value"),
  "a value that no option has": (page) => (first(page, "timeseries").options.legend.displayMode = "rows"),
  "a number in words": (page) => (first(page, "timeseries").fieldConfig.defaults.min = "none"),
  "a style that no line has": (page) => (first(page, "timeseries").fieldConfig.defaults.custom.lineWide = 1),
  "a field that no query has": (page) => (first(page, "table").targets[0].expression = "up"),
  "a form that no query has": (page) => (first(page, "table").targets[0].format = "tables"),
  "a variable of no kind": (page) => (page.templating.list[0].type = "question"),
  "a field that no dashboard has": (page) => (page.refreshes = "30s"),
};

const files = new Map(names.map((name) => [path.basename(name, ".json"), source(load(name))]));
const faulty = Object.values(FAULTS).map((spoil, number) => {
  const page = load("overview.json");
  spoil(page);
  return [`fault${number}`, source(page)];
});
const found = complaints(new Map([...files, ...faulty]));
for (const [number, fault] of Object.keys(FAULTS).entries()) {
  assert.equal(found.get(`fault${number}`).length, 1, `the model refuses ${fault}`);
}
const wrong = [...files.keys()].flatMap((name) => found.get(name).map((what) => `${name}: ${what}`));

const logs = names.flatMap((name) =>
  load(name).panels.flatMap(({ title, targets = [] }) =>
    targets.filter(({ datasource }) => datasource.type === "loki").map(({ expr }) => ({ title, expr })),
  ),
);
assert(logs.length > 0, "a log store is asked");
for (const broken of ["{a=b}", '{a="b"} | jason | |', '{a="b"} | line_format', '{a="b"'] ) {
  assert(unparsed(broken), `LogQL is not ${broken}`);
}
wrong.push(...logs.flatMap(({ title, expr }) => unparsed(expr)?.split("\n").map((at) => `${title}: no LogQL at ${at}`) ?? []));
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`grafana: its model has all of ${names.length} dashboards, and its parser ${logs.length} queries of logs`);
