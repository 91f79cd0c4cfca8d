"""Neutron's Linux bridge agent, with one deletion put right.

Neutron 21.0.0 deletes a port's old rule by what `ebtables -L` shows of it. That of Debian 12 (1.8.9-nft) shows MAC addresses without
leading zeros and then does not know them: the agent repeats the deletion with ever longer waits, and new ports stay DOWN.
The chain holds nothing but that rule and its last word, so it is emptied instead.
"""
import sys

from neutron.cmd.eventlet.plugins.linuxbridge_neutron_agent import main
from neutron.plugins.ml2.drivers.linuxbridge.agent import arp_protect


def empty_chain(vif, current_rules):
    chain = arp_protect._mac_chain_name(vif)
    if any('-i %s' % vif in rule and '--among-src' in rule for rule in current_rules):
        arp_protect.ebtables(['-F', chain])
        arp_protect.ebtables(['-A', chain, '-j', 'DROP'])


arp_protect._delete_vif_mac_rules = empty_chain
sys.exit(main())
