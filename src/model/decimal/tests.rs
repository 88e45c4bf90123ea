use super::*;
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|| panic!("not a number: {text}"))
}

fn numeric(parts: &[u16]) -> Option<Decimal> {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_ne_bytes()).collect();
    Decimal::from_numeric(&bytes)
}

#[test]
fn equality_is_of_the_numbers() {
    for (a, b) in [
        ("1.0", "1.00"),
        ("-0", "0"),
        ("-0.000", "0e5"),
        ("00012.5", "12.50"),
        ("1e3", "1000"),
        ("12345e-3", "12.345"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("NaN", " nan "),
        ("inf", "+INFINITY"),
        ("-Inf", "-infinity"),
        ("10000", "1E+4"),
        ("0.0001", "1e-04"),
    ] {
        assert_eq!(d(a), d(b), "{a} = {b}");
        assert_eq!(d(a).cmp(&d(b)), Ordering::Equal);
    }
}

#[test]
fn the_order_is_postgresqls() {
    let ascending = [
        "-Infinity",
        "-1e100",
        "-10001",
        "-10000",
        "-9999.9999",
        "-1.5",
        "-1",
        "-0.0001",
        "0",
        "1e-300",
        "0.0001",
        "0.00011",
        "1",
        "1.0001",
        "9999",
        "10000",
        "10000.0001",
        "1e100",
        "1.1e100",
        "Infinity",
        "NaN",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(d(a).cmp(&d(b)), i.cmp(&j), "{a} and {b}");
            assert_eq!(d(a).partial_cmp(&d(b)), Some(i.cmp(&j)));
        }
    }
}

#[test]
fn what_numeric_does_not_read_is_refused() {
    for text in [
        "", " ", "+", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1e5x", "1 2", "1.2.3", "--1", "+-1", "+NaN",
        "-NaN", "0x10", "1_000", "1,5", "١", "infinit", "in", "nanx", "1e1.5",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text:?}");
    }
    assert_eq!(d(" \t\n\r\x0B\x0C1.5 \x0B"), d("1.5"));
}

#[test]
fn the_range_is_numerics() {
    assert!(Decimal::parse("1e131071").is_some());
    assert!(Decimal::parse("1e131072").is_none());
    assert!(Decimal::parse("9.9e131071").is_some());
    assert!(Decimal::parse("1e-16383").is_some());
    assert!(Decimal::parse("1e-16385").is_none());
    assert!(Decimal::parse("1e1000000000").is_none());
    assert!(Decimal::parse("1e1000000001").is_none());
    assert!(Decimal::parse("1e-99999999999999999999999999").is_none());
    assert_eq!(Decimal::parse("1e18446744073709551617"), None);
    assert_eq!(Decimal::parse("0e1000000000"), Some(Decimal::zero()));
}

#[test]
fn what_can_be_summed_is_below_ten_to_the_thousand() {
    for summable in ["0", "-1.5", "1e-16383", "1e999", "-9.99e999", "123456789012345678901234567890.5"] {
        assert!(d(summable).is_summable(), "{summable}");
    }
    for other in ["1e1000", "-1e1003", "9e131071", "inf", "-inf", "nan"] {
        assert!(!d(other).is_summable(), "{other}");
    }
}

#[test]
fn it_displays_as_numeric_does() {
    for (number, text) in [
        ("0", "0"),
        ("-1.50", "-1.5"),
        ("1e4", "10000"),
        ("123456789.000012300", "123456789.0000123"),
        ("1e-9", "0.000000001"),
        ("-0.12345", "-0.12345"),
        ("100010000", "100010000"),
        ("12e8", "1200000000"),
        ("5.0001", "5.0001"),
        ("5.00010002", "5.00010002"),
        ("0.1", "0.1"),
        ("NaN", "NaN"),
        ("inf", "Infinity"),
        ("-inf", "-Infinity"),
    ] {
        assert_eq!(d(number).to_string(), text);
    }
}

#[test]
fn floats_become_the_shortest_decimal_that_reads_back() {
    for (float, text) in [
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e300, "1e300"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        (9007199254740993.0, "9007199254740992"),
    ] {
        assert_eq!(Decimal::from_f64(float), d(text));
    }
    for (float, text) in [
        (0.1f32, "0.1"),
        (16777217.0, "16777216"),
        (f32::NAN, "NaN"),
        (f32::NEG_INFINITY, "-inf"),
        (f32::INFINITY, "inf"),
        (f32::MIN_POSITIVE, "1.1754944e-38"),
    ] {
        assert_eq!(Decimal::from_f32(float), d(text));
    }
}

#[test]
fn integers_and_money_are_exact() {
    assert_eq!(Decimal::from(i64::MIN), d("-9223372036854775808"));
    assert_eq!(Decimal::from(i64::MAX), d("9223372036854775807"));
    assert_eq!(Decimal::from(0), Decimal::zero());
    assert_eq!(Decimal::scaled(1999, 2), d("19.99"));
    assert_eq!(Decimal::scaled(-5, 3), d("-0.005"));
    assert_eq!(Decimal::scaled(i64::MIN, 0), Decimal::from(i64::MIN));
    assert_eq!(Decimal::scaled(0, 2), Decimal::zero());
    assert_eq!(Decimal::scaled(100, 2), Decimal::from(1));
}

#[test]
fn whole_numbers_are_told_from_fractions() {
    for whole in ["0", "1", "-10000", "1e20", "5.00", "99999999999999999999", "123456789012345678901234567890"] {
        assert!(d(whole).is_integer(), "{whole}");
    }
    for other in ["0.5", "10000.0001", "99999999999999999999.5", "1e-9", "NaN", "inf", "-inf"] {
        assert!(!d(other).is_integer(), "{other}");
    }
    for (number, as_i64) in [
        ("0", Some(0)),
        ("-12.00", Some(-12)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("0.5", None),
        ("inf", None),
        ("nan", None),
    ] {
        assert_eq!(d(number).as_i64(), as_i64, "{number}");
    }
    assert!(d("1.5").is_finite() && !d("inf").is_finite() && !d("nan").is_finite());
    assert!(d("nan").is_nan() && !d("inf").is_nan() && !d("1").is_nan());
    assert_eq!(Decimal::nan(), d("nan"));
    assert_eq!(Decimal::infinity(), d("inf"));
    assert_eq!(Decimal::negative_infinity(), d("-inf"));
}

/// The bytes PostgreSQL 15 stores (pageinspect, without the varlena header), little endian.
#[cfg(target_endian = "little")]
#[test]
fn stored_numerics_are_read() {
    for (hex, text) in [
        ("0080", "0"),
        ("0081", "0.00"),
        ("00800100", "1"),
        ("00a00100", "-1"),
        ("80800100", "1.0"),
        ("00810100", "1.00"),
        ("01800100", "10000"),
        ("7f820100", "0.0001"),
        ("7fa401002909", "-0.00012345"),
        ("0181d2042e162823", "12345678.90"),
        ("04800f270f270f270f270f27", "99999999999999999999"),
        ("19800100", "1e100"),
        ("6440e7ff0100", "-1e-100"),
        ("00c0", "NaN"),
        ("00d0", "Infinity"),
        ("00f0", "-Infinity"),
        ("80816400", "100.000"),
    ] {
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert_eq!(Decimal::from_numeric(&bytes), Some(d(text)), "{text}");
    }
}

#[test]
fn damaged_numerics_are_refused() {
    assert_eq!(Decimal::from_numeric(&[]), None);
    assert_eq!(Decimal::from_numeric(&[0]), None);
    // a long header without its weight, half a digit, digits out of range, an unknown special value
    assert_eq!(numeric(&[0x0000]), None);
    assert_eq!(Decimal::from_numeric(&[&0x8000u16.to_ne_bytes()[..], &[1]].concat()), None);
    assert_eq!(numeric(&[0x8000, 10_000]), None);
    assert_eq!(numeric(&[0x8000, 0xFFFF]), None);
    assert_eq!(numeric(&[0x8000, 9_999]), Some(d("9999")));
    assert_eq!(numeric(&[0xE000]), None);
}

#[test]
fn stored_numerics_need_not_be_normalised() {
    assert_eq!(numeric(&[0x8002, 0, 0, 7, 0]), Some(d("7")));
    assert_eq!(numeric(&[0x4000, 1, 0, 0]), Some(Decimal::zero()));
    assert_eq!(numeric(&[0x0000, 0x7FFF, 1]).unwrap().to_string().len(), 4 * 0x7FFF + 1);
}

#[test]
fn subtraction_follows_postgresql_at_the_edges() {
    let (inf, neg, nan) = (Decimal::infinity(), Decimal::negative_infinity(), Decimal::nan());
    let one = d("1");
    for (a, b, result) in [
        (&inf, &inf, &nan),
        (&neg, &neg, &nan),
        (&nan, &one, &nan),
        (&one, &nan, &nan),
        (&inf, &one, &inf),
        (&inf, &neg, &inf),
        (&one, &neg, &inf),
        (&neg, &one, &neg),
        (&neg, &inf, &neg),
        (&one, &inf, &neg),
    ] {
        assert_eq!(&a.sub(b), result, "{a} - {b}");
    }
    assert_eq!(d("0.3").sub(&d("0.1")), d("0.2"));
    assert_eq!(Decimal::from(i64::MAX).sub(&Decimal::from(i64::MIN)), d("18446744073709551615"));
    assert_eq!(d("1").sub(&d("1.00")), Decimal::zero());
    assert_eq!(Decimal::zero().sub(&Decimal::zero()), Decimal::zero());
    assert_eq!(Decimal::zero().sub(&d("-1e-9")), d("1e-9"));
    assert_eq!(d("1e-9").sub(&Decimal::zero()), d("1e-9"));
    assert_eq!(Decimal::zero().sub(&d("1e-9")), d("-1e-9"));
    assert_eq!(d("1e9").sub(&d("1e-9")), d("999999999.999999999"));
    assert_eq!(d("10000").sub(&d("-9990000")), d("1e7"));
}

#[test]
fn ordinary_numbers_need_no_allocation() {
    let Decimal(Repr::Finite { digits, .. }) = d("-9223372036854775808.123456789") else { panic!() };
    assert!(!digits.spilled());
}

/// A decimal, and the same number in units of 10^-9.
fn small() -> impl Strategy<Value = (String, i128)> {
    (-100_000_000_000_000i64..100_000_000_000_000, -9i32..10).prop_map(|(mantissa, exponent)| {
        (format!("{mantissa}e{exponent}"), i128::from(mantissa) * 10i128.pow((exponent + 9) as u32))
    })
}

fn from_units(units: i128) -> Decimal {
    d(&format!("{units}e-9"))
}

proptest! {
    #[test]
    fn arithmetic_and_order_agree_with_integers((a, x) in small(), (b, y) in small()) {
        prop_assert_eq!(d(&a).cmp(&d(&b)), x.cmp(&y));
        prop_assert_eq!(d(&a) == d(&b), x == y);
        prop_assert_eq!(d(&a).sub(&d(&b)), from_units(x - y));
    }

    #[test]
    fn nearby_numbers_agree_with_integers(a in -30_000i64..30_000, b in -30_000i64..30_000, scale in 0u32..6) {
        let (x, y) = (Decimal::scaled(a, scale), Decimal::scaled(b, scale));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.sub(&y), Decimal::scaled(a - b, scale));
    }

    #[test]
    fn what_is_displayed_reads_back((a, _) in small(), far in -300i32..300) {
        let number = d(&format!("{}e{far}", d(&a).to_string().replace("e", "")));
        prop_assert_eq!(d(&number.to_string()), number);
    }

    #[test]
    fn integers_agree_with_their_text(a: i64, b: i64) {
        prop_assert_eq!(Decimal::from(a), d(&a.to_string()));
        prop_assert_eq!(Decimal::from(a).to_string(), a.to_string());
        prop_assert_eq!(Decimal::from(a).cmp(&Decimal::from(b)), a.cmp(&b));
        prop_assert_eq!(Decimal::from(a).sub(&Decimal::from(b)).to_string(), (i128::from(a) - i128::from(b)).to_string());
    }

    #[test]
    fn floats_keep_their_order_and_come_back(a: f64, b: f64) {
        let (x, y) = (Decimal::from_f64(a), Decimal::from_f64(b));
        if let Some(order) = a.partial_cmp(&b) {
            prop_assert_eq!(x.cmp(&y), order);
        }
        if !a.is_nan() {
            prop_assert_eq!(x.to_string().parse::<f64>().unwrap(), a);
        }
        prop_assert_eq!(x.is_integer(), a.is_finite() && a.fract() == 0.0);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..16), text: String) {
        if let Some(number) = Decimal::from_numeric(&bytes) {
            let _ = number.sub(&Decimal::from(1));
        }
        let _ = Decimal::parse(&text);
    }

    #[test]
    fn numbers_are_read_from_both_headers(digits in proptest::collection::vec(0u16..10_000, 0..6), weight in -20i16..20, negative: bool) {
        let short = 0x8000 | if negative { 0x2000 } else { 0 } | (weight as u16 & 0x7F);
        let long = if negative { 0x4000 } else { 0 };
        let read = numeric(&[&[short], &digits[..]].concat());
        prop_assert_eq!(&read, &numeric(&[&[long, weight as u16], &digits[..]].concat()));
        let mut text = String::from(if negative { "-0" } else { "0" });
        digits.iter().for_each(|digit| text.push_str(&format!("{digit:04}")));
        let exponent = 4 * (i32::from(weight) + 1 - digits.len() as i32);
        prop_assert_eq!(read, Decimal::parse(&format!("{text}e{exponent}")));
    }
}

#[test]
fn a_plain_number_is_read_and_nothing_else() {
    for (text, number) in [("0", "0"), ("-0.0", "0"), ("007.50", "7.5"), ("-12.345", "-12.345"), ("1.000", "1")] {
        assert_eq!(Decimal::parse_plain(text.as_bytes()), Decimal::parse(number), "{text}");
    }
    for other in ["", "-", ".", "1.", ".1", "+1", "1e1", "1 ", " 1", "--1", "1.2.3", "1,2", "NaN", "Infinity", "١"] {
        assert_eq!(Decimal::parse_plain(other.as_bytes()), None, "{other:?}");
    }
    let digits = |count| Decimal::parse_plain("1".repeat(count).as_bytes());
    assert!(digits(131_072).is_some() && digits(131_073).is_none());
    assert!(Decimal::parse_plain("0".repeat(LONGEST_PLAIN).as_bytes()).is_some());
    assert!(Decimal::parse_plain("0".repeat(LONGEST_PLAIN + 1).as_bytes()).is_none());
}

#[test]
fn a_number_in_a_message_is_short() {
    let shown = |text: &str| Decimal::parse(text).unwrap().shown();
    assert_eq!((shown("-32768"), shown("999.99")), ("-32768".into(), "999.99".into()));
    assert_eq!((shown("1.5e300"), shown("-1e-300")), ("1.5e300".into(), "-1e-300".into()));
    // beyond a double there is no shorter form
    assert_eq!(shown("1e400").len(), 401);
}
