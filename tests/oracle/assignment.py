"""The assignment as docs/methods.md publishes it: XXH64 of the message's name, a zero byte and the user's key."""

import functools

P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
MASK = (1 << 64) - 1


def rotated(x, by):
    return (x << by | x >> 64 - by) & MASK


def mixed(lane, word):
    return rotated(lane + word * P2 & MASK, 31) * P1 & MASK


def xxh64(data):
    words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data) - len(data) % 8, 8)]
    stripes = len(data) // 32 * 4
    if stripes:
        lanes = [P1 + P2 & MASK, P2, 0, -P1 & MASK]
        for at, word in enumerate(words[:stripes]):
            lanes[at % 4] = mixed(lanes[at % 4], word)
        h = sum(rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            h = (h ^ mixed(0, lane)) * P1 + P4 & MASK
    else:
        h = P5
    h = h + len(data) & MASK
    for word in words[stripes:]:
        h = rotated(h ^ mixed(0, word), 27) * P1 + P4 & MASK
    rest = data[len(words) * 8 :]
    if len(rest) >= 4:
        h = rotated(h ^ int.from_bytes(rest[:4], "little") * P1 & MASK, 23) * P2 + P3 & MASK
        rest = rest[4:]
    for byte in rest:
        h = rotated(h ^ byte * P5 & MASK, 11) * P1 & MASK
    for shift, factor in ((33, P2), (29, P3)):
        h = (h ^ h >> shift) * factor & MASK
    return h ^ h >> 32


@functools.cache
def assigned(message, key, variants, share):
    """variants: (name, weight)s in the order in which they were added."""
    u = (xxh64(message.encode() + b"\0" + key.encode()) >> 11) * 2.0**-53
    if u < share:
        return "control"
    if not variants:
        return None
    t, running = (u - share) / (1 - share) * sum(weight for _, weight in variants), 0
    for name, weight in variants:
        running += weight
        if running > t:
            return name
    return variants[-1][0]
