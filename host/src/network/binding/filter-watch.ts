import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '@gantry/kernel'
import type { HostLog } from '../../agent/host-log.ts'
import type { NetTools } from '../run-in.ts'

/** Learns when Neutron's agent filters a port, and when it does no more. */
export interface FilterWatch {
  /** Resolves when all rules of the port are in the kernel; rejects when the signal is aborted. */
  inForce(portId: string, signal: AbortSignal): Promise<void>
  /** Resolves when no rules of the port are in the kernel; rejects when the signal is aborted. */
  gone(portId: string, signal: AbortSignal): Promise<void>
}

export interface FilterWatchOptions {
  readonly tools: NetTools
  readonly space: string
  readonly log: HostLog
}

/** The agent's chains that are there, each under the part of its name that stands for the port. Pure. */
export interface AgentRules {
  readonly ip: ReadonlySet<string>
  readonly mac: ReadonlySet<string>
  readonly arp: ReadonlySet<string>
}

interface Waiting {
  /** How many looks showed everything but the rules for ARP. */
  looks: number
  isOver(rules: AgentRules): boolean
  resolve(): void
}

/** Between two looks while somebody waits: at first, and for one that takes long. Milliseconds. */
const quickMs = 100
const slowMs = 1000
const quickLooks = 300
/** A port that may use any address gets no rules for ARP. */
const looksWithoutArp = 20

/** `iptables-save` names each chain; the bridge's rules jump to theirs, which is the last that is done. */
const script = `
iptables-save -t filter | grep -o '^:neutron-linuxbri-i[^ ]*' || true
ebtables --concurrent -t nat -L PREROUTING 2>/dev/null | grep -o 'neutron\\(MAC\\|ARP\\)-tap[^ ]*' || true
`

/**
 * The Linux bridge agent makes the rules of a port in this order: those of IPv4, those of IPv6, its MAC addresses, and last who it may
 * say in ARP that it is. Each kind is in chains that are named after the port. It tells nobody, so these are looked at while somebody
 * waits, once for all who do.
 */
export function filterWatch({ tools, space, log }: FilterWatchOptions): FilterWatch {
  const waiting = new Set<Waiting>()
  let looking = false

  const look = async () => {
    for (let looks = 0; waiting.size > 0; looks += 1) {
      try {
        const rules = agentRules(await tools.sh(space, script))
        for (const each of waiting) {
          if (!each.isOver(rules)) continue
          waiting.delete(each)
          each.resolve()
        }
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, 'rules of Neutron’s agent cannot be read')
      }
      if (waiting.size > 0) await sleep(looks < quickLooks ? quickMs : slowMs)
    }
  }
  const begin = () => {
    if (looking) return
    looking = true
    void look().finally(() => {
      looking = false
      if (waiting.size > 0) begin()
    })
  }
  const until = (isOver: (rules: AgentRules, each: Waiting) => boolean, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const each: Waiting = { looks: 0, resolve, isOver: (rules) => isOver(rules, each) }
    const leave = () => {
      waiting.delete(each)
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    else {
      waiting.add(each)
      begin()
    }
    return promise.finally(() => signal.removeEventListener('abort', leave))
  }

  return {
    inForce: (portId, signal) =>
      until((rules, each) => {
        if (!rules.ip.has(portId.slice(0, 10)) || !rules.mac.has(portId.slice(0, 11))) return false
        each.looks += 1
        return rules.arp.has(portId.slice(0, 11)) || each.looks > looksWithoutArp
      }, signal),
    gone: (portId, signal) => until((rules) => !rules.ip.has(portId.slice(0, 10)), signal),
  }
}

/** What the script prints. Pure. */
function agentRules(text: string): AgentRules {
  const named = (prefix: string) =>
    new Set(text.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : [])))
  return { ip: named(':neutron-linuxbri-i'), mac: named('neutronMAC-tap'), arp: named('neutronARP-tap') }
}
