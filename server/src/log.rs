//! The log on standard error, and traces by OpenTelemetry for whoever wants to see what a request waited for.

use std::io::IsTerminal as _;
use std::time::Duration;

use checkout::figures::TRACES;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::LogFormat;

/// How long whoever gathers traces may take over what is sent.
const TRACES_PATIENCE: Duration = Duration::from_secs(5);

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to {url}: {why}")]
pub struct TracesError {
    url: String,
    #[source]
    why: ExporterBuildError,
}

/// Sends traces from a thread of its own. To be made and ended outside of any async task.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends them to an address by OTLP over HTTP, as JSON. Which of them: all, unless the variables
    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say otherwise.
    pub fn to(url: &str) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(url)
            .with_timeout(TRACES_PATIENCE)
            .build()
            .map_err(|why| TracesError { url: url.to_owned(), why })?;
        let resource = Resource::builder().with_service_name("tillgate").build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self(provider))
    }

    /// Sends what was not sent yet.
    pub fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(TRACES_PATIENCE) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Starts the log, and the traces where there are to be any.
pub fn start(filter: &str, format: LogFormat, traces: Option<&Traces>) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        // A line that cannot be written, because the disk is full, must not be complained about where it cannot be
        // written either: that would panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = traces.map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.0.tracer("tillgate"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(TRACES, Level::DEBUG))
    });
    // A second start of the log, in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces).try_init();
}
