"""How each server is configured for static files: the complete text, as its documentation advises.

Each maker takes a Setup and returns the text of the configuration file. Unless the Setup says
otherwise, there is one worker and no access log. There is no limit on the requests of a connection, and
room for 16,384 connections. `options` has what is particular to a work.
"""

import getpass
import os
from dataclasses import dataclass, field
from pathlib import Path

from . import counters

NGINX_MODULES = Path("/usr/lib/nginx/modules")
APACHE_MODULES = Path("/usr/lib/apache2/modules")
LIGHTTPD_MODULES = Path("/usr/lib/lighttpd")
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml",
         "txt": "text/plain", "png": "image/png", "woff2": "font/woff2"}
MAPPED_BYTES_MAX = 256 * 1024


@dataclass
class Setup:
    """What a configuration depends on."""
    port: int
    root: Path
    directory: Path          # of the server's own files
    log: str = "off"         # or a path
    workers: int = 1
    options: dict = field(default_factory=dict)


def zcserve_sites(root):
    """Returns ten sites with ten rules each, as sites have them. The requests are for one in the middle."""
    rules = """\
    rule "/" { preset = secure
               error_pages = "404 /404.html" }
    rule "/assets/" { preset = immutable }
    rule "*.html" { cache_control = "no-cache" }
    rule "*.txt" { cache_control = "max-age=60" }
    rule "*.woff2" { cors = "*" }
    rule "/old/*" { moved = "/new/$1" }
    rule "/app/" { try_files = {"$path", "/app/index.html"} }
    rule "/private/" { deny = all }
    rule "/downloads/" { listing = on }
    rule "/feeds/*.xml" { type = "application/rss+xml" }
"""
    sites = ""
    for number in range(10):
        asked = ', bench, "127.0.0.1"' if number == 5 else ""
        sites += f"""\
site "site{number}.example.org" {{
    hosts = {{"site{number}.example.org", "www.site{number}.example.org"{asked}}}
    root = "{root}"
{rules}}}
"""
    return sites


def zcserve(s):
    model = {"uring": "io_uring"}.get(s.options.get("model"), s.options.get("model", "epoll"))
    own = {"prefork": "prefork { start = 64\n processes = 64\n spare_max = 64\n}",
           "threadpool": "threadpool { threads = 64\n}"}.get(model, "")
    status = 'status = "127.0.0.1:0"\n' if s.options.get("status") else ""
    listing = "listing = on\n" if s.options.get("listing") else ""
    sites = zcserve_sites(s.root) if s.options.get("sites") else ""
    return f"""\
listen = {{"127.0.0.1:{s.port}"}}
root = "{s.root}"
model = "{model}"
workers = {s.workers}
connections = 16384
access_log = "{s.log}"
error_log = "stderr"
{status}{listing}cache {{
    size = {s.options.get("cache_size", "64m")}
    file_max = 256k
}}
{own}
{sites}"""


def nginx(s):
    sendfile, nopush = s.options.get("sending", ("on", "on"))
    access_log = "off" if s.log == "off" else f"{s.log} combined buffer=32k flush=1s"
    brotli = NGINX_MODULES / "ngx_http_brotli_static_module.so"
    load, static = ("", "")
    if brotli.exists():
        load, static = f"load_module {brotli};\n", "\n    brotli_static on;"
    listing = "\n        autoindex on;" if s.options.get("listing") else ""
    types = " ".join(f"{kind} {suffix};" for suffix, kind in TYPES.items())
    return f"""\
{load}user {getpass.getuser()};
daemon off;
worker_processes {s.workers};
worker_rlimit_nofile {counters.descriptors_max()};
pid nginx.pid;
error_log stderr error;
events {{
    worker_connections 16384;
    multi_accept on;
}}
http {{
    access_log {access_log};
    sendfile {sendfile};
    tcp_nopush {nopush};
    tcp_nodelay on;
    keepalive_timeout 65s;
    keepalive_requests 1000000000;
    open_file_cache max=10000 inactive=60s;
    open_file_cache_valid 30s;
    open_file_cache_min_uses 1;
    open_file_cache_errors on;
    gzip_static on;{static}
    types {{ {types} }}
    charset utf-8;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {{
        listen 127.0.0.1:{s.port} reuseport backlog=4096;
        root {s.root};{listing}
    }}
}}
"""


def h2o(s):
    access_log = "" if s.log == "off" else f"access-log: {s.log}\n"
    return f"""\
user: {getpass.getuser()}
num-threads: {s.workers}
num-name-resolution-threads: 1
max-connections: 16384
tcp-fastopen: 0
http1-request-timeout: 65
{access_log}hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {s.port}
    paths:
      "/":
        file.dir: "{s.root}"
        file.send-compressed: ON
"""


def lighttpd(s):
    modules = ['"mod_accesslog"'] if s.log != "off" else []
    deflate = ""
    if (LIGHTTPD_MODULES / "mod_deflate.so").exists() and s.options.get("compressed"):
        modules.append('"mod_deflate"')
        kinds = ", ".join(f'"{TYPES[suffix]}"' for suffix in ("html", "css", "js", "svg", "txt"))
        deflate = (f"deflate.mimetypes = ({kinds})\n"
                   'deflate.allowed-encodings = ("br", "gzip")\n'
                   f'deflate.cache-dir = "{s.directory}/temporary"\n')
    log = "" if s.log == "off" else f'accesslog.filename = "{s.log}"\n'
    types = ", ".join(f'".{suffix}" => "{kind}"' for suffix, kind in TYPES.items())
    workers = f"server.max-worker = {s.workers}\n" if s.workers > 1 else ""
    return f"""\
server.modules = ({", ".join(modules)})
server.bind = "127.0.0.1"
server.port = {s.port}
server.document-root = "{s.root}"
server.event-handler = "linux-sysepoll"
server.network-backend = "sendfile"
server.stat-cache-engine = "inotify"
server.max-connections = 16384
server.max-fds = {counters.descriptors_max()}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 65
server.listen-backlog = 4096
{workers}mimetype.assign = ({types})
{deflate}{log}"""


def caddy(s):
    log = "" if s.log == "off" else f"    log {{\n        output file {s.log}\n    }}\n"
    return f"""\
{{
    admin off
    auto_https off
    servers {{
        protocols h1
    }}
}}
http://:{s.port} {{
    bind 127.0.0.1
    root * {s.root}
    file_server {{
        precompressed br gzip
    }}
{log}}}
"""


def apache_cached(s):
    """Returns the lists of mod_file_cache: small files are mapped, large ones are kept open."""
    if s.options.get("many"):
        return ""
    files = sorted(path for path in Path(s.root).glob("*.txt"))
    return "".join(f"{'MMapFile' if path.stat().st_size <= MAPPED_BYTES_MAX else 'CacheFile'} "
                   f"{path}\n" for path in files)


def apache_sidecars(s):
    """Returns what the documentation of mod_brotli and mod_deflate recommends for precompressed files."""
    if not s.options.get("compressed"):
        return ""
    rules = ""
    for coding, suffix in (("br", "br"), ("gzip", "gz")):
        rules += f"""\
    RewriteCond %{{HTTP:Accept-encoding}} {coding}
    RewriteCond %{{DOCUMENT_ROOT}}%{{REQUEST_FILENAME}}.{suffix} -s
    RewriteRule ^(.*)\\.(css|js|html|svg|txt)$ $1.$2.{suffix} [L,E=no-gzip:1,E=no-brotli:1]
"""
    types = "".join(f"    <FilesMatch \"\\.{suffix}\\.(br|gz)$\">\n        ForceType {TYPES[suffix]}\n"
                    "    </FilesMatch>\n" for suffix in ("css", "js", "html", "svg", "txt"))
    return f"""\
LoadModule rewrite_module {APACHE_MODULES}/mod_rewrite.so
LoadModule headers_module {APACHE_MODULES}/mod_headers.so
    RewriteEngine On
{rules}{types}    <FilesMatch "\\.br$">
        Header set Content-Encoding br
        Header append Vary Accept-Encoding
    </FilesMatch>
    <FilesMatch "\\.gz$">
        Header set Content-Encoding gzip
        Header append Vary Accept-Encoding
    </FilesMatch>
"""


def apache(s):
    names = ["mpm_event", "authz_core", "mime", "file_cache"]
    load = "".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n" for name in names)
    # Apache closes idle connections when all threads are busy: so there are twice as many as connections.
    threads = min(1024, max(128, 2 * s.options["connections"]))
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    log = "" if s.log == "off" else ('LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" '
                                     f'\\"%{{User-Agent}}i\\"" combined\nBufferedLogs On\n'
                                     f"CustomLog {s.log} combined\n")
    types = "".join(f"AddType {kind} .{suffix}\n" for suffix, kind in TYPES.items())
    return f"""\
{load}{user}ServerRoot {s.directory}
DefaultRuntimeDir {s.directory}
PidFile {s.directory}/apache.pid
ServerName localhost
ErrorLog {s.directory}/error.log
LogLevel error
Listen 127.0.0.1:{s.port}
ListenBacklog 4096
ServerLimit {s.workers}
StartServers {s.workers}
ThreadLimit 1024
ThreadsPerChild {threads}
MaxRequestWorkers {threads * s.workers}
AsyncRequestWorkerFactor 700
MaxSpareThreads {threads * s.workers}
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 65
EnableMMAP On
EnableSendfile On
HostnameLookups Off
TypesConfig /dev/null
{types}DocumentRoot {s.root}
<Directory {s.root}>
    Options FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
{apache_cached(s)}{apache_sidecars(s)}{log}"""


MAKERS = {"zcserve": zcserve, "nginx": nginx, "h2o": h2o, "lighttpd": lighttpd, "caddy": caddy,
          "apache": apache}
