//! Commands of our own on DPDK's telemetry socket, which `dpdk-telemetry.py` reads.
//!
//! DPDK knows no way to take a command back, and calls it on threads that outlive the EAL. So what DPDK gets is one
//! function for all commands, and which closure answers is looked up at each request: [`Eal::serve_telemetry`] puts
//! the closures there and takes them away again, after the answers that are being made.
//!
//! The answer to a request is JSON of at most 16 KiB in one packet. 22.11 leaves out what does not fit without a word,
//! so the size is checked here.

use std::ffi::{CStr, CString, c_char, c_int};
use std::fmt;
use std::ptr::NonNull;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use dpdk_sys as sys;

use crate::error::c_string;
use crate::{Eal, Error};

/// Bytes of an answer (MAX_OUTPUT_LEN of librte_telemetry), less what surrounds it: the command's name and brackets.
const MAX_ANSWER: usize = 16 * 1024 - 64 - 8;
/// Longest text and longest name in bytes: RTE_TEL_MAX_STRING_LEN without the zero at the end.
const MAX_TEXT: usize = 127;
/// RTE_TEL_MAX_DICT_ENTRIES.
const MAX_DICT: usize = 256;
/// RTE_TEL_MAX_ARRAY_ENTRIES.
const MAX_LIST: usize = 512;

/// What an answer is made of: what DPDK 22.11 can nest in a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A text; longer ones than 127 bytes are cut.
    Text(String),
    /// A list of at most 512 numbers.
    Numbers(Vec<u64>),
    /// A list of at most 512 texts.
    Texts(Vec<String>),
    /// A dictionary.
    Dict(Dict),
}

/// Up to 256 named values; they keep their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dict(Vec<(String, Value)>);

impl Dict {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value. A name has letters, digits, `_` and `/`, at most 127 of them.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u64>> for Value {
    fn from(numbers: Vec<u64>) -> Self {
        Self::Numbers(numbers)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Dict> for Value {
    fn from(dict: Dict) -> Self {
        Self::Dict(dict)
    }
}

/// What makes an answer, on one of DPDK's telemetry threads, several at a time. It is given what stands behind the
/// comma of the request. An `Err` reaches the client as `{"error": …}`.
pub type Answer<'a> = dyn Fn(Option<&str>) -> Result<Dict, String> + Sync + 'a;

/// A command to serve.
#[derive(Clone, Copy)]
pub struct TelemetryCommand<'a> {
    /// Such as `/flowtracker/stats`: at most 55 letters, digits, `_` and `/`.
    pub name: &'a str,
    /// One line for `/help`, at most 127 bytes.
    pub help: &'a str,
    /// Who answers.
    pub answer: &'a Answer<'a>,
}

impl fmt::Debug for TelemetryCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryCommand").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A command that DPDK knows, and who answers it at present.
struct Registered {
    name: CString,
    answer: Option<&'static Answer<'static>>,
}

/// A request holds the lock shared while its answer is made; taking answers away waits for that.
static COMMANDS: RwLock<Vec<Registered>> = RwLock::new(Vec::new());

fn commands() -> RwLockWriteGuard<'static, Vec<Registered>> {
    // A panic in an answer ends the process, so nothing is ever half done.
    COMMANDS.write().unwrap_or_else(PoisonError::into_inner)
}

impl Eal {
    /// Answers `commands` while `body` runs. Before and after, clients read `null`. With the EAL argument
    /// `--no-telemetry` there is no socket, and nobody asks.
    ///
    /// # Errors
    ///
    /// A name or a help text that DPDK refuses (EINVAL), or a command that is being served already (EEXIST).
    pub fn serve_telemetry<T>(
        &self,
        commands: &[TelemetryCommand<'_>],
        body: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let mut serving = Serving(Vec::new());
        for command in commands {
            serving.add(command)?;
        }
        Ok(body())
    }
}

/// The commands that are being served. Never leaves [`Eal::serve_telemetry`], so it is always dropped.
struct Serving(Vec<CString>);

impl Serving {
    fn add(&mut self, command: &TelemetryCommand<'_>) -> Result<(), Error> {
        let refused = |errno: c_int| {
            Error::returned("rte_telemetry_register_cmd", command.name, errno.saturating_neg())
        };
        let name = c_string(command.name)?;
        // SAFETY: only the lifetime changes. Whoever calls the closure holds COMMANDS shared, and drop, which takes it
        // away, holds COMMANDS alone; it runs before serve_telemetry returns, and so within the borrow.
        let answer = unsafe { std::mem::transmute::<&Answer<'_>, &'static Answer<'static>>(command.answer) };
        let mut known = commands();
        let place = known.iter().position(|one| one.name == name);
        if let Some(place) = place {
            if known[place].answer.is_some() {
                return Err(refused(libc::EEXIST));
            }
            known[place].answer = Some(answer);
        } else {
            let help = c_string(command.help)?;
            // SAFETY: both texts are copied, and run_answer may be called at any time, for ever. DPDK holds none of its
            // locks while it calls.
            let code =
                unsafe { sys::rte_telemetry_register_cmd(name.as_ptr(), Some(run_answer), help.as_ptr()) };
            if code != 0 {
                return Err(refused(code.saturating_neg()));
            }
            known.push(Registered { name: name.clone(), answer: Some(answer) });
        }
        drop(known);
        self.0.push(name);
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut known = commands();
        for command in known.iter_mut().filter(|command| self.0.contains(&command.name)) {
            command.answer = None;
        }
    }
}

/// What DPDK calls, on a thread of its own, for all of our commands. A negative number makes the answer `null`.
unsafe extern "C" fn run_answer(
    name: *const c_char,
    params: *const c_char,
    out: *mut sys::rte_tel_data,
) -> c_int {
    let Some(out) = NonNull::new(out) else { return -libc::EINVAL };
    if name.is_null() {
        return -libc::EINVAL;
    }
    // SAFETY: DPDK passes the zero-terminated name, which outlives the call.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: likewise, or null.
    let params = (!params.is_null()).then(|| unsafe { CStr::from_ptr(params) }.to_string_lossy());
    let commands = COMMANDS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(answer) = commands.iter().find(|one| one.name.as_c_str() == name).and_then(|one| one.answer)
    else {
        return -libc::ENODEV;
    };
    let error = |why: &str| Dict::new().with("error", why);
    let dict = answer(params.as_deref()).unwrap_or_else(|why| error(&why));
    let dict = match check(&dict) {
        Ok(()) => dict,
        Err(why) => error(&why),
    };
    // SAFETY: out is DPDK's and ours for the call.
    unsafe { fill(out, &dict) }
}

/// Refuses what DPDK would cut, leave out or refuse halfway.
fn check(answer: &Dict) -> Result<(), String> {
    let bytes = check_dict(answer)?;
    if bytes > MAX_ANSWER {
        return Err(format!(
            "the answer has {bytes} bytes, telemetry has room for {MAX_ANSWER}: ask for a part"
        ));
    }
    Ok(())
}

/// Gives the most bytes that the dictionary may have as JSON.
fn check_dict(Dict(entries): &Dict) -> Result<usize, String> {
    if entries.len() > MAX_DICT {
        return Err(format!("{} names in a dictionary, {MAX_DICT} are possible", entries.len()));
    }
    let mut bytes = 2;
    for (name, value) in entries {
        let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'/');
        if name.is_empty() || name.len() > MAX_TEXT || !name.bytes().all(good) {
            return Err(format!("telemetry cannot have the name {name:?}"));
        }
        bytes += name.len() + "\"\":,".len();
        bytes += match value {
            Value::Number(number) => digits(*number),
            Value::Text(text) => text_bytes(text),
            Value::Numbers(numbers) => list(numbers, |number| digits(*number))?,
            Value::Texts(texts) => list(texts, |text| text_bytes(text))?,
            Value::Dict(dict) => check_dict(dict)?,
        };
    }
    Ok(bytes)
}

fn list<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> Result<usize, String> {
    if items.len() > MAX_LIST {
        return Err(format!("a list of {}, {MAX_LIST} are possible", items.len()));
    }
    Ok(2 + items.iter().map(|item| bytes(item) + 1).sum::<usize>())
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Quotes, and what has to be escaped twice.
fn text_bytes(text: &str) -> usize {
    let text = cut(text);
    2 + text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\') || *byte < b' ').count()
}

/// As much of a text as there is room for.
fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or_default()]
}

/// A text for DPDK, cut; none of ours has a zero byte, and if it had, it would end there.
fn c_text(text: &str) -> CString {
    let text = cut(text);
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// A nested part of an answer, freed unless DPDK takes it.
struct Container(NonNull<sys::rte_tel_data>);

impl Container {
    fn new() -> Option<Self> {
        // SAFETY: the function only allocates.
        NonNull::new(unsafe { sys::rte_tel_data_alloc() }).map(Self)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // SAFETY: it is from rte_tel_data_alloc, and DPDK has not taken it.
        unsafe { sys::rte_tel_data_free(self.0.as_ptr()) };
    }
}

/// Writes a checked answer in DPDK's form: 0 or negative errno, which can only be for want of memory.
///
/// # Safety
///
/// `out` can be written.
unsafe fn fill(out: NonNull<sys::rte_tel_data>, Dict(entries): &Dict) -> c_int {
    let out = out.as_ptr();
    // SAFETY: the caller's promise; the call makes it a dictionary, whatever it was.
    let mut code = unsafe { sys::rte_tel_data_start_dict(out) };
    for (name, value) in entries {
        if code < 0 {
            return code;
        }
        let name = c_text(name);
        code = match value {
            // SAFETY: out is a dictionary, the name is copied.
            Value::Number(number) => unsafe { sys::shim_tel_set_number(out, name.as_ptr(), *number) },
            // SAFETY: out is a dictionary, name and text are copied.
            Value::Text(text) => unsafe {
                sys::rte_tel_data_add_dict_string(out, name.as_ptr(), c_text(text).as_ptr())
            },
            Value::Numbers(_) | Value::Texts(_) | Value::Dict(_) => {
                let Some(part) = Container::new() else { return -libc::ENOMEM };
                // SAFETY: the part was just allocated. DPDK frees it with the answer, once it has taken it.
                unsafe {
                    match fill_part(&part, value) {
                        0 => {
                            match sys::rte_tel_data_add_dict_container(out, name.as_ptr(), part.0.as_ptr(), 0)
                            {
                                0 => {
                                    std::mem::forget(part);
                                    0
                                }
                                code => code,
                            }
                        }
                        code => code,
                    }
                }
            }
        };
    }
    code
}

/// As [`fill`], for what is no text and no number.
fn fill_part(part: &Container, value: &Value) -> c_int {
    let out = part.0.as_ptr();
    // SAFETY: the part is allocated and ours; it becomes a list before anything is added to it, and texts are copied.
    unsafe {
        match value {
            Value::Numbers(numbers) => {
                numbers.iter().fold(sys::shim_tel_start_numbers(out), |code, number| match code {
                    0 => sys::shim_tel_add_number(out, *number),
                    code => code,
                })
            }
            Value::Texts(texts) => {
                texts.iter().fold(sys::shim_tel_start_texts(out), |code, text| match code {
                    0 => sys::rte_tel_data_add_array_string(out, c_text(text).as_ptr()),
                    code => code,
                })
            }
            Value::Dict(dict) => fill(part.0, dict),
            Value::Number(_) | Value::Text(_) => -libc::EINVAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_telemetry_has_no_room_for_is_refused_with_the_reason() {
        let many = |n: u64| (0..n).map(|i| (i.to_string(), i)).collect::<Dict>();
        assert_eq!(check(&many(256)), Ok(()));
        assert!(check(&many(257)).unwrap_err().contains("257 names"));
        assert_eq!(check(&Dict::new().with("list", vec![0; 512])), Ok(()));
        assert!(check(&Dict::new().with("list", vec![0; 513])).unwrap_err().contains("513"));
        for name in ["", "with blank", "quote\"", &"x".repeat(128)] {
            assert!(check(&Dict::new().with(name, 1)).unwrap_err().contains("name"), "{name}");
        }
        // A hundred dictionaries of 256 numbers: each is small enough, the whole is not.
        let whole = (0..100).map(|i| (i.to_string(), many(256))).collect::<Dict>();
        assert!(check(&whole).unwrap_err().contains("ask for a part"));
    }

    #[test]
    fn the_size_is_that_of_the_json_or_a_comma_more() {
        let dict = Dict::new()
            .with("a", 0)
            .with("b", u64::MAX)
            .with("c", "say \"hi\"")
            .with("d", vec![1, 22, 333])
            .with("e", vec!["x".to_owned()])
            .with("f", Dict::new().with("g", 10));
        let json =
            r#"{"a":0,"b":18446744073709551615,"c":"say \"hi\"","d":[1,22,333],"e":["x"],"f":{"g":10}}"#;
        // One comma too many is counted in each of the four that have entries.
        assert_eq!(check_dict(&dict), Ok(json.len() + 4));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ä".repeat(100);
        assert_eq!(cut(&text).len(), 126);
        assert_eq!(c_text("one\0two").as_bytes(), b"one");
    }
}
