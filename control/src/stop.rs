//! The signal to end, as long-lived streams see it.

use tokio::sync::watch;

/// Turns true when the service has to end, or is dropped. Long-lived streams wait for it.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The sending half of [`Stop`].
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Creates a signal that is not set yet.
pub fn channel() -> (Stopper, Stop) {
    let (stopper, stop) = watch::channel(false);
    (Stopper(stopper), Stop(stop))
}

impl Stopper {
    /// Sets the signal.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the signal is set.
    pub async fn wanted(&mut self) {
        // An error means that the stopper was dropped, and the service with it.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
