"""What a process runs, where interpreters take options with values."""

from __future__ import annotations

import pytest

from homeport.model.owners import Process
from homeport.rules.commands import read


@pytest.mark.parametrize(
    ("words", "exe", "program"),
    [
        ("php -S 127.0.0.1:8000 -t /srv", "/usr/bin/php8.2", "php8.2"),
        ("php -S 127.0.0.1:8000 router.php", "/usr/bin/php8.2", "router.php"),
        ("php artisan serve", "/usr/bin/php8.2", "artisan"),
    ],
)
def test_the_address_of_phps_server_is_no_script(words: str, exe: str, program: str) -> None:
    process = Process(7, 1, None, "php", tuple(words.split()), exe, False, "/", 0, "root", 1, 1, None, "S", None)
    assert read(process).program == program
