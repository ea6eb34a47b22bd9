//! An answer in DPDK's form: checked against the limits of librte_telemetry, then written.
//!
//! DPDK 22.11 leaves out what does not fit, without an error. So the size of the JSON that it will
//! make is computed beforehand.

use std::ffi::{CString, c_int};
use std::ptr::NonNull;

use dpdk_sys as sys;

use super::value::{Dict, Value};

/// The most bytes of an answer: MAX_OUTPUT_LEN of librte_telemetry, less the command's name and the
/// brackets that surround the answer.
const MAX_ANSWER: usize = 16 * 1024 - 64 - 8;
/// The most bytes of a text or a name: RTE_TEL_MAX_STRING_LEN without the zero at the end.
const MAX_TEXT: usize = 127;
/// The most values of a dictionary (RTE_TEL_MAX_DICT_ENTRIES).
const MAX_DICT: usize = 256;
/// The most elements of a list (RTE_TEL_MAX_ARRAY_ENTRIES).
const MAX_LIST: usize = 512;

/// Refuses an answer that DPDK would cut, leave out or refuse halfway. The error says why.
pub(super) fn check(answer: &Dict) -> Result<(), String> {
    let bytes = check_dict(answer)?;
    if bytes > MAX_ANSWER {
        return Err(format!(
            "the answer has {bytes} bytes, telemetry has room for {MAX_ANSWER}: ask for a part"
        ));
    }
    Ok(())
}

/// Returns an upper bound of the bytes that the dictionary has as JSON.
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

/// Returns an upper bound of the bytes that a list has as JSON.
fn list<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> Result<usize, String> {
    if items.len() > MAX_LIST {
        return Err(format!("a list of {}, {MAX_LIST} are possible", items.len()));
    }
    Ok(2 + items.iter().map(|item| bytes(item) + 1).sum::<usize>())
}

/// Returns the number of decimal digits.
fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Returns the bytes of a text as JSON: its quotes, and two bytes for each that is escaped.
fn text_bytes(text: &str) -> usize {
    let text = cut(text);
    2 + text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\') || *byte < b' ').count()
}

/// Returns as much of a text as there is room for, in whole characters.
fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or_default()]
}

/// Makes a C string of a text, cut to the room that there is. A zero byte would end it; no text of
/// ours has one.
fn c_text(text: &str) -> CString {
    let text = cut(text);
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// A nested part of an answer. It is freed unless DPDK takes it.
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

/// Writes an answer in DPDK's form. Returns 0 or a negative errno; of an answer that [`check`] has
/// accepted, only for want of memory.
///
/// # Safety
///
/// `out` can be written.
pub(super) unsafe fn fill(out: NonNull<sys::rte_tel_data>, Dict(entries): &Dict) -> c_int {
    let out = out.as_ptr();
    // SAFETY: the caller's promise. The call makes it a dictionary, whatever it was.
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
                // SAFETY: the part was just allocated. DPDK frees it with the answer, once it has
                // taken it.
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

/// Writes a list or a dictionary into a part that is still empty. Returns 0 or a negative errno.
fn fill_part(part: &Container, value: &Value) -> c_int {
    let out = part.0.as_ptr();
    // SAFETY: the part is allocated and ours; it becomes a list before anything is added to it, and
    // texts are copied.
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
