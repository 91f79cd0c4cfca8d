import type { RegistryView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

/** Passwords come from the terminal or from stdin: what is on a command line, everybody on the machine can read. */
interface PasswordOptions {
  readonly passwordStdin?: boolean
}

interface ChangeOptions extends PasswordOptions {
  readonly name?: string
  readonly domain?: string
  readonly username?: string
  readonly askPassword?: boolean
  readonly anonymous?: boolean
}

export function registryCommand(program: Command): void {
  const registry = program.command('registry').description('keep where images are pulled from, and as whom')
  finish(registry, { json: false }, [
    { line: 'gantry registry create registry.example.com:5000 -u ada', about: 'asks for the password' },
    { line: 'gantry registry list', about: 'a table' },
    { line: 'gantry run --registry registry.example.com:5000 app', about: 'pulls app from there, as ada' },
  ])
  createCommand(registry)
  readCommands(registry)
  updateCommand(registry)
  deleteCommand(registry)
}

function createCommand(registry: Command): void {
  const create: Command = registry
    .command('create')
    .description('keep a registry')
    .argument('<domain>', 'HOST or HOST:PORT')
    .option('-n, --name <name>', 'default: its domain')
    .option('-u, --username <name>', 'left out: it asks nobody who they are')
    .option('--password-stdin', 'read the password from stdin')
    .action(async (domain: string, { name, username, passwordStdin = false }: ChangeOptions) => {
      if (username === undefined && passwordStdin) throw usage('A password needs --username.')
      const login = username === undefined ? {} : { username, password: await passwordOf({ passwordStdin }) }
      const json = { domain, ...(name === undefined ? {} : { name }), ...login }
      await show(create, await withApi(create, (api) => api.json({ method: 'POST', path: '/v1/registries', json })))
    })
  finish(create, { json: true }, [
    { line: 'gantry registry create registry.example.com:5000 -n hub -u ada', about: 'asks for the password' },
    { line: 'gantry registry create ghcr.io -u ada --password-stdin < token', about: 'for scripts' },
  ])
}

function readCommands(registry: Command): void {
  const list: Command = registry
    .command('list')
    .alias('ls')
    .description('list registries')
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      const query = allProjects ? { allProjects } : {}
      const { registries } = await withApi(list, (api) =>
        api.json<{ registries: RegistryView[] }>({ path: '/v1/registries', query }),
      )
      await print(list, registries)
    })
  finish(list, { json: true }, [{ line: 'gantry registry list', about: 'of your own project' }])

  const one: Command = registry
    .command('show')
    .description('show a registry; never its password')
    .argument('<registry>', 'id or name')
    .action(async (ref: string) => show(one, await withApi(one, (api) => api.json({ path: pathOf(ref) }))))
  finish(one, { json: true }, [{ line: 'gantry registry show hub', about: 'by name or id' }])
}

function updateCommand(registry: Command): void {
  const update: Command = registry
    .command('update')
    .description('change a registry; containers that are there keep what they were created with')
    .argument('<registry>', 'id or name')
    .option('-n, --name <name>')
    .option('--domain <domain>', 'needs the password again')
    .option('-u, --username <name>')
    .option('--ask-password', 'ask for a new password')
    .option('--password-stdin', 'read a new password from stdin')
    .option('--anonymous', 'forget username and password')
    .action(async (ref: string, options: ChangeOptions) => {
      const json = await changeOf(options)
      if (Object.keys(json).length === 0) throw usage('Name at least one change (gantry registry update --help).')
      await show(update, await withApi(update, (api) => api.json({ method: 'PATCH', path: pathOf(ref), json })))
    })
  finish(update, { json: true }, [
    { line: 'gantry registry update hub --ask-password', about: 'a new password' },
    { line: 'gantry registry update hub --anonymous', about: 'pulls without a log-in from now on' },
  ])
}

function deleteCommand(registry: Command): void {
  const remove: Command = registry
    .command('delete')
    .alias('rm')
    .description('forget registries')
    .argument('<registry...>', 'ids or names')
    .action(async (refs: string[]) => {
      await withApi(remove, async (api) => {
        for (const ref of refs) {
          await api.json({ method: 'DELETE', path: pathOf(ref) })
          process.stdout.write(`${ref}\n`)
        }
      })
    })
  finish(remove, { json: false }, [{ line: 'gantry registry delete hub', about: 'containers made with it stay' }])
}

async function changeOf(options: ChangeOptions): Promise<Record<string, string | null>> {
  const { name, domain, username, anonymous = false, askPassword = false, passwordStdin = false } = options
  if (anonymous && (username !== undefined || askPassword || passwordStdin)) {
    throw usage('--anonymous forgets the username and password; it cannot go with new ones.')
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(domain === undefined ? {} : { domain }),
    ...(username === undefined ? {} : { username }),
    ...(anonymous ? { username: null, password: null } : {}),
    ...(askPassword || passwordStdin ? { password: await passwordOf({ passwordStdin }) } : {}),
  }
}

async function passwordOf({ passwordStdin = false }: PasswordOptions): Promise<string> {
  const { askHidden, readAll } = await import('../output/ask.ts')
  if (passwordStdin) return (await readAll()).replace(/\r?\n$/, '')
  if (!process.stdin.isTTY) throw usage('Nobody is there to ask for the password; give it with --password-stdin.')
  return askHidden('Password: ')
}

function pathOf(ref: string): string {
  return `/v1/registries/${encodeURIComponent(ref)}`
}

async function show(command: Command, registry: RegistryView): Promise<void> {
  const { printJson, printProperties } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(registry)
  const { id, name, domain, username, hasPassword, createdAt, updatedAt } = registry
  await printProperties([
    ['id', id],
    ['name', name],
    ['domain', domain],
    ['username', username ?? '-'],
    ['password', hasPassword ? 'kept, never shown' : '-'],
    ['created', createdAt],
    ['updated', updatedAt],
  ])
}

async function print(command: Command, registries: readonly RegistryView[]): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(registries)
  const { ago } = await import('../output/words.ts')
  const now = Date.now()
  await printTable(registries, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name, shrink: 1 },
    { title: 'DOMAIN', value: ({ domain }) => domain, shrink: 2 },
    { title: 'USERNAME', value: ({ username }) => username ?? '-', shrink: 3 },
    { title: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
  ])
}
