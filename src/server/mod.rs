//! `anubad serve`: an HTTP server for one machine, with LibreTranslate's interface, one of our own, and a web page.
//!
//! ```text
//! listen (connections, slow headers) ─▶ intake (host, origin, size, time) ─▶ routes ─▶ work (queue, time limit)
//!                                                                                     │ pipeline, a thread a request
//!                                               the one engine ◀── desk (fair queue) ◀┘
//! ```
//! Every request runs the pipeline in a thread of its own; what its sentences need of the model goes through one desk
//! into one engine, where the sentences of all requests share batches. Nothing is stored, nothing leaves the machine.
mod answer;
mod article;
mod desk;
mod fields;
mod files;
mod intake;
mod libre;
mod listen;
mod metrics;
mod page;
mod refusal;
mod reply;
mod routes;
#[cfg(test)]
mod tests;
mod texts;

use crate::engine::Translate;
use crate::error::SettingsError;
use crate::pipeline::PipelineOptions;
use crate::summary::SummaryModels;
use crate::{Error, Result};
use desk::Desk;
use metrics::Metrics;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    pub address: SocketAddr,
    /// One of these must come with a request; none: anybody who reaches the address may ask.
    pub keys: Vec<String>,
    /// Origins ("https://desk.example.org") whose pages may use the server, and hosts that it may be called by.
    pub origins: Vec<String>,
    /// Most bytes of a request's body, and of the bodies of all requests together.
    pub max_body: usize,
    pub max_bodies: usize,
    /// Most characters of a text.
    pub max_chars: usize,
    /// Requests in hand at once; more are asked to come again.
    pub queue: usize,
    /// Connections at once; more wait.
    pub connections: usize,
    /// How long a request's head and body may take to arrive, …
    pub arrival: Duration,
    /// … and how long the work on it may take.
    pub work: Duration,
    /// How long requests in hand may take to finish after a wish to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 5000)),
            keys: Vec::new(),
            origins: Vec::new(),
            max_body: 2 << 20,
            max_bodies: 32 << 20,
            max_chars: 200_000,
            queue: 64,
            connections: 256,
            arrival: Duration::from_secs(15),
            work: Duration::from_secs(600),
            drain: Duration::from_secs(8),
        }
    }
}

/// What all requests share.
pub(crate) struct App {
    settings: Settings,
    pipeline: PipelineOptions,
    summary: SummaryModels,
    license: Option<String>,
    desk: Desk,
    metrics: Metrics,
    files: files::Shelf,
    /// A permit a request in hand.
    places: Arc<Semaphore>,
    /// Bytes of bodies in hand.
    bodies: AtomicUsize,
    stopping: watch::Receiver<bool>,
}

impl App {
    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// A server that has its address and waits to be run.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
    engine: Arc<dyn Translate>,
    stopper: Stopper,
}

/// Asks a server to finish what it has in hand and end.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// No new connections from here on.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// [`Error::Settings`] where somebody else has it or it is none of this machine's.
    pub fn bind(
        settings: Settings,
        engine: Arc<dyn Translate>,
        pipeline: PipelineOptions,
        summary: SummaryModels,
        license: Option<String>,
    ) -> Result<Self> {
        let address = settings.address;
        let refuse =
            |e: std::io::Error| Error::from(SettingsError::Listen { what: format!("{address}: {e}"), source: e });
        let listener = TcpListener::bind(address).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let (stopper, stopping) = watch::channel(false);
        let app = Arc::new(App {
            places: Arc::new(Semaphore::new(settings.queue)),
            bodies: AtomicUsize::new(0),
            desk: Desk::new(&*engine),
            metrics: Metrics::default(),
            files: files::Shelf::default(),
            settings,
            pipeline,
            summary,
            license,
            stopping,
        });
        Ok(Self { listener, app, engine, stopper: Stopper(Arc::new(stopper)) })
    }

    /// Where it listens; the port is the one that the system chose if 0 was asked for.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|e| Error::io("the server's address", e))
    }

    /// What ends [`run`](Self::run).
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until somebody asks it to stop, then finishes what is in hand, for at most [`Settings::drain`].
    ///
    /// # Errors
    /// The system refuses threads or the listener.
    pub fn run(self) -> Result<()> {
        let Self { listener, app, engine, stopper } = self;
        let io = |e| Error::io("the server", e);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(app.settings.queue + 4)
            .build()
            .map_err(io)?;
        let served = std::thread::scope(|scope| {
            scope.spawn(|| app.desk.work(&*engine));
            let served = runtime.block_on(listen::serve(listener, &app));
            // Threads that still wait for a sentence must not wait for ever.
            app.desk.close();
            served
        });
        runtime.shutdown_timeout(Duration::from_millis(500));
        drop(stopper);
        served.map_err(io)
    }
}
