//! The arguments of rte_eal_init: checked before DPDK sees them, in the form that C wants, and
//! checked again for words that DPDK left unread.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use crate::Error;
use crate::error::c_string;

/// Refuses arguments that the EAL would misunderstand or not even look at.
pub(crate) fn check_arguments(args: &[String]) -> Result<(), Error> {
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--") {
        return Err(Error::EalArguments("-- ends them; what follows it would not be read".to_owned()));
    }
    if has("--no-huge") && has("--in-memory") {
        return Err(Error::EalArguments(
            "--no-huge and --in-memory cannot be combined (DPDK refuses them); \
             use --no-huge --no-shconf instead"
                .to_owned(),
        ));
    }
    Ok(())
}

/// An array of zero-terminated strings, with the program's name first and a null pointer at the
/// end.
pub(crate) struct Argv {
    /// Strings that are never freed.
    pointers: &'static mut [*mut c_char],
    count: c_int,
}

impl Argv {
    /// Makes the array of a program's name and its arguments.
    ///
    /// The strings are never freed: the EAL of some releases keeps pointers to them. A process has
    /// one EAL, so these are few bytes.
    ///
    /// # Errors
    ///
    /// A zero byte in a string, or more strings than C can count.
    pub(crate) fn new(program: &str, args: &[String]) -> Result<Self, Error> {
        let strings = std::iter::once(program)
            .chain(args.iter().map(String::as_str))
            .map(c_string)
            .collect::<Result<Vec<_>, _>>()?;
        let count = c_int::try_from(strings.len()).map_err(|_| Error::EalArguments("too many".to_owned()))?;
        let mut pointers: Vec<*mut c_char> = strings.into_iter().map(CString::into_raw).collect();
        pointers.push(ptr::null_mut());
        Ok(Self { pointers: pointers.leak(), count })
    }

    /// Returns the number of strings, the program's name included.
    pub(crate) fn count(&self) -> c_int {
        self.count
    }

    /// Returns the array, which lives as long as the process. The EAL reorders it.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut *mut c_char {
        self.pointers.as_mut_ptr()
    }

    /// Refuses words that belong to no option. `parsed` is what rte_eal_init returned: the number
    /// of arguments that it has read.
    pub(crate) fn check_all_read(&self, parsed: c_int) -> Result<(), Error> {
        let words = &self.pointers[1..self.pointers.len() - 1];
        let parsed = usize::try_from(parsed).unwrap_or(0);
        if parsed == words.len() {
            return Ok(());
        }
        // getopt has moved the unread words behind all options, and the EAL has put the program's
        // name before them.
        let stray: Vec<_> = words[parsed..]
            .iter()
            // SAFETY: these are the zero-terminated strings that `new` has made.
            .map(|word| unsafe { CStr::from_ptr(*word) }.to_string_lossy())
            .collect();
        Err(Error::EalArguments(format!("`{}` belongs to no option", stray.join(" "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_the_eal_would_misread_is_refused_before_it_runs() {
        assert!(matches!(check_arguments(&args("-l 0 -- --burst 32")), Err(Error::EalArguments(_))));
        assert!(matches!(check_arguments(&args("--in-memory --no-huge")), Err(Error::EalArguments(_))));
        assert_eq!(check_arguments(&args("--no-huge --no-shconf -l 0")), Ok(()));
        assert_eq!(check_arguments(&args("--in-memory -l 0")), Ok(()));
    }

    #[test]
    fn words_that_the_eal_left_unread_are_named() {
        let argv = Argv::new("program", &args("-l 0 stray words")).expect("strings without zero bytes");
        assert_eq!(argv.count(), 5);
        assert_eq!(argv.check_all_read(4), Ok(()));
        let error = argv.check_all_read(2).expect_err("two words are left");
        assert_eq!(error.to_string(), "EAL arguments: `stray words` belongs to no option");
    }
}
