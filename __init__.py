"""yoto-video: batch video-quality monitoring for people who run transcoding ladders.

`yoto_video.score(path, reference=None)` judges one video, `yoto_video.scan(path, out=...)` a folder or bucket of them;
both do what the commands of the same names do. Nothing heavy is imported until one of them is used.
"""

__version__ = "0.1.0"
__all__ = ["scan", "score"]


def __getattr__(name: str) -> object:
    """Load a public name on first use, so that `import yoto_video` costs nothing."""
    if name in __all__:
        module = __import__("yoto_video.jobs.api", fromlist=[name])
        return getattr(module, name)
    raise AttributeError(f"module 'yoto_video' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names too, before their first use: what an interactive shell completes."""
    return sorted({*globals(), *__all__})
