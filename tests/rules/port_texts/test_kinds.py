from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules import port_texts
from homeport.rules.port_texts import KINDS, PROJECT_FILES, Strength, configuration, includes, kind_of, mentions

EXPLICIT = [
    (".env", "PORT=3000"),
    (".env.local", 'export VITE_PORT="3000" # here'),
    (".env", "DATABASE_URL=postgres://u:p@localhost:3000/x"),
    ("package.json", '    "dev": "vite --port 3000",'),
    ("package.json", '    "start": "PORT=3000 node server.js"'),
    ("package.json", '    "dev": "next dev -p 3000"'),
    ("package.json", '  "port": 3000'),
    ("compose.yaml", '      - "3000:80"'),
    ("docker-compose.yml", "      - 127.0.0.1:3000:80"),
    ("compose.yaml", "        published: 3000"),
    ("nginx.conf", "    listen 3000;"),
    ("/etc/nginx/sites-enabled/shop", "listen [::]:3000 default_server;"),
    ("/etc/nginx/conf.d/a", "server { listen 127.0.0.1:3000; }"),
    ("/etc/apache2/ports.conf", "Listen 3000"),
    ("/etc/apache2/x", "Listen 127.0.0.1:3000 https"),
    ("postgresql.conf", "port = 3000\t\t# (change requires restart)"),
    ("postmaster.opts", '/usr/lib/postgresql/15/bin/postgres "-p" "3000"'),
    ("redis.conf", "port 3000"),
    ("my.cnf", "port = 3000"),
    ("sshd_config", "Port 3000"),
    ("sshd_config", "ListenAddress 0.0.0.0:3000"),
    ("shop.socket", "ListenStream=127.0.0.1:3000"),
    ("shop.socket", "ListenStream=3000"),
    ("shop.service", "Environment=PORT=3000"),
    ("shop.service", "ExecStart=/usr/bin/shop --listen :3000"),
    ("application.properties", "server.port=3000"),
    ("application.yml", "  port: 3000"),
    ("config.toml", 'bind = "127.0.0.1:3000"'),
    ("server.xml", '<Connector port="3000" protocol="HTTP/1.1"'),
    ("Caddyfile", "localhost:3000 {"),
    ("Caddyfile", ":3000"),
    ("mosquitto.conf", "listener 3000 127.0.0.1"),
    ("vite.config.ts", "  server: { port: 3000 },"),
    ("server.js", "app.listen(3000, () => {})"),
    ("server.js", "const port = process.env.PORT || 3000;"),
    ("server.js", "const port = process.env.PORT ?? 3_000"),
    ("app.py", 'app.run(host="127.0.0.1", port=3000)'),
    ("serve.py", 'HTTPServer(("127.0.0.1", 3000), Handler)'),
    ("serve.py", "sock.bind(('', 3000))"),
    ("serve.py", "sock.bind((0, 3000))"),
    ("settings.py", 'PORT = int(os.environ.get("PORT", 3000))'),
    ("main.go", 'http.ListenAndServe(":3000", nil)'),
    ("main.rs", 'TcpListener::bind("127.0.0.1:3000")'),
    ("config/puma.rb", 'port ENV.fetch("PORT", 3000)'),
    ("bind.py", "bind = '127.0.0.1:3000'"),
    ("Makefile", "\tpython3 -m http.server 3000"),
    ("Makefile", "PORT ?= 3000"),
    ("Procfile", "web: gunicorn --bind 0.0.0.0:3000 app:app"),
    ("start.sh", "exec java -Dserver.port=3000 -jar app.jar"),
    ("start.sh", "python manage.py runserver 0.0.0.0:3000"),
    ("start.sh", "docker run -p 127.0.0.1:3000:80 nginx"),
    ("start.sh", 'PORT="${PORT:-3000}"'),
    ("start.sh", "serve --listen=${PORT:-3000}"),
    ("start.sh", "php -S localhost:3000 -t public"),
    ("Dockerfile", "ENV PORT 3000"),
    ("Dockerfile", 'CMD ["app", "--port", "3000"]'),
    ("compose.yaml", '    ports: ["3000:80", "8443:443"]'),
    ("compose.yaml", '      - "${WEB_PORT:-3000}:80"'),
    ("compose.yaml", '      - "3000-3005:3000-3005"'),
    ("config/puma.rb", 'port ENV.fetch("PORT") { 3000 }'),
    ("config/puma.rb", "port 3000"),
    ("echo.c", "#define PORT 3000"),
    ("echo.c", "address.sin_port = htons(3000);"),
    ("uwsgi.ini", "http = :3000"),
    ("rabbitmq.conf", "listeners.tcp.default = 3000"),
    ("named.conf", "    listen-on port 3000 { any; };"),
    ("Properties/launchSettings.json", '"applicationUrl": "https://localhost:7001;http://localhost:3000"'),
]

NONE = [
    ("server.js", "const size = 13000"),
    ("server.js", "const size = 30001"),
    ("app.css", "width: 3000px"),
    ("server.js", "setTimeout(f, 3000.5)"),
    ("package.json", '"version": "1.3000.2"'),
    ("server.js", "const x = 0x3000"),
    ("server.js", "const x = a3000"),
    (".env", "# PORT=3000"),
    ("postgresql.conf", "#port = 3000"),
    ("server.js", "// app.listen(3000)"),
    ("my.cnf", "; port = 3000"),
    ("notes.txt", "on 3000-11-23 we met"),
    ("style", "100% of 3000%"),
    ("nginx.conf", "listen 80; # was 3000"),
    ("server.js", "listen(port) // 3000"),
    ("server.js", "/*\n app.listen(3000)\n*/"),
    ("server.xml", '<!--\n<Connector port="3000"/>\n-->'),
    ("x.txt", "2001:db8:3000::1"),
    ("x.txt", "550e8400-3000-41d4-a716-446655440000"),
    ("Dockerfile", "FROM node:3000-alpine"),
    ("prices.js", "costs $3000"),
]

WEAKER = [
    ("server.js", "setTimeout(shutdown, 3000)", Strength.BARE),
    ("package.json", '"dev": "node main.js 3000"', Strength.BARE),
    ("Dockerfile", "EXPOSE 3000", Strength.KEYED),
    ("config.yml", "transport: 3000", Strength.BARE),
    ("a.js", "important: 3000", Strength.BARE),
    ("a.js", "runLater(stop, 3000)", Strength.BARE),
    ("tunnel.sh", "ssh -p 3000 host", Strength.KEYED),
    ("db.sh", "psql --port 3000", Strength.KEYED),
    ("README.md", "see http://localhost:3000/", Strength.KEYED),
]


@pytest.mark.parametrize(("path", "line"), EXPLICIT)
def test_lines_that_set_a_port(path: str, line: str) -> None:
    (found,) = mentions(path, f"first\n{line}\nlast", 3000)
    assert (found.line, found.strength) == (2, Strength.EXPLICIT)


@pytest.mark.parametrize(("path", "line"), NONE)
def test_near_misses(path: str, line: str) -> None:
    assert mentions(path, line, 3000) == ()


@pytest.mark.parametrize(("path", "line", "strength"), WEAKER)
def test_lines_that_only_hold_it(path: str, line: str, strength: Strength) -> None:
    assert [one.strength for one in mentions(path, line, 3000)] == [strength]


@pytest.mark.parametrize(
    ("path", "line"),
    [("server.js", "app.listen(0)"), (".env", "PORT=0"), ("start.sh", "serve --port 0"), ("x.py", "s.bind(('', 0))")],
)
def test_the_kernels_choice(path: str, line: str) -> None:
    (found,) = mentions(path, line, 0)
    assert found.strength is Strength.EXPLICIT


def test_zeros_that_mean_nothing() -> None:
    assert mentions("server.js", "let count = 0; return 0", 0) == ()
    assert mentions("server.js", "list.slice(0); support = 0", 0) == ()
    assert mentions("redis.conf", "port 0", 0) == ()  # off
    assert mentions("my.cnf", "port = 0", 0) == ()  # the default
    assert mentions("compose.yaml", 'user: "0:0"', 0) == ()


def test_the_strongest_comes_first() -> None:
    text = "retry after 3000\nsee http://localhost:3000\napp.listen(3000)"
    assert [one.line for one in mentions("server.js", text, 3000)] == [3, 2, 1]


def test_code_after_a_long_comment_counts() -> None:
    text = "/* 3000 */\n/*\n * 3000\n */\napp.listen(3000)"
    assert [one.line for one in mentions("server.js", text, 3000)] == [5]


def test_what_is_shown_is_masked() -> None:
    (found,) = mentions(".env", "DATABASE_URL=postgres://u:hunter2@localhost:3000/x", 3000)
    assert "hunter2" not in found.text
    assert ":3000" in found.text


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("nginx.conf", "http { include /e/conf.d/*.conf;\n include sites/*; }", ("/e/conf.d/*.conf", "sites/*")),
        ("apache2.conf", "IncludeOptional mods/*.conf\nInclude ports.conf", ("mods/*.conf", "ports.conf")),
        ("postgresql.conf", "include_dir = 'd'\n#include = 'no.conf'\ninclude = 'a.conf'", ("a.conf", "d/*.conf")),
        ("redis.conf", "include /etc/redis/local.conf", ("/etc/redis/local.conf",)),
        ("my.cnf", "!includedir /etc/mysql/conf.d/", ("/etc/mysql/conf.d/*.cnf",)),
        ("sshd_config", "Include /etc/ssh/sshd_config.d/*.conf", ("/etc/ssh/sshd_config.d/*.conf",)),
        ("shop.service", "EnvironmentFile=-/etc/default/shop", ("/etc/default/shop",)),
        ("server.js", "include nothing;", ()),
    ],
)  # fmt: skip
def test_what_is_pulled_in(path: str, text: str, expected: tuple[str, ...]) -> None:
    assert includes(path, text) == expected


@pytest.mark.parametrize(
    ("program", "words", "expected"),
    [
        ("nginx", ("-c", "/x/a.conf", "-p", "/x"), ("/x/a.conf",)),
        ("nginx", ("-p", "/x", "-c", "conf/a.conf"), ("/x/conf/a.conf",)),
        ("nginx", (), ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")),
        ("postgres", ("-D", "/d"), ("/d/postgresql.auto.conf", "/d/postgresql.conf", "/d/postmaster.opts")),
        ("postgres", ("-c", "config_file=/e/postgresql.conf"), ("/e/postgresql.conf",)),
        ("redis-server", ("my.conf",), ("/w/my.conf",)),
        ("mysqld", ("--defaults-file=/m.cnf",), ("/m.cnf",)),
        ("sshd", ("-D", "-f", "etc/sshd"), ("/w/etc/sshd",)),
        ("gunicorn", ("app:app",), ("/w/gunicorn.conf.py",)),
        ("php-fpm8.2", ("php-fpm:", "master", "process", "(/e/fpm.conf)"), ("/e/fpm.conf", "/e/pool.d/*.conf")),
        ("php-fpm", (), ("/etc/php-fpm.conf", "/etc/php-fpm.d/*.conf")),
        ("something", ("-c", "x"), ()),
    ],
)  # fmt: skip
def test_where_servers_keep_their_configuration(
    program: str, words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert configuration(program, words, "/w") == expected


def test_every_kind_can_be_reached() -> None:
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert KINDS[-1].handles("anything at all")
    for kind in KINDS:
        sample = next(pattern for pattern in kind.files).replace("*", "x")
        assert any(fnmatchcase(sample.rsplit("/", 1)[-1] if "/" not in p else sample, p) for p in kind.files)
    assert kind_of("odd-name", of="nginx").name == "nginx"
    assert {port_texts.kind_name(name) for name in ("nginx", "postgres", "mysqld")} <= set(names)


def test_project_files_are_names_below_a_root() -> None:
    assert len(PROJECT_FILES) <= 64
    assert not [
        name for name in PROJECT_FILES if name.startswith("/") or ".." in name or "*" in name.rpartition("/")[0]
    ]


@given(
    st.sampled_from([kind.files[0].replace("*", "x") for kind in KINDS]), st.text(max_size=300), st.integers(0, 65535)
)
def test_any_text(path: str, text: str, port: int) -> None:
    for one in mentions(path, text, port):
        assert one.line >= 1
        assert len(one.text) <= 200
    includes(path, text)


@given(st.integers(1, 65535), st.text(alphabet="0123456789", min_size=1, max_size=3), st.booleans())
def test_a_longer_number_is_another(port: int, digits: str, before: bool) -> None:
    number = f"{digits}{port}" if before else f"{port}{digits}"
    if int(number) != port:
        assert mentions("x.conf", f"port = {number}", port) == ()


def test_bounds() -> None:
    assert mentions("x.txt", "port " * 2000 + "3000", 3000) == ()
    assert len(mentions("x.conf", "port = 3000\n" * 100, 3000)) == 20


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
@pytest.mark.parametrize("filling", ["\n", " \n", "#\n", "\t", "{include ", "include "])
def test_a_megabyte_of_nothing_is_read_once(kind: port_texts.Kind, filling: str) -> None:
    """Read as a whole by `^\\s*` it would take hours: anybody's project may have such a file."""
    text = filling * ((1 << 20) // len(filling))
    assert kind.mentions(f"{text}\n", 3000) == ()
    assert len(kind.includes(text)) <= 32
