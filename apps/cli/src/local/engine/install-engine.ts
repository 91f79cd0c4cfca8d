import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Home } from '../home.ts'
import { unfit } from '../unfit.ts'

/** Daemons live in sbin, which a login shell of Debian does not search for everybody. */
export function systemPath(env: NodeJS.ProcessEnv = process.env): string {
  return [env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(delimiter)
}

export function findProgram(name: string): string | undefined {
  return systemPath()
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path))
}

export function isInstalled(): boolean {
  return findProgram('dockerd') !== undefined
}

/** Why apt cannot install an engine here; undefined if it can. */
export function whyNotInstallable(osRelease: string = readOsRelease()): string | undefined {
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease))
    return 'it can be installed by itself on Debian and Ubuntu only'
  if (findProgram('apt-get') === undefined) return 'apt-get is missing'
  return undefined
}

/** The packages an engine needs on this machine beyond what docker.io depends on, and those that networks and volumes need. */
export function enginePackages(machine: { cgroups: boolean; appArmor: boolean } = thisMachine()): string[] {
  return [
    'docker.io',
    'iptables',
    'ca-certificates',
    ...hostPackages,
    ...(machine.cgroups ? [] : ['cgroupfs-mount']),
    // With AppArmor in the kernel but no parser, every container start fails.
    ...(machine.appArmor ? ['apparmor'] : []),
  ]
}

/** Programs that a host builds networks and volumes with, and the packages of Debian and Ubuntu that have them. */
const hostPrograms: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  losetup: 'mount',
  'mkfs.ext4': 'e2fsprogs',
}
const hostPackages = [...new Set(Object.values(hostPrograms))]

/**
 * Installs `docker.io` by apt without starting or enabling the machine's own Docker service: the engine that Gantry starts
 * is a separate one. apt downloads everything before it unpacks anything, so a failed download leaves nothing behind.
 */
export async function installEngine(home: Home, say: (detail: string) => void, signal: AbortSignal): Promise<void> {
  await installPackages(home, enginePackages(), say, signal)
  if (existsSync('/run/systemd/system')) {
    await run(
      'systemctl',
      ['disable', '--quiet', 'docker.service', 'docker.socket'],
      join(home.logs, 'apt.log'),
      () => undefined,
      signal,
    ).catch(() => undefined)
  }
}

/** Programs of a host that this machine lacks. */
export function missingPrograms(): string[] {
  return Object.keys(hostPrograms).filter((program) => findProgram(program) === undefined)
}

/** The packages that have these programs. */
export function packagesOf(programs: readonly string[]): string[] {
  return [...new Set(programs.map((program) => hostPrograms[program] ?? program))]
}

/** Installs packages by apt; none of their services is started. Throws `machine.unfit`. */
export async function installPackages(
  home: Home,
  packages: readonly string[],
  say: (detail: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const log = join(home.logs, 'apt.log')
  say('reading package lists')
  // Not fatal: the lists that are there may do, and if not the install itself says what is wrong.
  await aptGet(['update'], log, say, signal).catch(() => signal.throwIfAborted())
  const restore = forbidServiceStarts()
  try {
    await aptGet(['install', '-y', '--no-install-recommends', ...packages], log, say, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw unfit(
      `Installing ${packages[0]} by apt failed (the log is ${log}).`,
      'Check the network and the package sources with `apt-get update`, or install it yourself.',
      error,
    )
  } finally {
    restore()
  }
}

async function aptGet(args: string[], log: string, say: (detail: string) => void, signal: AbortSignal): Promise<void> {
  const options = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', '-o', 'Acquire::Retries=2']
  await run('apt-get', [...options, ...args], log, (line) => say(aptDetail(line) ?? ''), signal)
}

/** What a line of apt's output says to a person who waits, if anything. */
export function aptDetail(line: string): string | undefined {
  const match = /^(Get:\d+ \S+ \S+ \S+ (\S+)|Unpacking (\S+)|Setting up (\S+))/.exec(line)
  if (!match) return undefined
  if (match[2] !== undefined) return `downloading ${match[2]}`
  return match[3] !== undefined ? `unpacking ${match[3]}` : `setting up ${match[4]}`
}

async function run(
  program: string,
  args: string[],
  log: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const fd = openSync(log, 'a', 0o600)
  try {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', fd],
      // Its own group: Ctrl-C in the terminal must not tear dpkg down half way; the signal below is heeded between steps.
      detached: true,
      env: { ...process.env, PATH: systemPath(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    })
    const ended = new Promise<number>((done, failed) => {
      child.once('error', failed)
      child.once('close', (code) => done(code ?? 1))
    })
    createInterface({ input: child.stdout ?? Readable.from([]) }).on('line', (line) => {
      writeFileSync(fd, `${line}\n`)
      onLine(line)
    })
    const code = await ended
    signal.throwIfAborted()
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${code}`)
  } finally {
    closeSync(fd)
  }
}

const policyFile = '/usr/sbin/policy-rc.d'
const policyMark = '# made by gantry while it installs docker.io; safe to remove'

/**
 * Debian asks `policy-rc.d` before a package's script starts a service. One that was there already stays as it is; ours is
 * recognised by its mark, so that one left by a killed install goes with the next.
 */
export function forbidServiceStarts(path: string = policyFile): () => void {
  const there = existsSync(path)
  if (there && !readFileSync(path, 'utf8').includes(policyMark)) return () => undefined
  writeFileSync(path, `#!/bin/sh\n${policyMark}\nexit 101\n`, { mode: 0o755 })
  return () => rmSync(path, { force: true })
}

function thisMachine(): { cgroups: boolean; appArmor: boolean } {
  const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8') : ''
  const appArmor = '/sys/module/apparmor/parameters/enabled'
  return {
    cgroups: / cgroup2? /.test(mounts),
    appArmor: existsSync(appArmor) && readFileSync(appArmor, 'utf8').startsWith('Y'),
  }
}

function readOsRelease(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
