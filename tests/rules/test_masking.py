from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules.masking import HIDDEN, MOST, mask, mask_environment

WORD = st.text(alphabet=string.ascii_letters + string.digits, min_size=8, max_size=24).map(lambda word: f"Zq{word}")
TEMPLATES = (
    "postgres://app:{}@localhost:5432/shop",
    "DATABASE_URL=postgresql://app:{}@localhost:5432/shop",
    "redis://:{}@127.0.0.1:6379/0",
    "https://example.org/?a=1&api_key={}&b=2",
    "DB_PASSWORD={}",
    'export SECRET_KEY="{}"',
    "password: {}",
    '"auth_token": "{}",',
    "requirepass_password = '{}'",
    "mysql --password {} -P 3306",
    "server --api-key={} --port 3000",
    "Authorization: Bearer {}",
    "curl -H 'authorization: basic {}'",
    '["--token", "{}"]',
    "cookie_secret => {}",
    "requirepass {}",
    "user default on >{} ~* +@all",
    "mysql -u root -p{}",
    "redis-cli -a {} ping",
    "curl -u bob:{} http://localhost:3000/",
    "mysql://app:a/{}@localhost:3306/shop",
    "postgres://app:p@{}@localhost:5432/shop",
    "app:{}@tcp(127.0.0.1:3306)/shop",
    "Server=x;User Id=app;Password={};Port=3000",
    "password: correct horse {} battery",
    "password=hello; {}",
    "PASSWORD=a={}",
    "CREATE USER app IDENTIFIED BY '{}'",
    '--password="a\\"{}" --port 3000',
    "os.environ['DB_PASSWORD'] = '{}'",
    'process.env.JWT_SECRET || "{}"',
    'os.getenv("TOKEN", "{}")',
    '<add key="Password" value="{}" />',
    "Cookie: sid={}; port=3000",
    "https://{0}{0}@example.org/x",
    "use ghp_{} to push",
    "-----BEGIN RSA PRIVATE KEY-----{}",
    "<db:password>{}</db:password>",
    "<clientSecret>{}",
    "https://example.org/file?sv=1&sig={}&se=2",
    "password=" + "x" * 380 + "{}",
)


@pytest.mark.parametrize("template", TEMPLATES)
@given(word=WORD)
def test_a_planted_word_never_survives(template: str, word: str) -> None:
    assert word not in mask(template.format(word), 3000)


@pytest.mark.parametrize("template", TEMPLATES)
@given(word=WORD, space=st.integers(1, 2 * MOST))
def test_nor_where_the_text_is_cut(template: str, word: str, space: int) -> None:
    assert word not in mask(" " * space + template.format(word), 3000)


@pytest.mark.parametrize("template", TEMPLATES[:-1])
@given(word=WORD, port=st.integers(1024, 65535))
def test_an_option_beside_it_keeps_its_port(template: str, word: str, port: int) -> None:
    shown = mask(f"listen {port}; --port {port} {template.format(word)}", port)
    assert shown.startswith(f"listen {port}; --port {port} ")
    assert word not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://app:hunter2@localhost:5432/shop", f"postgres://app:{HIDDEN}@localhost:5432/shop"),
        ("DB_PASSWORD=x --port 3000", f"DB_PASSWORD={HIDDEN} --port 3000"),
        ("listen 127.0.0.1:62893;", "listen 127.0.0.1:62893;"),
        ("port = 5432", "port = 5432"),
        ("<port>3000</port><token>x</token>", f"<port>3000</port><token>{HIDDEN}</token>"),
        ("http://h:3000/?key=x&port=3000", f"http://h:3000/?key={HIDDEN}&port=3000"),
        ("TOKEN_PORT=3000", "TOKEN_PORT=3000"),
        ("proxy_pass http://127.0.0.1:3000;", "proxy_pass http://127.0.0.1:3000;"),
        ("node auth.js --port 3000", "node auth.js --port 3000"),
        ("uvicorn auth.main:app --port 3000", "uvicorn auth.main:app --port 3000"),
        ("python3 secret_santa.py 3000", "python3 secret_santa.py 3000"),
        ("authenticate: false, port: 3000", "authenticate: false, port: 3000"),
        ("export TOKEN=x && node a.js --port 3000", f"export TOKEN={HIDDEN} && node a.js --port 3000"),
        ("SECRET=x node a.js 3000", f"SECRET={HIDDEN}3000"),
        ('{"password":"x","port":3000}', f'{{"password":"{HIDDEN}","port":3000}}'),
        ("http://h:3000/?token=x&port=3000", f"http://h:3000/?token={HIDDEN}&port=3000"),
        ("http://localhost:3000/@vite/client", f"http://localhost:3000/{HIDDEN}@vite/client"),
        ("/nix/store/0c1a2b3d4e5f6g7h8i9j0k1l-node/bin/node", f"/nix/store/{HIDDEN}/bin/node"),
        ('"dev": "vite --port 3000"', '"dev": "vite --port 3000"'),
        ("http.createServer(app).listen(3000)", "http.createServer(app).listen(3000)"),
        ("/home/user/some-long-project-name/src/server.js", "/home/user/some-long-project-name/src/server.js"),
    ],
)
def test_what_is_shown(text: str, expected: str) -> None:
    assert mask(text, 3000) == expected


def test_words_that_look_like_keys() -> None:
    for word in ("Zx9Qb2Lm7Rt4Wv8Yc3Nd6", "0123456789abcdef0123456789abcdef", "aB3dE6gH9jK2mN5pQ8sT"):
        assert word not in mask(f"something {word} 3000")
    for word in (
        "a-rather-long-name-of-a-thing",
        "NetworkConfigurationManagerFactory",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ):
        assert word in mask(f"something {word} 3000")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "3000", "PORT=3000"),
        ("LISTEN", "127.0.0.1:3000", f"LISTEN={HIDDEN}:3000"),
        ("DATABASE_URL", "postgres://u:p@h:3000/x", f"DATABASE_URL=postgres://{HIDDEN}:3000{HIDDEN}"),
        ("URL", "http://localhost:3000/a?b=c", f"URL=http://localhost:3000{HIDDEN}"),
        ("URL", "http://[::1]:3000", "URL=http://[::1]:3000"),
        ("PAIR", "8080,3000,13000", f"PAIR={HIDDEN}3000{HIDDEN}"),
        ("LONGER", "13000", f"LONGER={HIDDEN}"),
        ("OTHER", "nothing of it", f"OTHER={HIDDEN}"),
    ],
)
def test_variables(name: str, value: str, expected: str) -> None:
    assert mask_environment(name, value, 3000) == expected


@given(WORD, st.sampled_from(["{}:3000", "http://{}@h:3000/", "{},3000,{}", "tcp://h:3000?k={}"]))
def test_of_a_variable_only_the_port_is_shown(word: str, form: str) -> None:
    shown = mask_environment("X", form.format(word, word), 3000)
    assert word not in shown
    assert "3000" in shown


@given(st.text(max_size=2 * MOST))
def test_any_text(text: str) -> None:
    assert len(mask(text, 80)) <= MOST
    mask_environment("X", text, 80)
