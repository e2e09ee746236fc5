"""A second ITCH 5.0 decoder, from NASDAQ's specification alone: slow, plain, sharing nothing with the C.

One row per message type: its name and its fields in wire order, each with the struct letter of its type in
the specification (Integer: H, I or Q by size; Price (4): I; Price (8): Q; Alpha: c or Ns).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

MESSAGES: dict[str, tuple[str, str]] = {
    "S": ("system_event", "c:event_code"),
    "R": (
        "stock_directory",
        """8s:stock c:market_category c:financial_status I:round_lot_size c:round_lots_only
        c:issue_classification 2s:issue_subtype c:authenticity c:short_sale_threshold c:ipo_flag
        c:luld_price_tier c:etp_flag I:etp_leverage c:inverse""",
    ),
    "H": ("trading_action", "8s:stock c:trading_state c:reserved 4s:reason"),
    "Y": ("reg_sho", "8s:stock c:action"),
    "L": (
        "participant_position",
        "4s:participant 8s:stock c:primary_market_maker c:market_maker_mode c:participant_state",
    ),
    "V": ("mwcb_decline_levels", "Q:level1 Q:level2 Q:level3"),
    "W": ("mwcb_status", "c:breached_level"),
    "K": ("quoting_period", "8s:stock I:release_time_s c:release_qualifier I:price"),
    "J": ("luld_collar", "8s:stock I:reference_price I:upper_price I:lower_price I:extension"),
    "h": ("operational_halt", "8s:stock c:market_code c:action"),
    "A": ("add_order", "Q:reference c:side I:shares 8s:stock I:price"),
    "F": ("add_order_attributed", "Q:reference c:side I:shares 8s:stock I:price 4s:attribution"),
    "E": ("order_executed", "Q:reference I:shares Q:match_number"),
    "C": ("order_executed_at_price", "Q:reference I:shares Q:match_number c:printable I:price"),
    "X": ("order_cancel", "Q:reference I:shares"),
    "D": ("order_delete", "Q:reference"),
    "U": ("order_replace", "Q:reference Q:new_reference I:shares I:price"),
    "P": ("trade", "Q:reference c:side I:shares 8s:stock I:price Q:match_number"),
    "Q": ("cross_trade", "Q:shares 8s:stock I:price Q:match_number c:cross_type"),
    "B": ("broken_trade", "Q:match_number"),
    "I": (
        "order_imbalance",
        """Q:paired_shares Q:imbalance_shares c:direction 8s:stock I:far_price I:near_price I:reference_price
        c:cross_type c:price_variation""",
    ),
    "N": ("retail_interest", "8s:stock c:interest"),
    "O": (
        "direct_listing",
        """8s:stock c:open_eligibility I:minimum_price I:maximum_price I:near_execution_price
        Q:near_execution_time I:lower_collar I:upper_collar""",
    ),
}


def decode(payload: bytes) -> dict[str, Any]:
    """One message without its frame as field name to value, in wire order; the timestamp in nanoseconds."""
    _, fields = MESSAGES[chr(payload[0])]
    letters, names = zip(*(field.split(":") for field in fields.split()), strict=True)
    locate, tracking = struct.unpack(">HH", payload[1:5])
    values = struct.unpack(">" + "".join(letters), payload[11:])
    header = {
        "type": payload[:1],
        "stock_locate": locate,
        "tracking_number": tracking,
        "timestamp": int.from_bytes(payload[5:11], "big"),
    }
    return header | dict(zip(names, values, strict=True))


def length(kind: str) -> int:
    """Bytes of a message of this type."""
    return 11 + struct.calcsize(">" + "".join(field.split(":")[0] for field in MESSAGES[kind][1].split()))


def frames(data: bytes) -> Iterator[bytes]:
    """The messages of BinaryFILE data, which must be whole."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">H", data, at)
        assert at + 2 + size <= len(data), f"the frame at byte {at} is cut off"
        yield data[at + 2 : at + 2 + size]
        at += 2 + size
