//! A figure that is measured several times.

/// The results of one contender, one figure per round. Rounds of the same number are adjacent in
/// time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounds(pub Vec<f64>);

impl Rounds {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// Returns the median, or NaN without a round.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            rounds => f64::midpoint(sorted[(rounds - 1) / 2], sorted[rounds / 2]),
        }
    }

    /// Returns the smallest and the largest figure.
    pub fn range(&self) -> Option<(f64, f64)> {
        let sorted = self.sorted();
        Some((*sorted.first()?, *sorted.last()?))
    }

    /// Returns the range as text for a table.
    pub fn spread(&self, decimals: usize) -> String {
        self.range()
            .map_or_else(|| "–".to_owned(), |(least, most)| format!("{least:.decimals$}–{most:.decimals$}"))
    }

    /// Returns the ratios to another contender's figures, round by round.
    pub fn over(&self, other: &Rounds) -> Rounds {
        Rounds(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(Rounds(vec![9.0, 1.0, 4.0]).median(), 4.0);
        assert_eq!(Rounds(vec![9.0, 1.0, 4.0, 5.0]).median(), 4.5);
        assert_eq!(Rounds(vec![7.0]).median(), 7.0);
    }

    #[test]
    fn the_spread_is_from_the_smallest_to_the_largest() {
        let rounds = Rounds(vec![9.0, 1.25, 4.0]);
        assert_eq!(rounds.range(), Some((1.25, 9.0)));
        assert_eq!(rounds.spread(2), "1.25–9.00");
        assert_eq!(rounds.spread(0), "1–9");
    }

    #[test]
    fn ratios_are_of_neighbours_in_time() {
        let (ours, theirs) = (Rounds(vec![1.0, 6.0, 2.0]), Rounds(vec![2.0, 3.0, 8.0]));
        assert_eq!(ours.over(&theirs).0, [0.5, 2.0, 0.25]);
    }

    #[test]
    fn without_a_round_there_is_no_figure() {
        let none = Rounds::default();
        assert!(none.median().is_nan());
        assert_eq!(none.range(), None);
        assert_eq!(none.spread(2), "–");
        assert_eq!(none.over(&Rounds(vec![1.0])), none);
    }
}
