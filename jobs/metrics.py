"""What workers count for Ray's dashboard, and whatever Prometheus is scraped into behind it."""

from __future__ import annotations

from .work import Done, Outcome

BOUNDS = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]  # seconds


class Metrics:
    """Counters and a histogram of one worker; only inside Ray.

    yoto_video_rows (status), yoto_video_frames, yoto_video_lost_ladders (how), yoto_video_ladder_seconds (stage: probe,
    decode, wait, inference, pictures, wall).
    """

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Histogram

        self._rows = Counter("yoto_video_rows", "Rows that were measured.", tag_keys=("status",))
        self._frames = Counter("yoto_video_frames", "Frames that went through the network.")
        self._lost = Counter("yoto_video_lost_ladders", "Ladders without an answer.", tag_keys=("how",))
        self._seconds = Histogram(
            "yoto_video_ladder_seconds", "Time a ladder took, by stage.", boundaries=BOUNDS, tag_keys=("stage",)
        )

    def count(self, outcome: Outcome) -> None:
        """Count a task that ended."""
        if not isinstance(outcome, Done):
            self._lost.inc(tags={"how": outcome.how})
            return
        for row in outcome.result.results:
            self._rows.inc(tags={"status": row.clip.status})
        if outcome.result.frames:  # Ray refuses to count zero
            self._frames.inc(outcome.result.frames)
        for stage, seconds in outcome.result.seconds.items():
            self._seconds.observe(max(seconds, 1e-6), tags={"stage": stage})
