//! A naive reader of filter expressions, written from the page about them. It evaluates as it
//! reads: a set of entries is a word with a bit for each, and so is every part of an expression.

use std::net::Ipv6Addr;

use control::api::filter::Place;
use flowtracker_proto::filter::Facts;
use flowtracker_proto::table::Family;

/// Limits, as the page has them.
const BYTES: usize = 4096;
const WORD: usize = 64;
const STEPS: usize = 64;
const OPEN: usize = 5;

/// Returns the entries for which the expression is true, bit i for the i-th; `None` when the text
/// has to be refused.
pub(super) fn evaluate(text: &str, place: Place, facts: &[Facts]) -> Option<u64> {
    let all = (1 << facts.len()) - 1;
    if text.is_empty() {
        return Some(all);
    }
    if text.len() > BYTES {
        return None;
    }
    let mut reader = Reader { rest: text, steps: 0, all, place, facts };
    reader.blanks();
    let holds = reader.joined(0, 0)?;
    (reader.rest.is_empty() && reader.steps <= STEPS).then_some(holds)
}

struct Reader<'a> {
    rest: &'a str,
    /// Comparisons, operators and `!` so far.
    steps: usize,
    all: u64,
    place: Place,
    facts: &'a [Facts],
}

/// The operators from the loosest to the tightest.
const OPERATORS: [&str; 3] = ["||", "^^", "&&"];

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Takes a token, and the blanks after it.
    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        self.blanks();
        true
    }

    /// Reads parts with the operators of this level or of tighter ones between them.
    fn joined(&mut self, level: usize, open: usize) -> Option<u64> {
        let Some(operator) = OPERATORS.get(level) else { return self.part(open) };
        let mut holds = self.joined(level + 1, open)?;
        while self.takes(operator) {
            self.steps += 1;
            let next = self.joined(level + 1, open)?;
            holds = match *operator {
                "||" => holds | next,
                "^^" => holds ^ next,
                _ => holds & next,
            };
        }
        Some(holds)
    }

    fn part(&mut self, open: usize) -> Option<u64> {
        if self.rest.starts_with('!') && !self.rest.starts_with("!=") {
            self.takes("!");
            self.steps += 1;
            let negated = if self.rest.starts_with('(') { self.group(open) } else { self.deeper(open) };
            return negated.map(|holds| !holds & self.all);
        }
        if self.rest.starts_with('(') { self.group(open) } else { self.comparison() }
    }

    fn deeper(&mut self, open: usize) -> Option<u64> {
        if open == OPEN { None } else { self.part(open + 1) }
    }

    /// Reads a parenthesis. A `!` before it opens no further level.
    fn group(&mut self, open: usize) -> Option<u64> {
        if open == OPEN || self.steps > STEPS {
            return None;
        }
        self.takes("(");
        let holds = self.joined(0, open + 1)?;
        self.takes(")").then_some(holds)
    }

    fn word(&mut self, of: &str) -> &'a str {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || of.contains(c)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn comparison(&mut self) -> Option<u64> {
        self.steps += 1;
        let name = self.word("_.-");
        let starts_well = !name.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if name.is_empty() || name.len() > WORD || !starts_well || self.steps > STEPS {
            return None;
        }
        self.blanks();
        let relations = [
            ("==", "="),
            ("!=", "!"),
            ("/=", "!"),
            ("<>", "!"),
            ("<=", "≤"),
            (">=", "≥"),
            ("=", "="),
            ("<", "<"),
            (">", ">"),
        ];
        let relation = relations.into_iter().find(|(token, _)| self.takes(token))?.1;
        let (constant, quoted) = match self.rest.strip_prefix('"') {
            Some(rest) => {
                let (constant, rest) = rest.split_once('"')?;
                self.rest = rest;
                (constant, true)
            }
            None => (self.word("_.-+:/"), false),
        };
        if constant.len() > WORD || (constant.is_empty() && !quoted) {
            return None;
        }
        self.blanks();
        self.compare(name, relation, constant, quoted)
    }

    fn compare(&self, name: &str, relation: &str, constant: &str, quoted: bool) -> Option<u64> {
        let (family, of, mask, value): Compared = match name {
            "family" => {
                let family = number(constant, u64::MAX)?;
                let known = family == 4 || family == 6;
                (
                    None,
                    |facts| if facts.family == Family::Ipv4 { 4 } else { 6 },
                    ALL,
                    known.then_some(family.into())?,
                )
            }
            "prio" => (None, |facts| facts.prio.into(), ALL, number(constant, u32::MAX.into())?.into()),
            "msecs_since" if self.place != Place::Watch => {
                (None, |facts| facts.idle_ms.into(), ALL, number(constant, u64::MAX)?.into())
            }
            "cmd" if self.place == Place::Watch => {
                let place = ["create", "update", "delete"].iter().position(|word| *word == constant)?;
                (None, |facts| facts.cmd.into(), ALL, place as u128 + 1)
            }
            _ => {
                let field = name.strip_prefix("key.")?;
                let of_pipeline = |pipeline: &str| {
                    let rest = field.strip_prefix(pipeline)?;
                    let tables = [".Main.ct_flow_table.", ".Main.ct_tcp_table."];
                    tables.iter().find_map(|table| rest.strip_prefix(table))
                };
                match (of_pipeline("flowtracker"), of_pipeline("flowtracker_ipv6")) {
                    (Some(field), _) => key_field(field, constant, Some(Family::Ipv4))?,
                    (None, Some(field)) => key_field(field, constant, Some(Family::Ipv6))?,
                    (None, None) => key_field(field, constant, None)?,
                }
            }
        };
        let ordered = ["prio", "msecs_since"].contains(&name);
        let quotable = ["Addr", "input_port"].iter().any(|end| name.ends_with(end));
        if (!ordered && !["=", "!"].contains(&relation)) || (quoted && !quotable) {
            return None;
        }
        let holds = |facts: &Facts| {
            // An address never equals one of the other family, so only `!=` holds.
            if family.is_some_and(|family| family != facts.family) {
                return relation == "!";
            }
            let fact = of(facts) & mask;
            match relation {
                "=" => fact == value,
                "!" => fact != value,
                "<" => fact < value,
                "≤" => fact <= value,
                ">" => fact > value,
                _ => fact >= value,
            }
        };
        Some(self.facts.iter().rev().fold(0, |set, facts| set << 1 | u64::from(holds(facts))))
    }
}

/// What a comparison looks at: the family of its address, the part of the key, the mask and the
/// value.
type Compared = (Option<Family>, fn(&Facts) -> u128, u128, u128);

const ALL: u128 = u128::MAX;

/// Reads a comparison with a field of a key, of the table of `table` if one is named.
fn key_field(field: &str, constant: &str, table: Option<Family>) -> Option<Compared> {
    let small = |of: fn(&Facts) -> u128, value: u64| (None, of, ALL, u128::from(value));
    Some(match field {
        "input_port" => {
            let plain = |digits: &str| {
                let decimal = digits == "0" || !digits.starts_with('0');
                if decimal { decimal_number(digits) } else { None }
            };
            let value = match constant.strip_prefix("port") {
                Some(id) => plain(id)?.checked_add(1)?,
                None => plain(constant)?,
            };
            let known = (1..=65_536).contains(&value);
            small(|facts| facts.key.input_port.into(), known.then_some(value)?)
        }
        "srcAddr" | "dstAddr" => {
            let family = if constant.contains(':') { Family::Ipv6 } else { Family::Ipv4 };
            if table.is_some_and(|table| table != family) {
                return None;
            }
            let (address, length) = match constant.split_once('/') {
                Some((address, length)) => (address, Some(decimal_number(length)?)),
                None => (constant, None),
            };
            let (address, bits) = match family {
                Family::Ipv4 => (ipv4(address)?.into(), 32),
                Family::Ipv6 => (address.parse::<Ipv6Addr>().ok()?.to_bits(), 128),
            };
            let length = length.unwrap_or(bits);
            let other_bits = bits.checked_sub(length)?;
            let mask = ALL.checked_shl(other_bits as u32).unwrap_or(0);
            let of: fn(&Facts) -> u128 =
                if field == "srcAddr" { |facts| facts.key.src_addr } else { |facts| facts.key.dst_addr };
            (Some(family), of, mask, address & mask)
        }
        "hdr.ipv4.protocol" if table == Some(Family::Ipv6) => return None,
        "hdr.ipv6.nextHdr" if table == Some(Family::Ipv4) => return None,
        "hdr.ipv4.protocol" | "hdr.ipv6.nextHdr" | "protocol" => {
            let value = match constant {
                "tcp" => 6,
                "udp" => 17,
                digits => number(digits, 255)?,
            };
            small(|facts| facts.key.protocol.into(), value)
        }
        "srcPort" => small(|facts| facts.key.src_port.into(), number(constant, 65_535)?),
        "dstPort" => small(|facts| facts.key.dst_port.into(), number(constant, 65_535)?),
        _ => return None,
    })
}

/// Four decimal octets without leading zeros.
fn ipv4(text: &str) -> Option<u64> {
    let octets: Vec<&str> = text.split('.').collect();
    let octet = |text: &&str| {
        let plain = *text == "0" || !text.starts_with('0');
        decimal_number(text).filter(|octet| plain && *octet < 256)
    };
    let octets: Vec<u64> = octets.iter().map(octet).collect::<Option<_>>()?;
    (octets.len() == 4).then(|| octets.iter().fold(0, |address, octet| address << 8 | octet))
}

/// Digits only; leading zeros mean nothing.
fn decimal_number(digits: &str) -> Option<u64> {
    in_base(digits, 10)
}

/// Decimal, `0x…` hexadecimal or `0…` octal.
fn number(text: &str, most: u64) -> Option<u64> {
    let number = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => in_base(&text[2..], 16)?,
        [b'0', _, ..] => in_base(&text[1..], 8)?,
        _ => in_base(text, 10)?,
    };
    (number <= most).then_some(number)
}

fn in_base(digits: &str, base: u32) -> Option<u64> {
    let all = digits.chars().map(|digit| digit.to_digit(base)).collect::<Option<Vec<_>>>()?;
    let sum = |sum: u64, digit: &u32| sum.checked_mul(base.into())?.checked_add(u64::from(*digit));
    if all.is_empty() { None } else { all.iter().try_fold(0, sum) }
}
