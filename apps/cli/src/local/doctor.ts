import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { Fault, reasonOf } from '@gantry/kernel'
import { runningEngine } from './engine/find-engine.ts'
import { isInstalled, missingPrograms, packagesOf, systemPath, whyNotInstallable } from './engine/install-engine.ts'
import { freeBytesAt, type Home, leastFreeBytes } from './home.ts'
import { checkPlatform } from './platform.ts'
import { checkPortFree, parseListen } from './ports.ts'
import { readState } from './state.ts'
import { statusOf } from './status.ts'
import { unfit } from './unfit.ts'

/** Of the APIs, agents, and the Docker API without and with TLS. */
const portOffsets = [0, 2, 3, 4]

export interface Check {
  readonly ok: boolean
  /** What was found, or what is wrong and the remedy. */
  readonly text: string
}

/** Looks at everything that `up` needs, and at what runs if it runs. Changes nothing. */
export async function examine(home: Home, listen: string, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const checks: (() => Promise<string> | string)[] = [
    platform,
    () => homeCheck(home),
    () => engineCheck(home, env),
    cgroups,
    iptables,
    hostTools,
    () => dockerCommand(env),
    ...(readState(home) ? [() => runningCheck(home)] : portOffsets.map((offset) => () => portCheck(listen, offset))),
    () => secrecy(home),
  ]
  const results: Check[] = []
  for (const check of checks) results.push(await outcome(check))
  return results
}

async function outcome(check: () => Promise<string> | string): Promise<Check> {
  try {
    return { ok: true, text: await check() }
  } catch (error) {
    return { ok: false, text: error instanceof Fault ? error.message : reasonOf(error) }
  }
}

function platform(): string {
  checkPlatform()
  return `Linux with Node ${process.versions.node}`
}

async function homeCheck(home: Home): Promise<string> {
  const there = existsSync(home.root)
  const folder = there ? home.root : nearest(home.root)
  const free = await freeBytesAt(folder)
  if (free < leastFreeBytes) {
    throw unfit(`The disk of ${folder} has only ${Math.floor(free / 1024 ** 2)} MiB free.`, 'Free at least 1024 MiB.')
  }
  return `State folder ${home.root}${there ? '' : ' (not made yet)'}, ${Math.floor(free / 1024 ** 3)} GiB free`
}

function nearest(path: string): string {
  let folder = path
  while (!existsSync(folder)) folder = folder.slice(0, folder.lastIndexOf('/')) || '/'
  return folder
}

async function engineCheck(home: Home, env: NodeJS.ProcessEnv): Promise<string> {
  const found = await runningEngine(home, { asked: undefined, env }, AbortSignal.timeout(10_000))
  if (found) return `Engine ${found.kind} ${found.version} at unix://${found.socket}`
  if (process.getuid?.() !== 0) {
    throw unfit(
      'No engine answers to this user, and only root can start one.',
      'Run as root, or start Docker or Podman.',
    )
  }
  if (isInstalled()) return 'No engine runs; `gantry up` starts one of its own'
  const reason = whyNotInstallable()
  if (reason === undefined) return 'No engine is installed; `gantry up` installs docker.io'
  throw unfit(`No engine is installed, and ${reason}.`, 'Install Docker or Podman.')
}

function cgroups(): string {
  if (/ cgroup2? /.test(readFileSync('/proc/mounts', 'utf8'))) return 'Control groups are mounted'
  throw unfit(
    'Control groups are not mounted, so no engine can run containers.',
    'Install cgroupfs-mount, or boot with systemd.',
  )
}

function iptables(): string {
  const result = spawnSync('iptables', ['-w', '5', '-t', 'nat', '-S'], {
    env: { PATH: systemPath() },
    encoding: 'utf8',
  })
  if (result.status === 0) return 'iptables works'
  const problem = result.error ? 'is not installed' : `does not work (${result.stderr.split('\n')[0]})`
  throw unfit(
    `iptables ${problem}, so containers cannot reach other networks.`,
    'Install the iptables package and run as root.',
  )
}

function hostTools(): string {
  const missing = missingPrograms()
  if (missing.length === 0) return 'The programs for networks and volumes are there'
  throw unfit(
    `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed, so containers get no networks or volumes.`,
    `Install them: apt-get install ${packagesOf(missing).join(' ')}.`,
  )
}

/** Nothing of Gantry needs it; `gantry docker` does. */
function dockerCommand({ PATH = '' }: NodeJS.ProcessEnv): string {
  const { status, stdout } = spawnSync('docker', ['--version'], { env: { PATH }, encoding: 'utf8' })
  if (status !== 0) return 'No docker command is installed; `gantry docker` needs one (apt-get install docker.io)'
  return `The docker command is ${/[0-9]+\.[0-9]+[^,\s]*/.exec(stdout)?.[0] ?? 'there'}`
}

async function portCheck(listen: string, offset: number): Promise<string> {
  const { host, port } = parseListen(listen, '--listen')
  await checkPortFree({ host, port: port + offset }, '--listen')
  return `Port ${port + offset} on ${host} is free`
}

async function runningCheck(home: Home): Promise<string> {
  const { hosts, problem } = await statusOf(home)
  if (!hosts) throw unfit(`The server does not answer as it should: ${problem}.`, `Its log is ${home.logs}/server.log.`)
  if (hosts.connected === 0) throw unfit('No host is connected.', `The agent's log is ${home.logs}/agent.log.`)
  return `The server answers, ${hosts.connected} of ${hosts.known} hosts are connected`
}

function secrecy(home: Home): string {
  const open = [home.openrc, home.openrcAdmin, home.openstack].filter(
    (path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  )
  if (open.length === 0) return 'Credentials are readable by their owner only'
  throw unfit(`${open.join(' and ')} can be read by other users.`, `Run \`chmod 600 ${open.join(' ')}\`.`)
}
