//! The text form of a uuid.

/// A uuid in its canonical text form.
pub fn format(bytes: &[u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
        out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
    }
    out
}

/// Parses a uuid as PostgreSQL does: in any case, with or without braces, and with hyphens after any group of four
/// digits.
pub fn parse(text: &[u8]) -> Option<[u8; 16]> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"{").map_or(Some(text), |t| t.strip_suffix(b"}"))?;
    let mut out = [0u8; 16];
    let mut digits = 0;
    for (i, byte) in text.iter().enumerate() {
        if *byte == b'-' {
            if digits == 0 || digits % 4 != 0 || text[i - 1] == b'-' || digits == 32 {
                return None;
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16)? as u8;
        *out.get_mut(digits / 2)? |= if digits % 2 == 0 { digit << 4 } else { digit };
        digits += 1;
    }
    (digits == 32).then_some(out)
}
