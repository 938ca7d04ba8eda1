"""What the feed remembers between runs: one item, written only by the holder of its lease."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.domain.record import moment
from functions.feed.windows import LOOPS, MINUTE, Progress, start_progress


@dataclass(frozen=True, slots=True)
class FeedState:
    """floor: nothing before it is listed. calls: the times of the requests of the last 300 s."""

    floor: datetime
    progress: Mapping[str, Progress]
    calls: tuple[datetime, ...] = ()
    blocked_until: datetime | None = None

    def lag(self, now: datetime) -> timedelta:
        """How far the watermark is behind."""
        return now - self.progress[MINUTE.name].until


def first_state(now: datetime, since: timedelta) -> FeedState:
    """The state at the first run."""
    floor = now - since
    return FeedState(floor, {loop.name: start_progress(loop, floor) for loop in LOOPS})


def state_attributes(state: FeedState) -> dict[str, object]:
    """The attributes of the item, except its key and its lease."""
    return {
        "floor": moment(state.floor),
        "progress": {
            name: {
                "until": moment(it.until),
                "position": moment(it.position) if it.position else None,
                "goal": moment(it.goal),
                "step": it.step.total_seconds(),
            }
            for name, it in state.progress.items()
        },
        "calls": [at.timestamp() for at in state.calls],
        "blocked_until": moment(state.blocked_until) if state.blocked_until else None,
    }


def read_state(item: Mapping[str, Any]) -> FeedState:
    """The state of an item."""
    floor = datetime.fromisoformat(item["floor"])
    known = {name: _progress(it) for name, it in item["progress"].items()}
    blocked_until = item["blocked_until"]
    return FeedState(
        floor=floor,
        progress={loop.name: known.get(loop.name) or start_progress(loop, floor) for loop in LOOPS},
        calls=tuple(datetime.fromtimestamp(at, UTC) for at in item["calls"]),
        blocked_until=datetime.fromisoformat(blocked_until) if blocked_until else None,
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    position = item["position"]
    return Progress(
        until=datetime.fromisoformat(item["until"]),
        position=datetime.fromisoformat(position) if position else None,
        goal=datetime.fromisoformat(item["goal"]),
        step=timedelta(seconds=item["step"]),
    )
