"""What names say: the field's naming patterns, and that no name whatever trips the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.pipeline.names import Name, common_title, parse, title_key
from yoto_video.pipeline.values import Declared
from yoto_video.pipeline.words import SOURCE_WORDS


@pytest.mark.parametrize(
    ("path", "title", "declared"),
    [
        ("title_1080p_5000k.mp4", "title", Declared(height=1080, bitrate_kbps=5000)),
        ("title-1920x1080-5500kbps.mp4", "title", Declared(1920, 1080, 5500)),
        ("title_tbr_1700k.mp4", "title", Declared(bitrate_kbps=1700)),
        ("title_tbr1700.mp4", "title", Declared(bitrate_kbps=1700)),
        ("title_crf23.mp4", "title", Declared(crf=23)),
        ("title_crf_23.5.mkv", "title", Declared(crf=23.5)),
        ("title_high.mp4", "title", Declared()),
        ("title_low.mp4", "title", Declared()),
        ("title_x264.mp4", "title", Declared(codec="h264")),
        ("title.h.265.720p.mp4", "title", Declared(height=720, codec="hevc")),
        ("title_av1_5.5mbps.mkv", "title", Declared(bitrate_kbps=5500, codec="av1")),
        ("title libvpx-vp9 2Mbps.webm", "title", Declared(bitrate_kbps=2000, codec="vp9")),
        ("Big.Buck.Bunny.2008.720p59.94.mp4", "Big.Buck.Bunny.2008", Declared(height=720, fps=59.94)),
        ("title [2160p] (15000kbit).mp4", "title", Declared(height=2160, bitrate_kbps=15000)),
        ("Film (2024)_720p_2500k.mp4", "Film (2024)", Declared(height=720, bitrate_kbps=2500)),
        ("Kaffee [2024]_720p.mp4", "Kaffee [2024]", Declared(height=720)),
        ("(Kaffee)_720p.mp4", "(Kaffee)", Declared(height=720)),
        ('Käffee "Bar" [100%]_720p.mp4', 'Käffee "Bar" [100%]', Declared(height=720)),
        ("[Group] Show {01} [1080p].mkv", "[Group] Show {01}", Declared(height=1080)),
        ("Film 1080p (2024).mp4", "Film (2024)", Declared(height=1080)),
        ("Film (Director's Cut 1080p).mp4", "Film (Director's Cut)", Declared(height=1080)),
        ("Film (2024_720p.mp4", "Film (2024", Declared(height=720)),
        ("title_4K.mp4", "title", Declared(height=2160)),
        ("title_720.mp4", "title", Declared(height=720)),
        ("title_3840x2160_1080p_60.0fps_8bit_hevc.mp4", "title", Declared(height=1080, codec="hevc", fps=60)),
        ("high_school_720p.mp4", "high_school", Declared(height=720)),
        ("run_10k.mov", "run", Declared()),
        ("1080p/title.mp4", "title", Declared(height=1080)),
        ("h264/5000k/title.mp4", "title", Declared(bitrate_kbps=5000, codec="h264")),
        ("title/1080p_5000k.mp4", "", Declared(height=1080, bitrate_kbps=5000)),
    ],
)
def test_names_of_the_field(path: str, title: str, declared: Declared) -> None:
    name = parse(path)
    assert name.title == title
    assert name.declared == declared


@pytest.mark.parametrize(
    "paths",
    [
        ["t_1080p_5000k.mp4", "t-1920x1080-5500kbps.mp4", "t.tbr_1700k.mp4", "t crf23.mp4", "T_high.mp4", "t_low.mp4"],
        ["t_x264_720p.mp4", "t_hevc_720p.mp4", "t_av1_720p.webm", "t_vp9_720p.webm"],  # codecs of one title: one ladder
        ["sources/t.mp4", "encodes/t_1080p_5000k.mp4", "t_mezzanine.mov", "encodes/720p/t.mp4"],
        ["t/source.mp4", "t/1080p.mp4", "t/t_720p.mp4", "t_360p.mp4"],
        ["films/a b/t_1080p.mp4", "films/a_b/1080p/t.mp4", "films/A.B/master/t.mov"],
    ],
)
def test_one_title_has_one_key(paths: list[str]) -> None:
    assert len({parse(path).key for path in paths}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a_1080p.mp4", "b_1080p.mp4"),
        ("x/a_1080p.mp4", "y/a_1080p.mp4"),
        ("show_s01e01_720p.mp4", "show_s01e02_720p.mp4"),
        ("title_hdr_2160p.mp4", "title_sdr_2160p.mp4"),  # another grade is another picture
        ("bikes.mp4", "coffee.mp4"),
    ],
)
def test_different_titles_have_different_keys(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key


@pytest.mark.parametrize("word", ["source", "master", "mezzanine", "original", "ref", "pristine"])
def test_source_words_as_tokens_and_folders(word: str) -> None:
    for path in (
        f"t_{word}.mp4",
        f"{word}-t.mp4",
        f"{word}/t.mp4",
        f"t.{word.upper()}.1080p.mp4",
        f"{word}_files/t.mp4",
    ):
        assert parse(path).source_words == (0 if word + "_files" in path else 1), path
    assert parse(f"{word}/t_{word}.mp4").source_words == 2


@pytest.mark.parametrize(
    "path", ["preference.mp4", "mastering_class.mp4", "resource_1080p.mp4", "the_source_code_1080p.mp4", "refs2/t.mp4"]
)
def test_source_words_only_whole_and_at_an_end(path: str) -> None:
    assert parse(path).source_words == 0


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("Master of None 360p.mp4", "Master of None"),
        ("Master and Commander (2003).mov", "Master and Commander (2003)"),
        ("The Original_1080p_4000k.mp4", "The Original"),
        ("masters/The Master.mov", "The Master"),
    ],
)
def test_source_words_that_grammar_joins_to_a_title_are_of_it(path: str, title: str) -> None:
    assert parse(path).title == title
    assert parse(path).source_words == path.startswith("masters/")


def test_weak_names_are_marked() -> None:
    assert parse("clip_1080p.mp4").strong
    assert parse("1080p/clip.mp4").strong
    for path in ("clip_360.mp4", "clip_high.mp4", "clip.mp4", "clip_5m.mp4"):
        assert not parse(path).strong, path


def test_common_title() -> None:
    assert common_title(["ferris-ref", "ferris-test-sat", "ferris-nearest"]) == "ferris"
    assert common_title(["Big Buck a", "big buck b"]) == "Big Buck"
    assert common_title(["Film (2024) a", "Film (2024) b"]) == "Film (2024)"
    assert common_title(["a", "b"]) == ""


@given(st.text(max_size=60))
def test_any_text_is_a_name(text: str) -> None:
    name = parse(text)
    assert isinstance(name, Name)
    assert name == parse(text)
    assert all(part for part in name.key)
    assert title_key(name) == (name.key[-1] if name.key else "")


_TITLES = st.text("abcdefghijklm", min_size=3, max_size=8).filter(lambda text: text not in SOURCE_WORDS)
_RUNGS = st.sampled_from(
    ["1080p", "640x360", "5000k", "1.5mbps", "crf23", "x264", "av1", "30fps", "tbr_1700k", "10bit"]
)


@given(_TITLES, _TITLES, st.lists(_RUNGS, min_size=1, max_size=4), st.sampled_from("_-. "))
def test_rungs_in_any_order_and_number_leave_the_title(one: str, two: str, rungs: list[str], separator: str) -> None:
    title = separator.join(["zz" + one, "zz" + two])
    name = parse(separator.join([title, *rungs]) + ".mp4")
    assert name.title == title
    assert name.strong
    assert name.key == parse(title + ".mp4").key == parse(separator.join([*rungs, title]) + ".mkv").key


@given(
    st.recursive(
        st.sampled_from(["film", "2024", "1080p", "crf23", "high", "source", ""]),
        lambda inside: st.builds("{0[0]}{1}{2}{3}{0[1]}".format, st.sampled_from(["()", "[]", "{}"]), inside,
                                 st.sampled_from("_ .-"), inside)
        | st.builds("{}{}{}".format, inside, st.sampled_from("_ .-"), inside),
        max_leaves=8,
    )
)  # fmt: skip
def test_titles_of_paired_brackets_have_them_in_pairs(stem: str) -> None:
    title = parse(f"{stem}.mp4").title
    open_ones: list[str] = []
    for character in title:
        if character in "([{":
            open_ones.append(character)
        elif character in ")]}":
            assert open_ones.pop() + character in ("()", "[]", "{}")
    assert not open_ones
    assert "()" not in title.replace(" ", "")
