"""The servers of the benchmark: how each is started, and which package it comes from. A new one: an entry in CASES.

`{port}` is its port, `{dir}` a folder of its own, `{pip}` and `{npm}` the folders of programs from PyPI and npm.
"""

from __future__ import annotations

from typing import NamedTuple


class Package(NamedTuple):
    """A true answer: a pattern for the product's name, and the package that has its version.

    `manager`: dpkg, pip or npm. `version`: where the product's own version is not its package's.
    """

    product: str
    manager: str
    name: str
    version: str | None = None


class Case(NamedTuple):
    """A server: its command, files to write before, commands to run before, and the account it runs as."""

    name: str
    command: str
    truths: tuple[Package, ...]
    files: tuple[tuple[str, str], ...] = ()
    before: tuple[str, ...] = ()
    user: str | None = None
    protocols: tuple[str, ...] = ("tcp",)
    environment: tuple[tuple[str, str], ...] = ()
    base: int = 0
    """What the port is counted from by the server: X11's display 5 is port 6005."""
    warm: bool = False
    """Its page is fetched once before anything is measured: it compiles with the first request."""


def _deb(product: str, package: str, version: str | None = None) -> tuple[Package, ...]:
    return (Package(product, "dpkg", package, version),)


def _pip(*names: tuple[str, str]) -> tuple[Package, ...]:
    return tuple(Package(product, "pip", name) for product, name in names)


def _npm(*names: tuple[str, str]) -> tuple[Package, ...]:
    return tuple(Package(product, "npm", name) for product, name in names)


_PAGE = "<!doctype html><title>shop</title><h1>shop</h1>"
_NGINX = """daemon off; pid {dir}/pid; error_log {dir}/log; worker_processes 1; events {}
http { access_log off; client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e; server { listen 127.0.0.1:{port}; root {dir}; } }
"""
_APACHE = """ServerRoot {dir}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {dir}/pid
ErrorLog {dir}/log
DocumentRoot {dir}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
"""
_NAMED = """options { directory "{dir}"; pid-file "{dir}/pid"; session-keyfile "{dir}/key"; recursion no;
listen-on port {port} { 127.0.0.1; }; listen-on-v6 { none; }; }; controls { };
"""
_DOVECOT = """base_dir = {dir}/base
state_dir = {dir}/state
log_path = {dir}/log
protocols = {which}
ssl = no
mail_location = maildir:{dir}/mail
listen = 127.0.0.1
passdb {
  driver = static
  args = password=x
}
service imap-login {
  inet_listener imap {
    port = {imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = {pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
"""
_IMAP = _DOVECOT.replace("{which}", "imap").replace("{imap}", "{port}").replace("{pop3}", "0")
_POP3 = _DOVECOT.replace("{which}", "pop3").replace("{pop3}", "{port}").replace("{imap}", "0")
_SLAPD = """include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {dir}/pid
database mdb
suffix dc=example,dc=org
directory {dir}
"""
_HAPROXY = """global
    maxconn 50
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend shop
    bind 127.0.0.1:{port}
"""
_DJANGO = """import sys
from django.conf import settings
settings.configure(DEBUG=True, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"])
urlpatterns = []
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
_WEBPACK = """module.exports = { mode: "development", entry: "{dir}/index.js", output: { path: "{dir}/dist" },
  devServer: { host: "127.0.0.1", port: {port}, static: "{dir}", open: false } };
"""
_SERVER_XML = """<Server port="-1"><Service name="Catalina"><Connector port="{port}" address="127.0.0.1"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine></Service></Server>
"""
_WSGI = 'def app(environ, start):\n    start("200 OK", [("Content-Type", "text/plain")])\n    return [b"hi"]\n'

DEBIAN = (
    Case("OpenSSH", "/usr/sbin/sshd -D -e -f {dir}/conf", _deb("openssh", "openssh-server"),
         (("conf", "Port {port}\nListenAddress 127.0.0.1\nHostKey {dir}/key\nPidFile {dir}/pid\n"),),
         ("mkdir -p /run/sshd", "ssh-keygen -q -t ed25519 -N '' -f {dir}/key")),
    Case("nginx", "nginx -c {dir}/conf -e {dir}/log", _deb("nginx", "nginx"),
         (("conf", _NGINX), ("index.html", _PAGE))),
    Case("Apache httpd", "apache2 -f {dir}/conf -DFOREGROUND", _deb("apache", "apache2"),
         (("conf", _APACHE), ("index.html", _PAGE))),
    Case("lighttpd", "lighttpd -D -f {dir}/conf", _deb("lighttpd", "lighttpd"),
         (("conf", 'server.bind = "127.0.0.1"\nserver.port = {port}\nserver.document-root = "{dir}"\n'),)),
    Case("Caddy", "caddy file-server --root {dir} --listen 127.0.0.1:{port}", _deb("caddy", "caddy"),
         environment=(("HOME", "{dir}"),)),
    Case("HAProxy", "haproxy -f {dir}/conf", _deb("haproxy", "haproxy"), (("conf", _HAPROXY),)),
    Case("Varnish", "varnishd -F -f {dir}/vcl -a 127.0.0.1:{port} -n {dir}/work", _deb("varnish", "varnish"),
         (("vcl", 'vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "9"; }\n'),)),
    Case("Squid", "squid -N -f {dir}/conf", _deb("squid", "squid"),
         (("conf", "http_port 127.0.0.1:{port}\npid_filename {dir}/pid\ncache_log {dir}/log\naccess_log none\n"
                   "coredump_dir {dir}\nshutdown_lifetime 1 seconds\n"),)),
    Case("Tinyproxy", "tinyproxy -d -c {dir}/conf", _deb("tinyproxy", "tinyproxy-bin"),
         (("conf", "Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n"),)),
    Case("Redis", "redis-server --port {port} --bind 127.0.0.1 --dir {dir} --save ''", _deb("redis", "redis-server")),
    Case("PostgreSQL", "/usr/lib/postgresql/15/bin/postgres -D {dir}/data -p {port} -h 127.0.0.1 -k {dir}",
         _deb("postgres", "postgresql-15"), before=("/usr/lib/postgresql/15/bin/initdb -D {dir}/data -A trust",),
         user="postgres"),
    Case("MariaDB", "mariadbd --no-defaults --datadir={dir}/data --port={port} --bind-address=127.0.0.1 "
         "--socket={dir}/s --pid-file={dir}/pid", _deb("mariadb", "mariadb-server"),
         before=("mariadb-install-db --no-defaults --datadir={dir}/data --skip-test-db",), user="mysql"),
    Case("PgBouncer", "pgbouncer {dir}/conf", _deb("pgbouncer", "pgbouncer"),
         (("conf", "[databases]\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
                   "unix_socket_dir =\n"),), user="postgres"),
    Case("memcached", "memcached -l 127.0.0.1 -p {port} -U 0", _deb("memcached", "memcached"), user="nobody"),
    Case("dnsmasq", "dnsmasq -k -p {port} --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces "
         "--conf-file=/dev/null --pid-file={dir}/pid", _deb("dnsmasq", "dnsmasq-base"), protocols=("tcp", "udp")),
    Case("BIND", "named -f -c {dir}/conf", _deb("bind", "bind9"), (("conf", _NAMED),), protocols=("tcp", "udp")),
    Case("vsftpd", "vsftpd {dir}/conf", _deb("vsftpd", "vsftpd"),
         (("conf", "listen=YES\nbackground=NO\nlisten_port={port}\nlisten_address=127.0.0.1\n"
                   "secure_chroot_dir={dir}\n"),)),
    Case("Dovecot IMAP", "dovecot -F -c {dir}/conf", _deb("dovecot", "dovecot-imapd"), (("conf", _IMAP),)),
    Case("Dovecot POP3", "dovecot -F -c {dir}/conf", _deb("dovecot", "dovecot-pop3d"), (("conf", _POP3),)),
    Case("OpenLDAP", "slapd -d 0 -h ldap://127.0.0.1:{port}/ -f {dir}/conf", _deb("openldap", "slapd"),
         (("conf", _SLAPD),)),
    Case("Net-SNMP", "snmpd -f -Lf {dir}/log -C -c {dir}/conf -p {dir}/pid udp:127.0.0.1:{port}",
         _deb("net-snmp", "snmpd"), (("conf", "rocommunity secret\nagentXSocket {dir}/x\n"),), protocols=("udp",)),
    Case("chrony", "chronyd -d -f {dir}/conf", _deb("chrony", "chrony"),
         (("conf", "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 5\ncmdport 0\n"
                   "pidfile {dir}/pid\n"),), protocols=("udp",)),
    Case("RabbitMQ", "rabbitmq-server", _deb("rabbitmq", "rabbitmq-server"), before=("chown rabbitmq {dir}",),
         environment=(("RABBITMQ_NODE_PORT", "{port}"), ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
                      ("RABBITMQ_NODENAME", "hp{port}@localhost"), ("RABBITMQ_MNESIA_BASE", "{dir}"),
                      ("RABBITMQ_LOG_BASE", "{dir}"), ("HOME", "{dir}"), ("RABBITMQ_ENABLED_PLUGINS", "[]"),
                      ("RABBITMQ_CONF_ENV_FILE", "/dev/null"), ("RABBITMQ_DIST_PORT", "{spare}"),
                      ("ERL_EPMD_PORT", "{epmd}")), user="rabbitmq"),
    Case("Mosquitto", "mosquitto -c {dir}/conf", _deb("mosquitto", "mosquitto"),
         (("conf", "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"),)),
    Case("NATS", "nats-server -a 127.0.0.1 -p {port}", _deb("nats", "nats-server")),
    Case("ZooKeeper", "java -cp /usr/share/java/* org.apache.zookeeper.server.quorum.QuorumPeerMain {dir}/conf",
         _deb("zookeeper", "zookeeper"),
         (("conf", "dataDir={dir}\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"),)),
    Case("etcd", "etcd --data-dir {dir}/data --listen-client-urls http://127.0.0.1:{port} "
         "--advertise-client-urls http://127.0.0.1:{port} --listen-peer-urls http://127.0.0.1:{spare}",
         _deb("etcd", "etcd-server"), environment=(("ETCD_UNSUPPORTED_ARCH", ""),)),
    Case("Prometheus", "prometheus --config.file={dir}/conf --storage.tsdb.path={dir}/data "
         "--web.listen-address=127.0.0.1:{port}", _deb("prometheus", "prometheus"), (("conf", "global: {}\n"),)),
    Case("node_exporter", "prometheus-node-exporter --web.listen-address=127.0.0.1:{port}",
         _deb("node.exporter", "prometheus-node-exporter")),
    Case("Alertmanager", "prometheus-alertmanager --config.file={dir}/conf --storage.path={dir} "
         "--web.listen-address=127.0.0.1:{port} --cluster.listen-address=",
         _deb("alertmanager", "prometheus-alertmanager"),
         (("conf", "route: {receiver: a}\nreceivers: [{name: a}]\n"),)),
    Case("InfluxDB", "influxd -config {dir}/conf", _deb("influx", "influxdb"),
         (("conf", 'bind-address = "127.0.0.1:{spare}"\nreporting-disabled = true\n[meta]\ndir = "{dir}/meta"\n'
                   '[data]\ndir = "{dir}/data"\nwal-dir = "{dir}/wal"\n[http]\nbind-address = "127.0.0.1:{port}"\n'),)),
    Case("rsync", "rsync --daemon --no-detach --address=127.0.0.1 --port={port} --config={dir}/conf",
         _deb("rsync", "rsync"), (("conf", "pid file = {dir}/pid\n"),)),
    Case("beanstalkd", "beanstalkd -l 127.0.0.1 -p {port}", _deb("beanstalk", "beanstalkd")),
    Case("ngIRCd", "ngircd -n -f {dir}/conf", _deb("ngircd", "ngircd"),
         (("conf", "[Global]\nName = irc.example.org\nListen = 127.0.0.1\nPorts = {port}\nPidFile = {dir}/pid\n"
                   "ServerUID = nobody\n"),)),
    Case("Dante", "danted -f {dir}/conf -p {dir}/pid", _deb("dante", "dante-server"),
         (("conf", "internal: 127.0.0.1 port = {port}\nexternal: lo\nsocksmethod: none\nclientmethod: none\n"
                   "logoutput: {dir}/log\nclient pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"),)),
    Case("Tomcat", "/usr/share/tomcat10/bin/catalina.sh run", _deb("tomcat", "tomcat10"),
         (("conf/server.xml", _SERVER_XML), ("webapps/ROOT/index.html", _PAGE)), ("mkdir -p {dir}/temp {dir}/logs",
         "cp /etc/tomcat10/web.xml {dir}/conf/web.xml"),
         environment=(("CATALINA_BASE", "{dir}"), ("CATALINA_HOME", "/usr/share/tomcat10"),
                      ("JAVA_HOME", "/usr/lib/jvm/default-java"))),
    Case("PHP", "php -S 127.0.0.1:{port} -t {dir}", _deb("php", "php8.2-cli"), (("index.html", _PAGE),)),
    Case("Xvfb", "Xvfb :{port} -listen tcp -nolock", _deb("xvfb|x\\.org|x11", "xvfb"), base=6000),
    Case("TigerVNC", "Xtigervnc :{spare} -rfbport {port} -interface 127.0.0.1 -SecurityTypes None -nolock "
         "-nolisten tcp", _deb("tigervnc", "tigervnc-standalone-server")),
)  # fmt: skip
PYPI = (
    Case("gunicorn", "{pip}/gunicorn -b 127.0.0.1:{port} --chdir {dir} wsgi:app", _pip(("gunicorn", "gunicorn")),
         (("wsgi.py", _WSGI),)),
    Case("FastAPI", "{pip}/uvicorn --host 127.0.0.1 --port {port} --app-dir {dir} api:app",
         _pip(("fastapi", "fastapi"), ("uvicorn", "uvicorn")),
         (("api.py", "from fastapi import FastAPI\napp = FastAPI()\n"),)),
    Case("Flask", "{pip}/flask --app {dir}/shop.py run --host 127.0.0.1 --port {port}",
         _pip(("werkzeug", "werkzeug"), ("flask", "flask")),
         (("shop.py", "from flask import Flask\napp = Flask(__name__)\n"),)),
    Case("Django", "{pip}/python {dir}/manage.py runserver --noreload 127.0.0.1:{port}",
         (*_pip(("django", "django")), Package("wsgi", "dpkg", "python3", "0.2")), (("manage.py", _DJANGO),)),
    Case("JupyterLab", "{pip}/jupyter-lab --no-browser --allow-root --ip 127.0.0.1 --port {port} "
         "--ServerApp.root_dir={dir}", _pip(("jupyterlab", "jupyterlab"), ("jupyter", "jupyter_server"),
         ("tornado", "tornado")), environment=(("HOME", "{dir}"),)),
    Case("TensorBoard", "{pip}/tensorboard --logdir {dir} --host 127.0.0.1 --port {port}",
         _pip(("tensorboard", "tensorboard"))),
    Case("Waitress", "{pip}/waitress-serve --listen 127.0.0.1:{port} wsgi:app", _pip(("waitress", "waitress")),
         (("wsgi.py", _WSGI),), environment=(("PYTHONPATH", "{dir}"),)),
    Case("Tornado", "{pip}/python {dir}/serve.py", _pip(("tornado", "tornado")),
         (("serve.py", "import asyncio, tornado.web\nasync def main():\n    tornado.web.Application([]).listen({port}, "
                       "'127.0.0.1')\n    await asyncio.Event().wait()\nasyncio.run(main())\n"),)),
    Case("aiohttp", "{pip}/python {dir}/serve.py", _pip(("aiohttp", "aiohttp")),
         (("serve.py", "from aiohttp import web\nweb.run_app(web.Application(), host='127.0.0.1', port={port})\n"),)),
    Case("aiosmtpd", "{pip}/python -m aiosmtpd -n -l 127.0.0.1:{port}", _pip(("aiosmtpd", "aiosmtpd"))),
    Case("pyftpdlib", "{pip}/python -m pyftpdlib -i 127.0.0.1 -p {port} -d {dir}", _pip(("pyftpdlib", "pyftpdlib"))),
    Case("Datasette", "{pip}/datasette serve -h 127.0.0.1 -p {port}",
         _pip(("datasette", "datasette"), ("uvicorn", "uvicorn"))),
)  # fmt: skip
NPM = (
    Case("Vite", "{npm}/.bin/vite {dir} --host 127.0.0.1 --port {port} --strictPort", _npm(("vite", "vite")),
         (("index.html", _PAGE + '<script type="module" src="/main.js"></script>'), ("main.js", "1\n"))),
    Case("webpack-dev-server", "{npm}/.bin/webpack serve --config {dir}/webpack.config.js",
         _npm(("webpack-dev-server", "webpack-dev-server"), ("webpack", "webpack"), ("express", "express")),
         (("webpack.config.js", _WEBPACK), ("index.js", "1\n"), ("index.html", _PAGE))),
    Case("Express", "node {dir}/serve.js", _npm(("express", "express")),
         (("serve.js", 'require("{npm}/express")().listen({port}, "127.0.0.1");\n'),)),
    Case("Node.js inspector", "node --inspect=127.0.0.1:{port} {dir}/wait.js",
         (Package("inspector|debug", "dpkg", "nodejs"),), (("wait.js", "setInterval(() => {}, 1e6);\n"),)),
    Case("Next.js", "{npm}/.bin/next dev --webpack {dir} -H 127.0.0.1 -p {port}", _npm(("next", "next")),
         (("pages/index.js", "export default function Page() { return null }\n"),
          ("package.json", '{"private": true, "dependencies": {"next": "*"}}\n')),
         ("ln -sfn {npm} {dir}/node_modules",), environment=(("NEXT_TELEMETRY_DISABLED", "1"),), warm=True),
)  # fmt: skip
CASES: tuple[Case, ...] = (*DEBIAN, *PYPI, *NPM)
