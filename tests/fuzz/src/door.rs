//! The door of the control service with its default bounds.

use std::sync::{Arc, LazyLock};

use control::config::Config;
use control::door::Door;
use control::door::limits::Limits;

static DEFAULTS: LazyLock<Limits> = LazyLock::new(|| {
    Config::read(["flowtracker-control".into()]).expect("a service starts without flags").limits
});

pub(crate) fn door() -> Arc<Door> {
    Arc::new(Door::new(DEFAULTS.clone()))
}
