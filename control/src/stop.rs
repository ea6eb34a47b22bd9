//! The wish to end, as long-lived streams see it.

use tokio::sync::watch;

/// Seen by everything that has to end when the service does. A service that is
/// dropped ends its streams as well.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The other end of [`Stop`].
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// A stop that is not wanted yet.
pub fn channel() -> (Stopper, Stop) {
    let (stopper, stop) = watch::channel(false);
    (Stopper(stopper), Stop(stop))
}

impl Stopper {
    /// Ends everything that holds a [`Stop`].
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the end is wanted.
    pub async fn wanted(&mut self) {
        // An error means that the stopper is gone, and with it the service.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
