//! What answers there are (RFC 9112), and which one a plain request gets.

/// All statuses: those of the pages, and those of requests that are no HTTP or are too long.
const STATUSES: [u16; 7] = [200, 400, 404, 405, 414, 431, 503];

/// Returns the status of an answer; `None` when there is none. `ended` says that all of it was read.
///
/// # Errors
/// What is wrong with it.
pub(super) fn status(answer: &[u8], ended: bool, request: &[u8]) -> Result<Option<u16>, &'static str> {
    // What precedes the answer to a client that waits for it before it sends a body.
    let answer = answer.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(answer);
    let Some(end) = answer.windows(4).position(|end| end == b"\r\n\r\n") else {
        return if ended && !answer.is_empty() { Err("its head does not end") } else { Ok(None) };
    };
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| "its head is no text")?;
    let (line, fields) = head.split_once("\r\n").ok_or("it has no fields")?;
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "));
    let status = rest.and_then(|rest| rest.split(' ').next()?.parse().ok()).ok_or("it has no status")?;
    if !STATUSES.contains(&status) {
        return Err("there is no such status");
    }
    let mut length = None;
    for field in fields.split("\r\n") {
        let (name, value) = field.split_once(": ").ok_or("a field has no value")?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("a field has no name");
        }
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse::<usize>().map_err(|_| "its length is no number")?),
            "transfer-encoding" => return Err("its length is known"),
            "connection" if value != "close" => return Err("there is one request"),
            _ => {}
        }
    }
    let length = length.ok_or("it has no length")?;
    let body = answer.len() - end - 4;
    let head_only = body == 0 && request.windows(4).any(|word| word == b"HEAD");
    if body > length || (ended && body < length && !head_only) {
        return Err("its body has another length");
    }
    Ok(Some(status))
}

/// Returns the status that a plain request gets; `None` where this file has no opinion.
pub(super) fn expected(request: &[u8]) -> Option<u16> {
    let end = request.windows(4).position(|end| end == b"\r\n\r\n").filter(|end| *end < 4096)?;
    let head = std::str::from_utf8(&request[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let words: Vec<_> = lines.next()?.split(' ').collect();
    let [method, target, "HTTP/1.0" | "HTTP/1.1"] = words[..] else { return None };
    let lines: Vec<_> = lines.collect();
    let plain = |line: &&str| {
        line.split_once(": ").is_some_and(|(name, value)| {
            ["Host", "Accept", "User-Agent", "Cookie"].contains(&name)
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        })
    };
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"].contains(&method);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    let usual = target.starts_with('/') && letters(path) && letters(query);
    if !known || !usual || lines.len() > 50 || !lines.iter().all(plain) {
        return None;
    }
    let reads = ["GET", "HEAD"].contains(&method);
    Some(match path {
        "/" | "/metrics" | "/healthz" if reads => 200,
        "/readyz" if reads => 503,
        "/" | "/metrics" | "/healthz" | "/readyz" => 405,
        _ => 404,
    })
}
