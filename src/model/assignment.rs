//! The variant a user gets: a pure function of the message's name and the user's key, the same at all times and on
//! every server. Nothing is stored, so nothing can disagree.
//!
//! u = the upper 53 bits of XXH64 (seed 0) over the message's name, one zero byte and the user key (both in UTF-8),
//! divided by 2⁵³. If u is below the control share, the user is in the control group. Otherwise
//! (u − share) / (1 − share) is laid along the weights, in the order in which the variants were added. PostgreSQL's
//! text holds no zero byte, so no two pairs of name and key hash the same bytes.
//!
//! This definition is frozen: changing anything in it moves users from one variant to another in running tests.
//!
//! | message | user key | XXH64 | u |
//! |---|---|---|---|
//! | `welcome` | `1` | 0xD0A7_78B5_91B3_C8F1 | 0.8150554126056725 |
//! | `welcome` | `42` | 0x8E91_AAC5_7F0B_C679 | 0.5569102031868587 |
//! | `welcome` | `00000000-0000-0000-0000-000000000001` | 0xB852_FED8_DC2C_2FED | 0.7200164107745627 |
//! | `upgrade to pro` | `ada@example.com` | 0x8937_C80A_1068_AA92 | 0.5360074066706227 |
//! | `Grüße` | `Zoë` | 0x9F48_ED3F_56E2_7507 | 0.6222065238606633 |

#![forbid(unsafe_code)]

use xxhash_rust::xxh64::Xxh64;

/// The group that a user is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The control group: nothing is sent.
    Control,
    /// A variant, as an index into the weights.
    Variant(usize),
}

/// The user's place in [0, 1) for this message: uniform over users, independent between messages. Bytes are UTF-8. No
/// errors.
pub fn unit_interval(message: &[u8], user_key: &[u8]) -> f64 {
    // A double holds 53 bits exactly, so this is the same number everywhere.
    (hash(message, user_key) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

fn hash(message: &[u8], user_key: &[u8]) -> u64 {
    let mut hash = Xxh64::new(0);
    hash.update(message);
    hash.update(&[0]);
    hash.update(user_key);
    hash.digest()
}

/// The choice for a place `u` in [0, 1). `control_share` is in [0, 1]; `None` means no control group. `weights` are
/// those of the variants in the order of their creation: finite, not negative, on any scale.
///
/// A variant of weight 0 is never chosen. Without weights, or with none above 0, there is one thing to send:
/// `Variant(0)`. Uses only additions, one multiplication and one division of IEEE doubles, in a fixed order.
pub fn choose(u: f64, control_share: Option<f64>, weights: &[f64]) -> Choice {
    let share = control_share.unwrap_or(0.0);
    if u < share {
        return Choice::Control;
    }
    let total: f64 = weights.iter().sum();
    let target = (u - share) / (1.0 - share) * total;
    let mut cumulative = 0.0;
    let mut last = 0;
    for (index, &weight) in weights.iter().enumerate() {
        cumulative += weight;
        if target < cumulative {
            return Choice::Variant(index);
        }
        if weight > 0.0 {
            last = index;
        }
    }
    // Rounding may bring the target up to the total.
    Choice::Variant(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::gamma::gamma_ur;
    use xxhash_rust::xxh64::xxh64;

    #[test]
    fn xxh64_is_the_published_one() {
        // From the reference implementation (github.com/Cyan4973/xxHash), seed 0.
        assert_eq!(xxh64(b"", 0), 0xEF46_DB37_51D8_E999);
        assert_eq!(xxh64(b"a", 0), 0xD24E_C4F1_A98C_6E5B);
        assert_eq!(xxh64(b"abc", 0), 0x44BC_2CF5_AD77_0999);
        assert_eq!(xxh64(b"Nobody inspects the spammish repetition", 0), 0xFBCE_A83C_8A37_8BF1);
    }

    #[test]
    fn assignment_is_the_same_for_ever() {
        // Computed with python-xxhash: (xxh64_intdigest(message + b"\0" + key) >> 11) * 2.0 ** -53
        for (message, key, hashed, u) in [
            ("welcome", "1", 0xD0A7_78B5_91B3_C8F1, 0.8150554126056725),
            ("welcome", "42", 0x8E91_AAC5_7F0B_C679, 0.5569102031868587),
            ("welcome", "00000000-0000-0000-0000-000000000001", 0xB852_FED8_DC2C_2FED, 0.7200164107745627),
            ("upgrade to pro", "ada@example.com", 0x8937_C80A_1068_AA92, 0.5360074066706227),
            ("Grüße", "Zoë", 0x9F48_ED3F_56E2_7507, 0.6222065238606633),
        ] {
            assert_eq!(hash(message.as_bytes(), key.as_bytes()), hashed, "{message} {key}");
            assert_eq!(unit_interval(message.as_bytes(), key.as_bytes()), u, "{message} {key}");
        }
    }

    #[test]
    fn name_and_key_do_not_run_together() {
        assert_eq!(hash(b"welcome", b"1"), xxh64(b"welcome\x001", 0));
        assert_ne!(hash(b"ab", b"c"), hash(b"a", b"bc"));
        assert_ne!(hash(b"", b"a"), hash(b"a", b""));
    }

    #[test]
    fn the_place_is_below_one_and_keeps_all_its_bits() {
        for key in 0..10_000_u32 {
            let u = unit_interval(b"m", &key.to_le_bytes());
            assert!((0.0..1.0).contains(&u));
            assert_eq!((u * 2_f64.powi(53)) as u64, hash(b"m", &key.to_le_bytes()) >> 11);
        }
    }

    #[test]
    fn the_control_group_comes_first_then_the_variants_in_order() {
        let weights = [1.0, 0.0, 2.0, 1.0];
        for (u, choice) in [
            (0.0, Choice::Control),
            (0.1999, Choice::Control),
            (0.2, Choice::Variant(0)),
            (0.3999, Choice::Variant(0)),
            (0.4001, Choice::Variant(2)),
            (0.7999, Choice::Variant(2)),
            (0.8001, Choice::Variant(3)),
            (1.0 - f64::EPSILON / 2.0, Choice::Variant(3)),
        ] {
            assert_eq!(choose(u, Some(0.2), &weights), choice, "{u}");
        }
        assert_eq!(choose(0.0, None, &weights), Choice::Variant(0));
        assert_eq!(choose(0.0, Some(0.0), &weights), Choice::Variant(0));
        assert_eq!(choose(1.0 - f64::EPSILON / 2.0, Some(1.0), &weights), Choice::Control);
    }

    #[test]
    fn a_message_without_variants_has_one_thing_to_send() {
        assert_eq!(choose(0.9, None, &[]), Choice::Variant(0));
        assert_eq!(choose(0.9, Some(0.5), &[]), Choice::Variant(0));
        assert_eq!(choose(0.1, Some(0.5), &[]), Choice::Control);
        assert_eq!(choose(0.9, None, &[0.0, 0.0]), Choice::Variant(0));
    }

    #[test]
    fn a_variant_of_weight_zero_is_never_chosen_even_by_rounding() {
        for u in [0.0, 0.5, 1.0 - f64::EPSILON / 2.0, 1.0] {
            assert_eq!(choose(u, None, &[0.0, 3.0, 0.0]), Choice::Variant(1));
        }
    }

    #[test]
    fn the_scale_of_the_weights_does_not_matter() {
        for k in 0..1000 {
            let u = f64::from(k) / 1000.0;
            assert_eq!(choose(u, Some(0.1), &[1.0, 2.0, 5.0]), choose(u, Some(0.1), &[16.0, 32.0, 80.0]));
        }
    }

    fn chi_square_p(observed: &[u64], degrees: usize) -> f64 {
        let expected = observed.iter().sum::<u64>() as f64 / observed.len() as f64;
        let chi_square: f64 = observed.iter().map(|&o| (o as f64 - expected).powi(2) / expected).sum();
        gamma_ur(degrees as f64 / 2.0, chi_square / 2.0)
    }

    /// The million keys are fixed, so each p-value is always the same number: the test cannot flake.
    #[test]
    fn a_million_users_are_spread_evenly_and_independently_between_messages() {
        const BINS: usize = 20;
        let bin = |message: &str, key: &[u8]| (unit_interval(message.as_bytes(), key) * BINS as f64) as usize;
        let mut one = [0_u64; BINS];
        let mut other = [0_u64; BINS];
        let mut both = [0_u64; BINS * BINS];
        for key in 1..=1_000_000_u32 {
            let key = key.to_string();
            let (a, b) = (bin("welcome", key.as_bytes()), bin("welcome2", key.as_bytes()));
            one[a] += 1;
            other[b] += 1;
            both[a * BINS + b] += 1;
        }
        for p in [chi_square_p(&one, BINS - 1), chi_square_p(&other, BINS - 1), chi_square_p(&both, BINS * BINS - 1)] {
            assert!(0.001 < p && p < 0.999, "{p}");
        }
    }

    #[test]
    fn variants_get_their_weight_and_the_control_group_its_share() {
        let mut observed = [0_i64; 4];
        for key in 1..=200_000_u32 {
            let choice = choose(unit_interval(b"upgrade", key.to_string().as_bytes()), Some(0.1), &[1.0, 3.0, 5.0]);
            observed[match choice {
                Choice::Control => 0,
                Choice::Variant(index) => 1 + index,
            }] += 1;
        }
        let chi_square: f64 = observed
            .iter()
            .zip([0.1, 0.1, 0.3, 0.5])
            .map(|(&o, share)| (o as f64 - 200_000.0 * share).powi(2) / (200_000.0 * share))
            .sum();
        assert!(gamma_ur(1.5, chi_square / 2.0) > 0.001, "{observed:?}");
    }
}
