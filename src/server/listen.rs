//! Connections: how many, how slow, and how they end.
use super::{App, routes};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Bytes of a request's head that are held, and its header lines.
const HEAD: usize = 32 << 10;
const HEADERS: usize = 64;
/// A connection does not live longer, whatever comes over it: one that never reads its answer ends, too.
const LIFETIME: Duration = Duration::from_secs(3600);
/// After an error of `accept` (no file descriptors left).
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the app is asked to stop; then no connection is accepted any more, requests in hand are finished for as
/// long as the settings allow, and what is left is cut off.
pub async fn serve(listener: std::net::TcpListener, app: &Arc<App>) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let router = routes::router(app.clone());
    let slots = Arc::new(Semaphore::new(app.settings.connections));
    let graceful = GracefulShutdown::new();
    let mut stopping = app.stopping.clone();
    loop {
        // The slot first: whoever comes too many waits in the system's own queue and costs nothing here.
        let accepted = async {
            let slot = slots.clone().acquire_owned().await.ok()?;
            Some((slot, listener.accept().await))
        };
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = accepted => accepted,
        };
        let Some((slot, accepted)) = accepted else { break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Sentences as events are small and must not wait for more.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(app.settings.arrival)
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            if let Ok(Err(error)) = tokio::time::timeout(LIFETIME, connection).await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(app.settings.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that are still in hand are cut off");
    }
    Ok(())
}
