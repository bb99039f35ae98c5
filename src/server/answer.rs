//! Work on a request: a place in the queue, a thread, a time limit, and an end when the client has gone.
use super::App;
use super::desk::Client;
use super::refusal::Refusal;
use crate::error::ModelError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// Says that the client has gone as soon as nobody holds it any more.
pub struct Presence(Arc<AtomicBool>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A request that was let in.
pub struct Admitted {
    pub client: Client,
    /// To be held by whoever answers.
    pub presence: Presence,
    /// To be held by whoever works.
    pub place: OwnedSemaphorePermit,
}

/// Lets a request in if there is a place for it.
pub fn admit(app: &App) -> Result<Admitted, Refusal> {
    if app.is_stopping() {
        return Err(Refusal::stopping());
    }
    let place = app.places.clone().try_acquire_owned().map_err(|_| Refusal::busy())?;
    let gone = Arc::new(AtomicBool::new(false));
    let client = app.desk.client(gone.clone(), Instant::now() + app.settings.work);
    Ok(Admitted { client, presence: Presence(gone), place })
}

/// Runs `work` in a thread of its own. When the client goes, so does the future, and the work ends at its next look.
pub async fn answer<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App, &Client) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let Admitted { client, presence, place } = admit(app)?;
    let app = app.clone();
    let worked = tokio::task::spawn_blocking(move || {
        let _place = place;
        work(&app, &client).map_err(|refusal| in_time(refusal, &client))
    });
    let worked = worked.await;
    drop(presence);
    worked.unwrap_or_else(|_| {
        Err(crate::Error::Model(ModelError::Defect("a request made the program fail".into())).into())
    })
}

/// Work that was interrupted because its time was over says so.
pub fn in_time(refusal: Refusal, client: &Client) -> Refusal {
    if refusal == Refusal::stopping() && client.is_late() {
        return Refusal::late("the translation took longer than this server allows; send it in parts");
    }
    refusal
}
