"""Django: its page for a new project, its pages of an error with DEBUG, its own pages without, and the login of its
admin.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "Django",
    body(
        r"<title>The install worked successfully! Congratulations!</title>",
        r"docs\.djangoproject\.com/en/(?P<version>[\w.]{1,9})/",
    ),
    body(r"You\S{1,6}re seeing this error because you have <code>DEBUG = True</code>", r"\bDjango\b", failed=True),
    body(r"<th[^>]{0,30}>Django Version:</th>\s{1,30}<td>(?P<version>[\w.]{1,20})</td>", failed=True),
    body(
        r'\A\s{0,3}<!doctype html>\n<html lang="en">\n<head>\n  <title>[^<\n]{1,40}</title>\n</head>\n<body>\n'
        r"  <h1>(?:Not Found|Bad Request \(400\)|Server Error \(500\)|403 Forbidden)</h1><p>[^<\n]{0,80}</p>\n</body>",
        failed=True,
    ),
    body(r'<input type="hidden" name="csrfmiddlewaretoken" value=(?="\w{20,100}">)'),
    header("set-cookie", r"^csrftoken=(?=\w{20,100};)"),
    body(
        r"<h1>Forbidden <span>\(403\)</span></h1>\s{1,20}<p>CSRF verification failed\. Request aborted\.</p>",
        failed=True,
    ),
)
