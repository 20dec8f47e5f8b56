"""Programs that are slow, loud, refused or absent."""

from __future__ import annotations

from homeport.system.programs import output_of


def test_output_is_read_to_its_end() -> None:
    text, wrong = output_of("sh", "-c", "head -c 300000 /dev/zero; echo; cat; echo $LC_ALL")
    assert text is not None
    assert (len(text), text[-2:], wrong) == (300_003, b"C\n", "")


def test_what_goes_wrong_is_said() -> None:
    assert output_of("homeport-has-no-such-program") == (None, "homeport-has-no-such-program is not installed")
    assert output_of("sh", "-c", "echo no rights >&2; exit 1") == (None, "sh: no rights")
    assert output_of("sh", "-c", "exit 3") == (None, "sh ended with code 3")
    assert output_of("sleep", "600", patience=0.1) == (None, "sleep did not finish within 0.1 s")
    assert output_of("sh", "-c", "exec >&- 2>&-; exec sleep 600", patience=0.1) == (
        None,
        "sh did not finish within 0.1 s",
    )
    assert output_of("yes", most=100_000) == (None, "yes wrote too much")
    assert output_of("sh", "-c", "yes >&2", most=100_000) == (None, "sh wrote too much")
