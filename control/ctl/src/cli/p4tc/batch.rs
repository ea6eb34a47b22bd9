//! `-batch FILE`: one command per line, in the syntax of tc.

use std::fs::File;
use std::io::{BufRead, BufReader};

use super::{Error, FAILED, Tc, report, say};
use crate::cli::{Failure, output};

/// Runs the commands of `file` and returns the exit status. `-` means standard input.
pub(super) async fn run(tc: &Tc, file: &str) -> u8 {
    match open(file) {
        Ok(input) => commands(tc, file, input).await,
        Err(why) => report(say(format!("Cannot open file \"{file}\" for reading: {why}"))),
    }
}

fn open(file: &str) -> std::io::Result<Box<dyn BufRead>> {
    Ok(match file {
        "-" => Box::new(std::io::stdin().lock()),
        path => Box::new(BufReader::new(File::open(path)?)),
    })
}

async fn commands(tc: &Tc, file: &str, input: impl BufRead) -> u8 {
    let mut lines = Lines { input, number: 0 };
    let mut status = 0;
    loop {
        let ended = match lines.next() {
            Ok(None) => return status,
            Ok(Some(words)) if words.is_empty() => continue,
            Ok(Some(words)) => tc.run(&words).await,
            Err(error) => Err(error),
        };
        let broken = match &ended {
            Ok(()) => continue,
            Err(Error::Failed(Failure::NobodyReads)) => return status,
            // After an error in reading, the rest of the file cannot be read either.
            Err(Error::Failed(Failure::Output(_))) => true,
            Err(_) => false,
        };
        report(ended);
        output::complain(&format!("Command failed {file}:{}", lines.number));
        status = FAILED;
        if broken || !tc.flags.force {
            return status;
        }
    }
}

/// Lines of a file; a backslash at the end joins a line with the next.
struct Lines<R> {
    input: R,
    /// Number of the line read last, from 1.
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Returns the words of the next command, or `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<String>>, Error> {
        let mut command = String::new();
        loop {
            let mut line = String::new();
            let read = self.input.read_line(&mut line).map_err(Failure::Output)?;
            if read == 0 && command.is_empty() {
                return Ok(None);
            }
            if read == 0 {
                return say("Missing continuation line");
            }
            self.number += 1;
            let line = line.trim_end_matches(['\n', '\r']);
            // A comment goes to the end of the line, wherever it starts.
            let line = line.split('#').next().unwrap_or_default();
            match line.strip_suffix('\\') {
                Some(part) => {
                    command += part;
                    command.push(' ');
                }
                None => return Ok(Some(words(&(command + line))?)),
            }
        }
    }
}

/// Splits a line into words; quotes group a word that contains blanks.
fn words(line: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, behind) = if first == '"' || first == '\'' {
            match rest[1..].split_once(first) {
                Some(parts) => parts,
                None => return say("Unterminated quoted string"),
            }
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut lines = Lines { input: text.as_bytes(), number: 0 };
        let mut read = Vec::new();
        loop {
            match lines.next() {
                Ok(None) => return read,
                Ok(Some(words)) => read.push((lines.number, Ok(words))),
                Err(Error::Said(message)) => read.push((lines.number, Err(message))),
                Err(Error::Failed(failure)) => panic!("{failure:?}"),
            }
            if read.len() > 9 {
                return read;
            }
        }
    }

    #[test]
    fn lines_are_read_as_tc_does() {
        let ok = |number, words: &[&str]| (number, Ok(words.iter().map(|w| (*w).to_owned()).collect()));
        assert_eq!(
            read(
                "# all\n\n p4ctrl\tget x # rest\r\np4ctrl \\\n get y\nfilter '\"10.0.0.0/24\"' \"a b\"\nlast"
            ),
            [
                ok(1, &[]),
                ok(2, &[]),
                ok(3, &["p4ctrl", "get", "x"]),
                ok(5, &["p4ctrl", "get", "y"]),
                ok(6, &["filter", "\"10.0.0.0/24\"", "a b"]),
                ok(7, &["last"]),
            ]
        );
        assert_eq!(read("a 'b"), [(1, Err("Unterminated quoted string".to_owned()))]);
        let endless = read("a \\\n");
        assert_eq!(endless[0], (1, Err("Missing continuation line".to_owned())));
    }
}
