import { join } from 'node:path'
import { Fault } from '@gantry/kernel'
import { isOpenStackError } from '@gantry/openstack'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { homeAt } from '../local/home.ts'
import { adminCloud } from '../openstack/admin-cloud.ts'
import { type Ledger, lineOf, openLedger } from '../openstack/ledger.ts'
import { baseUrl, register, unregister } from '../openstack/register.ts'
import type { CommonOptions, Example } from './common.ts'

interface WhereOptions {
  readonly osCloud?: string
  readonly home?: string
  readonly openstack?: string
  readonly region?: string
  readonly user: string
  readonly domain: string
  readonly dryRun?: boolean
}

interface RegisterWords extends WhereOptions {
  readonly url: string
  readonly internalUrl?: string
  readonly adminUrl?: string
  readonly project: string
  readonly password?: string
  readonly resetPassword?: boolean
  readonly replace?: boolean
}

/** For the operator of a cloud: `register`, `unregister`. */
export function openstackCommand(program: Command): void {
  const openstack = program.command('openstack').description('join Gantry to an OpenStack cloud (its administrators)')
  examples(openstack, [
    { line: 'gantry openstack register --url http://controller:9700', about: 'with the openrc of an administrator' },
    { line: 'gantry doctor --openstack', about: 'checks everything that is needed' },
  ])

  const enter = where(openstack.command('register'))
    .description('make service user, roles and catalog entries, and write openstack.yaml; may be repeated')
    .requiredOption('--url <url>', 'where clients reach this Gantry: http://HOST:PORT')
    .option('--internal-url <url>', 'the same for the services of the cloud (default: --url)')
    .option('--admin-url <url>', 'for the interface admin (default: --internal-url)')
    .option('--project <name>', "of services' users", 'service')
    .option('--password <password>', 'of the service user (better: GANTRY_SERVICE_PASSWORD; default: a new one)')
    .option('--reset-password', 'give an existing user a new password; whoever uses the old one is locked out')
    .option('--replace', 'take the place of another container service in the catalog')
    .action((options: RegisterWords) => runRegister(enter, options))
  examples(enter, [
    { line: 'gantry openstack register --url http://controller:9700 --dry-run', about: 'only says what it would do' },
    { line: 'gantry openstack register --url https://containers.example.com', about: 'after a move: endpoints change' },
  ])

  const leave = where(openstack.command('unregister'))
    .description('take out of the cloud what register put there; containers stay')
    .action((options: WhereOptions) => runUnregister(leave, options))
  examples(leave, [
    { line: 'gantry openstack unregister --os-cloud admin', about: 'as the cloud admin of clouds.yaml' },
  ])
}

function where(command: Command): Command {
  return command
    .option('--os-cloud <name>', 'an entry of clouds.yaml (default: OS_CLOUD, else the OS_* variables)')
    .option('--region <name>', 'default: OS_REGION_NAME, else the only one')
    .option('--user <name>', 'the service user', 'gantry')
    .option('--domain <name>', 'of the service user and its project', 'Default')
    .option('--home <dir>', "the server's state folder (default: $GANTRY_HOME or ~/.gantry)")
    .option('--openstack <file>', 'the file to write (default: openstack.yaml in the state folder)')
    .option('--dry-run', 'change nothing, say what would be done')
    .option('--json', 'print JSON, for programs')
}

async function runRegister(command: Command, options: RegisterWords): Promise<void> {
  const url = baseUrl(options.url, '--url')
  const internal = options.internalUrl === undefined ? url : baseUrl(options.internalUrl, '--internal-url')
  const admin = options.adminUrl === undefined ? internal : baseUrl(options.adminUrl, '--admin-url')
  const file = fileOf(options)
  await withLedger(command, options, async (ledger) => {
    await using cloud = await adminCloud(process.env, options.osCloud)
    await register(cloud, ledger, {
      file,
      urls: { public: url, internal, admin },
      region: options.region,
      user: options.user,
      project: options.project,
      domain: options.domain,
      password: options.password ?? (process.env['GANTRY_SERVICE_PASSWORD'] || undefined),
      reset: options.resetPassword ?? false,
      replace: options.replace ?? false,
    })
  })
}

async function runUnregister(command: Command, options: WhereOptions): Promise<void> {
  const { region, user, domain } = options
  const file = fileOf(options)
  await withLedger(command, options, async (ledger) => {
    await using cloud = await adminCloud(process.env, options.osCloud)
    await unregister(cloud, ledger, { file, region, user, domain })
  })
}

async function withLedger(
  command: Command,
  { dryRun = false }: WhereOptions,
  work: (ledger: Ledger) => Promise<void>,
): Promise<void> {
  const json = command.optsWithGlobals<CommonOptions>().json === true
  const ledger = openLedger(dryRun, (change) => {
    if (!json) process.stdout.write(`${lineOf(change, dryRun)}\n`)
  })
  try {
    await work(ledger)
  } catch (error) {
    throw failureOf(error)
  } finally {
    if (json) process.stdout.write(`${JSON.stringify({ dryRun, changes: ledger.changes }, undefined, 2)}\n`)
  }
}

/** What a person can do something about is a sentence; all else is a defect and keeps its stack. */
function failureOf(error: unknown): unknown {
  if (error instanceof Fault) return new Failure(error.message, { cause: error })
  if (!isOpenStackError(error)) return error
  const remedy =
    error.status === 401 || error.status === 403
      ? 'It takes an administrator of the cloud: source that openrc, or name one with --os-cloud.'
      : undefined
  return new Failure(error.message, { cause: error, ...(remedy !== undefined && { remedy }) })
}

function fileOf({ openstack, home }: WhereOptions): string {
  return openstack ?? join(homeAt(home).root, 'openstack.yaml')
}

/** As `finish` has it, but these verbs talk to the cloud, not to a server of ours. */
function examples(command: Command, lines: readonly Example[]): void {
  const width = Math.max(...lines.map(({ line }) => line.length))
  command.addHelpText(
    'after',
    `\nExamples:\n${lines.map(({ line, about }) => `  $ ${line.padEnd(width)}   # ${about}`).join('\n')}`,
  )
}
