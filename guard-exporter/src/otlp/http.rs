//! OTLP over HTTP, as Protocol Buffers.
//!
//! The SDK's exporters make the requests for spans and log records; the client below sends them,
//! and keeps the answer, of which the exporters tell too little: what may be tried again, when, and
//! how much was rejected. Each request is sent once; trying again is the sender's.

use super::answer::Answer;
use super::config::Target;
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _,
};
use opentelemetry_sdk::error::OTelSdkResult;
use reqwest::blocking::Client;
use std::error::Error;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Sends to one target, and knows the last answer. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    target: Target,
    answer: Arc<Mutex<Option<Answer>>>,
}

// === impl Http ===

impl Http {
    /// A connection is made when something is sent.
    ///
    /// # Errors
    ///
    /// When there is no client to be had, for want of threads or certificates.
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        let uri: http::Uri = target.url.parse().map_err(|_| "no address".to_owned())?;
        let is_loopback = uri.host().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            let address = host.parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        });
        let timeout = target.timeout;
        // Made where no runtime is entered: it has one of its own.
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
        let client = built.map_err(|_| "the HTTP client panicked".to_owned())?;
        Ok(Self {
            client: client.map_err(|error| causes(&error))?,
            target: target.clone(),
            answer: Arc::default(),
        })
    }

    /// The SDK's exporter of spans, by this client.
    pub(super) fn spans(&self) -> Result<SpanExporter, ExporterBuildError> {
        let builder = SpanExporter::builder()
            .with_http()
            .with_http_client(self.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&self.target.url)
            .with_timeout(self.target.timeout)
            .with_headers(self.target.headers.iter().cloned().collect())
            .with_retry_policy(RetryPolicy::disabled());
        if self.target.gzip {
            return builder
                .with_compression(opentelemetry_otlp::Compression::Gzip)
                .build();
        }
        builder.build()
    }

    /// The SDK's exporter of log records, by this client.
    pub(super) fn records(&self) -> Result<LogExporter, ExporterBuildError> {
        let builder = LogExporter::builder()
            .with_http()
            .with_http_client(self.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&self.target.url)
            .with_timeout(self.target.timeout)
            .with_headers(self.target.headers.iter().cloned().collect())
            .with_retry_policy(RetryPolicy::disabled());
        if self.target.gzip {
            return builder
                .with_compression(opentelemetry_otlp::Compression::Gzip)
                .build();
        }
        builder.build()
    }

    /// What the collector answers to an export of one of these exporters.
    pub(super) fn wait(&self, export: impl Future<Output = OTelSdkResult>) -> Answer {
        let result = futures_executor::block_on(export);
        let answer = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Nothing was asked when the request could not be made.
        let unasked = || match result {
            Ok(()) => Answer::TAKEN,
            Err(error) => Answer::Refused {
                why: error.to_string(),
            },
        };
        answer.unwrap_or_else(unasked)
    }

    /// Sends a body that no exporter made.
    pub(super) fn post(&self, body: Vec<u8>) -> Answer {
        let mut request = Request::post(&self.target.url)
            .header(http::header::CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &self.target.headers {
            request = request.header(name, value);
        }
        let body = if self.target.gzip {
            request = request.header(http::header::CONTENT_ENCODING, "gzip");
            gzip(&body)
        } else {
            body
        };
        match request.body(Bytes::from(body)) {
            Ok(request) => self.exchange(request).0,
            Err(error) => Answer::Refused {
                why: error.to_string(),
            },
        }
    }

    fn exchange(&self, request: Request<Bytes>) -> (Answer, Option<Response<Bytes>>) {
        match self.ask(request) {
            Ok(response) => {
                let header = |name| {
                    let value = response.headers().get(name);
                    value.and_then(|value| value.to_str().ok())
                };
                let answer = Answer::of(
                    response.status().as_u16(),
                    header(http::header::CONTENT_TYPE).unwrap_or_default(),
                    header(http::header::RETRY_AFTER),
                    response.body(),
                );
                (answer, Some(response))
            }
            Err(error) => {
                let answer = Answer::Again {
                    after: None,
                    why: causes(&*error),
                };
                (answer, None)
            }
        }
    }

    fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let deadline = Instant::now() + self.target.timeout;
        let mut response = self.client.execute(request.try_into()?)?;
        let (mut body, mut part) = (Vec::new(), [0; 4096]);
        // Each read has the client's time-out; a body that drips has this one.
        while body.len() < MAX_ANSWER_BYTES {
            match response.read(&mut part)? {
                0 => break,
                count => body.extend(&part[..count]),
            }
            if Instant::now() >= deadline {
                return Err("the answer does not end".into());
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
            let (answer, response) = self.exchange(request);
            *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            response.ok_or_else(|| "no answer".into())
        })
    }
}

/// An error and what is behind it: reqwest's own says too little.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body);
    written
        .and_then(|()| encoder.finish())
        .expect("a vector takes all bytes")
}

/// Of what rustls can be given, what needs no cmake to be built.
#[cfg(feature = "otlp-tls")]
fn use_ring() {
    // Another thread may have said so before.
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[cfg(not(feature = "otlp-tls"))]
const fn use_ring() {}

/// Answers are short; what a stranger says beyond this is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("guard-exporter/", env!("CARGO_PKG_VERSION"));
