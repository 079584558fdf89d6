"""Tier 1 without Docker: the services that `hayai dev` starts, as child processes, from wheels.

services       the one table of them; compose.yaml is held to it
stack          LocalStack: start, wait, hand out addresses, keep running, stop
supervisor     one server: started, found healthy, started again when it falls
server         what a server is to the supervisor
nats postgres  the two servers: configuration, command line, health
processes      a child process that never outlives its parent
child          the first program of every child: drops root, ties itself to its parent, becomes the server
folder         the data folder, and what of it Postgres must reach when root starts it
files credentials ports lock leftovers    what the others stand on
screen ready   what a person and a script are told
"""
