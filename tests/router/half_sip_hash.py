"""HalfSipHash-2-4 with 64 bits of output, as its authors describe it: what the router's script is compared with."""


def half_sip_hash(data: bytes, low: int, high: int) -> str:
    """The hash of `data` under the key's two words, as 16 hexadecimal digits."""
    mask = 0xFFFFFFFF

    def rol(value: int, by: int) -> int:
        return ((value << by) | (value >> (32 - by))) & mask

    v0, v1, v2, v3 = low, high ^ 0xEE, 0x6C796765 ^ low, 0x74656462 ^ high

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & mask
            v1 = rol(v1, 5) ^ v0
            v0 = rol(v0, 16)
            v2 = (v2 + v3) & mask
            v3 = rol(v3, 8) ^ v2
            v0 = (v0 + v3) & mask
            v3 = rol(v3, 7) ^ v0
            v2 = (v2 + v1) & mask
            v1 = rol(v1, 13) ^ v2
            v2 = rol(v2, 16)

    padded = data + bytes(-(len(data) + 1) % 4) + bytes([len(data) & 0xFF])
    for at in range(0, len(padded), 4):
        word = int.from_bytes(padded[at : at + 4], "little")
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xEE
    rounds(4)
    first = v1 ^ v3
    v1 ^= 0xDD
    rounds(4)
    return f"{first:08x}{v1 ^ v3:08x}"
