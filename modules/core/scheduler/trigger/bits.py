"""Sets of small numbers as the bits of one integer: bit n stands for n."""

from __future__ import annotations

from collections.abc import Sequence

NONE = -1
SEVERAL = 64  # bits that are set one by one; more of them are written into a row of digits


def first_from(mask: int, number: int) -> int:
    """Return the least of a set that is not less than a number, or `NONE`."""
    rest = mask >> number
    return number + (rest & -rest).bit_length() - 1 if rest else NONE


def last_before(mask: int, number: int) -> int:
    """Return the greatest of a set that is less than a number, or `NONE`."""
    return (mask & (1 << number) - 1).bit_length() - 1


def numbers_of(mask: int) -> tuple[int, ...]:
    """Return what is in a set, in order."""
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)


def ticks(number: int, step: int) -> int:
    """Return so many bits from the first on, one every `step`."""
    if number < 1:
        return 0
    mask, done = 1, 1
    while done < number:
        mask |= mask << done * step
        done *= 2
    return mask & ((1 << (number - 1) * step + 1) - 1)


def mask_of(slots: Sequence[int], width: int) -> int:
    """Return the mask that has these bits, of so many."""
    if len(slots) <= SEVERAL:
        mask = 0
        for slot in slots:
            mask |= 1 << slot
        return mask
    digits = bytearray(b"0") * width
    for slot in slots:
        digits[-1 - slot] = ord("1")
    return int(digits, 2)


def runs_of(mask: int) -> list[tuple[int, int]]:
    """Return from which bit to which, exclusively, a mask has all."""
    found, at = [], 0
    while mask:
        start = (mask & -mask).bit_length() - 1
        mask >>= start
        length = (~mask & mask + 1).bit_length() - 1
        mask >>= length
        found.append((at + start, at + start + length))
        at += start + length
    return found
