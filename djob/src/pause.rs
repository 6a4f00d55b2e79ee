//! Pauses after something went wrong: never quite the same, so that fifty workers that have lost their database, or two
//! transactions that have blocked each other, do not come back in one moment.

use std::time::Duration;

use uuid::Uuid;

/// Between half of a pause and all of it.
pub(crate) fn some_of(pause: Duration) -> Duration {
    // The end of such an id is random.
    thrown(pause, Uuid::now_v7().as_u128() as u32)
}

/// Half of a pause, and as much of the other half as the dice say.
fn thrown(pause: Duration, dice: u32) -> Duration {
    let half = pause / 2;
    half + half.mul_f64(f64::from(dice) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many of them come back within the same twentieth of a second, at most.
    fn crowd(mut pauses: Vec<Duration>) -> usize {
        pauses.sort();
        let near =
            |first: &Duration| pauses.iter().filter(|at| (*first..*first + SECOND / 20).contains(at)).count();
        pauses.iter().map(near).max().unwrap()
    }

    #[test]
    fn fifty_workers_that_lost_their_database_together_do_not_come_back_together() {
        let mut dice = 42_u32;
        let mut throw = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            thrown(SECOND, dice)
        };
        assert!(crowd((0..50).map(|_| throw()).collect()) <= 13);
        assert!(crowd((0..50).map(|_| some_of(SECOND)).collect()) < 40, "the dice that are used are dice");
    }

    #[test]
    fn the_dice_decide_on_half_of_a_pause() {
        assert_eq!(thrown(SECOND, 0), SECOND / 2);
        assert_eq!(thrown(SECOND, u32::MAX), SECOND);
        assert_eq!(thrown(Duration::ZERO, 7), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_pause_is_shorter_than_its_half_or_longer_than_itself(micros in 0_u64..1 << 50, dice: u32) {
            let pause = Duration::from_micros(micros);
            let rested = thrown(pause, dice);
            prop_assert!(pause / 2 <= rested && rested <= pause, "{rested:?} of {pause:?}");
        }
    }
}
