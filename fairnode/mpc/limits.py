"""What computing under secret sharing does not protect against: said wherever a combination is shown (P22)."""

from __future__ import annotations

from fairnode.mpc.dealing.subsets import threshold


def limits(parties: int) -> tuple[str, ...]:
    """The limits in sentences, for a computation by so many compute parties."""
    most = threshold(parties)
    alone = "any one alone learns" if most == 1 else f"any {most} together learn"
    secret = (
        f"Of the {parties} compute parties, {alone} nothing from what they hold; {most + 1} or more "
        "who work together can open every organisation's numbers."
    )
    return (
        "The compute parties are expected to follow the protocol; a party that does not can falsify the result.",
        secret,
        "An organisation that puts in numbers that are not true shifts the result, and nobody notices.",
        "The programs are new and have not been reviewed by a cryptographer from outside.",
    )
