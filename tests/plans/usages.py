"""Usages whose counts do not contradict each other, for property tests."""

from hypothesis import strategies as st

from kernel.usage import Usage, check

counts = st.integers(0, 1_000_000)


@st.composite
def consistent_usages(draw: st.DrawFn) -> Usage:
    """Built from disjoint parts up to their totals, so that every combination is consistent."""
    cached_audio, cached_image, cached_text = draw(counts), draw(counts), draw(counts)
    audio, image, video, text = draw(counts), draw(counts), draw(counts), draw(counts)
    write_5m, write_1h = draw(counts), draw(counts)
    reasoning, spoken, drawn, written = draw(counts), draw(counts), draw(counts), draw(counts)
    cached = cached_audio + cached_image + cached_text
    usage = Usage(
        input_tokens=cached + audio + image + video + text + write_5m + write_1h,
        cache_read_tokens=cached,
        cache_read_audio_tokens=cached_audio,
        cache_read_image_tokens=cached_image,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        input_audio_tokens=cached_audio + audio,
        input_image_tokens=cached_image + image,
        input_video_tokens=video,
        output_tokens=reasoning + spoken + drawn + written,
        reasoning_tokens=reasoning,
        output_audio_tokens=spoken,
        output_image_tokens=drawn,
        web_searches=draw(st.integers(0, 100)),
        audio_milliseconds=draw(counts),
        document_pages=draw(st.integers(0, 1000)),
    )
    check(usage)
    return usage
