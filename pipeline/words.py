"""The words of file and folder names that say something of a video, in lower case."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SOURCE_WORDS = _words(
    "source sources src master masters mezzanine mezzanines mezz original originals orig ref refs reference references "
    "pristine"
)
# Folders that hold encodes of many titles: they say nothing of the title.
ROLE_FOLDERS = _words(
    "encode encodes encoded encoding encodings rendition renditions variant variants output outputs out transcode "
    "transcodes transcoded ladder ladders distorted video videos hls dash cmaf vod vods abr stream streams streaming "
    "delivery deliveries packaged"
)
CODECS = {
    "h264": r"(?:lib)?[xh][._ -]?264|avc1?",
    "hevc": r"(?:lib)?[xh][._ -]?265|hevc|hvc1|hev1",
    "vvc": r"[xh][._ -]?266|vvc|vvenc",
    "av1": r"(?:lib)?av1|(?:lib)?svt[._-]?av1|svtav1|(?:lib)?aom(?:enc)?|rav1e|libaom[._-]av1",
    "vp9": r"vp9|libvpx[._-]vp9",
    "vp8": r"vp8|libvpx",
    "mpeg2video": r"mpeg-?2(?:video)?|h262",
    "mpeg4": r"mpeg-?4|xvid|divx",
    "prores": r"prores(?:hq)?",
}
NAMED_LINES = {"4k": 2160, "uhd": 2160, "8k": 4320, "fhd": 1080, "fullhd": 1080, "qhd": 1440}
BARE_LINES = _words("144 180 216 234 240 270 288 360 396 404 406 432 450 480 540 576 720 900 1080 1440 2160 4320")
WEAK_WORDS = _words(
    "high highest higher hi hq low lowest lower lo lq mid med medium mq hd sd "
    "ultrafast superfast veryfast faster fast slow slower veryslow placebo main main10 high10 baseline "
    "distorted degraded compressed encoded encode transcoded transcode rendition variant"
)

JOINING = _words("of and &")  # "Master of None"
