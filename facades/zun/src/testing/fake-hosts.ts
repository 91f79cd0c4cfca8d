import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Host } from '@gantry/model'
import { fakeHost } from './fake-data.ts'

/** Two hosts, for those whom `adminOnly` lets through. */
export function fakeHosts(adminOnly: (caller: Caller, action: string) => void) {
  const hosts = [fakeHost('compute1'), fakeHost('compute2')]
  const hostOf = (ref: string): Host => {
    const host = hosts.find(({ id, name }) => id === ref || name === ref)
    if (!host) throw new Fault('host.not-found', { ref })
    return host
  }
  const change = (caller: Caller, ref: string, changed: Partial<Host>): Host => {
    adminOnly(caller, 'service')
    const host = { ...hostOf(ref), ...changed }
    hosts[hosts.findIndex(({ id }) => id === host.id)] = host
    return host
  }
  const verbs: Control['hosts'] = {
    list: async (caller) => {
      adminOnly(caller, 'host:get_all')
      return hosts
    },
    get: async (caller, ref) => {
      adminOnly(caller, 'host:get')
      return hostOf(ref)
    },
    enable: async (caller, ref) => change(caller, ref, { disabled: false, disabledReason: null }),
    disable: async (caller, ref, disabledReason) => change(caller, ref, { disabled: true, disabledReason }),
    forceDown: async (caller, ref, forcedDown) => change(caller, ref, { forcedDown }),
    drain: async () => ({ moving: [], staying: [] }),
    remove: async (caller, ref) => void change(caller, ref, {}),
    explain: async () => ({ total: 0, fitting: 0, reasons: [], hosts: [] }),
    instances: async () => [],
    availabilityZones: async () => ['nova'],
  }
  return { verbs, hostOf }
}
