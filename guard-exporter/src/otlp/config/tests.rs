//! Variables and flags, and the configuration they make.

use super::*;

/// The configuration and the warnings.
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

fn url(destination: &Destination) -> Option<&str> {
    destination.target().map(|target| target.url.as_str())
}

fn error(flags: &Flags, variables: &[(&str, &str)]) -> String {
    let error = read(flags, variables).0.unwrap_err();
    format!("{:#}", anyhow::Error::new(error))
}

fn flag(endpoint: &str) -> Flags {
    Flags {
        endpoint: Some(endpoint.into()),
        ..Flags::default()
    }
}

#[test]
fn nothing_is_sent_unless_an_endpoint_is_configured() {
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
    assert_eq!(
        [one.traces, one.metrics],
        [Destination::Disabled, Destination::Disabled]
    );
    let wanted = config(&[("OTEL_TRACES_EXPORTER", "otlp")]);
    assert_eq!(url(&wanted.traces), Some("http://localhost:4318/v1/traces"));
    assert_eq!(
        [wanted.metrics, wanted.logs],
        [Destination::Disabled, Destination::Disabled]
    );
}

#[test]
fn the_command_line_overrides_the_environment() {
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
fn each_signal_may_have_settings_of_its_own() {
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
    let [traces, metrics, logs] = [&config.traces, &config.metrics, &config.logs]
        .map(|destination| destination.target().unwrap());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(traces.headers, [pair("a", "1"), pair("b", "x,y")]);
    assert_eq!(logs.headers, [pair("c", "3")]);
    assert_eq!(traces.timeout, Duration::from_millis(500));
    assert_eq!(metrics.timeout, Duration::from_secs(2));
    assert_eq!(logs.timeout, Duration::from_secs(1));
    assert_eq!([traces.gzip, metrics.gzip, logs.gzip], [false, true, false]);
}

#[test]
fn resource_sampling_limits_and_interval_are_read() {
    let config = config(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=x,service.instance.id=y,deployment.environment.name=a%20b",
        ),
        ("OTEL_SERVICE_NAME", "the agent"),
        ("GUARD_OTEL_RESOURCE_ATTRIBUTES", "service.namespace=n"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
    ]);
    let resource: Vec<&str> = config.resource.keys().map(String::as_str).collect();
    assert_eq!(
        resource,
        ["deployment.environment.name", "service.namespace"]
    );
    assert_eq!(config.resource["deployment.environment.name"], "a b");
    assert_eq!(config.allowed_ratio, 0.25);
    assert_eq!(
        (config.span_limits.items, config.span_limits.batch),
        (100, 100)
    );
    assert_eq!(config.span_limits.delay, Duration::from_millis(20));
    assert!(config.log_limits.bytes > config.span_limits.bytes);
    assert_eq!(config.interval, Duration::from_millis(1500));
}

#[test]
fn an_invalid_value_is_reported_and_the_default_is_used() {
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
            !warnings.is_empty()
                && warnings
                    .iter()
                    .all(|warning| !warning.contains("cannot be sent")),
            "{variable:?}: {warnings:?}"
        );
    }
    let (config, warnings) = read(
        &Flags::default(),
        &[endpoint, ("OTEL_METRICS_EXPORTER", "prometheus")],
    );
    assert_eq!(config.unwrap().unwrap().metrics, Destination::Disabled);
    assert_eq!(
        warnings,
        ["OTEL_METRICS_EXPORTER: prometheus is not supported, only otlp and none"]
    );
}

#[test]
fn secrets_are_in_no_warning_and_in_no_debug_output() {
    let (config, warnings) = read(
        &Flags::default(),
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:s3cret@h?t=s3cret"),
            (
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
                "http://u:s3cret@h:99999",
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authori zation=Bearer s3cret,s3cret",
            ),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-token=s3cret"),
        ],
    );
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let flags = flag("http://u:s3cret@h:99999");
    let error = anyhow::Error::new(read(&flags, &[]).0.unwrap_err());
    let shown = format!("{warnings:?} {config:?} {flags:?} {error:#} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn credentials_of_the_endpoint_are_sent_unless_a_header_has_others() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:p@h");
    let headers = |config: &Config| config.logs.target().unwrap().headers.clone();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let with_credentials = config(&[endpoint]);
    assert_eq!(
        headers(&with_credentials),
        [pair("authorization", "Basic dTpw")]
    );
    assert_eq!(url(&with_credentials.logs), Some("http://h/v1/logs"));
    let header = ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20x");
    let (config, warnings) = read(&Flags::default(), &[endpoint, header]);
    let config = config.unwrap().unwrap();
    assert_eq!(headers(&config), [pair("Authorization", "Bearer x")]);
    assert!(warnings[0].contains("are not used"), "{warnings:?}");
}

#[test]
fn an_endpoint_that_cannot_be_used_is_reported_at_the_start() {
    let mut bad = vec!["h:4318", "ftp://h", "http://h:99999", "http://h#x"];
    if !cfg!(feature = "otlp-tls") {
        bad.push("https://h");
    }
    for endpoint in bad {
        let variable = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint);
        let (config, warnings) = read(&Flags::default(), &[variable]);
        assert_eq!(
            config.unwrap().unwrap().traces,
            Destination::Unusable,
            "{endpoint}"
        );
        assert!(
            warnings[0].starts_with("traces cannot be sent"),
            "{warnings:?}"
        );
        read(&flag(endpoint), &[]).0.unwrap_err();
    }
    if !cfg!(feature = "otlp-tls") {
        let error = error(&flag("https://h"), &[]);
        assert!(error.contains("without TLS"), "{error}");
    }
}

#[test]
fn the_guard_s_own_variables_go_first() {
    let config = config(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://agent"),
        ("GUARD_OTEL_EXPORTER_OTLP_ENDPOINT", "http://guard"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("GUARD_OTEL_SERVICE_NAME", "mine"),
    ]);
    let target = config.logs.target().unwrap();
    assert_eq!(target.url.as_str(), "http://guard/v1/logs");
    assert_eq!(target.headers, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(config.resource["service.name"], "mine");
}

#[test]
fn over_grpc_the_collector_is_asked_where_it_listens_and_without_it_over_http() {
    for (given, over_grpc, over_http) in [
        ("http://h:4317", "http://h:4317/", "http://h:4318/v1/logs"),
        ("http://h:9999", "http://h:9999/", "http://h:9999/v1/logs"),
    ] {
        let (config, warnings) = read(
            &Flags::default(),
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", given),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ],
        );
        let config = config.unwrap().unwrap();
        let target = config.logs.target().unwrap();
        if cfg!(feature = "otlp-grpc") {
            assert_eq!((target.url.as_str(), warnings.len()), (over_grpc, 0));
        } else {
            assert_eq!(target.url.as_str(), over_http);
            assert!(warnings[0].contains("without gRPC"), "{warnings:?}");
        }
    }
    let custom = EndpointText::from("http://h:4317").over_http();
    assert_eq!(custom.to_string(), "http://h:4318/");
}
