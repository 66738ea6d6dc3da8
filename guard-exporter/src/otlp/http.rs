//! OTLP over HTTP, encoded as Protocol Buffers.
//!
//! The SDK's exporter builds the requests for spans; the client here sends them and keeps the outcome,
//! since the exporter does not report whether an attempt may be retried, when, and how much was
//! rejected. Each request is sent once; retrying is up to the caller.

use super::config::CollectorConfig;
use super::connect_error::ConnectError;
use super::outcome::ExportOutcome;
use crate::error_chain::error_chain;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::error::OTelSdkResult;
use reqwest::blocking::Client;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;
use url::Host;

/// A client of one collector. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    target: CollectorConfig,
    /// The outcome of the last export of spans.
    outcome: Arc<Mutex<Option<ExportOutcome>>>,
}

/// A request got no response that can be read.
#[derive(Debug, thiserror::Error)]
enum ExchangeError {
    #[error(transparent)]
    Request(reqwest::Error),
    #[error("the response cannot be read")]
    Body(#[source] std::io::Error),
    #[error("the response does not end")]
    Endless,
}

// === impl Http ===

impl Http {
    pub(super) fn new(target: &CollectorConfig) -> Result<Self, ConnectError> {
        let is_loopback = match target.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let timeout = target.timeout;
        // The blocking client has a runtime of its own and must not be built within another.
        let build = move || {
            use_ring();
            let builder = Client::builder()
                .timeout(timeout)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(USER_AGENT);
            if is_loopback {
                builder.no_proxy().build()
            } else {
                builder.build()
            }
        };
        let built = thread::spawn(build).join();
        let client = built.map_err(|_| ConnectError::ClientPanicked)?;
        Ok(Self {
            client: client.map_err(ConnectError::Client)?,
            target: target.clone(),
            outcome: Arc::default(),
        })
    }

    /// The SDK's exporter of spans, on this client.
    pub(super) fn span_exporter(&self) -> Result<SpanExporter, ConnectError> {
        let mut builder = SpanExporter::builder()
            .with_http()
            .with_http_client(self.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.target.url.as_str())
            .with_timeout(self.target.timeout)
            .with_headers(self.target.headers.iter().cloned().collect())
            .with_retry_policy(RetryPolicy::disabled());
        if self.target.gzip {
            builder = builder.with_compression(opentelemetry_otlp::Compression::Gzip);
        }
        builder.build().map_err(|error| ConnectError::SpanExporter {
            reason: self.target.redact(&error.to_string()),
        })
    }

    /// The collector's response to an export of [`span_exporter`](Self::span_exporter).
    pub(super) fn export_spans(
        &self,
        export: impl Future<Output = OTelSdkResult>,
    ) -> ExportOutcome {
        let result = futures_executor::block_on(export);
        let outcome = self
            .outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Nothing was sent when the request could not be built.
        outcome.unwrap_or_else(|| match result {
            Ok(()) => ExportOutcome::SUCCESS,
            Err(error) => ExportOutcome::Failed {
                reason: self.target.redact(&error.to_string()),
            },
        })
    }

    /// Sends an encoded request.
    pub(super) fn post(&self, body: Vec<u8>) -> ExportOutcome {
        let mut request = self
            .client
            .post(self.target.url.clone())
            .header(header::CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &self.target.headers {
            request = request.header(name, value);
        }
        let request = if self.target.gzip {
            let request = request.header(header::CONTENT_ENCODING, "gzip");
            request.body(gzip(&body))
        } else {
            request.body(body)
        };
        match request.build() {
            Ok(request) => self.exchange(request).0,
            Err(error) => ExportOutcome::Failed {
                reason: error.without_url().to_string(),
            },
        }
    }

    fn exchange(
        &self,
        request: reqwest::blocking::Request,
    ) -> (ExportOutcome, Option<Response<Bytes>>) {
        match self.send(request) {
            Ok(response) => {
                let header = |name| {
                    let value = response.headers().get(name);
                    value.and_then(|value| value.to_str().ok())
                };
                let outcome = ExportOutcome::of_response(
                    response.status().as_u16(),
                    header(header::CONTENT_TYPE).unwrap_or_default(),
                    header(header::RETRY_AFTER),
                    response.body(),
                );
                (outcome, Some(response))
            }
            Err(error) => {
                let outcome = ExportOutcome::Retryable {
                    retry_after: None,
                    reason: self.target.redact(&error_chain(&error)),
                };
                (outcome, None)
            }
        }
    }

    fn send(&self, request: reqwest::blocking::Request) -> Result<Response<Bytes>, ExchangeError> {
        let deadline = Instant::now() + self.target.timeout;
        // An error of reqwest shows the URL.
        let response = self.client.execute(request);
        let mut response = response.map_err(|error| ExchangeError::Request(error.without_url()))?;
        let (mut body, mut part) = (Vec::new(), [0; 4096]);
        // Each read has the client's time-out; all of them together have this deadline.
        while body.len() < MAX_RESPONSE_BYTES {
            match response.read(&mut part).map_err(ExchangeError::Body)? {
                0 => break,
                count => body.extend(&part[..count]),
            }
            if Instant::now() >= deadline {
                return Err(ExchangeError::Endless);
            }
        }
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl HttpClient for Http {
    fn send_bytes<'c, 'a>(
        &'c self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>
    where
        'c: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let (outcome, response) = self.exchange(request.try_into()?);
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            response.ok_or_else(|| "no response".into())
        })
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body);
    written
        .and_then(|()| encoder.finish())
        .expect("writing to a vector does not fail")
}

/// Of the providers that rustls supports, the one that needs no cmake.
#[cfg(feature = "otlp-tls")]
fn use_ring() {
    // Another thread may have installed it before.
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[cfg(not(feature = "otlp-tls"))]
const fn use_ring() {}

/// Responses are short; more than this is not read.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("guard-exporter/", env!("CARGO_PKG_VERSION"));
