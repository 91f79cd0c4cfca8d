import { createInterface } from 'node:readline/promises'
import { reasonOf } from '@gantry/kernel'
import type { Command } from 'commander'
import type { Finding } from '../openstack/finding.ts'
import { detachedMark, inBackground, upDetached } from './detach.ts'
import { examine } from './doctor.ts'
import { down } from './down.ts'
import { type Home, homeAt } from './home.ts'
import { holderOf } from './lock.ts'
import { progressTo, screenOn } from './progress.ts'
import { readState } from './state.ts'
import { statusLines, statusOf } from './status.ts'
import { summaryLines } from './summary.ts'
import { realParts, up, type UpOptions } from './up.ts'

const defaultListen = '127.0.0.1:9700'

/** The verbs for a whole cloud on this machine: up, down, status, doctor. */
export function localCommands(program: Command): void {
  program
    .command('up')
    .description('start everything on this machine and run a sample container')
    .option('--detach', 'leave it in the background once it serves')
    .option('--home <dir>', 'state folder (default: $GANTRY_HOME or ~/.gantry)')
    .option(
      '--listen <host:port>',
      'address of the APIs; agents get the port two above, Docker clients those three and four above',
      defaultListen,
    )
    .option(
      '--name <name>',
      'a name or address by which others reach this machine; may be given several times',
      collected,
    )
    .option('--engine <unix://path>', 'use this engine instead of looking for one')
    .option('--no-sample', 'run no sample container')
    .action(reporting(runUp))
  program
    .command('down')
    .description('stop the server and the agent; containers keep running')
    .option('--all', 'also stop the engine that Gantry started, and its containers')
    .option('--yes', 'do not ask')
    .option('--home <dir>', 'state folder')
    .action(reporting(runDown))
  program
    .command('status')
    .description('show what runs on this machine')
    .option('--json', 'as JSON')
    .option('--home <dir>', 'state folder')
    .action(reporting(runStatus))
  program
    .command('doctor')
    .description('check everything that is needed and say what to do about what is missing')
    .option('--home <dir>', 'state folder')
    .option('--listen <host:port>', 'address to be used', defaultListen)
    .option(
      '--openstack [file]',
      'check the OpenStack that is meant by this file (default: openstack.yaml in the home)',
    )
    .option(
      '--neutron-host <name>',
      "with --openstack: what Neutron's agent on this machine calls it (default: its host name)",
    )
    .option('--json', 'as JSON')
    .action(reporting(runDoctor))
}

async function runUp(options: UpOptions & { detach?: boolean }): Promise<number> {
  if (process.env[detachedMark] === undefined && (await showRunning(homeAt(options.home)))) return 0
  if (options.detach) {
    const args = process.argv.slice(2).filter((arg) => arg !== '--detach')
    return await upDetached(homeAt(options.home), process.argv[1] ?? '', args)
  }
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort())
  const background = process.env[detachedMark] === undefined ? undefined : inBackground(() => stop.abort())
  // Children must not take themselves for the background half.
  const env = { ...process.env }
  delete env[detachedMark]
  using screen = screenOn(process.stdout)
  const progress = background?.progress ?? progressTo(screen.show)
  let ready = false
  const onReady = (): void => {
    ready = true
    background?.ready()
  }
  try {
    await up(options, { ...realParts(env), detached: background !== undefined, onReady }, progress, stop.signal)
  } catch (error) {
    if (stop.signal.aborted) return 130
    background?.failed(reasonOf(error))
    throw error
  } finally {
    background?.end()
  }
  if (ready) progress.line('Stopped. Containers keep running; the next start finds them again.')
  return 0
}

/** What is wished for is there already: says so and where, and changes nothing. */
async function showRunning(home: Home): Promise<boolean> {
  const holder = await holderOf(home)
  const state = holder && readState(home)
  holder?.forget()
  if (!state) return false
  const lines = summaryLines(
    home,
    state,
    state.detached ? 'background' : 'elsewhere',
    `Gantry already runs (pid ${state.supervisor.pid}); nothing was changed.`,
  )
  process.stdout.write(`${lines.join('\n').trimStart()}\n`)
  return true
}

async function runDown({
  all = false,
  yes = false,
  home: dir,
}: {
  all?: boolean
  yes?: boolean
  home?: string
}): Promise<number> {
  const home = homeAt(dir)
  if (all && !yes && !(await confirm('This stops the engine that Gantry started and all its containers.'))) return 1
  using screen = screenOn(process.stdout)
  const { cloud, engine } = await down(home, { all }, progressTo(screen.show))
  if (!cloud && !engine) process.stdout.write(`Nothing ran (${home.root})\n`)
  if (cloud && !engine) process.stdout.write('Containers keep running; the next start finds them again.\n')
  return 0
}

async function confirm(warning: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stderr.write(`gantry: ${warning} Say --yes to do it without a question.\n`)
    return false
  }
  using lines = createInterface({ input: process.stdin, output: process.stdout })
  return /^y(es)?$/i.test((await lines.question(`${warning} Go on? [y/N] `)).trim())
}

async function runStatus({ json = false, home }: { json?: boolean; home?: string }): Promise<number> {
  const status = await statusOf(homeAt(home))
  process.stdout.write(json ? `${JSON.stringify(status, undefined, 2)}\n` : `${statusLines(status).join('\n')}\n`)
  return status.running && status.problem === undefined ? 0 : 1
}

interface DoctorWords {
  readonly home?: string
  readonly listen: string
  readonly openstack?: string | true
  readonly neutronHost?: string
  readonly json?: boolean
}

async function runDoctor(options: DoctorWords): Promise<number> {
  const { json = false } = options
  const findings = await findingsOf(options)
  const { findingLine } = await import('../openstack/finding.ts')
  const text = json ? JSON.stringify(findings, undefined, 2) : findings.map(findingLine).join('\n')
  process.stdout.write(`${text}\n`)
  return findings.every(({ state }) => state !== 'bad') ? 0 : 1
}

async function findingsOf({ home: dir, listen, openstack, neutronHost }: DoctorWords): Promise<readonly Finding[]> {
  const home = homeAt(dir)
  if (openstack === undefined) {
    const checks = await examine(home, listen, process.env)
    return checks.map(({ ok, text }) => ({ state: ok ? 'ok' : 'bad', text }))
  }
  const { examineCloud } = await import('../openstack/doctor.ts')
  const file = openstack === true ? home.openstack : openstack
  return await examineCloud({ file, computeFile: home.compute, neutronHost })
}

/** A verb's exit code, and one sentence on stderr for what went wrong. */
function reporting<O>(verb: (options: O) => Promise<number>): (options: O) => Promise<void> {
  return async (options) => {
    try {
      process.exitCode = await verb(options)
    } catch (error) {
      process.stderr.write(`gantry: ${reasonOf(error)}\n`)
      process.exitCode = 1
    }
  }
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
