//! proto3 JSON, one message per line.

use serde::Serialize;

/// Appends `message` and a line end.
pub(crate) fn line(out: &mut String, message: &impl Serialize) {
    // The generated code writes maps with text keys. Only a timestamp outside of the calendar could
    // fail, and the service sends none.
    match serde_json::to_string(message) {
        Ok(text) => out.push_str(&text),
        Err(why) => tracing::error!("cannot print as JSON: {why}"),
    }
    out.push('\n');
}
