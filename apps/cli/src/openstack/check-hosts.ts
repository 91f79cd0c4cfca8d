import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { type Agent, allOf, networkService } from '@gantry/openstack'
import { systemPath } from '../local/engine/install-engine.ts'
import type { AdminCloud } from './admin-cloud.ts'
import { bad, type Finding, note, ok } from './finding.ts'

/** Agents that plug ports, and how Gantry's hosts work with them. */
const plugging: Readonly<Record<string, 'bridge' | 'ovs'>> = {
  'Linux bridge agent': 'bridge',
  'Open vSwitch agent': 'ovs',
  'OVN Controller agent': 'ovs',
  'OVN Controller Gateway agent': 'ovs',
}

export interface CheckedHost {
  /** How people call it. */
  readonly name: string
  /** What Neutron's agent there should call it. */
  readonly neutronHost: string
}

/** That each host has an agent of Neutron's under the name that it is told to have. */
export async function agentFindings(
  { session, context }: AdminCloud,
  hosts: readonly CheckedHost[],
): Promise<{ findings: Finding[]; agents: readonly Agent[] }> {
  const agents = await allOf(networkService(session).agents.list({}, context()))
  const known = agents.filter(({ agent_type: type }) => type in plugging)
  const findings = hosts.map(({ name, neutronHost }) => {
    const agent = known.find(({ host }) => host === neutronHost)
    if (agent?.alive) return ok(`Host ${name}: ${agent.agent_type} ${neutronHost} is alive`)
    if (agent) {
      return bad(
        `Host ${name}: the ${agent.agent_type} of ${neutronHost} is not alive, so ports there cannot be bound: start ${agent.binary}.`,
      )
    }
    const others = known.map(({ host }) => host).join(', ') || 'none at all'
    return bad(
      `Host ${name}: Neutron knows no agent of ${neutronHost} that plugs ports (it knows: ${others}). ` +
        'Start one there, or start gantry agent with --neutron-host and the name it has.',
    )
  })
  for (const [type, lost] of [
    ['L3 agent', 'routers and floating IPs do not work'],
    ['DHCP agent', 'VMs get no addresses; containers do'],
  ] as const) {
    const ofType = agents.filter((agent) => agent.agent_type === type)
    if (agents.some(({ agent_type: other }) => other.startsWith('OVN'))) continue
    if (ofType.some(({ alive }) => alive)) findings.push(ok(`An ${type} is alive`.replace('An DHCP', 'A DHCP')))
    else findings.push(note(`No ${type} is alive, so ${lost}: start it if they are wanted.`))
  }
  return { findings, agents }
}

/** What a host needs on its machine; only for this one. */
export function machineFindings(agents: readonly Agent[], neutronHost: string): Finding[] {
  const own = agents.find(({ host, agent_type: type }) => host === neutronHost && type in plugging)
  if (!own) return []
  const kind = plugging[own.agent_type]
  const findings = ['ip', 'bridge', 'nft', ...(kind === 'ovs' ? ['ovs-vsctl'] : [])].flatMap((program) =>
    has(program) ? [] : [bad(`This machine has no ${program}: apt-get install ${packageOf(program)}.`)],
  )
  if (findings.length === 0) findings.push(ok('The programs that plug ports are on this machine'))
  // Also for Open vSwitch with its hybrid firewall; where that is not used it does no harm.
  if (kind === 'bridge') findings.push(filterFinding())
  return findings
}

/** Neutron's agent filters bridged frames by iptables, which sees them only then. */
function filterFinding(): Finding {
  const file = '/proc/sys/net/bridge/bridge-nf-call-iptables'
  if (existsSync(file) && readFileSync(file, 'utf8').trim() === '1')
    return ok('Bridged traffic is filtered (br_netfilter)')
  return bad(
    'Bridged traffic is not filtered on this machine, so security groups mean nothing: modprobe br_netfilter and set ' +
      'net.bridge.bridge-nf-call-iptables=1 and net.bridge.bridge-nf-call-ip6tables=1.',
  )
}

function has(program: string): boolean {
  const { error } = spawnSync(program, ['--version'], { env: { PATH: systemPath() }, stdio: 'ignore' })
  return error === undefined
}

function packageOf(program: string): string {
  if (program === 'nft') return 'nftables'
  return program === 'ovs-vsctl' ? 'openvswitch-switch' : 'iproute2'
}
