//! The long texts of `--help`.

pub(super) const ABOUT: &str = "\
Show what the guards on this machine decide.

Every guard writes its decisions to a ring, a memory-mapped file. This program finds the rings of \
all guards of this user, reads them, appends each denial to a log with one JSON object per line, and \
serves counts and latencies to Prometheus. Guards never wait for it: started late or again, it \
continues where the log ends.";

pub(super) const AFTER_HELP: &str = "\
Files in STATE:
  denials.jsonl     the denials; at 1 MB it moves to denials.jsonl.1, older ones up to .8
  changes.jsonl     what agents took from kept files, and how it was preserved; likewise
  overrides.jsonl   what agents asked for, and what became of it; likewise
  exporter.json     {\"pid\",\"address\",\"version\"} while the exporter listens
  exporter.lock     locked while the exporter runs
  cursors.json      how far each ring was read

Endpoints:
  /                 a page with live denials, agents, latencies and the state of each guard
  /metrics          Prometheus text format, or OpenMetrics with exemplars
                    (--web.telemetry-path)
  /api/v1/          denials, changes, events, detections, latency, status; see openapi.json
  /-/healthy        200 while the exporter runs
  /-/ready          200 while it drains the rings and can write the log

OTLP:
  Denials as spans and log records, all metrics, and sampled allowed operations are sent to a
  collector when --otlp.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT is set. The standard OTEL_*
  variables apply: _HEADERS, _PROTOCOL, _TIMEOUT, _COMPRESSION, OTEL_TRACES_EXPORTER=none,
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_BLRP_*,
  OTEL_METRIC_EXPORT_INTERVAL, OTEL_SDK_DISABLED=true.

Signals:
  SIGTERM, SIGINT   drain the rings, sync the log and exit
  SIGHUP            re-open the logs and continue

Examples:
  guard-exporter &
  guard-exporter --web.listen-address 127.0.0.1:0 --log.format json
  curl -s http://127.0.0.1:19477/metrics | grep guard_decisions_total
  guard-exporter --otlp.endpoint http://127.0.0.1:4318 &
  tail -F ~/.codex/es-guard/denials.jsonl

Exit status:
  0  ended by SIGTERM or SIGINT, or idle or without its directory (--exit-when-idle); everything
     read is in the log
  1  failed, or its directory was removed or replaced: start it again
  2  the command line is invalid
  3  another exporter already serves STATE";

pub(super) const ABOUT_VERIFY: &str = "\
Verify the hash chain of the denial log.

With --denials.chain each line of the log ends with \"prev\", the hash of the line before, and \
\"hash\", the SHA-256 of itself. This command follows the chain through the numbered files and the \
log, and reports the first line that was changed, removed, inserted or moved.

Whoever can write the log can also recompute all hashes after some line, or cut lines off the end. To \
detect that, copy the head now and then to a place that they cannot write, and pass it with --head. \
The head is the hash that this command prints, denial_log.head in /api/v1/status, and the \"hash\" of \
the last line. Lines written while the chain was off are not protected.";

pub(super) const AFTER_VERIFY: &str = "\
Examples:
  guard-exporter verify
  guard-exporter verify --head 5e3f… --json
  guard-exporter verify backup/denials.jsonl.1 backup/denials.jsonl

Exit status:
  0  the chain is intact, and contains the head that was given
  1  it is not, or does not
  2  there is no chain, a file cannot be read, or the command line is invalid";
