"""The rack of verdicts: who looks at a case, in which order, and the first who finds something has the word.

To add a verdict: a member of `model.diagnosis.Verdict`, a function in the file of its matter, its place in `JUDGES`,
and a real case of it in the tests, from which docs/check.md is made.
"""

from __future__ import annotations

from homeport.model.case import Case
from homeport.rules.verdicts import answers, listening, names, path, processes, tls, upgrades, web
from homeport.rules.verdicts.kind import Finding, Judge

JUDGES: tuple[Judge, ...] = (
    # where it leads
    names.name_resolution,
    path.loopback_down,
    names.family_off,
    names.not_this_machine,
    # a process that cannot answer, whatever else is wrong
    processes.stopped,
    processes.out_of_descriptors,
    # the way to it
    path.firewall_drop,
    path.firewall_reject,
    processes.backlog_full,
    # nobody is there
    listening.behind_nothing,
    listening.crash_loop,
    listening.other_family,
    listening.other_address,
    listening.unix_only,
    listening.starting,
    listening.other_protocol,
    listening.not_published,
    listening.other_namespace,
    listening.other_port,
    listening.nothing_listens,
    # somebody is there, but not who was meant
    listening.shadowed,
    # what comes back
    processes.starting_up,
    answers.wrong_protocol,
    answers.service_error,
    tls.tls_expected,
    tls.plain_expected,
    tls.tls_failed,
    tls.certificate_expired,
    tls.certificate_name,
    tls.certificate_untrusted,
    answers.http2_only,
    answers.no_http,
    answers.ended,
    answers.closed_early,
    answers.no_answer,
    upgrades.no_websocket,
    upgrades.no_grpc,
    upgrades.grpc_unhealthy,
    web.host_refused,
    web.redirect_loop,
    web.redirect_elsewhere,
    web.redirect_astray,
    web.http_error,
    web.broken_off,
    web.proxy_in_the_way,
    names.unknown_localhost,
    answers.ok,
)
"""Causes before their effects."""


def judge(case: Case) -> Finding:
    """The verdict."""
    return next((found for one in JUDGES if (found := one(case)) is not None), None) or answers.unknown(case)
