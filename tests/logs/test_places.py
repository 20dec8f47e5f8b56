"""Where programs log, by facts that are made up here; the real ones are in the tests of `system` and of the command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from homeport.logs.places import PLACES, candidates
from homeport.logs.places.descriptors import is_log
from homeport.logs.places.kind import (
    Candidate,
    Config,
    Descriptor,
    Facts,
    Marked,
    Member,
    OfContainer,
    OfFile,
    OfUnit,
    Reader,
    Remains,
    Shape,
)
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind
from homeport.model.owners import Container, Process, Unit

UNIT = Unit("shop.service", "system", None, (Evidence("/proc/1/cgroup", "shop.service"),))
CONTAINER = Container("podman", "a" * 64, "web", None, 1, (), (Evidence("/proc/1/cgroup", "a"),))


def process(pid: int = 7, name: str = "server", cwd: str = "/srv") -> Process:
    return Process(
        pid=pid, start_ticks=1, start_time=None, name=name, cmdline=(name,), exe=f"/usr/bin/{name}", exe_deleted=False,
        cwd=cwd, uid=0, user="root", ppid=1, session=1, terminal=None, state="S", cgroup=None,
    )  # fmt: skip


def descriptor(target: str, number: int = 5, **fields: Any) -> Descriptor:
    one = Descriptor(
        number=number, target=target, link=f"/proc/7/fd/{number}", shape=Shape.REGULAR, writable=True, append=True,
        deleted=False, inode=hash((target, number)), device=1, size=10, text=True,
    )  # fmt: skip
    return one._replace(**fields)


def member(*descriptors: Descriptor, program: str = "server", **fields: Any) -> Member:
    one = Member(process(name=program), "owner", program, (program,), descriptors, {}, None)
    return one._replace(**fields)


def facts(*members: Member, **fields: Any) -> Facts:
    one = Facts(
        members=members, chain=(), unit=None, container=None, configs=(), pipes={}, terminals={}, panes={},
        container_file=None, engine=None, journal=True, remains=(), kernel=(), syslog=None,
    )  # fmt: skip
    return one._replace(**fields)


def config(program: str, text: str, path: str = "/etc/a.conf", **fields: Any) -> Facts:
    one = member(program=program, **fields)
    return facts(one._replace(descriptors=None), configs=(Config(program, path, text, one),))


def what(some: Facts) -> list[str | None]:
    return [one.what for one in candidates(some) if one.reading is not None]


def only(some: Facts) -> Candidate:
    (one,) = candidates(some)
    return one


@pytest.mark.parametrize(
    "name",
    ["server.log", "access.log.1", "error_log", "nohup.out", "app.err", "catalina.out", "log", "access", "x.stdout",
     "production.log", "my-log-2026"],
)  # fmt: skip
def test_names_of_logs(name: str) -> None:
    assert is_log(descriptor(f"/srv/{name}"))
    assert is_log(descriptor(f"/srv/{name}", text=None))
    assert not is_log(descriptor(f"/srv/{name}", writable=False))


@pytest.mark.parametrize(
    "name",
    ["shop.db", "shop.sqlite3", "shop.db-wal", "shop.db-journal", "run.lock", "server.pid", "dump.rdb",
     "appendonly.aof", "000003.log", "ib_logfile0", "MANIFEST-000001", "LOCK", "a.wal", "a.tmp", "core",
     "appendonly.aof.1.incr.aof"],
)  # fmt: skip
def test_names_of_other_files(name: str) -> None:
    assert not is_log(descriptor(f"/srv/{name}"))


def test_content_and_flags_decide_where_a_name_does_not() -> None:
    assert is_log(descriptor("/srv/logs/today"))
    assert is_log(descriptor("/srv/notes"))
    assert not is_log(descriptor("/srv/notes", append=False))
    assert not is_log(descriptor("/srv/notes", text=None))
    assert is_log(descriptor("/srv/shop/server.log", text=False))  # rubbish in it does not make it another thing
    assert not is_log(descriptor("/srv/wal/000012.log", text=False))
    assert not is_log(descriptor("/srv/wal.log", text=False, append=False))
    assert not is_log(descriptor("/memfd:a.log"))
    assert not is_log(descriptor("/srv/server.log", shape=Shape.SOCKET))


def test_a_deleted_log_is_read_through_its_descriptor() -> None:
    one = only(facts(member(descriptor("/srv/server.log", deleted=True), descriptor("/a", 1, shape=Shape.OTHER),
                            descriptor("/b", 2, shape=Shape.OTHER))))  # fmt: skip
    assert one.kind is LogKind.DELETED_FILE
    assert one.reading == OfFile("/proc/7/fd/5", None, "/proc/7/fd/5")
    assert "deleted" in one.evidence[-1].text


def streams(target: str, shape: Shape) -> tuple[Descriptor, Descriptor]:
    one = descriptor(target, 1, inode=9, shape=shape)
    return one, one._replace(number=2)


def test_standard_output_thrown_away() -> None:
    one = only(facts(member(*streams(target="/dev/null", shape=Shape.CHARACTER))))
    assert (one.kind, one.label, one.what) == (LogKind.NULL, "stdout and stderr", "/dev/null")
    assert one.reason is not None and "thrown away" in one.reason


def test_standard_output_closed() -> None:
    one = only(facts(member()))
    assert one.kind is LogKind.CLOSED
    assert one.reason == "stdout and stderr of process 7 is closed"


def test_a_pipe_names_its_reader_and_the_files_of_a_known_one() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    tee = Reader(process(8, "tee"), "tee", (descriptor("/srv/copy.txt", 3),))
    pipe_one, copy = candidates(facts(member(*pipe), pipes={9: (tee,)}))
    assert pipe_one.reason == "stdout and stderr is a pipe to tee (8), which writes it to /srv/copy.txt"
    assert copy.what == "/srv/copy.txt"
    editor = Reader(process(9, "code"), "code", (descriptor("/srv/editor.log", 3),))
    one = only(facts(member(*pipe), pipes={9: (editor,)}))
    assert one.reason is not None and "code (9)" in one.reason and "cannot be read back" in one.reason
    one = only(facts(member(*pipe)))
    assert one.reason is not None and "cannot be seen" in one.reason


def test_what_a_reader_complains_of_and_locks_is_not_the_servers_log() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    for program, kept in (("tee", "/srv/copy.txt"), ("multilog", "/srv/ml/current"), ("svlogd", "/srv/sv/current")):
        opened = [("/srv/out.txt", 1), ("/srv/errors.txt", 2), ("/srv/ml/lock", 4), (kept, 5)]
        files = tuple(descriptor(path, number) for path, number in opened if program != "tee" or "lock" not in path)
        found = facts(member(*pipe), pipes={9: (Reader(process(8, program), program, files),)})
        assert what(found) == [kept]


def test_what_a_filter_makes_of_it_is_found_through_all_of_a_pipeline() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    grep = Reader(process(8, "grep"), "grep", (descriptor("pipe:[10]", 1, shape=Shape.PIPE, inode=10),))
    stamps = Reader(process(9, "ts"), "ts", (descriptor("/srv/stamped.txt", 1), descriptor("/srv/errors.txt", 2)))
    found = facts(member(*pipe), pipes={9: (grep,), 10: (stamps,)})
    told, kept = candidates(found)
    assert told.reason == "stdout and stderr is a pipe to grep (8), ts (9), which writes it to /srv/stamped.txt"
    assert kept.what == "/srv/stamped.txt"


def test_what_logger_is_given_is_looked_for_under_its_tag() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    words = (("logger", "-t", "shop"), ("logger", "--tag=shop"), ("systemd-cat", "-tshop"))
    for command in words:
        reader = Reader(process(8, command[0])._replace(cmdline=command), command[0], ())
        with_file = facts(member(*pipe), pipes={9: (reader,)}, syslog="/var/log/syslog")
        assert OfFile("/var/log/syslog", only="shop") in [one.reading for one in candidates(with_file)]
        assert only(facts(member(*pipe), pipes={9: (reader,)})).remedy == "journalctl -t shop"


def test_a_tag_that_somebody_chose_is_one_word_of_a_shell() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    reader = Reader(process(8, "logger")._replace(cmdline=("logger", "-t", "x; id")), "logger", ())
    assert only(facts(member(*pipe), pipes={9: (reader,)})).remedy == "journalctl -t 'x; id'"
    found = config("nginx", 'access_log "/var/a b/$host.log" main;', "/srv/n/nginx.conf")
    assert [one.remedy for one in candidates(found) if one.reading is None] == ["ls -t '/var/a b'"]


def test_script_keeps_what_its_terminal_shows() -> None:
    tty = streams(target="/dev/pts/3", shape=Shape.CHARACTER)
    script = Reader(process(8, "script"), "script", (descriptor("/srv/typescript", 3),))
    told, kept = candidates(facts(member(*tty), terminals={"/dev/pts/3": (script,)}))
    assert (
        told.reason is not None and told.reason.endswith("which writes it to /srv/typescript") and told.remedy is None
    )
    assert kept.what == "/srv/typescript"


def test_of_a_supervisors_files_only_those_of_the_program() -> None:
    pipe = streams(target="pipe:[9]", shape=Shape.PIPE)
    keeper = Reader(process(8, "supervisord"), "supervisord",
                    tuple(descriptor(f"/l/{name}-stdout---s.log") for name in ("shop", "other")))  # fmt: skip
    found = candidates(facts(member(*pipe, environment={"SUPERVISOR_PROCESS_NAME": "shop"}), pipes={9: (keeper,)}))
    assert [one.what for one in found if one.reading] == ["/l/shop-stdout---s.log"]


def test_a_terminal_says_which_and_who_shows_it() -> None:
    tty = streams(target="/dev/pts/3", shape=Shape.CHARACTER)
    shower = Reader(process(8, "sshd"), "sshd", ())
    one = only(facts(member(*tty), terminals={"/dev/pts/3": (shower,)}))
    assert one.kind is LogKind.TERMINAL
    assert one.reason is not None and "/dev/pts/3 by sshd (8)" in one.reason
    assert one.remedy is not None and "tee" in one.remedy


def test_a_socket_to_the_journal() -> None:
    unix = streams(target="socket:[9]", shape=Shape.SOCKET)
    found = candidates(facts(member(*unix, environment={"JOURNAL_STREAM": "1:9"}), unit=UNIT))
    assert [one.kind for one in found] == [LogKind.JOURNAL, LogKind.SOCKET]
    assert found[0].reading == OfUnit("shop.service", False)
    assert found[0].what == "journalctl -u shop.service"
    assert found[1].reason == "stdout and stderr lead to the journal"
    (other,) = candidates(facts(member(*unix)))
    assert other.reason is not None and "cannot be seen" in other.reason
    without = candidates(facts(member(*unix), unit=UNIT, journal=False))
    assert without[0].reading is None and without[0].reason == "journalctl is not installed here"


def test_a_container_by_its_file_its_engine_or_not_at_all() -> None:
    some = facts(container=CONTAINER, container_file="/v/ctr.log")
    assert (only(some).what, only(some).reading) == ("podman logs web", OfFile("/v/ctr.log"))
    assert only(some._replace(container_file=None, engine="/run/p.sock")).reading == OfContainer("a" * 64)
    assert only(some._replace(container_file=None)).reading is None


NGINX = """
error_log /var/log/nginx/error.log warn;  # error_log /no;
#access_log /commented.log;
http {
  access_log "logs/access.log" main; access_log off;
  server { access_log syslog:server=unix:/dev/log,tag=shop; error_log stderr; access_log /var/$host.log; }
  server { error_log /dev/stderr; }
}
"""


def test_nginx() -> None:
    found = config("nginx", NGINX, "/srv/n/nginx.conf", words=("nginx", "-p", "/srv/n"))
    assert what(found) == ["/var/log/nginx/error.log", "/srv/n/logs/access.log"]
    told = [one for one in candidates(found) if one.reading is None]
    assert [one.kind for one in told] == [LogKind.SYSLOG, LogKind.FILE]
    assert told[1].what == "/var/$host.log" and told[1].remedy == "ls -t /var"
    with_file = [one.reading for one in candidates(found._replace(syslog="/var/log/syslog"))]
    assert OfFile("/var/log/syslog", only="shop") in with_file


def test_apache() -> None:
    text = """ServerRoot "/etc/apache2"
Define NAME shop
ErrorLog ${APACHE_LOG_DIR}/error.log
CustomLog logs/${NAME}.log combined
TransferLog "|/usr/bin/rotatelogs /l/%Y 86400"
#ErrorLog /commented
"""
    found = config("apache2", text, environment={"APACHE_LOG_DIR": "/var/log/apache2"})
    assert what(found) == ["/var/log/apache2/error.log", "/etc/apache2/logs/shop.log"]
    piped = [one.reason for one in candidates(found) if one.kind is LogKind.PIPE]
    assert piped == ["TransferLog is piped to /usr/bin/rotatelogs /l/%Y 86400"]


def test_postgresql() -> None:
    text = "logging_collector = on\nlog_directory = '/var/log/pg'\nlog_filename = 'pg-%Y.log'\n#log_directory = 'no'\n"
    year = datetime.now(UTC).astimezone().year
    assert what(config("postgres", text)) == [f"/var/log/pg/pg-{year}.log"]
    words = ("postgres", "-D", "/data", "-c", "log_directory=here")
    assert what(config("postgres", text, words=words)) == [f"/data/here/pg-{year}.log"]
    assert what(config("postgres", text.replace("on", "off", 1))) == []
    (one,) = candidates(config("postgres", "log_destination = 'syslog'\nsyslog_ident = 'db'\n"))
    assert one.kind is LogKind.SYSLOG and one.what == "journalctl -t db"


def test_redis_mysql_php_and_haproxy() -> None:
    assert what(config("redis-server", 'logfile "/l/redis.log"\n')) == ["/l/redis.log"]
    assert what(config("redis-server", 'logfile ""\n')) == []
    title = ("redis-server 127.0.0.1:6380",)
    assert what(config("redis-server", "port 6380\nlogfile /l/own.log\n", words=title)) == ["/l/own.log"]
    assert what(config("redis-server", "port 6381\nlogfile /l/other.log\n", words=title)) == []
    mysql = "[mysqld]\ndatadir = /d\nlog_error = error.log\nslow_query_log_file=/l/slow.log\n"
    assert what(config("mariadbd", mysql)) == ["/d/error.log", "/l/slow.log"]
    php = "[www]\naccess.log = /l/$pool.access.log\nslowlog = log/slow.log\n;error_log = /no\n"
    assert what(config("php-fpm8.2", php)) == ["/l/www.access.log", "/var/log/slow.log"]
    (one,) = candidates(config("haproxy", "global\n  log /dev/log local0\ndefaults\n  log global\n"))
    assert one.kind is LogKind.SYSLOG


def test_files_that_name_the_process() -> None:
    some = (
        Marked("/var/log/auth.log", None, "sshd", "sshd[7]: Accepted"),
        Marked("/srv/redis", "/proc/7/root", None, "7:M 28 Nov"),
    )
    found = candidates(facts(member()._replace(descriptors=None), marked=some))
    assert [one.reading for one in found] == [
        OfFile("/var/log/auth.log", only="sshd"), OfFile("/srv/redis", "/proc/7/root")
    ]  # fmt: skip
    assert "sshd[7]: Accepted" in found[0].evidence[0].text


def test_pm2_supervisord_and_units() -> None:
    variables = {
        "pm_out_log_path": "/home/a/.pm2/logs/shop-out.log",
        "pm_err_log_path": "/home/a/.pm2/logs/shop-error.log",
    }
    assert what(facts(member(environment=variables))) == list(variables.values())
    text = "[program:other]\nstdout_logfile=/no\n[program:shop]\nstdout_logfile=%(here)s/%(program_name)s.log ; c\n"
    server = member(environment={"SUPERVISOR_PROCESS_NAME": "shop", "SUPERVISOR_GROUP_NAME": "shop"})
    keeper = Config("supervisord", "/etc/s/s.conf", text, member(program="supervisord"))
    assert what(facts(server, configs=(keeper,))) == ["/etc/s/shop.log"]
    unit = "[Service]\nStandardOutput=append:/l/out.log\nStandardError=journal\n#StandardError=file:/no\n"
    server = member()
    assert what(facts(server, configs=(Config("systemd", "/etc/systemd/system/shop.service", unit, server),))) == [
        "/l/out.log"
    ]


def test_crashes_of_the_program_alone() -> None:
    mine = Remains("/srv/core", 1795413265.0, 70, "server", 11)
    other = Remains("/srv/core.2", 1795413265.0, 71, "other", 6)
    kernel = (
        (datetime(2026, 11, 23, tzinfo=UTC), "Out of memory: Killed process 70 (server) total-vm:1kB"),
        (datetime(2026, 11, 23, tzinfo=UTC), "server[70]: segfault at 0 ip 0"),
        (datetime(2026, 11, 23, tzinfo=UTC), "my-server[72]: segfault at 0 ip 0"),
        (datetime(2026, 11, 23, tzinfo=UTC), "Out of memory: Killed process 71 (other) total-vm:1kB"),
    )
    found = [
        one for one in candidates(facts(member(), remains=(mine, other), kernel=kernel)) if one.kind is LogKind.CRASH
    ]
    assert [one.what for one in found] == ["/srv/core", "dmesg"]
    lines = [line for one in found for line in getattr(one.reading, "lines", ())]
    assert len(lines) == 3
    assert "process 70 (server) crashed by SIGSEGV" in lines[0]


def test_a_name_that_many_programs_have_is_not_taken_for_this_one() -> None:
    kernel = ((datetime(2026, 11, 23, tzinfo=UTC), "Out of memory: Killed process 70 (python3.11) total-vm:1kB"),)
    listed = Remains("coredumpctl info 70", 1795413265.0, 70, "python3.11", 11)
    here = Remains("/srv/core.70", 1795413265.0, 70, "python3.11", 11)
    found = candidates(facts(member(program="python3.11"), remains=(listed, here), kernel=kernel))
    assert [one.what for one in found if one.kind is LogKind.CRASH] == ["/srv/core.70"]


def test_nothing_is_found_of_nothing() -> None:
    assert candidates(facts()) == ()
    assert len({one.name for one in PLACES}) == len(PLACES)


@pytest.mark.parametrize("text", ["error_log " * 20_000, "log_error = " + '"' * 60_000, "{;" * 60_000, " " * 100_000])
def test_hostile_configuration_ends(text: str) -> None:
    for program in ("nginx", "apache2", "postgres", "redis-server", "mariadbd", "php-fpm", "haproxy", "supervisord"):
        candidates(config(program, text))
