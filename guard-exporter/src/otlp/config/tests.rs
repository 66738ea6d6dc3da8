//! What variables and flags come to.

use super::*;

/// What is read, and what was warned of.
fn read(
    flags: &Flags,
    variables: &[(&str, &str)],
) -> (Result<Option<Config>, ConfigError>, Vec<String>) {
    let mut warnings = Vec::new();
    let variable = |name: &str| {
        let mut all = variables.iter();
        let found = all.find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let config = Config::read(flags, variable, |warning| warnings.push(warning));
    (config, warnings)
}

fn config(variables: &[(&str, &str)]) -> Config {
    let (config, warnings) = read(&Flags::default(), variables);
    assert_eq!(warnings, [""; 0], "{variables:?}");
    config.unwrap().unwrap()
}

fn url(way: &Way) -> Option<&str> {
    way.target().map(|target| target.url.as_str())
}

fn flag(endpoint: &str) -> Flags {
    Flags {
        endpoint: Some(endpoint.into()),
        ..Flags::default()
    }
}

#[test]
fn it_is_off_unless_something_says_where_to() {
    for variables in [
        &[][..],
        &[("OTEL_SERVICE_NAME", "a")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ],
    ] {
        let (config, warnings) = read(&Flags::default(), variables);
        assert_eq!((config, warnings.len()), (Ok(None), 0), "{variables:?}");
    }
}

#[test]
fn an_endpoint_for_all_gets_paths_and_one_for_a_signal_does_not() {
    let all = config(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1/base/")]);
    assert_eq!(url(&all.traces), Some("http://h:1/base/v1/traces"));
    assert_eq!(url(&all.metrics), Some("http://h:1/base/v1/metrics"));
    assert_eq!(url(&all.logs), Some("http://h:1/base/v1/logs"));
    let one = config(&[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://h/logs")]);
    assert_eq!(url(&one.logs), Some("http://h/logs"));
    assert_eq!([one.traces, one.metrics], [Way::Off, Way::Off]);
    let said = config(&[("OTEL_TRACES_EXPORTER", "otlp")]);
    assert_eq!(url(&said.traces), Some("http://localhost:4318/v1/traces"));
    assert_eq!([said.metrics, said.logs], [Way::Off, Way::Off]);
}

#[test]
fn the_command_line_stands_first() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://b"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ];
    let flags = Flags {
        allowed_ratio: Some(0.5),
        ..flag("http://c")
    };
    let config = read(&flags, &variables).0.unwrap().unwrap();
    assert_eq!(url(&config.logs), Some("http://c/v1/logs"));
    assert_eq!(config.allowed_ratio, 0.5);
}

#[test]
fn each_signal_may_have_its_own() {
    let config = config(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1, b=x%2Cy"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "c=3"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "1000"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ]);
    let [traces, metrics, logs] =
        [&config.traces, &config.metrics, &config.logs].map(|way| way.target().unwrap());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(traces.headers, [pair("a", "1"), pair("b", "x,y")]);
    assert_eq!(logs.headers, [pair("c", "3")]);
    assert_eq!(traces.timeout, Duration::from_millis(500));
    assert_eq!(metrics.timeout, Duration::from_secs(2));
    assert_eq!(logs.timeout, Duration::from_secs(1));
    assert_eq!([traces.gzip, metrics.gzip, logs.gzip], [false, true, false]);
}

#[test]
fn who_sends_how_much_and_how_often() {
    let config = config(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=x,deployment.environment.name=a%20b",
        ),
        ("OTEL_SERVICE_NAME", "mine"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
    ]);
    assert_eq!(config.resource["service.name"], "mine");
    assert_eq!(config.resource["deployment.environment.name"], "a b");
    assert_eq!(config.allowed_ratio, 0.25);
    assert_eq!((config.spans.items, config.spans.batch), (100, 100));
    assert_eq!(config.spans.delay, Duration::from_millis(20));
    assert!(config.records.bytes > config.spans.bytes);
    assert_eq!(config.interval, Duration::from_millis(1500));
}

#[test]
fn garbage_is_told_and_the_default_stands_in() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h");
    let usual = config(&[endpoint]);
    for variable in [
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "nonsense"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1s"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "never"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/a.pem"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
    ] {
        let (config, warnings) = read(&Flags::default(), &[endpoint, variable]);
        assert_eq!(config, Ok(Some(usual.clone())), "{variable:?}");
        assert!(
            !warnings.is_empty() && warnings.iter().all(|said| !said.contains("cannot be sent")),
            "{variable:?}: {warnings:?}"
        );
    }
    let (config, warnings) = read(
        &Flags::default(),
        &[endpoint, ("OTEL_METRICS_EXPORTER", "prometheus")],
    );
    assert_eq!(config.unwrap().unwrap().metrics, Way::Off);
    assert_eq!(
        warnings,
        ["OTEL_METRICS_EXPORTER: prometheus is not there; there are otlp and none"]
    );
}

#[test]
fn a_secret_is_not_told() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authori zation=Bearer secret,secret",
        ),
    ];
    let (_, warnings) = read(&Flags::default(), &variables);
    assert!(
        warnings.iter().all(|said| !said.contains("secret")),
        "{warnings:?}"
    );
}

#[test]
fn an_address_that_cannot_be_used_is_an_error_at_the_start() {
    let mut bad = vec!["h:4318", "ftp://h", "http://", "http://:4318", "http://a b"];
    if !cfg!(feature = "otlp-tls") {
        bad.push("https://h");
    }
    for endpoint in bad {
        let variable = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint);
        let (config, warnings) = read(&Flags::default(), &[variable]);
        assert_eq!(config.unwrap().unwrap().traces, Way::Unusable, "{endpoint}");
        assert!(
            warnings[0].starts_with("traces cannot be sent"),
            "{warnings:?}"
        );
        read(&flag(endpoint), &[]).0.unwrap_err();
    }
    if !cfg!(feature = "otlp-tls") {
        let error = read(&flag("https://h"), &[]).0.unwrap_err().to_string();
        assert!(error.contains("without TLS"), "{error}");
    }
    if !cfg!(feature = "otlp-grpc") {
        let grpc = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
        let error = read(&flag("http://h"), &grpc).0.unwrap_err().to_string();
        assert!(error.contains("without gRPC"), "{error}");
    }
}
