"""Neutron's DHCP agent, with one comparison put right.

Neutron 21.0.0 orders waiting changes by addresses that a port's deletion does not carry. The KeyError leaves the network's
queue stuck, and its later ports DOWN for ever.
"""
import sys

from neutron.agent.dhcp.agent import DHCPResourceUpdate
from neutron.cmd.eventlet.agents.dhcp import main

compare = DHCPResourceUpdate.__lt__


def is_before(self, other):
    try:
        return compare(self, other)
    except (KeyError, TypeError):
        return super(DHCPResourceUpdate, self).__lt__(other)


DHCPResourceUpdate.__lt__ = is_before
sys.exit(main())
