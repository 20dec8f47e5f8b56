"""The benchmark of homeport: `scripts/benchmark`, or `python -m benchmarks.run`.

run.py      the command: runs the cases, prints the table, writes docs/ and the README's table
cases.py    what is measured, with which target            <- a new case: one function, one line in CASES
tools.py    the commands that are compared                 <- a new competitor: one function, one line
rounds.py   interleaved rounds, medians, ratios
ledger.py   compares what homeport lists with what the crowd really holds
crowd.py    processes that hold sockets: made, counted, ended
report.py   results -> Markdown, JSON;  curve.py: results -> SVG
profile.py  where the time of a listing goes
services.py the other command, `scripts/benchmark-services`: homeport beside `nmap -sV` on real servers
service_cases.py the servers  <- a new one: one entry;  service_servers.py starts them;  service_tools.py asks;
service_judging.py who was right;  service_crowd.py two hundred that answer
bare/       run by a bare interpreter: the crowd's parent and the meter
"""
