"""What the owner adds to a protocol that does not tell its product: protocol, program, product.

A program is what `rules.commands` says that runs: an executable, by the kernel's word, or what an interpreter was
given. It is likely at best, since a name can be anybody's.
"""

from __future__ import annotations


def product(protocol: str, program: str) -> str | None:
    """The product that a program is, where it speaks that protocol; `php8.2` is `php`."""
    names = PRODUCTS.get(protocol, {})
    name = program.lower()
    return names.get(name) or names.get(name.rstrip("0123456789."))


def products(program: str) -> set[str]:
    """All that a program may be, where what it speaks cannot be told: behind TLS that demands a certificate."""
    return {found for protocol in PRODUCTS if (found := product(protocol, program))}


_PHP = ("7.4", "8.0", "8.1", "8.2", "8.3", "8.4", "8.5")

PRODUCTS: dict[str, dict[str, str]] = {
    "postgresql": {"postgres": "PostgreSQL", "pgbouncer": "PgBouncer", "cockroach": "CockroachDB"},
    "redis": {
        "redis-server": "Redis",
        "redis-sentinel": "Redis",
        "redis-check-rdb": "Redis",  # one file under many names: the kernel may know it by another one
        "valkey-server": "Valkey",
        "keydb-server": "KeyDB",
        "dragonfly": "Dragonfly",
    },
    "memcached": {"memcached": "memcached"},
    "mongodb": {"mongod": "MongoDB", "mongos": "MongoDB"},
    "mqtt": {"mosquitto": "Mosquitto", "nanomq": "NanoMQ"},
    "dns": {
        "named": "BIND",
        "dnsmasq": "dnsmasq",
        "unbound": "Unbound",
        "coredns": "CoreDNS",
        "systemd-resolved": "systemd-resolved",
    },
    "ftp": {"vsftpd": "vsftpd", "proftpd": "ProFTPD", "pure-ftpd": "Pure-FTPd"},
    "smtp": {"exim4": "Exim", "master": "Postfix", "opensmtpd": "OpenSMTPD", "smtpd": "OpenSMTPD"},
    "imap": {"dovecot": "Dovecot"},
    "pop3": {"dovecot": "Dovecot"},
    "ldap": {"slapd": "OpenLDAP"},
    "snmp": {"snmpd": "Net-SNMP"},
    "ntp": {"chronyd": "chrony", "ntpd": "ntpd", "systemd-timesyncd": "systemd-timesyncd"},
    "rsync": {"rsync": "rsync"},
    "socks5": {"danted": "Dante", "sockd": "Dante", "tor": "Tor", "microsocks": "microsocks"},
    "x11": {"xvfb": "Xvfb", "xorg": "Xorg", "xwayland": "Xwayland", "xvnc": "Xvnc", "xtigervnc": "TigerVNC"},
    "vnc": {"xtigervnc": "TigerVNC", "x11vnc": "x11vnc", "x0vncserver": "TigerVNC", "xtightvnc": "TightVNC"},
    "beanstalkd": {"beanstalkd": "beanstalkd"},
    "irc": {"ngircd": "ngIRCd", "inspircd": "InspIRCd"},
    "gearman": {"gearmand": "Gearman"},
    "git": {"git-daemon": "Git"},
    "smb": {"smbd": "Samba"},
    "rpcbind": {"rpcbind": "rpcbind"},
    "rdp": {"xrdp": "xrdp"},
    "fastcgi": {f"php-fpm{version}": "PHP-FPM" for version in ("", *_PHP)},
    "amqp": {"qpidd": "Qpid"},
    "http": {
        "nginx": "nginx",
        "apache2": "Apache httpd",
        "httpd": "Apache httpd",
        "lighttpd": "lighttpd",
        "caddy": "Caddy",
        "haproxy": "HAProxy",
        "varnishd": "Varnish",
        "squid": "Squid",
        "traefik": "Traefik",
        "envoy": "Envoy",
        "next-server": "Next.js",
        "org.apache.catalina.startup.bootstrap": "Apache Tomcat",
        "http.server": "Python http.server",
        "minio": "MinIO",
        "php": "PHP built-in server",
        # those that add no header, or may be told to leave it out
        "uvicorn": "uvicorn",
        "gunicorn": "gunicorn",
        "hypercorn": "Hypercorn",
        "granian": "Granian",
        "daphne": "Daphne",
        "waitress-serve": "waitress",
        "uwsgi": "uWSGI",
        "uwsgi-core": "uWSGI",
        "puma": "Puma",
        "unicorn": "Unicorn",
        "vite": "Vite",
        "esbuild": "esbuild",
        "parcel": "Parcel",
        "weed": "SeaweedFS",
    },
    "epmd": {"epmd": "Erlang port mapper"},
}
"""Protocols as speakers name them, programs in lower case."""
